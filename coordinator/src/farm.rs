//! A farm from outside: a client of the API that [`crate::serve::api`] serves.

use std::time::Duration;

use lazaret::door::source::registry::Secret;
use lazaret::text::visible;
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;

use crate::serve::exposed::Sightings;
use crate::serve::job::{ImageResult, JobPage, JobView, NewJob, ResultPage};

mod address;
mod answer;
mod events;
mod follow;

pub use address::{Address, AddressError};
pub use answer::FarmError;
pub use events::Events;
pub use follow::{Patience, follow};

const CONNECT: Duration = Duration::from_secs(10);
/// How long nothing may come. The API answers within 30 seconds, and says something every 15 to whoever follows a job.
const SILENCE: Duration = Duration::from_secs(60);
/// The most bytes of a JSON answer; a page of 1,000 results has less than a tenth of it.
const MAX_ANSWER: usize = 64 << 20;
/// The most bytes of a report.
const MAX_REPORT: usize = 512 << 20;
/// The most results of one job that are read: as many images as a job may have, on ten platforms.
const MAX_RESULTS: usize = 1_000_000;
/// How many rows are asked for at once.
const ROWS: usize = 1_000;

/// A farm.
#[derive(Debug)]
pub struct Farm {
    client: Client,
    address: Address,
    token: Option<Secret>,
}

impl Farm {
    /// The farm at this address; nothing is asked of it yet.
    ///
    /// # Errors
    /// There is no HTTP client to be had.
    pub fn new(address: Address, token: Option<Secret>) -> Result<Self, FarmError> {
        let builder = Client::builder()
            .user_agent(concat!("lazaret/", env!("CARGO_PKG_VERSION")))
            // The token is for this address alone.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE);
        // Reading the system's certificates takes longer than asking a farm on this machine, which has none; and no proxy
        // leads there.
        let builder = if address.is_loopback() { builder.no_proxy().tls_certs_only([]) } else { builder };
        let client = builder.build().map_err(|error| FarmError::Client(answer::innermost(&error)))?;
        Ok(Self { client, address, token })
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Submits a job. Not tried twice: the farm may have taken it although its answer was lost.
    ///
    /// # Errors
    /// [`FarmError`].
    pub async fn submit(&self, job: &NewJob) -> Result<JobView, FarmError> {
        self.json(self.request(Method::POST, &["jobs"]).json(job)).await
    }

    /// One job.
    ///
    /// # Errors
    /// [`FarmError`].
    pub async fn job(&self, id: &str) -> Result<JobView, FarmError> {
        self.json(self.request(Method::GET, &["jobs", id])).await
    }

    /// Up to `limit` jobs, the newest first.
    ///
    /// # Errors
    /// [`FarmError`].
    pub async fn jobs(&self, limit: usize) -> Result<Vec<JobView>, FarmError> {
        let mut jobs: Vec<JobView> = Vec::new();
        let mut after = None;
        while jobs.len() < limit {
            let rows = ROWS.min(limit - jobs.len());
            let mut query = vec![("limit", rows.to_string())];
            query.extend(after.take().map(|after| ("after", after)));
            let page: JobPage = self.json(self.rows(&["jobs"], &query)).await?;
            jobs.extend(page.jobs.into_iter().take(rows));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(jobs)
    }

    /// Cancels a job.
    ///
    /// # Errors
    /// [`FarmError`].
    pub async fn cancel(&self, id: &str) -> Result<JobView, FarmError> {
        self.json(self.request(Method::DELETE, &["jobs", id])).await
    }

    /// What became of the images of a job that have ended.
    ///
    /// # Errors
    /// [`FarmError`].
    pub async fn results(&self, id: &str) -> Result<Vec<ImageResult>, FarmError> {
        let mut results: Vec<ImageResult> = Vec::new();
        loop {
            let query = [("limit", ROWS.to_string()), ("after", results.len().to_string())];
            let page: ResultPage = self.json(self.rows(&["jobs", id, "results"], &query)).await?;
            let is_last = page.next.is_none() || page.results.is_empty();
            results.extend(page.results);
            if is_last || results.len() >= MAX_RESULTS {
                return Ok(results);
            }
        }
    }

    /// A report, as JSON.
    ///
    /// # Errors
    /// [`FarmError`].
    pub async fn report(&self, id: &str) -> Result<Vec<u8>, FarmError> {
        let response = self.send(self.request(Method::GET, &["reports", id])).await?;
        answer::body(&self.address, response, MAX_REPORT).await
    }

    /// The images whose newest reports tell a value with this fingerprint.
    ///
    /// # Errors
    /// [`FarmError`].
    pub async fn exposed(&self, fingerprint: &str) -> Result<Sightings, FarmError> {
        self.json(self.request(Method::GET, &["exposures", fingerprint])).await
    }

    /// The events of a job, from its present state on.
    ///
    /// # Errors
    /// [`FarmError`].
    pub async fn events(&self, id: &str) -> Result<Events, FarmError> {
        let response = self.send(self.request(Method::GET, &["jobs", id, "events"])).await?;
        let media_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        if !media_type.is_some_and(|media_type| media_type.starts_with("text/event-stream")) {
            return Err(FarmError::NoFarm { farm: self.address.to_string(), status: response.status().as_u16() });
        }
        Ok(Events::new(response, &self.address))
    }

    fn rows(&self, path: &[&str], query: &[(&str, String)]) -> RequestBuilder {
        let mut url = self.address.join(path);
        url.query_pairs_mut().extend_pairs(query);
        self.authorised(Method::GET, url)
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        self.authorised(method, self.address.join(path))
    }

    fn authorised(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self.client.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }

    /// Sends a request; an answer other than a success is an error.
    async fn send(&self, request: RequestBuilder) -> Result<Response, FarmError> {
        let response = request.send().await.map_err(|error| answer::unreachable(&self.address, &error))?;
        if response.status().is_success() { Ok(response) } else { Err(answer::refused(&self.address, response).await) }
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, FarmError> {
        let response = self.send(request).await?;
        let status = response.status().as_u16();
        let body = answer::body(&self.address, response, MAX_ANSWER).await?;
        serde_json::from_slice(&body).map_err(|error| {
            tracing::debug!("not read: {}", visible(&error.to_string()));
            FarmError::NoFarm { farm: self.address.to_string(), status }
        })
    }
}
