//! Without tokens: this machine alone, and no web page.

use std::sync::Arc;

use lazaret_coordinator::serve::api::{ApiOptions, Limits, serve_api};
use reqwest::Method;
use serde_json::json;
use tokio::net::TcpListener;

use super::exchange::send;
use super::fake::Fake;
use super::server::Server;

fn options(tokens: Option<std::path::PathBuf>) -> ApiOptions {
    ApiOptions { tokens, metrics: Arc::new(String::new), limits: Limits::default() }
}

#[tokio::test]
async fn no_open_address_without_tokens() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let refused = serve_api(listener, Arc::new(Fake::default()), options(None), std::future::pending()).await;
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("0.0.0.0") && error.contains("lazaret token new"), "{error}");
}

#[tokio::test]
async fn a_tokens_file_that_is_none_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens.toml");
    for content in [None, Some("x"), Some("[[token]]\nname = \"a\"")] {
        content.iter().for_each(|content| std::fs::write(&path, content).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Arc::new(Fake::default());
        let refused = serve_api(listener, fake, options(Some(path.clone())), std::future::pending()).await;
        assert!(refused.unwrap_err().to_string().contains("tokens.toml"));
    }
}

#[tokio::test]
async fn without_tokens_everything_may_be_done_from_here() {
    let server = Server::start_with(false, Limits::default()).await;
    let id = server.job("", 1).await;
    let cancelled = server.ask("", Method::DELETE, &format!("/v1/jobs/{id}")).await.expect(200).json();
    assert_eq!((&cancelled["by"], &cancelled["status"]), (&json!("local"), &json!("cancelled")));
    let local = format!("LocalHost:{}", server.address.port());
    send(server.request("", Method::GET, "/v1/jobs").header("host", local)).await.expect(200);
}

#[tokio::test]
async fn without_tokens_no_web_page_can_do_anything() {
    let server = Server::start_with(false, Limits::default()).await;
    for host in ["evil.example", "127.0.0.1.evil.example:80", "localhost.evil.example"] {
        for path in ["/v1/jobs", "/metrics", "/openapi.json", "/nothing"] {
            send(server.request("", Method::GET, path).header("host", host)).await.expect(403);
        }
    }
    let job = || server.request("", Method::POST, "/v1/jobs");
    let text = job().header("content-type", "text/plain").body(r#"{"images":["alpine"]}"#);
    send(text).await.expect(415);
    send(job().json(&json!({ "images": ["alpine"] })).header("origin", "https://evil.example")).await.expect(403);
    assert!(server.fake.ids().is_empty());
    let answer = server.get("", "/v1/jobs").await.expect(200);
    assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")));
}
