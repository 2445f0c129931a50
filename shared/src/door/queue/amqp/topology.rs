//! The queues and exchanges of a farm: declared where one may, else checked.
//!
//! Only arguments that RabbitMQ 3.10 knows and 4.x has not removed. Limits of length are left to policies, which can be changed
//! without deleting a queue.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind};

use super::super::{QueueError, QueueSettings};
use super::fault;
use super::link::Link;
use super::names::Names;
use crate::task::Class;

/// How often a task may be delivered and come back without a word, which is what happens when it kills its worker.
const DELIVERY_LIMIT: i64 = 20;

/// One queue or exchange.
enum Part {
    Exchange(String),
    Queue(String, FieldTable),
    /// A queue behind the exchange of its own name.
    Binding(String),
}

/// Declares what is missing. Who may not is content with finding it there.
pub(super) async fn ensure(link: &Link, names: &Names, settings: &QueueSettings) -> Result<(), QueueError> {
    match each(link, names, settings, false).await {
        Err(QueueError::Refused(reason)) => {
            tracing::debug!(reason, "may not declare queues; looking whether they are there");
            each(link, names, settings, true).await
        }
        done => done,
    }
}

async fn each(link: &Link, names: &Names, settings: &QueueSettings, passive: bool) -> Result<(), QueueError> {
    let parts = parts(names, settings);
    'connection: loop {
        let up = link.up().await?;
        let Ok(channel) = up.connection.create_channel().await else {
            link.left(up.generation).await;
            continue;
        };
        for part in &parts {
            if let Err(error) = part.declare(&channel, passive).await {
                if let Some(error) = fault::topology(part.name(), &error) {
                    return Err(error);
                }
                up.give_up();
                link.left(up.generation).await;
                continue 'connection;
            }
        }
        return Ok(());
    }
}

impl Part {
    fn name(&self) -> &str {
        match self {
            Self::Exchange(name) | Self::Queue(name, _) | Self::Binding(name) => name,
        }
    }

    async fn declare(&self, channel: &Channel, passive: bool) -> Result<(), lapin::Error> {
        match self {
            Self::Exchange(name) => {
                let options = ExchangeDeclareOptions { passive, durable: true, ..Default::default() };
                let arguments = FieldTable::default();
                channel.exchange_declare(name.as_str().into(), ExchangeKind::Fanout, options, arguments).await
            }
            Self::Queue(name, arguments) => {
                let options = QueueDeclareOptions { passive, durable: true, ..Default::default() };
                channel.queue_declare(name.as_str().into(), options, arguments.clone()).await.map(drop)
            }
            Self::Binding(_) if passive => Ok(()),
            Self::Binding(name) => {
                let (queue, exchange) = (name.as_str().into(), name.as_str().into());
                let options = QueueBindOptions::default();
                channel.queue_bind(queue, exchange, "".into(), options, FieldTable::default()).await
            }
        }
    }
}

fn parts(names: &Names, settings: &QueueSettings) -> Vec<Part> {
    let mut parts = vec![Part::Exchange(names.announcements()), Part::Queue(names.dead(), quorum())];
    for class in Class::ALL {
        let mut arguments = dead_lettered(&names.dead());
        arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(DELIVERY_LIMIT));
        parts.push(Part::Queue(names.tasks(class), arguments));
    }
    for queue in names.all_jobs() {
        // No delivery limit: a job comes back whenever its coordinator is restarted, for days if it must.
        let mut arguments = dead_lettered(&names.dead());
        arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
        parts.push(Part::Queue(queue, arguments));
    }
    for delay in &settings.ladder {
        let rung = names.rung(*delay);
        // Without a routing key of its own, so that a message that has waited goes by the key it was published with.
        let mut arguments = at_least_once();
        let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(delay));
        parts.push(Part::Exchange(rung.clone()));
        parts.push(Part::Queue(rung.clone(), arguments));
        parts.push(Part::Binding(rung));
    }
    parts
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments
}

/// Dead letters leave only once the next queue has confirmed them. RabbitMQ does so only with this way of overflowing, and
/// silently not otherwise.
fn at_least_once() -> FieldTable {
    let mut arguments = quorum();
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    arguments.insert("x-overflow".into(), text("reject-publish"));
    arguments
}

fn dead_lettered(dead: &str) -> FieldTable {
    let mut arguments = at_least_once();
    arguments.insert("x-dead-letter-routing-key".into(), text(dead));
    arguments
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}
