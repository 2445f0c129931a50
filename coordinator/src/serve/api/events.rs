//! `GET /v1/jobs/{id}/events`: a job as it goes, as server-sent events.
//!
//! First comes the job as it is, so that whoever comes back after a broken connection has missed nothing that still
//! matters; then each change, until the job has ended. Ids go on from `Last-Event-ID`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::super::job::{JobEvent, JobView};
use super::Api;
use super::jobs::existing;
use super::part::Part;
use super::problem::Problem;

/// How often something is said where nothing happens, so that a dead connection is noticed at both ends.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// When to come back after the connection broke.
const RETRY: Duration = Duration::from_secs(1);

/// The route.
pub(super) async fn follow(
    State(api): State<Arc<Api>>,
    Part(id): Part,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = Arc::clone(&api.followers).try_acquire_owned();
    let place = place.map_err(|_| Problem::busy("too many callers follow jobs; ask for the job now and then"))?;
    existing(&api, &id).await?;
    // Watched first and looked at then: nothing can happen in between unseen.
    let coming = api.jobs.watch(&id).await?.ok_or_else(Problem::not_found)?;
    let now = existing(&api, &id).await?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse::<u64>().ok());
    let following = Following {
        events: stream::once(async { JobEvent::Job(now) }).chain(coming).boxed(),
        shown: None,
        over: false,
        number: last.unwrap_or(0),
        ending: api.ending.clone(),
        _place: place,
    };
    let events = stream::unfold(following, Following::next).map(Ok::<_, Infallible>);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

/// A caller that follows a job.
struct Following {
    events: BoxStream<'static, JobEvent>,
    /// The job as the caller last saw it.
    shown: Option<JobView>,
    /// Whether it was seen to have ended.
    over: bool,
    number: u64,
    ending: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
}

impl Following {
    async fn next(mut self) -> Option<(Event, Self)> {
        while !self.over {
            let event = tokio::select! {
                biased;
                _ = self.ending.wait_for(|ending| *ending) => return None,
                event = self.events.next() => event?,
            };
            let written = match event {
                JobEvent::Job(job) if self.shown.as_ref() == Some(&job) => continue,
                JobEvent::Job(job) => {
                    self.over = job.status.is_final();
                    let written = Event::default().event("job").json_data(&job);
                    self.shown = Some(job);
                    written
                }
                JobEvent::Image(result) => Event::default().event("image").json_data(result),
            };
            self.number = self.number.wrapping_add(1);
            match written {
                Ok(event) => return Some((event.id(self.number.to_string()).retry(RETRY), self)),
                Err(error) => tracing::error!("an event cannot be written: {error}"),
            }
        }
        None
    }
}
