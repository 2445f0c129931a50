//! The broker's definitions: RabbitMQ starts with them, and each user may do what it needs and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lapin::options::{
    BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions,
    QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use lazaret_tests::support::process::{Server, free_address, run};
use serde_json::Value;

use super::{json, secrets, text};

/// The longest deadline that a worker can be given, in seconds.
const LONGEST_DEADLINE: u64 = 1200;
const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

fn named(list: &Value) -> BTreeSet<&str> {
    list.as_array().expect("a list").iter().map(|item| item["name"].as_str().expect("a name")).collect()
}

#[test]
fn definitions_hold_the_topology_and_no_password() {
    let definitions = json("rabbitmq/definitions.json");
    let queues = [
        "lazaret.bulk",
        "lazaret.dead",
        "lazaret.interactive",
        "lazaret.jobs.0",
        "lazaret.jobs.1",
        "lazaret.jobs.2",
        "lazaret.jobs.3",
        "lazaret.retry.10s",
        "lazaret.retry.600s",
        "lazaret.retry.60s",
    ];
    assert_eq!(named(&definitions["queues"]), queues.into());
    assert_eq!(named(&definitions["users"]), ["admin", "coordinator", "scaler", "worker"].into());
    for user in definitions["users"].as_array().expect("users") {
        let (name, hash) = (user["name"].as_str().expect("a name"), user["password_hash"].as_str().expect("a hash"));
        assert_eq!(hash, format!("@{name}@"), "infra/rabbitmq/users puts it in");
        assert!(user.get("password").is_none());
        assert_eq!(user["tags"], if name == "admin" { "administrator" } else { "" }, "{name}");
    }
    for queue in definitions["queues"].as_array().expect("queues") {
        let arguments = queue["arguments"].as_object().expect("arguments");
        assert_eq!((&queue["durable"], &arguments["x-queue-type"]), (&Value::Bool(true), &Value::from("quorum")));
        // What 3.10 refuses of a quorum queue, and limits, which belong in policies.
        for argument in ["x-max-priority", "x-queue-mode", "x-max-length", "x-max-length-bytes"] {
            assert!(!arguments.contains_key(argument), "{queue}");
        }
        // At-least-once dead-lettering needs the overflow that goes with it, else it is silently none.
        if arguments.contains_key("x-dead-letter-exchange") {
            assert_eq!(arguments["x-dead-letter-strategy"], "at-least-once", "{queue}");
            assert_eq!(arguments["x-overflow"], "reject-publish", "{queue}");
        }
    }
    let limited = definitions["policies"].as_array().expect("policies").iter();
    let limited: BTreeSet<_> = limited.map(|policy| policy["pattern"].as_str().expect("a pattern")).collect();
    assert_eq!(limited, [r"^lazaret\.bulk$", r"^lazaret\.dead$", r"^lazaret\.interactive$"].into());
}

#[test]
fn the_broker_is_more_patient_than_the_longest_layer() {
    let conf = text("rabbitmq/rabbitmq.conf");
    let value = |key: &str| {
        let line = conf.lines().find_map(|line| line.strip_prefix(key)?.trim().strip_prefix('='));
        line.unwrap_or_else(|| panic!("no {key}")).trim().to_owned()
    };
    let patience: u64 = value("consumer_timeout").parse().expect("milliseconds");
    assert!(patience >= (2 * LONGEST_DEADLINE + 60) * 1000, "{patience}");
    assert_eq!(value("load_definitions"), "/etc/rabbitmq/definitions.json");
    assert!((5..=20).contains(&value("heartbeat").parse::<u64>().expect("seconds")));
    assert!(!conf.contains("default_pass"));
}

/// A broker that has our configuration; it and its port mapper end with this.
struct Broker {
    address: SocketAddr,
    server: Child,
    _mapper: Server,
}

impl Broker {
    /// Starts one in `directory`, which has the secrets; `None`, loudly, where there is no RabbitMQ.
    #[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
    fn start(directory: &Path) -> Option<Self> {
        if !Path::new(SERVER).is_file() {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "rabbitmq-server is not installed");
            eprintln!("SKIPPED: rabbitmq-server is not installed");
            return None;
        }
        let definitions = directory.join("definitions.json");
        let conf = text("rabbitmq/rabbitmq.conf")
            .replace("/etc/rabbitmq/definitions.json", definitions.to_str().expect("UTF-8"))
            // The machine of a test may have less room than a broker's.
            .replace("disk_free_limit.absolute = 2GB", "disk_free_limit.absolute = 50MB");
        fs::write(directory.join("rabbitmq.conf"), conf).expect("a configuration");
        fs::write(directory.join("plugins"), "[].\n").expect("no plugins");
        let (address, mapper) = (free_address(), free_address());
        let port = mapper.port().to_string();
        let mut command = Command::new("epmd");
        // Erlang would start one by itself, which outlives it.
        let _mapper =
            Server::start(command.args(["-address", "127.0.0.1", "-port", &port]), mapper).expect("epmd starts");
        let log = fs::File::create(directory.join("out")).expect("a log");
        let server = Command::new(SERVER)
            .env("HOME", directory)
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("ERL_EPMD_PORT", &port)
            .env("RABBITMQ_NODENAME", format!("infra-{}@localhost", address.port()))
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", address.port().to_string())
            .env("RABBITMQ_DIST_PORT", free_address().port().to_string())
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}")
            .env("RABBITMQ_MNESIA_BASE", directory.join("data"))
            .env("RABBITMQ_LOG_BASE", directory.join("log"))
            .env("RABBITMQ_CONFIG_FILE", directory.join("rabbitmq.conf"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", directory.join("plugins"))
            .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
            .env("RABBITMQ_PID_FILE", directory.join("pid"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .process_group(0)
            .spawn()
            .expect("rabbitmq-server starts");
        let mut broker = Self { address, server, _mapper };
        let start = Instant::now();
        let out = || fs::read_to_string(directory.join("out")).unwrap_or_default();
        while !out().contains("completed with") {
            let ended = broker.server.try_wait().expect("a process");
            assert!(ended.is_none() && start.elapsed() < Duration::from_secs(180), "{ended:?}: {}", out());
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(broker)
    }

    async fn connect(&self, user: &str, password: &str) -> Result<Connection, lapin::Error> {
        let url = format!("amqp://{user}:{password}@{}/lazaret", self.address);
        Connection::connect(&url, ConnectionProperties::default()).await
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // The script is the shell that leads the group, the broker is in it.
        let group = format!("-{}", self.server.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).status();
        let _ = self.server.wait();
    }
}

#[test]
fn each_user_may_do_what_it_needs_and_nothing_else() {
    let directory = tempfile::tempdir().expect("a directory");
    secrets(directory.path());
    let Some(broker) = Broker::start(directory.path()) else { return };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let connect = async |user: &str| {
            let path = directory.path().join(format!("rabbitmq-{user}.password"));
            let password = fs::read_to_string(path).expect("a password");
            broker.connect(user, password.trim()).await.unwrap_or_else(|error| panic!("{user}: {error}"))
        };
        assert!(broker.connect("guest", "guest").await.is_err(), "a default user");
        assert!(broker.connect("worker", "worker").await.is_err(), "a default password");
        worker(&connect("worker").await).await;
        coordinator(&connect("coordinator").await).await;
        scaler(&connect("scaler").await).await;
        let admin = connect("admin").await;
        delete(&channel(&admin).await, "lazaret.bulk").await.expect("admin deletes");
    });
}

async fn worker(connection: &Connection) {
    let channel_ = channel(connection).await;
    consume(&channel_, "lazaret.interactive").await.expect("interactive tasks");
    consume(&channel_, "lazaret.bulk").await.expect("bulk tasks");
    look(&channel_, "lazaret.dead").await.expect("to look whether a queue is there");
    publish(&channel_, "lazaret.announce", "").await.expect("announcements");
    publish(&channel_, "lazaret.retry.10s", "lazaret.bulk").await.expect("the ladder");
    refused(publish(&channel(connection).await, "", "lazaret.jobs.0").await, "jobs of its own");
    refused(publish(&channel(connection).await, "", "lazaret.bulk").await, "tasks of its own");
    for queue in ["lazaret.jobs.0", "lazaret.dead", "lazaret.retry.10s"] {
        refused(consume(&channel(connection).await, queue).await, queue);
    }
    refused(declare(&channel(connection).await, "lazaret.mine").await, "a queue of its own");
    refused(delete(&channel(connection).await, "lazaret.bulk").await, "a queue deleted");
}

async fn coordinator(connection: &Connection) {
    let channel_ = channel(connection).await;
    let own = QueueDeclareOptions { exclusive: true, auto_delete: true, ..Default::default() };
    let own = channel_.queue_declare("".into(), own, FieldTable::default()).await.expect("a queue of its own");
    let bind = QueueBindOptions::default();
    let bound =
        channel_.queue_bind(own.name().clone(), "lazaret.announce".into(), "".into(), bind, FieldTable::default());
    bound.await.expect("announcements");
    consume(&channel_, own.name().as_str()).await.expect("announcements");
    consume(&channel_, "lazaret.jobs.0").await.expect("jobs");
    consume(&channel_, "lazaret.dead").await.expect("dead letters");
    for queue in ["lazaret.interactive", "lazaret.bulk", "lazaret.jobs.3"] {
        publish(&channel_, "", queue).await.unwrap_or_else(|error| panic!("{queue}: {error}"));
    }
    refused(consume(&channel(connection).await, "lazaret.bulk").await, "tasks");
    refused(publish(&channel(connection).await, "lazaret.announce", "").await, "announcements of its own");
    refused(declare(&channel(connection).await, "lazaret.mine").await, "a lasting queue");
    refused(delete(&channel(connection).await, "lazaret.jobs.0").await, "a queue deleted");
}

async fn scaler(connection: &Connection) {
    let waiting = look(&channel(connection).await, "lazaret.bulk").await.expect("the depth");
    assert!(waiting.message_count() >= 1, "what the coordinator published waits");
    let got = channel(connection).await.basic_get("lazaret.bulk".into(), BasicGetOptions::default()).await;
    refused(got, "a task");
    refused(publish(&channel(connection).await, "", "lazaret.bulk").await, "tasks");
    let exchange = ExchangeDeclareOptions { durable: true, ..Default::default() };
    let kind = lapin::ExchangeKind::Fanout;
    let made =
        channel(connection).await.exchange_declare("lazaret.x".into(), kind, exchange, FieldTable::default()).await;
    refused(made, "an exchange");
}

/// A channel: the broker closes the one on which it refuses something.
async fn channel(connection: &Connection) -> Channel {
    let channel = connection.create_channel().await.expect("a channel");
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
    channel
}

fn refused<T>(outcome: Result<T, lapin::Error>, what: &str) {
    let error = outcome.err().unwrap_or_else(|| panic!("{what}: allowed"));
    assert!(
        error.to_string().contains("ACCESS_REFUSED") || error.to_string().contains("ACCESS-REFUSED"),
        "{what}: {error}"
    );
}

async fn consume(channel: &Channel, queue: &str) -> Result<(), lapin::Error> {
    channel
        .basic_consume(queue.into(), "".into(), BasicConsumeOptions::default(), FieldTable::default())
        .await
        .map(drop)
}

/// Publishes, and fails unless the broker has confirmed it; to a queue that is not there, too.
async fn publish(channel: &Channel, exchange: &str, key: &str) -> Result<(), lapin::Error> {
    let options = BasicPublishOptions { mandatory: exchange != "lazaret.announce", ..Default::default() };
    let sent = channel.basic_publish(exchange.into(), key.into(), options, b"{}", BasicProperties::default()).await?;
    let confirmation = sent.await?;
    assert!(confirmation.is_ack() && confirmation.take_message().is_none(), "{exchange} {key}");
    Ok(())
}

async fn look(channel: &Channel, queue: &str) -> Result<lapin::Queue, lapin::Error> {
    let options = QueueDeclareOptions { passive: true, ..Default::default() };
    channel.queue_declare(queue.into(), options, FieldTable::default()).await
}

async fn declare(channel: &Channel, queue: &str) -> Result<(), lapin::Error> {
    let options = QueueDeclareOptions { durable: true, ..Default::default() };
    channel.queue_declare(queue.into(), options, FieldTable::default()).await.map(drop)
}

async fn delete(channel: &Channel, queue: &str) -> Result<(), lapin::Error> {
    channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.map(drop)
}

#[test]
fn the_script_hashes_as_rabbitmq_does() {
    use base64::Engine as _;
    use sha2::Digest as _;
    let directory = tempfile::tempdir().expect("a directory");
    run(Command::new(super::at("rabbitmq/users")).arg(directory.path()));
    let made: Value =
        serde_json::from_slice(&fs::read(directory.path().join("definitions.json")).expect("a file")).expect("JSON");
    for user in made["users"].as_array().expect("users") {
        let name = user["name"].as_str().expect("a name");
        let password =
            fs::read_to_string(directory.path().join(format!("rabbitmq-{name}.password"))).expect("a password");
        let hash = base64::engine::general_purpose::STANDARD.decode(user["password_hash"].as_str().expect("a hash"));
        let hash = hash.expect("base64");
        let (salt, digest) = hash.split_at(4);
        assert_eq!(sha2::Sha256::digest([salt, password.trim().as_bytes()].concat()).as_slice(), digest, "{name}");
    }
}
