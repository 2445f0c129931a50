//! The worker as a service: takes tasks, analyses layers, keeps the inventories. Stateless; what it does may be done twice.

use std::sync::Arc;
use std::time::Duration;

use lazaret::door::queue::QueueError;
use lazaret::exposure::{IdentityKey, WeakKey};
use lazaret::task::Class;
use lazaret::telemetry::metrics as names;
use tokio::task::JoinSet;

pub mod analyse;
pub mod blobs;
mod breaker;
pub mod doors;
mod fetch;
mod http;
mod keep;
mod perform;
mod room;
mod rules;
pub mod settings;
pub mod shutdown;
mod slot;
mod state;
mod stub;
#[cfg(test)]
mod tests;
pub mod trace;
mod watched;

use self::analyse::{Analyse, Confined};
use self::blobs::Blobs;
use self::breaker::Breaker;
use self::doors::{DoorError, Doors};
use self::fetch::Fetch;
use self::keep::Keep;
use self::perform::Performer;
use self::room::Room;
use self::rules::AddedRules;
use self::settings::Settings;
use self::shutdown::{Shutdown, Signals};
use self::slot::Slot;
use self::state::State;
use self::stub::Stub;
use crate::ruleset::SearchSettings;
use crate::sandbox::{Options, SandboxError};

/// How long closing the queue in good order may take.
const CLOSING: Duration = Duration::from_secs(10);

/// What renders the metrics of this process for Prometheus.
pub type Metrics = Arc<dyn Fn() -> String + Send + Sync>;

/// How a service ended that was told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything that was begun was ended.
    Drained,
    /// The grace was not long enough; what was begun goes to other workers.
    GraceOver,
    /// It was told twice.
    AtOnce,
}

/// Why there is no service.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The doors do not open.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// The identity key is of no use.
    #[error("--identity-key: {0}")]
    Key(#[source] WeakKey),
    /// The queue does not let us consume.
    #[error("--queue: {0}")]
    Consume(#[source] QueueError),
    /// There is no place to listen.
    #[error("--listen {address}: {error}")]
    Listen {
        /// What was asked for.
        address: String,
        /// Why not.
        #[source]
        error: std::io::Error,
    },
    /// Layers cannot be shut in.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The operating system does not tell of signals.
    #[error("signals cannot be waited for: {0}")]
    Signals(#[source] std::io::Error),
}

/// What looks at layers in this process.
fn analysis(settings: &Settings, key: Option<IdentityKey>) -> Result<Arc<dyn Analyse>, SandboxError> {
    if let Some(pause) = settings.analyser {
        return Ok(Arc::new(Stub { pause }));
    }
    let deadline = Duration::from_secs(settings.deadline);
    let searched = SearchSettings { added: None, key };
    let options = Options { require: settings.require_sandbox, settings: searched, deadline, ..Options::default() };
    Ok(Arc::new(Confined::start(options)?))
}

/// Serves as `settings` say until a signal ends it. `metrics` are those of this process, where it counts.
///
/// # Errors
/// [`ServeError`]: it cannot begin. What fails later is waited for.
pub async fn serve(settings: &Settings, metrics: Option<Metrics>) -> Result<Ended, ServeError> {
    let analyse = analysis(settings, settings.identity().map_err(ServeError::Key)?)?;
    tracing::info!(sandbox = analyse.protection(), "layers are analysed here");
    let mut signals = Signals::new().map_err(ServeError::Signals)?;
    let doors = doors::open(settings).await?;
    let shutdown = Shutdown::default();
    let serving = run(settings, doors, analyse, Arc::new(settings.registries()), metrics, shutdown.clone());
    tokio::pin!(serving);
    tokio::select! {
        ended = &mut serving => return ended,
        () = signals.next() => shutdown.ask(),
    }
    tracing::info!(grace = settings.grace, "stopping: what was begun is ended, nothing new is taken");
    tokio::select! {
        ended = &mut serving => ended,
        () = signals.next() => Ok(Ended::AtOnce),
    }
}

/// Serves with these doors until `shutdown`.
///
/// # Errors
/// [`ServeError`].
pub async fn run(
    settings: &Settings,
    doors: Doors,
    analyse: Arc<dyn Analyse>,
    blobs: Arc<dyn Blobs>,
    metrics: Option<Metrics>,
    shutdown: Shutdown,
) -> Result<Ended, ServeError> {
    let breaker = Breaker::new(Arc::clone(&doors.store));
    let sandbox: Arc<str> = analyse.protection().into();
    metrics::gauge!(names::SANDBOX_LEVEL).set(f64::from(analyse.level() as u8));
    metrics::gauge!(names::STORE_DOWN).set(0.0);
    let state = State {
        queue: Arc::clone(&doors.queue),
        cache: Arc::clone(&doors.cache),
        breaker: Arc::clone(&breaker),
        shutdown: shutdown.clone(),
        sandbox: Arc::clone(&sandbox),
    };
    let listen = |error| ServeError::Listen { address: settings.listen.clone(), error };
    // Ends with this function.
    let mut observers = JoinSet::new();
    if let Some(listener) = http::listen(&settings.listen).await.map_err(listen)? {
        observers.spawn(http::answer(listener, state, metrics));
    }
    // A store that does not take anything is better known before there is a result.
    if let Err(error) = breaker.probe().await {
        breaker.trip(&error);
    }
    let key = settings.identity().map_err(ServeError::Key)?;
    let set = crate::fingerprint::inventories(None, key.as_ref()).to_string();
    let performer = Arc::new(Performer {
        queue: Arc::clone(&doors.queue),
        keep: Keep { store: Arc::clone(&doors.store), cache: doors.cache, breaker },
        fetch: Fetch {
            blobs,
            analyse,
            rules: AddedRules::new(Arc::clone(&doors.store)),
            room: Room::new(settings.max_bytes_in_flight.get()),
            deadline: Duration::from_secs(settings.deadline),
        },
        key,
        attempts: settings.max_attempts.get(),
    });
    let (bulk, interactive) = settings.slot_counts();
    tracing::info!(bulk, interactive, %sandbox, set, "the worker takes tasks");
    let mut slots = JoinSet::new();
    for (class, count) in [(Class::Interactive, interactive), (Class::Bulk, bulk)] {
        metrics::gauge!(names::SLOTS, "class" => class.name()).set(f64::from(count));
        for _ in 0..count {
            let opening = doors.queue.consume(class);
            let deliveries = tokio::select! {
                deliveries = opening => deliveries.map_err(ServeError::Consume)?,
                () = shutdown.asked() => break,
            };
            let slot = Slot { performer: Arc::clone(&performer), class, deliveries };
            slots.spawn(slot.work(shutdown.clone()));
        }
    }
    let ended = end_of(slots, &shutdown, Duration::from_secs(settings.grace)).await;
    let _ = tokio::time::timeout(CLOSING, doors.queue.close()).await;
    ended
}

/// Waits for the slots to end, after `shutdown` no longer than `grace`.
async fn end_of(
    mut slots: JoinSet<Result<(), QueueError>>,
    shutdown: &Shutdown,
    grace: Duration,
) -> Result<Ended, ServeError> {
    let all = async {
        let mut outcome = Ok(Ended::Drained);
        while let Some(slot) = slots.join_next().await {
            match slot {
                Ok(Ok(())) => {}
                Ok(Err(error)) if outcome.is_ok() => outcome = Err(ServeError::Consume(error)),
                Ok(Err(_)) => {}
                // The others go on: their deliveries are theirs.
                Err(panic) => tracing::error!(%panic, "a slot crashed; it is not used any more"),
            }
        }
        outcome
    };
    let over = async {
        shutdown.asked().await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        outcome = all => outcome,
        () = over => Ok(Ended::GraceOver),
    }
}
