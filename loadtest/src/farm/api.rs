//! The API of a coordinator, as any program in any language would call it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::FarmError;

/// A client. Its calls wait; it is not for async code.
#[derive(Clone)]
pub struct Api {
    client: Client,
    base: String,
    runtime: Handle,
}

/// How far a job is: the fields that scenarios look at.
#[derive(Clone, Debug, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// `queued`, `running`, `done`, …
    pub status: String,
    /// Images.
    pub images: u64,
    /// Those that have ended.
    pub done: u64,
    /// Those of them without a report.
    pub failed: u64,
    /// Those with a report that does not cover everything.
    pub incomplete: u64,
    /// What it cost.
    pub ledger: Ledger,
}

/// What a job cost.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Ledger {
    /// Bytes of layers.
    pub bytes_pulled: u64,
    /// Layers analysed for it.
    pub layers_analysed: u64,
    /// Layers known before.
    pub layers_reused: u64,
    /// Layers that failed.
    pub layers_failed: u64,
    /// Requests to registries.
    pub requests: u64,
    /// Images known before.
    pub images_recalled: u64,
}

/// What became of an image.
#[derive(Clone, Debug, Deserialize)]
pub struct ImageResult {
    /// What was submitted.
    pub reference: String,
    /// `complete`, `incomplete` or `failed`.
    pub status: String,
    /// The id of its report.
    pub report: Option<String>,
    /// Why it has none, or which layers failed.
    pub error: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    results: Vec<ImageResult>,
}

/// Results that are asked for at once.
const ROWS: usize = 1_000;
/// How soon a job is looked at while one waits for it; later ever less often, which makes its time two hundredths longer at
/// most.
const LOOK: Duration = Duration::from_millis(20);
const OF_TIME: u32 = 50;

impl Api {
    /// The API at `address`.
    ///
    /// # Errors
    /// There is no HTTP client to be had.
    pub fn new(address: SocketAddr, runtime: Handle) -> Result<Self, FarmError> {
        // A frozen coordinator takes connections and says nothing.
        let client = Client::builder().no_proxy().tls_certs_only([]).timeout(Duration::from_secs(30)).build();
        let client = client.map_err(|error| FarmError::Api(error.to_string()))?;
        Ok(Self { client, base: format!("http://{address}"), runtime })
    }

    /// Whether it takes jobs.
    pub fn is_ready(&self) -> bool {
        let asked = self.client.get(format!("{}/readyz", self.base)).timeout(Duration::from_secs(2));
        self.runtime.block_on(async { asked.send().await }).is_ok_and(|answer| answer.status().is_success())
    }

    /// Submits images.
    ///
    /// # Errors
    /// It does not take them.
    pub fn submit(&self, images: &[String], class: &str) -> Result<Job, FarmError> {
        let body = json!({ "images": images, "class": class });
        self.json(self.client.post(format!("{}/v1/jobs", self.base)).json(&body))
    }

    /// A job.
    ///
    /// # Errors
    /// It does not say.
    pub fn job(&self, id: &str) -> Result<Job, FarmError> {
        self.json(self.client.get(format!("{}/v1/jobs/{id}", self.base)))
    }

    /// Waits until a job has ended. Answers that do not come are asked for again: scenarios break what there is to break.
    ///
    /// # Errors
    /// It did not end in time; the last answer is in the error.
    pub fn wait(&self, id: &str, patience: Duration) -> Result<Job, FarmError> {
        let start = Instant::now();
        loop {
            let job = self.job(id);
            match job {
                Ok(job) if matches!(job.status.as_str(), "done" | "failed" | "cancelled") => return Ok(job),
                job if start.elapsed() > patience => {
                    return Err(FarmError::Late(format!("the job did not end within {patience:?}: {job:?}")));
                }
                _ => std::thread::sleep((start.elapsed() / OF_TIME).clamp(LOOK, 50 * LOOK)),
            }
        }
    }

    /// All results of a job.
    ///
    /// # Errors
    /// It does not give them.
    pub fn results(&self, id: &str) -> Result<Vec<ImageResult>, FarmError> {
        let mut all = Vec::new();
        loop {
            let url = format!("{}/v1/jobs/{id}/results?limit={ROWS}&after={}", self.base, all.len());
            let Page { results } = self.json(self.client.get(url))?;
            let is_last = results.len() < ROWS;
            all.extend(results);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// A report, byte for byte.
    ///
    /// # Errors
    /// It does not give it.
    pub fn report(&self, id: &str) -> Result<Vec<u8>, FarmError> {
        self.bytes(self.client.get(format!("{}/v1/reports/{id}", self.base)))
    }

    fn json<T: serde::de::DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, FarmError> {
        let bytes = self.bytes(request)?;
        let odd = |error| FarmError::Api(format!("{error} in {}", String::from_utf8_lossy(&bytes)));
        let value: Value = serde_json::from_slice(&bytes).map_err(odd)?;
        serde_json::from_value(value).map_err(odd)
    }

    fn bytes(&self, request: RequestBuilder) -> Result<Vec<u8>, FarmError> {
        self.runtime.block_on(async {
            let answer = request.send().await.map_err(|error| FarmError::Api(format!("{error:?}")))?;
            let status = answer.status();
            let body = answer.bytes().await.map_err(|error| FarmError::Api(format!("{error:?}")))?;
            match status.is_success() {
                true => Ok(body.to_vec()),
                false => Err(FarmError::Api(format!("{status}: {}", String::from_utf8_lossy(&body)))),
            }
        })
    }
}
