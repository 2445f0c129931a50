//! Who may do what: every route with every kind of token.

use std::time::{Duration, Instant};

use lazaret::digest::Digest;
use lazaret_coordinator::serve::api::{Access, ROUTES, Scope, token};
use reqwest::Method;
use serde_json::json;

use super::exchange::send;
use super::fake::REPORT;
use super::server::Server;

/// Which tokens have a scope.
fn allowed(access: Access, token: &str) -> bool {
    match access {
        Access::Anybody => true,
        Access::Token => matches!(token, "scan" | "read" | "both" | "admin"),
        Access::Scope(Scope::Scan) => matches!(token, "scan" | "both" | "admin"),
        Access::Scope(Scope::Read) => matches!(token, "read" | "both" | "admin"),
        Access::Scope(Scope::Admin) => token == "admin",
    }
}

#[tokio::test]
async fn every_route_takes_its_scope() {
    let server = Server::start().await;
    let mut refused = 0;
    for route in ROUTES {
        for token in ["", "unknown", "expired", "scan", "read", "both", "admin"] {
            // One that has ended: following it is over at once. One of the caller's own: it may be cancelled.
            let id = server.job(if token == "scan" || token == "both" { token } else { "admin" }, 1).await;
            server.fake.end(&id, lazaret_coordinator::serve::job::JobStatus::Done);
            let id = if route.path.contains("reports") { REPORT } else { &id };
            let digest = Digest::of(b"image").to_string();
            let fingerprint = "0".repeat(32);
            let path = route.path.replace("{id}", id).replace("{digest}", &digest);
            let path = path.replace("{fingerprint}", &fingerprint);
            let mut request = server.request(token, route.method.clone(), &path);
            if route.method == Method::POST {
                request = request.json(&json!({ "images": ["alpine"] }));
            }
            let answer = send(request).await;
            let known = !matches!(token, "" | "unknown" | "expired");
            let expected = match (allowed(route.access, token), known) {
                (true, _) if route.method == Method::POST => 202,
                (true, _) => 200,
                (false, true) => 403,
                (false, false) => 401,
            };
            assert_eq!(answer.status, expected, "{} {} with `{token}`: {}", route.method, route.path, answer.text);
            refused += u32::from(expected > 400);
        }
    }
    assert_eq!(refused, 43, "another route takes another count here");
}

#[tokio::test]
async fn without_the_scope_nobody_learns_what_there_is() {
    let server = Server::start().await;
    let id = server.job("admin", 1).await;
    for (token, status) in [("", 401), ("unknown", 401), ("expired", 401), ("scan", 403)] {
        for suffix in ["", "/results", "/events"] {
            let there = server.get(token, &format!("/v1/jobs/{id}{suffix}")).await.expect(status);
            let not_there = server.get(token, &format!("/v1/jobs/nothing{suffix}")).await.expect(status);
            assert_eq!(there.text, not_there.text);
        }
    }
    for path in ["/", "/v1", "/v2/jobs", "/v1/jobs/", "/V1/JOBS", "/v1/jobs/../jobs", "/metrics/x"] {
        server.get("", path).await.expect(401);
        server.get("read", path).await.expect(if path == "/v1/jobs/../jobs" { 200 } else { 404 });
    }
    server.ask("", Method::PUT, "/v1/jobs").await.expect(401);
    server.ask("read", Method::PUT, "/v1/jobs").await.expect(405);
}

#[tokio::test]
async fn a_job_is_cancelled_by_its_own_token_or_an_admin() {
    let server = Server::start().await;
    for (by, token, status) in [
        ("scan", "scan", 200),
        ("both", "both", 200),
        ("scan", "admin", 200),
        // One that may read learns why not; one that may not is told what it is told of no job at all.
        ("scan", "both", 403),
        ("both", "scan", 404),
    ] {
        let id = server.job(by, 1).await;
        let answer = server.ask(token, Method::DELETE, &format!("/v1/jobs/{id}")).await.expect(status);
        let nothing = server.ask(token, Method::DELETE, "/v1/jobs/nothing").await.expect(404);
        if status == 404 {
            assert_eq!(answer.text, nothing.text);
        }
        let now = server.get("read", &format!("/v1/jobs/{id}")).await.expect(200).json();
        assert_eq!(now["status"], if status == 200 { "cancelled" } else { "queued" });
        assert_eq!(now["by"], by);
    }
}

#[tokio::test]
async fn what_is_no_bearer_token_is_none() {
    let server = Server::start().await;
    let token = server.tokens["admin"].clone();
    let bare = || server.request("", Method::GET, "/v1/jobs");
    for header in [
        format!("Basic {token}"),
        token.clone(),
        format!("Bearer {}", &token[..token.len() - 1]),
        format!("Bearer {token}x"),
        format!("Bearer {}", token.to_uppercase()),
        format!("Bearer {}", token::hash(&token).to_hex()),
        "Bearer ".to_owned(),
    ] {
        send(bare().header("authorization", header)).await.expect(401);
    }
    let twice = bare().bearer_auth(&token).header("authorization", "Bearer x");
    send(twice).await.expect(401);
    send(bare().header("authorization", format!("bearer {token}"))).await.expect(200);
}

#[tokio::test]
async fn the_tokens_file_is_read_again_when_it_changes() {
    let server = Server::start().await;
    server.get("read", "/v1/jobs").await.expect(200);
    let before = std::fs::read_to_string(server.tokens_file()).unwrap();
    // A broken file changes nothing.
    std::fs::write(server.tokens_file(), "[[token]]\nname =").unwrap();
    tokio::time::sleep(Duration::from_millis(1200)).await;
    server.get("read", "/v1/jobs").await.expect(200);
    // Without the one block.
    let kept: Vec<&str> = before.split("[[token]]").filter(|block| !block.contains("name = \"read\"")).collect();
    std::fs::write(server.tokens_file(), kept.join("[[token]]")).unwrap();
    let start = Instant::now();
    while server.get("read", "/v1/jobs").await.status != 401 {
        assert!(start.elapsed() < Duration::from_secs(10), "the token goes on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.get("both", "/v1/jobs").await.expect(200);
}
