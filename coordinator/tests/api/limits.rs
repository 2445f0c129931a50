//! No caller takes too much.

use std::time::{Duration, Instant};

use lazaret_coordinator::serve::api::Limits;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::exchange::send;
use super::server::Server;

#[tokio::test]
async fn a_body_over_16_mib_is_refused() {
    let server = Server::start().await;
    let post = || server.request("scan", Method::POST, "/v1/jobs").header("content-type", "application/json");
    let body = |length: usize| format!("{}{}", r#"{"images":["alpine"]}"#, " ".repeat(length - 21));
    send(post().body(body(16 << 20))).await.expect(202);
    send(post().body(body((16 << 20) + 1))).await.expect(413);
    // Without the scope nobody has it read at all.
    let unread = server.request("read", Method::POST, "/v1/jobs").header("content-type", "application/json");
    send(unread.body(body(1 << 20))).await.expect(403);
}

#[tokio::test]
async fn the_longest_list_fits() {
    let server = Server::start().await;
    let images: Vec<String> = (0..100_000).map(|n| format!("registry.example:5000/some/repository-{n}:1")).collect();
    let job = server.submit("scan", json!({ "images": images })).await.expect(202).json();
    assert_eq!(job["images"], 100_000);
}

#[tokio::test]
async fn a_request_has_its_time() {
    let limits = Limits { time: Duration::from_millis(300), ..Limits::default() };
    let server = Server::start_with(true, limits).await;
    server.fake.delay(Duration::from_secs(600));
    let start = Instant::now();
    let answer = server.get("read", "/v1/jobs").await.expect(503);
    assert!(answer.headers.contains_key("retry-after") && start.elapsed() < Duration::from_secs(10));
    // A body that never ends coming is no other case.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /v1/jobs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{",
        server.tokens["scan"]
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    tokio::time::timeout(Duration::from_secs(10), stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer, b"HTTP/1.1 503");
}

#[tokio::test]
async fn too_many_at_once_are_told_to_come_back() {
    let limits = Limits { requests: 2, followers: 1, ..Limits::default() };
    let server = Server::start_with(true, limits).await;
    let id = server.job("scan", 1).await;
    let events = format!("/v1/jobs/{id}/events");
    let follower = server.request("read", Method::GET, &events).send().await.unwrap();
    assert_eq!(follower.status(), 200);
    server.get("read", &events).await.expect(503);
    server.fake.delay(Duration::from_secs(2));
    let path = format!("/v1/jobs/{id}");
    let answers = futures_util::future::join_all((0..6).map(|_| server.get("read", &path))).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|&&status| status == 200).count(), 2, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|&&status| status == 503).count(), 4, "{statuses:?}");
}

#[tokio::test]
async fn connections_are_bounded_and_freed() {
    let server = Server::start_with(true, Limits { connections: 2, ..Limits::default() }).await;
    let idle = [TcpStream::connect(server.address).await.unwrap(), TcpStream::connect(server.address).await.unwrap()];
    tokio::time::sleep(Duration::from_millis(100)).await;
    let waiting = tokio::time::timeout(Duration::from_millis(500), server.get("", "/healthz")).await;
    assert!(waiting.is_err(), "a third connection was served");
    drop(idle);
    tokio::time::timeout(Duration::from_secs(20), server.get("", "/healthz")).await.unwrap().expect(200);
}
