//! The jobs of the farm, as the API asks for them: all of it is in the store, and any coordinator can answer.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use lazaret::digest::Digest;
use lazaret::door::queue::Health;
use lazaret::door::store::{SharedStore, StoreError};
use lazaret::telemetry;

use super::exposed::{self, Sightings};
use super::job::{ImageResult, JobEvent, JobStatus, JobView, NewJob, SCHEMA};
use super::jobs::{Jobs, JobsError};
use super::run::{all, read};
use super::stored::{self, Plan, Results, State, Summary};
use super::{Farm, publish};
use crate::assess;
use crate::pipeline;
use crate::policy::Policy;
use crate::report::build::Scanner;
use crate::report::json;

/// How often whoever follows a job is told what is new.
const POLL: Duration = Duration::from_millis(300);
/// Jobs of a list that are asked for at a time.
const AT_ONCE: usize = 16;

/// Answers from the store.
pub struct Service(Arc<Farm>);

impl Service {
    /// The service of a farm.
    pub fn new(farm: Arc<Farm>) -> Self {
        Self(farm)
    }

    fn store(&self) -> &SharedStore {
        &self.0.planner.doors().store
    }

    async fn view(&self, id: &str) -> Result<Option<JobView>, JobsError> {
        let found = found(self.store(), id).await.map_err(unavailable)?;
        Ok(found.map(|(_, view)| view))
    }
}

fn unavailable(error: StoreError) -> JobsError {
    tracing::warn!("the store: {error}");
    JobsError::Unavailable { reason: "the store does not answer".into(), retry_after_s: 5 }
}

async fn found(store: &SharedStore, id: &str) -> Result<Option<(Summary, JobView)>, StoreError> {
    if !stored::is_id(id) {
        return Ok(None);
    }
    let Some(job) = summary(store, id).await? else { return Ok(None) };
    let view = viewed(store, &job).await?;
    Ok(Some((job, view)))
}

async fn summary(store: &SharedStore, id: &str) -> Result<Option<Summary>, StoreError> {
    let kept = store.get(&stored::index(id)).await?;
    match kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        Some(summary) => Ok(Some(summary)),
        // It was submitted by a coordinator that died before it had written this too.
        None => Ok(read::<Plan>(store, &stored::plan(id)).await?.map(|plan| plan.summary())),
    }
}

async fn viewed(store: &SharedStore, job: &Summary) -> Result<JobView, StoreError> {
    let state = read::<State>(store, &stored::state(&job.id)).await?;
    Ok(job.view(&state.unwrap_or(State::new(JobStatus::Queued))))
}

#[async_trait]
impl Jobs for Service {
    #[tracing::instrument(name = "submit", skip_all, fields(images = job.images.len(), class = job.class.name()))]
    async fn submit(&self, job: NewJob, by: &str) -> Result<JobView, JobsError> {
        self.ready().await.map_err(|reason| JobsError::Unavailable { reason, retry_after_s: 10 })?;
        let now = jiff::Timestamp::now();
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let snapshot = self.0.snapshots.newest().await.map_err(JobsError::Internal)?;
        let id = stored::new_id(millis);
        let by = by.to_owned();
        let trace = telemetry::traceparent_of_current_span();
        let plan = Plan { schema: SCHEMA, id, sequence: millis, submitted: now.to_string(), by, job, trace, snapshot };
        let (id, store) = (&plan.id, self.store());
        store.put(&stored::plan(id), serde_json::to_vec(&plan).unwrap_or_default()).await.map_err(unavailable)?;
        // From here on it will be run, whatever happens to us.
        store.put(&stored::open(id), Vec::new()).await.map_err(unavailable)?;
        let job = plan.summary();
        store.put(&stored::index(id), serde_json::to_vec(&job).unwrap_or_default()).await.map_err(unavailable)?;
        if let Err(error) = self.0.planner.doors().queue.publish_job(id).await {
            tracing::warn!(job = id, "nobody could be told of it, which will be made up for: {error}");
        }
        Ok(job.view(&State::new(JobStatus::Queued)))
    }

    async fn list(&self, after: Option<&str>, limit: usize) -> Result<Vec<JobView>, JobsError> {
        let after = match after {
            Some(id) if !stored::is_id(id) => return Err(JobsError::Invalid("no job has such an id".into())),
            after => after.map(stored::index),
        };
        let keys = self.store().list("jobs/index/", after.as_deref()).await.map_err(unavailable)?;
        let views = stream::iter(keys.into_iter().take(limit)).map(|key| {
            let store = self.store().clone();
            async move { found(&store, key.strip_prefix("jobs/index/").unwrap_or_default()).await }
        });
        let mut views = views.buffered(AT_ONCE);
        let mut jobs = Vec::new();
        while let Some(found) = views.next().await {
            jobs.extend(found.map_err(unavailable)?.map(|(_, view)| view));
        }
        Ok(jobs)
    }

    async fn get(&self, id: &str) -> Result<Option<JobView>, JobsError> {
        self.view(id).await
    }

    async fn results(&self, id: &str, after: usize, limit: usize) -> Result<Option<Vec<ImageResult>>, JobsError> {
        if self.view(id).await?.is_none() {
            return Ok(None);
        }
        let mut wanted = Vec::new();
        let mut skip = after;
        let mut told = HashSet::new();
        for key in all(self.store(), &stored::results(id)).await.map_err(unavailable)? {
            let Some(Results { results, .. }) = read(self.store(), &key).await.map_err(unavailable)? else { continue };
            // An owner that did not know yet that it was none any more has written beside the next one.
            let fresh: Vec<_> = results.into_iter().filter(|(index, _)| !told.contains(index)).collect();
            told.extend(fresh.iter().map(|(index, _)| *index));
            let skipped = skip.min(fresh.len());
            skip -= skipped;
            wanted.extend(fresh.into_iter().skip(skipped).map(|(_, result)| result).take(limit - wanted.len()));
            if wanted.len() == limit {
                break;
            }
        }
        Ok(Some(wanted))
    }

    async fn cancel(&self, id: &str) -> Result<Option<JobView>, JobsError> {
        let view = self.view(id).await?;
        if view.as_ref().is_some_and(|view| !view.status.is_final()) {
            self.store().put(&stored::cancel(id), Vec::new()).await.map_err(unavailable)?;
        }
        Ok(view)
    }

    async fn report(&self, id: &str) -> Result<Option<Vec<u8>>, JobsError> {
        publish::report(self.store(), id).await.map_err(unavailable)
    }

    async fn exposed(&self, fingerprint: &str) -> Result<Sightings, JobsError> {
        exposed::find(self.store(), fingerprint).await.map_err(unavailable)
    }

    async fn inventory(&self, image: &Digest) -> Result<Option<Vec<u8>>, JobsError> {
        let Some((image, inventoried)) = pipeline::recall_pinned("registry", *image, &self.0.planner).await else {
            return Ok(None);
        };
        let (digest, policy) = (image.digest.to_string(), Policy::default());
        let report = assess::report(&digest, &image, &inventoried, &[Scanner::Packages], &policy, |_| {
            Err("an inventory is not judged".into())
        });
        let mut bytes = Vec::new();
        json::write(&mut bytes, &report).map_err(|error| JobsError::Internal(error.to_string()))?;
        Ok(Some(bytes))
    }

    async fn watch(&self, id: &str) -> Result<Option<BoxStream<'static, JobEvent>>, JobsError> {
        let Some((job, view)) = found(self.store(), id).await.map_err(unavailable)? else { return Ok(None) };
        let seen = all(self.store(), &stored::results(id)).await.map_err(unavailable)?.pop();
        let store = self.store().clone();
        let watch = Watch { store, job, view, seen, events: VecDeque::new(), began: false };
        Ok(Some(stream::unfold(watch, Watch::next).boxed()))
    }

    async fn ready(&self) -> Result<(), String> {
        match self.0.planner.doors().queue.health() {
            Health::Up => Ok(()),
            Health::Blocked(_) => Err("the broker takes nothing now".into()),
            Health::Down(_) => Err("the broker cannot be reached".into()),
        }
    }
}

/// Whoever follows a job.
struct Watch {
    store: SharedStore,
    /// Never modified, so it is read once.
    job: Summary,
    view: JobView,
    /// The last segment of results that was told.
    seen: Option<String>,
    events: VecDeque<JobEvent>,
    began: bool,
}

impl Watch {
    async fn next(mut self) -> Option<(JobEvent, Self)> {
        if !self.began {
            self.began = true;
            return Some((JobEvent::Job(self.view.clone()), self));
        }
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some((event, self));
            }
            if self.view.status.is_final() {
                return None;
            }
            tokio::time::sleep(POLL).await;
            if let Err(error) = self.look().await {
                tracing::warn!(job = self.view.id, "cannot follow it just now: {error}");
            }
        }
    }

    async fn look(&mut self) -> Result<(), StoreError> {
        // The state first: results that are there before the end is seen are told before it.
        let view = viewed(&self.store, &self.job).await?;
        let prefix = stored::results(&view.id);
        for key in self.store.list(&prefix, self.seen.as_deref()).await? {
            let results: Option<Results> = read(&self.store, &key).await?;
            let results = results.map(|segment| segment.results).unwrap_or_default();
            self.events.extend(results.into_iter().map(|(_, result)| JobEvent::Image(result)));
            self.seen = Some(key);
        }
        if view != self.view {
            self.view = view.clone();
            self.events.push_back(JobEvent::Job(view));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use lazaret::door::store::MemoryStore;
    use lazaret::task::Class;

    use super::*;

    #[tokio::test]
    async fn a_job_is_shown_by_its_summary_and_by_its_plan_where_there_is_none() {
        let store: SharedStore = Arc::new(MemoryStore::default());
        let id = stored::new_id(1_700_000_000_000);
        let job = NewJob { images: vec!["a".into(), "b".into()], class: Class::Interactive, ..NewJob::default() };
        let (submitted, by) = ("2023-11-14T22:13:20Z".to_owned(), "ci".to_owned());
        let plan =
            Plan { schema: SCHEMA, id: id.clone(), sequence: 1, submitted, by, job, trace: None, snapshot: None };
        assert!(found(&store, &id).await.unwrap().is_none());
        store.put(&stored::index(&id), serde_json::to_vec(&plan.summary()).unwrap()).await.unwrap();
        let (_, by_summary) = found(&store, &id).await.unwrap().expect("a job");
        assert_eq!((by_summary.images, by_summary.by.as_str()), (2, "ci"));
        assert_eq!((by_summary.class, by_summary.status), (Class::Interactive, JobStatus::Queued));
        store.remove(&stored::index(&id)).await.unwrap();
        store.put(&stored::plan(&id), serde_json::to_vec(&plan).unwrap()).await.unwrap();
        let (_, by_plan) = found(&store, &id).await.unwrap().expect("a job");
        assert_eq!(by_plan, by_summary);
    }
}
