//! What a farm's API answers, by plain HTTP and with no client of ours.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::http::{Answer, try_request};
use super::{Figures, PATIENCE};

/// How often is asked again.
const AGAIN: Duration = Duration::from_millis(50);

/// The API of one coordinator, or the health of one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Api(pub SocketAddr);

impl Api {
    /// Asks until somebody answers, who may be just being started again.
    ///
    /// # Panics
    /// Nobody does.
    pub fn get(self, path: &str) -> Answer {
        let start = Instant::now();
        loop {
            match try_request(self.0, "GET", path, &[], b"") {
                Ok(answer) if answer.status < 500 => return answer,
                other => assert!(start.elapsed() < PATIENCE, "{path}: {other:?}"),
            }
            std::thread::sleep(AGAIN);
        }
    }

    fn json(self, path: &str) -> Value {
        let answer = self.get(path);
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error} in {text}"))
    }

    /// Whether it is ready, and what it says about that.
    pub fn readiness(self) -> (bool, String) {
        match try_request(self.0, "GET", "/readyz", &[], b"") {
            Ok(answer) => (answer.status == 200, String::from_utf8_lossy(&answer.body).into_owned()),
            Err(error) => (false, error.to_string()),
        }
    }

    /// Waits until it is ready.
    ///
    /// # Panics
    /// It does not become so.
    pub fn wait_until_ready(self) {
        let start = Instant::now();
        while !self.readiness().0 {
            assert!(start.elapsed() < PATIENCE, "{} is not ready: {}", self.0, self.readiness().1);
            std::thread::sleep(AGAIN);
        }
    }

    /// Its metrics.
    ///
    /// # Panics
    /// It tells none.
    pub fn figures(self) -> Figures {
        let answer = self.get("/metrics");
        assert_eq!(answer.status, 200, "/metrics");
        Figures(String::from_utf8(answer.body).expect("UTF-8"))
    }

    /// Its metrics, once `are_so` of them.
    ///
    /// # Panics
    /// They do not come to that.
    pub fn wait_for_figures(self, what: &str, are_so: impl Fn(&Figures) -> bool) -> Figures {
        let start = Instant::now();
        loop {
            let figures = self.figures();
            if are_so(&figures) {
                return figures;
            }
            assert!(start.elapsed() < PATIENCE, "waited in vain for {what}: {figures:?}");
            std::thread::sleep(AGAIN);
        }
    }

    /// Submits a job; its id.
    ///
    /// # Panics
    /// It is not taken.
    pub fn submit(self, images: &[String]) -> String {
        let body = json!({ "images": images }).to_string();
        let headers = [("Content-Type", "application/json")];
        let answer = try_request(self.0, "POST", "/v1/jobs", &headers, body.as_bytes()).expect("an answer");
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, 202, "{text}");
        let job: Value = serde_json::from_str(&text).expect("a job");
        job["id"].as_str().expect("an id").to_owned()
    }

    /// A job.
    pub fn job(self, id: &str) -> Value {
        self.json(&format!("/v1/jobs/{id}"))
    }

    /// All jobs.
    pub fn jobs(self) -> Value {
        self.json("/v1/jobs?limit=1000")["jobs"].clone()
    }

    /// Waits until `is_so` of the job, and returns it.
    ///
    /// # Panics
    /// It does not come to that.
    pub fn wait_for(self, id: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let job = self.job(id);
            if is_so(&job) {
                return job;
            }
            assert!(start.elapsed() < PATIENCE, "waited in vain for {what}: {job}");
            std::thread::sleep(AGAIN);
        }
    }

    /// Waits until the job is done, with a report on each of its images.
    ///
    /// # Panics
    /// It ends otherwise, or not at all.
    pub fn wait(self, id: &str) -> Value {
        let ended = |job: &Value| !matches!(job["status"].as_str(), Some("queued" | "running"));
        let job = self.wait_for(id, "the end", ended);
        let failed: Vec<Value> = self.results(id).into_iter().filter(|row| row["status"] == "failed").take(3).collect();
        assert!(job["status"] == "done" && job["failed"] == 0 && job["done"] == job["images"], "{job}: {failed:?}");
        job
    }

    /// What became of the images of a job.
    pub fn results(self, id: &str) -> Vec<Value> {
        let mut results: Vec<Value> = Vec::new();
        loop {
            let page = self.json(&format!("/v1/jobs/{id}/results?limit=1000&after={}", results.len()));
            let rows = page["results"].as_array().expect("results").clone();
            let is_last = rows.len() < 1000;
            results.extend(rows);
            if is_last {
                return results;
            }
        }
    }

    /// A report, byte for byte.
    ///
    /// # Panics
    /// There is none.
    pub fn report(self, id: &str) -> Vec<u8> {
        let answer = self.get(&format!("/v1/reports/{id}"));
        assert_eq!(answer.status, 200, "report {id}");
        answer.body
    }

    /// The reports of a job by reference: exactly one for each of its images.
    ///
    /// # Panics
    /// There are more, or fewer.
    pub fn reports(self, id: &str) -> BTreeMap<String, Vec<u8>> {
        let results = self.results(id);
        let mut reports = BTreeMap::new();
        for result in &results {
            let report = result["report"].as_str().unwrap_or_else(|| panic!("no report: {result}"));
            let reference = result["reference"].as_str().expect("a reference").to_owned();
            let twice = reports.insert(reference, self.report(report));
            assert!(twice.is_none(), "a doubled result: {result}");
        }
        assert_eq!(self.job(id)["images"], results.len(), "results of {id}");
        reports
    }
}
