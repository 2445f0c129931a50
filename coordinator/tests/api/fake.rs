//! Jobs that are kept in memory and change when a test says so.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use lazaret::digest::Digest;
use lazaret_coordinator::serve::exposed::Sightings;
use lazaret_coordinator::serve::job::{ImageResult, ImageStatus, JobEvent, JobStatus, JobView, Ledger, NewJob, SCHEMA};
use lazaret_coordinator::serve::jobs::{Jobs, JobsError};
use tokio::sync::broadcast;

/// The id of the one report.
pub const REPORT: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// The service behind the API.
pub struct Fake {
    state: Mutex<State>,
    events: broadcast::Sender<(String, JobEvent)>,
    /// The document behind [`REPORT`].
    pub report: Mutex<Vec<u8>>,
}

#[derive(Default)]
struct State {
    jobs: Vec<(JobView, Vec<ImageResult>)>,
    error: Option<JobsError>,
    delay: Duration,
}

impl Default for Fake {
    fn default() -> Self {
        let report = br#"{"schema":"lazaret-report/1"}"#.to_vec();
        Self { state: Mutex::default(), events: broadcast::Sender::new(1024), report: Mutex::new(report) }
    }
}

impl Fake {
    /// From now on every call fails like this.
    pub fn fail(&self, error: Option<JobsError>) {
        self.state.lock().unwrap().error = error;
    }

    /// From now on every call takes this long.
    pub fn delay(&self, delay: Duration) {
        self.state.lock().unwrap().delay = delay;
    }

    /// An image of the job ends.
    pub fn end_image(&self, id: &str, status: ImageStatus, findings: &[(&str, u64)]) {
        let mut state = self.state.lock().unwrap();
        let (job, results) = state.jobs.iter_mut().find(|(job, _)| job.id == id).unwrap();
        let failed = status == ImageStatus::Failed;
        let result = ImageResult {
            reference: format!("image{}", results.len()),
            status,
            digest: (!failed).then(|| Digest::of(b"image")),
            platform: (!failed).then(|| "linux/amd64".into()),
            report: (!failed).then(|| REPORT.into()),
            findings: findings.iter().map(|&(level, count)| (level.to_owned(), count)).collect::<BTreeMap<_, _>>(),
            error: failed.then(|| "no such image\u{1b}[2J".into()),
        };
        results.push(result.clone());
        job.status = JobStatus::Running;
        job.done += 1;
        job.failed += u64::from(failed);
        job.ledger.layers_analysed += 2;
        let job = job.clone();
        let _ = self.events.send((id.to_owned(), JobEvent::Image(result)));
        let _ = self.events.send((id.to_owned(), JobEvent::Job(job)));
    }

    /// The job ends.
    pub fn end(&self, id: &str, status: JobStatus) {
        let mut state = self.state.lock().unwrap();
        let (job, _) = state.jobs.iter_mut().find(|(job, _)| job.id == id).unwrap();
        job.status = status;
        let _ = self.events.send((id.to_owned(), JobEvent::Job(job.clone())));
    }

    /// How many follow a job now.
    pub fn followers(&self) -> usize {
        self.events.receiver_count()
    }

    /// The ids of all jobs, the oldest first.
    pub fn ids(&self) -> Vec<String> {
        self.state.lock().unwrap().jobs.iter().map(|(job, _)| job.id.clone()).collect()
    }

    async fn ask<T>(&self, answer: impl FnOnce(&mut State) -> T) -> Result<T, JobsError> {
        let delay = self.state.lock().unwrap().delay;
        tokio::time::sleep(delay).await;
        let mut state = self.state.lock().unwrap();
        match &state.error {
            Some(error) => Err(error.clone()),
            None => Ok(answer(&mut state)),
        }
    }

    async fn ask_of<T>(
        &self,
        id: &str,
        answer: impl FnOnce(&mut (JobView, Vec<ImageResult>)) -> T,
    ) -> Result<Option<T>, JobsError> {
        self.ask(|state| state.jobs.iter_mut().find(|(job, _)| job.id == id).map(answer)).await
    }
}

#[async_trait]
impl Jobs for Fake {
    async fn submit(&self, job: NewJob, by: &str) -> Result<JobView, JobsError> {
        self.ask(|state| {
            let view = JobView {
                schema: SCHEMA,
                id: format!("job-{}", state.jobs.len()),
                class: job.class,
                status: JobStatus::Queued,
                submitted: "2026-11-25T12:00:00Z".into(),
                by: by.into(),
                images: job.images.len() as u64,
                done: 0,
                failed: 0,
                incomplete: 0,
                ledger: Ledger::default(),
                snapshot: None,
            };
            state.jobs.push((view.clone(), Vec::new()));
            view
        })
        .await
    }

    async fn list(&self, after: Option<&str>, limit: usize) -> Result<Vec<JobView>, JobsError> {
        self.ask(|state| {
            let newest = state.jobs.iter().rev().map(|(job, _)| job);
            let skipped = after.map_or(0, |after| newest.clone().take_while(|job| job.id != after).count() + 1);
            newest.skip(skipped).take(limit).cloned().collect()
        })
        .await
    }

    async fn get(&self, id: &str) -> Result<Option<JobView>, JobsError> {
        self.ask_of(id, |(job, _)| job.clone()).await
    }

    async fn results(&self, id: &str, after: usize, limit: usize) -> Result<Option<Vec<ImageResult>>, JobsError> {
        self.ask_of(id, |(_, results)| results.iter().skip(after).take(limit).cloned().collect()).await
    }

    async fn cancel(&self, id: &str) -> Result<Option<JobView>, JobsError> {
        self.ask_of(id, |(job, _)| {
            if !job.status.is_final() {
                job.status = JobStatus::Cancelled;
            }
            job.clone()
        })
        .await
    }

    async fn report(&self, id: &str) -> Result<Option<Vec<u8>>, JobsError> {
        self.ask(|_| (id == REPORT).then(|| self.report.lock().unwrap().clone())).await
    }

    async fn exposed(&self, fingerprint: &str) -> Result<Sightings, JobsError> {
        let fingerprint = fingerprint.to_owned();
        self.ask(|_| Sightings { schema: 1, fingerprint, images: Vec::new(), more: false }).await
    }

    async fn inventory(&self, image: &Digest) -> Result<Option<Vec<u8>>, JobsError> {
        self.ask(|_| (*image == Digest::of(b"image")).then(|| b"{\"packages\":[]}".to_vec())).await
    }

    async fn watch(&self, id: &str) -> Result<Option<BoxStream<'static, JobEvent>>, JobsError> {
        let (id, coming) = (id.to_owned(), self.events.subscribe());
        let events = stream::unfold((id, coming), |(id, mut coming)| async {
            loop {
                let (of, event) = coming.recv().await.ok()?;
                if of == id {
                    return Some((event, (id, coming)));
                }
            }
        });
        self.ask(|_| Some(events.boxed())).await
    }

    async fn ready(&self) -> Result<(), String> {
        self.ask(|_| ()).await.map_err(|error| error.to_string())
    }
}
