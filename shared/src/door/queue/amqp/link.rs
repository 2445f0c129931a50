//! One connection that is kept: whenever it is lost it is opened anew, over the list of nodes, for as long as it takes.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use lapin::{Connection, Event};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::super::{Health, QueueError, QueueSettings};
use super::fault;
use super::socket::{self, Cutter};
use super::url::{BrokerUrl, address};
use crate::telemetry::metrics as names;

/// The pauses between attempts: the shortest, which doubles up to the longest, each less a random part.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3));
/// A connection that fails says so, one that the broker closes in good order does not: it is looked at this often.
const LOOK: Duration = Duration::from_millis(250);

/// A connection that is kept.
pub(super) struct Link {
    state: Arc<watch::Sender<State>>,
    upkeep: JoinHandle<()>,
}

enum State {
    Down(String),
    Up(Up),
    Closed,
}

/// The connection that is up now.
#[derive(Clone)]
pub(super) struct Up {
    pub(super) connection: Arc<Connection>,
    /// Counts the connections of a link.
    pub(super) generation: u64,
    blocked: Option<String>,
    cutter: Cutter,
}

impl Up {
    /// Gives this connection up: it answers no more, whatever its socket says.
    pub(super) fn give_up(&self) {
        self.cutter.cut();
    }
}

impl Link {
    /// Connects, and keeps the connection from then on. `purpose` is for metrics and logs.
    pub(super) async fn open(
        url: &BrokerUrl,
        settings: &QueueSettings,
        purpose: &'static str,
    ) -> Result<Self, QueueError> {
        let mut attempts = Attempts { url: url.clone(), settings: settings.clone(), next: first(url), pause: PAUSES.0 };
        let end = Instant::now() + settings.first_connection;
        let opened = loop {
            match attempts.next().await {
                Ok(opened) => break opened,
                Err(error) => {
                    if let Some(refused) = fault::refusal(&error) {
                        return Err(refused);
                    }
                    if Instant::now() >= end {
                        return Err(fault::unreachable(&error));
                    }
                }
            }
            attempts.pause().await;
        };
        let state = Arc::new(watch::Sender::new(State::Down("not connected yet".to_owned())));
        let upkeep = tokio::spawn(keep(attempts, Arc::clone(&state), opened, purpose));
        let link = Self { state, upkeep };
        link.up().await?;
        Ok(link)
    }

    /// The connection, once it is up.
    pub(super) async fn up(&self) -> Result<Up, QueueError> {
        self.wait(|up| Some(up.clone())).await
    }

    /// The connection, once it is up and takes publishes.
    pub(super) async fn unblocked(&self) -> Result<Up, QueueError> {
        self.wait(|up| up.blocked.is_none().then(|| up.clone())).await
    }

    async fn wait(&self, mut wanted: impl FnMut(&Up) -> Option<Up>) -> Result<Up, QueueError> {
        let mut state = self.state.subscribe();
        loop {
            match &*state.borrow_and_update() {
                State::Up(up) => {
                    if let Some(up) = wanted(up) {
                        return Ok(up);
                    }
                }
                State::Closed => return Err(QueueError::Closed),
                State::Down(_) => {}
            }
            state.changed().await.map_err(|_| QueueError::Closed)?;
        }
    }

    /// Resolves when the connection of `generation` is gone.
    pub(super) fn left(&self, generation: u64) -> impl Future<Output = ()> + Send + use<> {
        let mut state = self.state.subscribe();
        async move {
            // The sender is gone only with the link, and then so is the connection.
            let _ = state.wait_for(|state| !matches!(state, State::Up(up) if up.generation == generation)).await;
        }
    }

    /// The connection that is up and takes publishes, if there is one.
    pub(super) fn ready(&self) -> Option<Up> {
        match &*self.state.borrow() {
            State::Up(up) if up.blocked.is_none() => Some(up.clone()),
            _ => None,
        }
    }

    pub(super) fn health(&self) -> Health {
        match &*self.state.borrow() {
            State::Up(Up { blocked: Some(reason), .. }) => Health::Blocked(reason.clone()),
            State::Up(_) => Health::Up,
            State::Down(error) => Health::Down(error.clone()),
            State::Closed => Health::Down("closed".to_owned()),
        }
    }

    /// Closes the connection in good order, and for good.
    pub(super) async fn close(&self) {
        self.upkeep.abort();
        if let State::Up(up) = self.state.send_replace(State::Closed) {
            let closing = up.connection.close(200, "closed".into());
            // Whoever does not answer is left alone.
            let _ = timeout(Duration::from_secs(2), closing).await;
            up.cutter.cut();
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.upkeep.abort();
    }
}

async fn keep(
    mut attempts: Attempts,
    state: Arc<watch::Sender<State>>,
    mut opened: (Connection, Cutter),
    purpose: &'static str,
) {
    for generation in 0.. {
        let (connection, cutter) = opened;
        let events = connection.events_listener();
        let up = Up { connection: Arc::new(connection), generation, blocked: None, cutter };
        state.send_replace(State::Up(up.clone()));
        let reason = lost(events, &up, &state, purpose).await;
        tracing::warn!(purpose, reason, "the connection to the broker is lost");
        state.send_replace(State::Down(reason));
        // Whatever still uses it is to notice.
        up.give_up();
        drop(up);
        opened = loop {
            match attempts.next().await {
                Ok(opened) => break opened,
                Err(error) => state.send_replace(State::Down(fault::unreachable(&error).to_string())),
            };
            attempts.pause().await;
        };
        metrics::counter!(names::RECONNECTS, "purpose" => purpose).increment(1);
        tracing::info!(purpose, "connected to the broker again");
    }
}

/// Follows a connection to its end; why it ended.
async fn lost(
    events: impl Stream<Item = Event>,
    up: &Up,
    state: &watch::Sender<State>,
    purpose: &'static str,
) -> String {
    let mut events = std::pin::pin!(events);
    let blocked = |reason: Option<String>| {
        metrics::gauge!(names::QUEUE_BLOCKED, "purpose" => purpose).set(if reason.is_some() { 1.0 } else { 0.0 });
        state.send_modify(|state| {
            if let State::Up(up) = state {
                up.blocked = reason;
            }
        });
    };
    let mut last = "it was closed".to_owned();
    while up.connection.status().connected() {
        match timeout(LOOK, events.next()).await {
            Ok(Some(Event::ConnectionBlocked(reason))) => blocked(Some(reason)),
            Ok(Some(Event::ConnectionUnblocked)) => blocked(None),
            // That of one channel is told by the same way.
            Ok(Some(Event::Error(error))) if !error.is_amqp_soft_error() => {
                last = error.to_string();
                break;
            }
            Ok(Some(_)) | Err(_) => {}
            Ok(None) => break,
        }
    }
    metrics::gauge!(names::QUEUE_BLOCKED, "purpose" => purpose).set(0.0);
    crate::text::visible(&last).into_owned()
}

struct Attempts {
    url: BrokerUrl,
    settings: QueueSettings,
    next: usize,
    pause: Duration,
}

impl Attempts {
    /// Tries the next node.
    async fn next(&mut self) -> Result<(Connection, Cutter), lapin::Error> {
        let nodes = self.url.nodes();
        let node = &nodes[self.next % nodes.len()];
        self.next = (self.next + 1) % nodes.len();
        let opened = socket::open(node, &self.settings).await;
        match &opened {
            Ok(_) => self.pause = PAUSES.0,
            Err(error) => tracing::debug!(node = address(node), %error, "cannot connect to the broker"),
        }
        opened
    }

    async fn pause(&mut self) {
        sleep(self.pause.mul_f64(1.0 - random() / 2.0)).await;
        self.pause = (self.pause * 2).min(PAUSES.1);
    }
}

/// Not all clients start with the same node.
fn first(url: &BrokerUrl) -> usize {
    (random() * url.nodes().len() as f64) as usize
}

/// Between 0 and 1.
fn random() -> f64 {
    (RandomState::new().hash_one(0_u8) >> 11) as f64 / (1_u64 << 53) as f64
}
