//! Following a job over connections that break.

use std::time::{Duration, Instant};

use lazaret_coordinator::farm::{Address, Farm, FarmError, Patience, follow};
use lazaret_coordinator::serve::job::{ImageStatus, JobStatus};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::server::Server;

const PATIENCE: Patience = Patience {
    pause: Duration::from_millis(10),
    longest_pause: Duration::from_millis(100),
    total: Duration::from_secs(2),
};

fn farm(address: &str) -> Farm {
    Farm::new(Address::parse(&format!("http://{address}"), false).unwrap(), None).unwrap()
}

/// A farm that answers one connection after the other with these bytes, and breaks it then.
async fn answers(answers: Vec<String>) -> Farm {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let farm = farm(&listener.local_addr().unwrap().to_string());
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_head(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    farm
}

async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
}

fn events(events: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n{events}")
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

fn job(status: &str, done: u64) -> String {
    let ledger = r#"{"bytes_pulled":1,"layers_analysed":1,"layers_reused":0,"layers_failed":0,"cpu_micros":1,"requests":1,"images_recalled":0}"#;
    let head =
        r#""schema":1,"id":"j","class":"bulk","submitted":"2026-11-25T12:00:00Z","by":"ci","images":3,"later":[]"#;
    let job = format!(
        r#"{{{head},"status":"{status}","done":{done},"failed":0,"incomplete":0,"snapshot":null,"ledger":{ledger}}}"#
    );
    format!("id: 1\nevent: job\ndata: {job}\n\n")
}

#[tokio::test]
async fn broken_connections_are_made_anew() {
    let busy = "HTTP/1.1 503 x\r\nretry-after: 0\r\ncontent-type: application/problem+json\r\ncontent-length: 14\r\n\r\n{\"detail\":\"x\"}";
    let running = job("running", 1);
    let farm = answers(vec![
        events(&chunk(": nothing\n\n")),
        // In the middle of an event, of a character, of a head.
        events(&(chunk("event: later\ndata: {}\n\n") + &chunk(&running) + &chunk("event: jo"))),
        events(&chunk(&running[..30])),
        "HTTP/1.1 2".into(),
        busy.into(),
        "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n".into(),
        String::new(),
        events(&(chunk(&running[..30]) + &chunk(&running[30..]) + &chunk(&job("done", 3).replace('\n', "\r\n")))),
    ])
    .await;
    let mut seen = Vec::new();
    let ended = follow(&farm, "j", PATIENCE, |job| seen.push((job.done, job.status))).await.unwrap();
    assert_eq!(ended.status, JobStatus::Done);
    assert_eq!(seen, [(1, JobStatus::Running), (1, JobStatus::Running), (3, JobStatus::Done)]);
}

#[tokio::test]
async fn what_will_not_get_better_is_not_tried_again() {
    for (answer, expected) in [
        ("HTTP/1.1 404 x\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nno", "no farm of lazaret (status 404)"),
        ("HTTP/1.1 200 x\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi", "no farm of lazaret (status 200)"),
        (
            "HTTP/1.1 302 x\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
            "no farm of lazaret (status 302)",
        ),
    ] {
        let farm = answers(vec![answer.into()]).await;
        let error = follow(&farm, "j", PATIENCE, |_| ()).await.unwrap_err();
        assert!(!error.is_transient() && error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn patience_has_an_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let farm = farm(&listener.local_addr().unwrap().to_string());
    drop(listener);
    let start = Instant::now();
    let error = follow(&farm, "j", PATIENCE, |_| ()).await.unwrap_err();
    assert!(matches!(error, FarmError::Unreachable { .. }), "{error}");
    assert!((2..30).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[tokio::test]
async fn an_endless_event_is_cut() {
    let long = "x".repeat(3 << 20);
    for endless in [chunk(&long), chunk(&format!("data: {}\n", &long[..1 << 19])).repeat(4)] {
        let farm = answers(vec![events(&endless)]).await;
        let error = follow(&farm, "j", PATIENCE, |_| ()).await.unwrap_err();
        assert!(matches!(error, FarmError::NoFarm { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_real_server_is_followed_to_the_end() {
    let server = Server::start_with(false, Default::default()).await;
    let id = server.job("", 2).await;
    let farm = farm(&server.address.to_string());
    let mut seen = Vec::new();
    let (ended, ()) = tokio::join!(follow(&farm, &id, PATIENCE, |job| seen.push(job.done)), async {
        while server.fake.followers() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        server.fake.end_image(&id, ImageStatus::Complete, &[]);
        server.fake.end_image(&id, ImageStatus::Complete, &[]);
        server.fake.end(&id, JobStatus::Done);
    });
    assert_eq!(ended.unwrap().status, JobStatus::Done);
    assert_eq!(seen.last(), Some(&2));
    assert!(seen.is_sorted(), "{seen:?}");
}
