//! One job, from its plan to its end. Interrupted anywhere, it goes on from what the store has: planning again is recovery.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use lazaret::door::store::{SharedStore, StoreError};
use lazaret::exposure::IdentityKey;
use lazaret::telemetry::{self, metrics as names};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::Instrument as _;

use super::Farm;
use super::image::{self, Setting};
use super::job::{ImageResult, ImageStatus, JobStatus, NewJob, SCHEMA};
use super::known::Known;
use super::stored::{self, Plan, Results, State};
use crate::plan::ledger::Job;
use crate::policy::{self, Ignores, Policy};

/// Results that are kept together.
const SEGMENT: usize = 500;
/// How often what has changed is kept, and the wish to cancel looked for.
const BEAT: Duration = Duration::from_secs(1);

/// Why a job could not be ended now; it is tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The snapshot that it is judged with.
    #[error("{0}")]
    Snapshot(String),
}

/// Runs a job to its end.
///
/// # Errors
/// [`RunError`]; nothing is lost.
pub(super) async fn run(farm: &Arc<Farm>, id: &str) -> Result<(), RunError> {
    let store = &farm.planner.doors().store;
    let Some(plan) = read::<Plan>(store, &stored::plan(id)).await? else {
        tracing::warn!(job = id, "a job without a plan");
        return Ok(());
    };
    let state = read::<State>(store, &stored::state(id)).await?.unwrap_or(State::new(JobStatus::Queued));
    let mut run = Run { farm, id, store, state, done: HashSet::new(), segment: 0, unkept: Vec::new() };
    if !run.state.status.is_final() {
        tracing::info!(job = id, "the job runs here");
        let span = tracing::info_span!("job", job = id, images = plan.job.images.len());
        if let Some(trace) = &plan.trace {
            telemetry::set_parent(&span, trace);
        }
        run.through(plan).instrument(span).await?;
    }
    store.remove(&stored::open(id)).await?;
    store.remove(&stored::cancel(id)).await?;
    Ok(())
}

struct Run<'f> {
    farm: &'f Arc<Farm>,
    id: &'f str,
    store: &'f SharedStore,
    state: State,
    /// References that have results, by their index.
    done: HashSet<u32>,
    /// The next segment of results.
    segment: u32,
    unkept: Vec<(u32, ImageResult)>,
}

impl Run<'_> {
    async fn through(&mut self, plan: Plan) -> Result<(), RunError> {
        self.resume().await?;
        let status = self.images(plan).await?;
        self.keep_results().await?;
        self.state.status = status;
        self.keep_state().await?;
        metrics::counter!(names::JOBS_ENDED, "status" => status.name()).increment(1);
        Ok(())
    }

    /// Takes up what an earlier owner left.
    async fn resume(&mut self) -> Result<(), StoreError> {
        let prefix = stored::results(self.id);
        let ledger = self.state.ledger;
        self.state = State { ledger, ..State::new(JobStatus::Running) };
        for key in all(self.store, &prefix).await? {
            let number = key.strip_prefix(&prefix).and_then(|name| name.split('-').next()?.parse().ok());
            self.segment = self.segment.max(number.unwrap_or(0) + 1);
            let Some(Results { results, .. }) = read(self.store, &key).await? else { continue };
            let fresh: Vec<_> = results.into_iter().filter(|(index, _)| !self.done.contains(index)).collect();
            for (index, result) in fresh {
                self.count(index, &result);
            }
        }
        self.keep_state().await
    }

    fn count(&mut self, index: u32, result: &ImageResult) {
        self.state.done += u64::from(self.done.insert(index));
        match result.status {
            ImageStatus::Failed => self.state.failed += 1,
            ImageStatus::Incomplete => self.state.incomplete += 1,
            ImageStatus::Complete => {}
        }
    }

    async fn images(&mut self, plan: Plan) -> Result<JobStatus, RunError> {
        let policy = match policy(&plan, self.farm.planner.searching().key()) {
            Ok(policy) => policy,
            Err(reason) => {
                tracing::warn!(job = self.id, "the job's policy cannot be used: {reason}");
                return Ok(JobStatus::Failed);
            }
        };
        let snapshot = match &plan.snapshot {
            Some(summary) => Some(self.farm.snapshots.get(summary).await.map_err(RunError::Snapshot)?),
            None => None,
        };
        let mut job = Job::new(self.id);
        job.trace = telemetry::traceparent_of_current_span();
        job.resume(self.state.ledger);
        let waiting = (0..).zip(plan.job.images.iter().cloned()).filter(|(index, _)| !self.done.contains(index));
        let waiting: Vec<_> = waiting.collect();
        let known = Known::look(self.store, waiting.len()).await;
        let setting = Arc::new(Setting { plan, policy, snapshot, job, known });
        let mut waiting = waiting.into_iter();
        let mut scans = JoinSet::new();
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut kept = Instant::now();
        loop {
            while scans.len() < self.farm.options.images_at_once
                && let Some((index, reference)) = waiting.next()
            {
                let (farm, setting) = (Arc::clone(self.farm), Arc::clone(&setting));
                let span = tracing::info_span!("image", reference);
                scans.spawn(async move { (index, image::scan(&farm, &setting, &reference).await) }.instrument(span));
            }
            tokio::select! {
                ended = scans.join_next() => match ended {
                    None => break,
                    Some(Ok((index, results))) => {
                        for result in results? {
                            metrics::counter!(names::IMAGES_DONE, "outcome" => result.status.name()).increment(1);
                            self.count(index, &result);
                            self.unkept.push((index, result));
                        }
                    }
                    Some(Err(error)) => {
                        // Our own bug, and the image's plan stands: the job goes on, and it is not called clean.
                        tracing::error!(job = self.id, "a scan crashed: {error}");
                        return Ok(JobStatus::Failed);
                    }
                },
                _ = beat.tick() => {
                    if self.is_cancelled().await? {
                        self.state.ledger = setting.job.ledger();
                        return Ok(JobStatus::Cancelled);
                    }
                }
            }
            if self.unkept.len() >= SEGMENT || kept.elapsed() >= BEAT && !self.unkept.is_empty() {
                self.state.ledger = setting.job.ledger();
                self.keep_results().await?;
                self.keep_state().await?;
                kept = Instant::now();
            }
        }
        self.state.ledger = setting.job.ledger();
        Ok(JobStatus::Done)
    }

    async fn is_cancelled(&self) -> Result<bool, StoreError> {
        Ok(self.store.present(&[stored::cancel(self.id)]).await? == [true])
    }

    async fn keep_results(&mut self) -> Result<(), StoreError> {
        if self.unkept.is_empty() {
            return Ok(());
        }
        let results = Results { schema: SCHEMA, results: std::mem::take(&mut self.unkept) };
        // An owner that does not know yet that it is none any more writes beside the new one, never over it.
        let key = format!("{}{:08}-{}", stored::results(self.id), self.segment, self.farm.who);
        self.segment += 1;
        self.store.put(&key, serde_json::to_vec(&results).unwrap_or_default()).await
    }

    async fn keep_state(&self) -> Result<(), StoreError> {
        self.store.put(&stored::state(self.id), serde_json::to_vec(&self.state).unwrap_or_default()).await
    }
}

fn policy(plan: &Plan, key: Option<&IdentityKey>) -> Result<Policy, String> {
    // The day of submission: whoever goes on with the job later judges as the first owner did.
    let day = plan.submitted.split('T').next().unwrap_or_default();
    let ignores = match &plan.job.ignore_file {
        Some(text) => policy::read_ignores(text, day).map_err(|error| error.to_string())?,
        None => Ignores::default(),
    };
    let NewJob { only_fixed, include_declared, no_generic_secrets, ref severity, .. } = plan.job;
    Ok(Policy {
        levels: severity.clone(),
        only_fixed,
        include_declared,
        ignores: ignores.findings,
        allows: ignores.exposures,
        no_generic_secrets,
        key: key.cloned(),
    })
}

/// A document of ours. One that does not read counts as absent, and is said to be damaged.
pub(super) async fn read<T: serde::de::DeserializeOwned>(
    store: &SharedStore,
    key: &str,
) -> Result<Option<T>, StoreError> {
    let Some(bytes) = store.get(key).await? else { return Ok(None) };
    match serde_json::from_slice(&bytes) {
        Ok(document) => Ok(Some(document)),
        Err(error) => {
            tracing::error!(key, "damaged: {error}");
            Ok(None)
        }
    }
}

/// Every key below `prefix`.
pub(super) async fn all(store: &SharedStore, prefix: &str) -> Result<Vec<String>, StoreError> {
    let mut keys: Vec<String> = Vec::new();
    loop {
        let page = store.list(prefix, keys.last().map(String::as_str)).await?;
        if page.is_empty() {
            return Ok(keys);
        }
        keys.extend(page);
    }
}
