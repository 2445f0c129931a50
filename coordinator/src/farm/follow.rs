//! Following a job to its end, over as many connections as that takes.

use std::time::{Duration, Instant};

use super::{Farm, FarmError};
use crate::serve::job::{JobEvent, JobView};

/// How long to go on without an answer.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Between two attempts at first; doubled each time.
    pub pause: Duration,
    /// At most between two attempts.
    pub longest_pause: Duration,
    /// Since the last answer.
    pub total: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(15),
            total: Duration::from_secs(600),
        }
    }
}

/// Follows a job until it has ended, and tells `seen` how far it is. A connection that breaks is made anew.
///
/// # Errors
/// The farm refuses, or has not answered for [`Patience::total`].
pub async fn follow(
    farm: &Farm,
    id: &str,
    patience: Patience,
    mut seen: impl FnMut(&JobView),
) -> Result<JobView, FarmError> {
    let mut answered = Instant::now();
    let mut pause = patience.pause;
    loop {
        let error = match connection(farm, id, &mut seen).await {
            Ok((Some(job), _)) => return Ok(job),
            Ok((None, told)) => {
                if told {
                    (answered, pause) = (Instant::now(), patience.pause);
                }
                None
            }
            Err(error) if error.is_transient() => Some(error),
            Err(error) => return Err(error),
        };
        if answered.elapsed() > patience.total {
            return match error {
                Some(error) => Err(error),
                // It ends connections without a word; the job itself says how it is.
                None => farm.job(id).await,
            };
        }
        let asked_for = match &error {
            Some(FarmError::Busy { retry_after_s, .. }) => Duration::from_secs((*retry_after_s).into()),
            _ => Duration::ZERO,
        };
        tokio::time::sleep(pause.max(asked_for).min(patience.longest_pause)).await;
        pause = pause.saturating_mul(2);
    }
}

/// Reads events until the job has ended or the connection has, and says whether the job was heard of.
async fn connection(
    farm: &Farm,
    id: &str,
    seen: &mut impl FnMut(&JobView),
) -> Result<(Option<JobView>, bool), FarmError> {
    let mut events = farm.events(id).await?;
    let mut told = false;
    loop {
        match events.next().await {
            Ok(Some(JobEvent::Job(job))) => {
                told = true;
                seen(&job);
                if job.status.is_final() {
                    return Ok((Some(job), told));
                }
            }
            Ok(Some(JobEvent::Image(_))) => told = true,
            Ok(None) => return Ok((None, told)),
            Err(error) if told && error.is_transient() => return Ok((None, told)),
            Err(error) => return Err(error),
        }
    }
}
