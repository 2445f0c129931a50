//! The cache's configuration: Redis starts with it, keeps nothing on disk, and lets in the one user for what it needs.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use lazaret_tests::support::has_program;
use lazaret_tests::support::process::{Server, free_address};

use super::{secrets, text};

#[test]
fn redis_starts_with_the_configuration_and_knows_one_user() {
    if !has_program("redis-server") {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    secrets(directory.path());
    let password = fs::read_to_string(directory.path().join("redis.password")).expect("a password");
    let configuration = directory.path().join("redis.conf");
    let users = directory.path().join("users.acl");
    let own = text("redis/redis.conf").replace("/etc/redis/users.acl", users.to_str().expect("UTF-8"));
    fs::write(&configuration, own).expect("a configuration");
    let address = free_address();
    let mut command = Command::new("redis-server");
    command.arg(&configuration).args(["--port", &address.port().to_string(), "--bind", "127.0.0.1"]);
    let _server = Server::start(command.current_dir(directory.path()), address).expect("redis starts");

    assert!(ask(address, "SET lazaret:x 1\r\n").starts_with("-NOAUTH"));
    let login = format!("AUTH lazaret {}\r\n", password.trim());
    let after = |request: &str| ask(address, &format!("{login}{request}\r\n")).split_off("+OK\r\n".len());
    assert_eq!(after("SET lazaret:x 1"), "+OK\r\n");
    for refused in ["SET other:x 1", "FLUSHALL", "CONFIG GET save", "KEYS *", "SAVE"] {
        assert!(after(refused).starts_with("-NOPERM"), "{refused}: {}", after(refused));
    }
    let own = text("redis/redis.conf");
    for line in ["save \"\"", "appendonly no", "maxmemory-policy allkeys-lru"] {
        assert!(own.lines().any(|found| found == line), "no `{line}`");
    }
}

/// What Redis answers to `requests`, each an inline command, on a connection of its own.
fn ask(address: SocketAddr, requests: &str) -> String {
    let mut connection = TcpStream::connect(address).expect("a connection");
    connection.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
    connection.write_all(requests.as_bytes()).expect("a request");
    let mut answers = String::new();
    let mut bytes = [0; 4096];
    while answers.matches("\r\n").count() < requests.matches("\r\n").count() {
        let read = connection.read(&mut bytes).expect("an answer");
        assert_ne!(read, 0, "the connection ended after {answers:?}");
        answers += std::str::from_utf8(&bytes[..read]).expect("UTF-8");
    }
    answers
}
