//! A storm: workers and broker are killed, Redis forgets and goes away, S3 fails, one worker freezes.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lazaret_tests::support::rabbitmq::RabbitMq;
use lazaret_tests::support::redis_server::RedisServer;

use super::process::Process;
use super::{Farm, FarmError, doors};
use crate::fleet::seed::Chance;

/// What a storm did.
#[derive(Debug, Default)]
pub struct Storm {
    over: AtomicBool,
    /// Workers that were killed.
    pub workers: AtomicU64,
    /// How often the broker was killed.
    pub brokers: AtomicU64,
    /// How often Redis forgot everything.
    pub flushes: AtomicU64,
    /// How often Redis was away.
    pub outages: AtomicU64,
    failure: Mutex<Option<FarmError>>,
}

/// Between two killed workers.
const WORKER: Duration = Duration::from_millis(500);
/// Between two times that Redis forgets.
const FLUSH: Duration = Duration::from_secs(3);
/// How long Redis is away, once.
const AWAY: Duration = Duration::from_secs(5);
/// When the broker is killed, after the beginning or its last start.
const BROKER: Duration = Duration::from_secs(3);
/// How often.
const BROKERS: u64 = 2;
/// How long one worker is frozen: longer than the broker believes in it.
const FROZEN: Duration = Duration::from_secs(35);

impl Storm {
    /// Rages from now until `calm` comes back: the caller does its own waiting there. The last worker freezes, the others
    /// are killed, by turns that follow from `seed`.
    ///
    /// # Errors
    /// A process does not start again, or `calm` fails.
    pub fn rage<T>(
        &self,
        farm: &mut Farm,
        seed: u64,
        calm: impl FnOnce(&[super::api::Api]) -> Result<T, FarmError>,
    ) -> Result<T, FarmError> {
        farm.servers()?.fail(true);
        let Farm { workers, servers, apis, .. } = farm;
        let servers = doors::own(servers)?;
        let outcome = thread::scope(|scope| {
            if let Some((last, others)) = workers.split_last_mut() {
                scope.spawn(|| self.kill_workers(others, seed));
                scope.spawn(|| self.freeze(last));
            }
            scope.spawn(|| self.kill_broker(&mut servers.broker));
            scope.spawn(|| self.disturb(&mut servers.redis));
            let outcome = calm(apis);
            self.over.store(true, Ordering::SeqCst);
            outcome
        });
        servers.fail(false);
        match self.failure.lock().ok().and_then(|mut failure| failure.take()) {
            Some(error) => Err(error),
            None => outcome,
        }
    }

    /// Whether everything that belongs to a storm happened, and is past.
    pub fn is_complete(&self) -> bool {
        self.brokers.load(Ordering::SeqCst) >= BROKERS && self.outages.load(Ordering::SeqCst) >= 1
    }

    /// What it did, for a table.
    pub fn told(&self) -> String {
        let count = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        let (workers, brokers) = (count(&self.workers), count(&self.brokers));
        let (flushes, outages) = (count(&self.flushes), count(&self.outages));
        format!("{workers} workers killed, {brokers} × broker killed, Redis flushed {flushes} × and away {outages} ×")
    }

    /// Waits; whether the storm still rages.
    fn pause(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        while Instant::now() < end && !self.over.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(20));
        }
        !self.over.load(Ordering::SeqCst)
    }

    fn kill_workers(&self, workers: &mut [Process], seed: u64) {
        let mut chance = Chance::of(seed, &[30]);
        while !workers.is_empty() && self.pause(WORKER) {
            let chosen = chance.below(workers.len() as u64) as usize;
            if let Err(error) = workers[chosen].restart()
                && let Ok(mut failure) = self.failure.lock()
            {
                *failure = Some(error);
                return;
            }
            self.workers.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn freeze(&self, worker: &Process) {
        if self.pause(WORKER) {
            worker.freeze();
            self.pause(FROZEN);
            worker.thaw();
        }
    }

    fn kill_broker(&self, broker: &mut RabbitMq) {
        while self.brokers.load(Ordering::SeqCst) < BROKERS && self.pause(BROKER) {
            broker.kill9();
            broker.restart();
            self.brokers.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn disturb(&self, redis: &mut RedisServer) {
        while self.pause(FLUSH) {
            redis.flush();
            if self.flushes.fetch_add(1, Ordering::SeqCst) == 1 {
                redis.kill9();
                self.pause(AWAY);
                redis.restart();
                self.outages.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}
