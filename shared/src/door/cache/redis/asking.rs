//! Asks: within a budget, once more after a lost connection, not at all where nobody answers; counts and tells what fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::aio::ConnectionLike;
use redis::cluster_async::ClusterConnection;
use redis::{Pipeline, Value};

use super::address::Address;
use super::breaker::{Breaker, PAUSE};
use super::connect::Connection;
use super::count;
use super::failure::Failure;
use super::link::Link;

/// The answer to one command.
pub type Reply = Result<Value, Failure>;

/// What every request goes through.
pub struct Asking {
    shown: String,
    link: Arc<Link>,
    breaker: Breaker,
    answered: AtomicBool,
    refuses: AtomicBool,
    start: Instant,
    /// When, in milliseconds after the start, a connection to a replica was last given up.
    replica_left: AtomicU64,
}

impl Asking {
    /// Nothing is asked yet.
    pub fn new(address: Address, certificates: Option<Vec<u8>>) -> Self {
        Self {
            shown: address.to_string(),
            link: Link::new(address, certificates),
            breaker: Breaker::default(),
            answered: AtomicBool::new(true),
            refuses: AtomicBool::new(false),
            start: Instant::now(),
            replica_left: AtomicU64::new(0),
        }
    }

    /// Where it asks, as it may be shown.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether the last request was answered.
    pub fn is_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// The connection, for what is more than one round trip; nothing where nobody answers.
    pub async fn connection(&self, budget: Duration) -> Option<Connection> {
        if !self.breaker.admits(Instant::now()) {
            return None;
        }
        let numbered = tokio::time::timeout(budget, self.link.connection()).await;
        numbered.ok()?.ok().map(|numbered| numbered.connection)
    }

    /// Asks `commands`, each about one key at most, in one round trip of at most `budget`. As many replies as commands.
    pub async fn ask(&self, commands: &Pipeline, budget: Duration) -> Vec<Reply> {
        if commands.is_empty() {
            return Vec::new();
        }
        let replies = if self.breaker.admits(Instant::now()) {
            let replies =
                self.within(commands, budget).await.unwrap_or_else(|failure| vec![Err(failure); commands.len()]);
            self.learn(&replies);
            replies
        } else {
            self.answered.store(false, Ordering::Relaxed);
            vec![Err(Failure::Breaker); commands.len()]
        };
        self.count(&replies);
        replies
    }

    async fn within(&self, commands: &Pipeline, budget: Duration) -> Result<Vec<Reply>, Failure> {
        let deadline = tokio::time::Instant::now() + budget;
        let asked = tokio::time::timeout_at(deadline, self.up_to_twice(commands, deadline)).await;
        asked.unwrap_or(Err(Failure::Timeout))
    }

    /// The first request after a connection was cut fails, and everything that is asked here may be asked twice.
    async fn up_to_twice(&self, commands: &Pipeline, deadline: tokio::time::Instant) -> Result<Vec<Reply>, Failure> {
        let first = self.link.connection().await?;
        match once(first.connection, commands, deadline).await {
            Err(Failure::Connection) => {
                self.link.forget(first.number);
                let second = self.link.connection().await?;
                let answer = once(second.connection, commands, deadline).await;
                if answer == Err(Failure::Connection) {
                    self.link.forget(second.number);
                }
                answer
            }
            answer => answer,
        }
    }

    /// What the replies say about the server.
    fn learn(&self, replies: &[Reply]) {
        let silence = replies.iter().find_map(|reply| reply.as_ref().err().filter(|failure| failure.is_silence()));
        self.answered.store(silence.is_none(), Ordering::Relaxed);
        match silence {
            Some(failure) => {
                if self.breaker.failed(Instant::now()) {
                    tracing::warn!(
                        cache = self.shown,
                        cause = failure.label(),
                        "the cache does not answer; going on without it"
                    );
                }
                // A connection on which nothing comes back may never again; the next request makes another.
                if !self.breaker.is_closed() {
                    self.link.forget_any();
                }
            }
            None => {
                if self.breaker.succeeded() {
                    tracing::info!(cache = self.shown, "the cache answers again");
                }
            }
        }
        if replies.contains(&Err(Failure::ReadOnly)) {
            self.leave_replica();
        }
    }

    /// The master may be elsewhere by now. Where it is not, one new connection in a pause is enough.
    fn leave_replica(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let last = self.replica_left.load(Ordering::Relaxed);
        let is_due = last == 0 || Duration::from_millis(now.saturating_sub(last)) >= PAUSE;
        if is_due && self.replica_left.compare_exchange(last, now.max(1), Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            self.link.forget_any();
        }
    }

    fn count(&self, replies: &[Reply]) {
        for failure in replies.iter().filter_map(|reply| reply.as_ref().err()) {
            count::failure(*failure);
        }
    }

    /// What the replies to writes say about the server; told when it changes.
    pub fn learn_from_writes(&self, replies: &[Reply]) {
        let refusal = replies.iter().find_map(|reply| reply.as_ref().err().filter(|failure| failure.is_refusal()));
        if let Some(failure) = refusal
            && !self.refuses.swap(true, Ordering::Relaxed)
        {
            let cause = failure.label();
            tracing::warn!(cache = self.shown, cause, "the cache takes nothing; going on with what it has");
        }
        if replies.iter().all(Result::is_ok) && self.refuses.swap(false, Ordering::Relaxed) {
            tracing::info!(cache = self.shown, "the cache takes values again");
        }
    }
}

async fn once(
    connection: Connection,
    commands: &Pipeline,
    deadline: tokio::time::Instant,
) -> Result<Vec<Reply>, Failure> {
    let replies = match connection {
        Connection::Server(mut connection) => {
            let replies = connection.req_packed_commands(commands, 0, commands.len()).await;
            replies.map_err(|error| Failure::from(&error))?.into_iter().map(reply).collect()
        }
        Connection::Cluster(connection) => from_nodes(&connection, commands, deadline).await?,
    };
    if replies.len() == commands.len() { Ok(replies) } else { Err(Failure::Answer) }
}

fn reply(value: Value) -> Reply {
    match value {
        Value::ServerError(error) => Err(Failure::of_code(error.code())),
        value => Ok(value),
    }
}

/// Each command goes to the node of its key; the client finds it, and follows a key that moved. What is not answered a
/// little before the deadline is not waited for, so that a node that is away does not take the answers of the others along.
async fn from_nodes(
    connection: &ClusterConnection,
    commands: &Pipeline,
    deadline: tokio::time::Instant,
) -> Result<Vec<Reply>, Failure> {
    let now = tokio::time::Instant::now();
    let end = now + deadline.saturating_duration_since(now) * 9 / 10;
    let mut replies = vec![Err(Failure::Timeout); commands.len()];
    let mut asked: FuturesUnordered<_> = commands
        .cmd_iter()
        .enumerate()
        .map(|(n, command)| {
            let mut connection = connection.clone();
            async move { (n, connection.req_packed_command(command).await) }
        })
        .collect();
    while let Ok(Some((n, answer))) = tokio::time::timeout_at(end, asked.next()).await {
        if let Some(place) = replies.get_mut(n) {
            *place = answer.map_err(|error| Failure::from(&error)).and_then(reply);
        }
    }
    // The connection to the Cluster itself is gone, not to one of its nodes.
    if replies.iter().all(|reply| *reply == Err(Failure::Connection)) { Err(Failure::Connection) } else { Ok(replies) }
}
