//! Following a job.

use std::time::{Duration, Instant};

use lazaret_coordinator::serve::job::{ImageStatus, JobStatus};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::exchange::validate;
use super::server::Server;

/// An event as it was read.
#[derive(Debug)]
struct Seen {
    id: u64,
    event: String,
    data: Value,
}

/// Reads events of a response one by one.
struct Reader {
    response: Response,
    text: String,
}

impl Reader {
    async fn open(server: &Server, id: &str, last: Option<u64>) -> Self {
        let mut request = server.request("read", Method::GET, &format!("/v1/jobs/{id}/events"));
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next event; none at the end.
    async fn next(&mut self) -> Option<Seen> {
        while !self.text.contains("\n\n") {
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk()).await;
            self.text += std::str::from_utf8(&chunk.expect("an event").unwrap()?).unwrap();
        }
        let (event, rest) = self.text.split_once("\n\n").unwrap();
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
        let data: Value = serde_json::from_str(&field("data:")).unwrap();
        let seen = Seen { id: field("id:").parse().unwrap(), event: field("event:"), data };
        let schema = if seen.event == "job" { "Job" } else { "ImageResult" };
        validate(&json!({ "$ref": format!("#/components/schemas/{schema}") }), &seen.data);
        self.text = rest.to_owned();
        Some(seen)
    }
}

#[tokio::test]
async fn events_come_in_order_until_the_job_has_ended() {
    let server = Server::start().await;
    let id = server.job("scan", 2).await;
    let mut reader = Reader::open(&server, &id, None).await;
    let first = reader.next().await.unwrap();
    assert_eq!((first.id, first.event.as_str(), &first.data["status"]), (1, "job", &json!("queued")));
    server.fake.end_image(&id, ImageStatus::Complete, &[("low", 1)]);
    let image = reader.next().await.unwrap();
    assert_eq!((image.id, image.event.as_str(), &image.data["status"]), (2, "image", &json!("complete")));
    let job = reader.next().await.unwrap();
    assert_eq!((job.id, &job.data["done"]), (3, &json!(1)));
    let other = server.job("scan", 1).await;
    server.fake.end(&other, JobStatus::Done);
    server.fake.end(&id, JobStatus::Done);
    let last = reader.next().await.unwrap();
    assert_eq!((last.id, &last.data["status"], &last.data["id"]), (4, &json!("done"), &json!(id)));
    assert!(reader.next().await.is_none());
}

#[tokio::test]
async fn whoever_comes_back_is_told_the_present_state_first() {
    let server = Server::start().await;
    let id = server.job("scan", 2).await;
    let mut reader = Reader::open(&server, &id, None).await;
    let seen = reader.next().await.unwrap().id;
    drop(reader);
    server.fake.end_image(&id, ImageStatus::Complete, &[]);
    let mut reader = Reader::open(&server, &id, Some(seen)).await;
    let first = reader.next().await.unwrap();
    assert_eq!((first.id, &first.data["done"]), (seen + 1, &json!(1)));
    // The same again is no event.
    server.fake.end(&id, JobStatus::Running);
    server.fake.end(&id, JobStatus::Cancelled);
    assert_eq!(reader.next().await.unwrap().data["status"], "cancelled");
    assert!(reader.next().await.is_none());
    for last in [u64::MAX, 7] {
        let mut reader = Reader::open(&server, &id, Some(last)).await;
        assert_eq!(reader.next().await.unwrap().id, last.wrapping_add(1));
        assert!(reader.next().await.is_none(), "it had ended before");
    }
}

#[tokio::test]
async fn a_service_that_ends_lets_go_of_its_followers() {
    let server = Server::start().await;
    let id = server.job("scan", 1).await;
    let mut reader = Reader::open(&server, &id, None).await;
    reader.next().await.unwrap();
    let start = Instant::now();
    server.stop().await;
    assert!(reader.next().await.is_none());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_follower_that_goes_is_forgotten() {
    let server = Server::start().await;
    let id = server.job("scan", 1).await;
    let mut reader = Reader::open(&server, &id, None).await;
    reader.next().await.unwrap();
    assert_eq!(server.fake.followers(), 1);
    drop(reader);
    let start = Instant::now();
    while server.fake.followers() > 0 {
        assert!(start.elapsed() < Duration::from_secs(20), "it is still followed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
