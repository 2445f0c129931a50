//! What the HTTP API asks of the service behind it.

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use lazaret::digest::Digest;

use super::exposed::Sightings;
use super::job::{ImageResult, JobEvent, JobView, NewJob};

/// The jobs of the farm. Ids that are unknown are no error: the answer is `None`. Any of these may be dropped half-way, when
/// whoever asked has gone or time is up.
#[async_trait]
pub trait Jobs: Send + Sync {
    /// Takes a job that was [checked](NewJob::checked), for the token named `by`. It is kept before this returns.
    ///
    /// # Errors
    /// [`JobsError`].
    async fn submit(&self, job: NewJob, by: &str) -> Result<JobView, JobsError>;

    /// Up to `limit` jobs, the newest first: those submitted before the job `after`.
    ///
    /// # Errors
    /// [`JobsError`].
    async fn list(&self, after: Option<&str>, limit: usize) -> Result<Vec<JobView>, JobsError>;

    /// One job.
    ///
    /// # Errors
    /// [`JobsError`].
    async fn get(&self, id: &str) -> Result<Option<JobView>, JobsError>;

    /// Up to `limit` results in the order in which the images ended, without the first `after`.
    ///
    /// # Errors
    /// [`JobsError`].
    async fn results(&self, id: &str, after: usize, limit: usize) -> Result<Option<Vec<ImageResult>>, JobsError>;

    /// Cancels a job; one that has ended stays as it is. The job as it is then.
    ///
    /// # Errors
    /// [`JobsError`].
    async fn cancel(&self, id: &str) -> Result<Option<JobView>, JobsError>;

    /// A report, as JSON.
    ///
    /// # Errors
    /// [`JobsError`].
    async fn report(&self, id: &str) -> Result<Option<Vec<u8>>, JobsError>;

    /// The images whose newest reports tell a value with this fingerprint.
    ///
    /// # Errors
    /// [`JobsError`].
    async fn exposed(&self, fingerprint: &str) -> Result<Sightings, JobsError>;

    /// The inventory of an image, as JSON.
    ///
    /// # Errors
    /// [`JobsError`].
    async fn inventory(&self, image: &Digest) -> Result<Option<Vec<u8>>, JobsError>;

    /// What happens in a job from now on; ends some time after the job has.
    ///
    /// # Errors
    /// [`JobsError`].
    async fn watch(&self, id: &str) -> Result<Option<BoxStream<'static, JobEvent>>, JobsError>;

    /// Whether jobs can be taken now.
    ///
    /// # Errors
    /// Why not.
    async fn ready(&self) -> Result<(), String>;
}

/// Why the service did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobsError {
    /// The request makes no sense to it. The text is for whoever asked.
    #[error("{0}")]
    Invalid(String),
    /// Broker or store are gone, or take nothing more. The text is for whoever asked, and names no address.
    #[error("{reason}")]
    Unavailable {
        /// What is missing.
        reason: String,
        /// After how many seconds it is worth another try.
        retry_after_s: u32,
    },
    /// Anything else. The text is for the log alone.
    #[error("{0}")]
    Internal(String),
}
