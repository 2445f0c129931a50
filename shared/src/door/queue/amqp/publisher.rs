//! Publishing: persistent, mandatory, confirmed, with a limit to how long a confirmation may take.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation, PublisherConfirm};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::super::{Health, QueueError, QueueSettings};
use super::fault;
use super::link::{Link, Up};
use super::message::Outgoing;
use crate::telemetry::metrics as names;

/// Messages on their way that are not confirmed yet.
const WINDOW: usize = 1_000;
/// Between two connections or channels over which nothing was confirmed.
const PAUSE: Duration = Duration::from_millis(100);
/// How long an announcement, which nobody relies on, may hold its sender up.
const ANNOUNCING: Duration = Duration::from_secs(1);

/// Publishes over a connection of its own, which an alarm of the broker may block without blocking consumers.
pub(super) struct Publisher {
    pub(super) link: Link,
    confirm_timeout: Duration,
    restoration: Duration,
    /// One message at a time goes in: the library numbers a message before it queues it, so that two at once could swap
    /// their confirmations.
    confirmed: Mutex<Option<(u64, Channel)>>,
    /// For what needs no confirmation.
    plain: Mutex<Option<(u64, Channel)>>,
}

/// How one message fared.
type Outcome = Result<(), QueueError>;

/// A message in the window.
struct Flying {
    index: usize,
    since: Instant,
    confirm: PublisherConfirm,
}

impl Publisher {
    pub(super) fn new(link: Link, settings: &QueueSettings) -> Self {
        Self {
            link,
            confirm_timeout: settings.confirm_timeout,
            restoration: settings.restoration,
            confirmed: Mutex::default(),
            plain: Mutex::default(),
        }
    }

    /// Publishes one message.
    pub(super) async fn publish(&self, message: &Outgoing) -> Outcome {
        let make = |_| Cow::Borrowed(message);
        self.publish_all(1, make).await.pop().unwrap_or(Err(QueueError::Closed))
    }

    /// Publishes `count` messages, each of which `make` makes when it is its turn, and again should the connection be lost.
    pub(super) async fn publish_all<'a>(
        &self,
        count: usize,
        make: impl Fn(usize) -> Cow<'a, Outgoing>,
    ) -> Vec<Outcome> {
        let mut outcomes: Vec<Option<Outcome>> = vec![None; count];
        let mut open: Vec<usize> = (0..count).collect();
        let mut end = Instant::now() + self.restoration;
        while !open.is_empty() {
            let failure = match self.ready(end).await {
                Ok(up) => self.round(&up, &open, &make, &mut outcomes).await.err(),
                Err(error) => Some(error),
            };
            let before = open.len();
            open.retain(|index| outcomes[*index].is_none());
            if let Some(error) = failure {
                open.drain(..).for_each(|index| outcomes[index] = Some(Err(error.clone())));
            } else if open.len() < before {
                end = Instant::now() + self.restoration;
            } else {
                // A broker that closes every channel is not to be asked as fast as it answers.
                sleep(PAUSE).await;
            }
        }
        count_outcomes(&outcomes);
        outcomes.into_iter().map(|outcome| outcome.unwrap_or(Err(QueueError::Closed))).collect()
    }

    /// The connection, once it takes messages.
    async fn ready(&self, end: Instant) -> Result<Up, QueueError> {
        let unreachable = |_| match self.link.health() {
            Health::Down(error) => QueueError::Unreachable(error),
            _ => QueueError::Unreachable("connected only now".to_owned()),
        };
        if Instant::now() >= end {
            return Err(QueueError::Unreachable("every channel is lost before it confirms anything".to_owned()));
        }
        timeout_at(end, self.link.up()).await.map_err(unreachable)??;
        match timeout(self.confirm_timeout, self.link.unblocked()).await {
            Ok(up) => up,
            Err(_) if matches!(self.link.health(), Health::Blocked(_)) => {
                Err(QueueError::Unconfirmed(self.confirm_timeout))
            }
            Err(_) => timeout_at(end, self.link.unblocked()).await.map_err(unreachable)?,
        }
    }

    /// Publishes the messages of `open` over one connection. Those without an outcome afterwards are to be published again;
    /// an error is that of all of them.
    async fn round<'a>(
        &self,
        up: &Up,
        open: &[usize],
        make: &impl Fn(usize) -> Cow<'a, Outgoing>,
        outcomes: &mut [Option<Outcome>],
    ) -> Result<(), QueueError> {
        let mut flying: VecDeque<Flying> = VecDeque::with_capacity(open.len().min(WINDOW));
        for index in open.iter().copied() {
            if flying.len() >= WINDOW
                && let Some(first) = flying.pop_front()
                && self.settle(up, first, make, outcomes).await?
            {
                break;
            }
            let message = make(index);
            let since = Instant::now();
            match timeout(self.confirm_timeout, self.send(up, &message)).await {
                Ok(Ok(confirm)) => flying.push_back(Flying { index, since, confirm }),
                Ok(Err(error)) => {
                    outcomes[index] = refused(&message, &error).map(Err);
                    if outcomes[index].is_none() {
                        self.step_aside(up).await;
                    }
                    break;
                }
                Err(_) => return Err(self.overdue(up)),
            }
        }
        for message in flying {
            self.settle(up, message, make, outcomes).await?;
        }
        if open.iter().any(|index| matches!(outcomes[*index], Some(Err(QueueError::Full)))) {
            self.retire(up).await;
        }
        Ok(())
    }

    /// A channel that refused something is not used again. RabbitMQ refuses all that comes by a channel which met its queue
    /// while the leader of that was dying, for as long as the channel lives, and says the same as of a full queue. What
    /// others have on its way there is published again.
    async fn retire(&self, up: &Up) {
        let mut slot = self.confirmed.lock().await;
        if slot.as_ref().is_some_and(|(generation, _)| *generation == up.generation) {
            *slot = None;
        }
    }

    /// Waits for one confirmation. `true` means that the channel is gone, and the message to be published again.
    async fn settle<'a>(
        &self,
        up: &Up,
        flying: Flying,
        make: &impl Fn(usize) -> Cow<'a, Outgoing>,
        outcomes: &mut [Option<Outcome>],
    ) -> Result<bool, QueueError> {
        // A build that believes what it sent to have arrived.
        #[cfg(feature = "mutants")]
        if crate::door::mutant::is("no-confirm") {
            outcomes[flying.index] = Some(Ok(()));
            return Ok(false);
        }
        let confirmation = timeout_at(flying.since + self.confirm_timeout, flying.confirm).await;
        outcomes[flying.index] = match confirmation {
            Ok(Ok(Confirmation::Ack(None))) => Some(Ok(())),
            Ok(Ok(Confirmation::Ack(Some(_)))) => Some(Err(QueueError::Unroutable(make(flying.index).key.clone()))),
            Ok(Ok(Confirmation::Nack(_))) => Some(Err(QueueError::Full)),
            // The channel asks for confirmations; one that says so has a bug, and the outcome is unknown.
            Ok(Ok(Confirmation::NotRequested)) => Some(Err(QueueError::Unconfirmed(Duration::ZERO))),
            Ok(Err(error)) => refused(&make(flying.index), &error).map(Err),
            Err(_) => return Err(self.overdue(up)),
        };
        Ok(outcomes[flying.index].is_none())
    }

    /// A channel that failed is made anew; where its connection failed with it, the next round waits for another.
    async fn step_aside(&self, up: &Up) {
        if !up.connection.status().connected() {
            // The loss is about to be noticed.
            let _ = timeout(self.confirm_timeout, self.link.left(up.generation)).await;
        }
    }

    /// No confirmation in time: a connection that is not blocked by an alarm, which would say so, is not used any more.
    fn overdue(&self, up: &Up) -> QueueError {
        if !matches!(self.link.health(), Health::Blocked(_)) {
            up.give_up();
        }
        QueueError::Unconfirmed(self.confirm_timeout)
    }

    async fn send(&self, up: &Up, message: &Outgoing) -> Result<PublisherConfirm, lapin::Error> {
        let mut slot = self.confirmed.lock().await;
        let channel = channel(&mut slot, up, true).await?;
        let (exchange, key) = (message.exchange.as_str().into(), message.key.as_str().into());
        let options = BasicPublishOptions { mandatory: true, ..Default::default() };
        // A build that does not want to know whether a queue took it.
        #[cfg(feature = "mutants")]
        let options = BasicPublishOptions { mandatory: !crate::door::mutant::is("no-mandatory"), ..options };
        channel.basic_publish(exchange, key, options, &message.body, message.properties()).await
    }

    /// Publishes something that may be lost, if the broker takes anything just now.
    pub(super) async fn announce(&self, exchange: &str, body: &[u8]) {
        let Some(up) = self.link.ready() else { return };
        let sending = async {
            let mut slot = self.plain.lock().await;
            let channel = channel(&mut slot, &up, false).await?;
            let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
            channel.basic_publish(exchange.into(), "".into(), options, body, properties).await
        };
        // Announcements are hints; whoever waits looks without them too.
        let _ = timeout(ANNOUNCING, sending).await;
    }
}

/// The channel in `slot`, a new one where that is of another connection or gone.
async fn channel<'a>(
    slot: &'a mut Option<(u64, Channel)>,
    up: &Up,
    confirms: bool,
) -> Result<&'a Channel, lapin::Error> {
    if !slot.as_ref().is_some_and(|(generation, channel)| *generation == up.generation && channel.status().connected())
    {
        let channel = up.connection.create_channel().await?;
        if confirms {
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
        }
        *slot = Some((up.generation, channel));
    }
    match slot {
        Some((_, channel)) => Ok(channel),
        None => Err(lapin::ErrorKind::InvalidChannel(0).into()),
    }
}

/// The outcome of `message` where `error` is about it and not about the connection. A broker closes a whole channel
/// because of one message, whose fault can only be its exchange or a permission.
fn refused(message: &Outgoing, error: &lapin::Error) -> Option<QueueError> {
    match fault::topology(&message.exchange, error)? {
        QueueError::Topology { .. } if message.exchange.is_empty() => None,
        error => Some(error),
    }
}

fn count_outcomes(outcomes: &[Option<Outcome>]) {
    let mut counts = [("confirmed", 0), ("returned", 0), ("nacked", 0), ("unconfirmed", 0)];
    for outcome in outcomes {
        let kind = match outcome {
            Some(Ok(())) => 0,
            Some(Err(QueueError::Unroutable(_))) => 1,
            Some(Err(QueueError::Full)) => 2,
            // Whatever else went wrong, nobody knows whether the broker has it.
            Some(Err(_)) | None => 3,
        };
        counts[kind].1 += 1;
    }
    for (outcome, count) in counts {
        metrics::counter!(names::PUBLISHES, "outcome" => outcome).increment(count);
    }
}
