//! Jobs: what is taken, what is refused, and how they are listed.

use lazaret::digest::Digest;
use lazaret_coordinator::serve::job::{ImageStatus, JobStatus};
use lazaret_coordinator::serve::jobs::JobsError;
use reqwest::Method;
use serde_json::json;

use super::exchange::{send, validate};
use super::fake::REPORT;
use super::server::Server;

#[tokio::test]
async fn a_job_from_its_submission_to_its_report() {
    let server = Server::start().await;
    let answer = server.submit("both", json!({ "images": ["image0", "docker://r.example/image1"] })).await.expect(202);
    let job = answer.json();
    let path = answer.headers["location"].to_str().unwrap();
    let id = job["id"].as_str().unwrap();
    assert_eq!(path, format!("/v1/jobs/{id}"));
    assert_eq!((&job["by"], &job["images"], &job["class"]), (&json!("both"), &json!(2), &json!("bulk")));
    server.fake.end_image(id, ImageStatus::Complete, &[("high", 2)]);
    server.fake.end_image(id, ImageStatus::Failed, &[]);
    server.fake.end(id, JobStatus::Done);
    let job = server.get("both", path).await.expect(200).json();
    assert_eq!((&job["done"], &job["failed"], &job["status"]), (&json!(2), &json!(1), &json!("done")));
    let results = server.get("both", &format!("{path}/results")).await.expect(200).json();
    assert_eq!(results["results"][0]["report"], REPORT);
    assert_eq!(results["next"], json!(null));
    let report = server.get("both", &format!("/v1/reports/{REPORT}")).await.expect(200);
    assert_eq!(report.text.as_bytes(), *server.fake.report.lock().unwrap());
    let inventory = format!("/v1/images/{}/inventory", Digest::of(b"image"));
    assert_eq!(server.get("both", &inventory).await.expect(200).json(), json!({ "packages": [] }));
}

#[tokio::test]
async fn what_is_no_job_is_refused() {
    let server = Server::start().await;
    let job =
        || server.request("scan", Method::POST, "/v1/jobs").header("content-type", "application/json; charset=utf-8");
    let deep = format!("{{\"images\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for body in ["", "{", "[]", "null", "{}", r#"{"images":"alpine"}"#, r#"{"images":[1]}"#, "\u{0}", &deep] {
        send(job().body(body.to_owned())).await.expect(400);
    }
    send(job().body(b"{\"images\":[\"\xff\"]}".to_vec())).await.expect(400);
    for wrong in [json!({ "images": ["a"], "class": "soon" }), json!({ "images": ["a"], "severity": ["bad"] })] {
        server.submit("scan", wrong).await.expect(400);
    }
    for (wrong, says) in [
        (json!({ "images": [] }), "not 0"),
        (json!({ "images": vec!["a"; 100_001] }), "not 100001"),
        (json!({ "images": ["a".repeat(1025)] }), "longer than 1024"),
        (json!({ "images": ["alpine", "oci:/etc"] }), "image 2, `oci:/etc`"),
        (json!({ "images": ["-"] }), "registries only"),
        (json!({ "images": ["a\u{1b}[2J"] }), "\\x1b[2J"),
        (json!({ "images": ["a"], "platform": "arm" }), "linux/arm64"),
        (json!({ "images": ["a"], "ignore_file": "[[" }), "ignore file"),
        (json!({ "images": ["a"], "ignore_file": "#".repeat((1 << 20) + 1) }), "longer"),
    ] {
        let detail = server.submit("scan", wrong).await.expect(422).detail();
        assert!(detail.contains(says), "{detail}");
    }
    assert!(server.fake.ids().is_empty());
}

#[tokio::test]
async fn jobs_and_results_come_in_pages() {
    let server = Server::start().await;
    for _ in 0..5 {
        server.job("scan", 3).await;
    }
    let (mut path, mut seen) = ("/v1/jobs?limit=2".to_owned(), Vec::new());
    loop {
        let page = server.get("read", &path).await.expect(200).json();
        seen.extend(page["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/jobs?limit=2&after={next}");
    }
    let mut newest_first = server.fake.ids();
    newest_first.reverse();
    assert_eq!(seen, newest_first);
    for _ in 0..3 {
        server.fake.end_image("job-0", ImageStatus::Incomplete, &[]);
    }
    let page = server.get("read", "/v1/jobs/job-0/results?after=1&limit=1").await.expect(200).json();
    assert_eq!((&page["results"][0]["reference"], &page["next"]), (&json!("image1"), &json!(2)));
    let all = server.get("read", "/v1/jobs/job-0/results?limit=4294967296").await.expect(200).json();
    assert_eq!(all["results"].as_array().unwrap().len(), 3);
    for wrong in ["/v1/jobs?limit=x", "/v1/jobs?after=%00", "/v1/jobs/job-0/results?after=-1"] {
        server.get("read", wrong).await.expect(400);
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let server = Server::start().await;
    let (long, upper) = ("a".repeat(65), REPORT.to_uppercase());
    for path in [
        "/v1/jobs/nothing".to_owned(),
        format!("/v1/jobs/{long}"),
        "/v1/jobs/%2e%2e%2fx".into(),
        "/v1/jobs/%00".into(),
        "/v1/jobs/%ff".into(),
        "/v1/images/%ff/inventory".into(),
        "/v1/jobs/nothing/results".into(),
        "/v1/jobs/nothing/events".into(),
        "/v1/reports/job-0".into(),
        format!("/v1/reports/{}", "0".repeat(64)),
        format!("/v1/reports/{upper}"),
        "/v1/images/sha256:1/inventory".into(),
        format!("/v1/images/{}/inventory", Digest::of(b"other")),
    ] {
        server.get("read", &path).await.expect(404);
    }
}

#[tokio::test]
async fn the_farms_own_troubles_say_when_to_come_back() {
    let server = Server::start().await;
    let id = server.job("both", 1).await;
    server.get("", "/readyz").await.expect(200);
    let gone = JobsError::Unavailable { reason: "the broker takes no messages\u{1b}[2J".into(), retry_after_s: 7 };
    server.fake.fail(Some(gone));
    let answer = server.submit("both", json!({ "images": ["alpine"] })).await.expect(503);
    assert_eq!(answer.headers["retry-after"], "7");
    assert_eq!(answer.detail(), "the broker takes no messages\\x1b[2J");
    for path in ["/v1/jobs".to_owned(), format!("/v1/jobs/{id}"), format!("/v1/jobs/{id}/events")] {
        assert_eq!(server.get("both", &path).await.expect(503).headers["retry-after"], "7");
    }
    let answer = server.get("", "/readyz").await.expect(503);
    assert!(!answer.text.contains("broker"), "anybody may ask that");
    server.get("", "/healthz").await.expect(200);
    server.fake.fail(Some(JobsError::Internal("s3://key:secret@store".into())));
    assert!(!server.get("both", &format!("/v1/jobs/{id}")).await.expect(500).text.contains("secret"));
    server.fake.fail(Some(JobsError::Invalid("no such platform".into())));
    assert_eq!(server.submit("both", json!({ "images": ["alpine"] })).await.expect(422).detail(), "no such platform");
    validate(&json!({ "$ref": "#/components/schemas/Problem" }), &answer.json());
}

#[tokio::test]
async fn metrics_are_text() {
    let server = Server::start().await;
    assert_eq!(server.get("read", "/metrics").await.expect(200).text, "jobs 1\n");
}
