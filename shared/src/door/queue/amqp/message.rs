//! Messages as they travel: body, headers, and where to.

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable};

use super::super::{DeadLetter, is_job};
use super::names::{ATTEMPT, HANDED_BACK, TRACE};
use crate::task::{Task, TaskError};

/// A message on its way to the broker.
#[derive(Clone)]
pub(super) struct Outgoing {
    /// The exchange; the empty one leads to the queue that the key names.
    pub(super) exchange: String,
    pub(super) key: String,
    pub(super) body: Vec<u8>,
    pub(super) counts: Counts,
    pub(super) trace: Option<String>,
}

/// What is counted about a message, in its headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// How often it was tried already.
    pub(super) attempt: u16,
    /// How often it was handed back.
    pub(super) handed_back: u16,
}

impl Outgoing {
    /// `task`, to `queue`.
    pub(super) fn task(task: &Task, queue: &str) -> Self {
        Self {
            exchange: String::new(),
            key: queue.to_owned(),
            body: task.write(),
            counts: Counts { attempt: task.attempt, handed_back: 0 },
            trace: task.trace.clone(),
        }
    }

    /// `job`, to `queue`.
    pub(super) fn job(job: &str, queue: String) -> Self {
        let body = job.as_bytes().to_vec();
        Self { exchange: String::new(), key: queue, body, counts: Counts::default(), trace: None }
    }

    /// Persistent, with the headers.
    pub(super) fn properties(&self) -> BasicProperties {
        let mut headers = FieldTable::default();
        for (name, count) in [(ATTEMPT, self.counts.attempt), (HANDED_BACK, self.counts.handed_back)] {
            if count > 0 {
                headers.insert(name.into(), AMQPValue::LongLongInt(count.into()));
            }
        }
        if let Some(trace) = &self.trace {
            headers.insert(TRACE.into(), AMQPValue::LongString(trace.as_str().into()));
        }
        BasicProperties::default().with_delivery_mode(2).with_headers(headers)
    }
}

impl Counts {
    /// What the headers of a delivery say; nonsense counts as nothing.
    pub(super) fn of(delivery: &Delivery) -> Self {
        Self { attempt: count(delivery, ATTEMPT), handed_back: count(delivery, HANDED_BACK) }
    }
}

/// What a queue of tasks delivered.
pub(super) fn task(delivery: &Delivery) -> Result<Task, TaskError> {
    let mut task = Task::read(&delivery.data)?;
    task.attempt = count(delivery, ATTEMPT);
    task.trace = trace(delivery);
    Ok(task)
}

/// What the queue of dead letters delivered.
pub(super) fn dead_letter(delivery: &Delivery) -> DeadLetter {
    DeadLetter { task: task(delivery).ok(), reason: reason(delivery).unwrap_or_else(|| "unknown".to_owned()) }
}

/// What a queue of jobs delivered.
pub(super) fn job(delivery: &Delivery) -> Option<String> {
    is_job(&delivery.data).then(|| String::from_utf8_lossy(&delivery.data).into_owned())
}

/// The trace context of whoever published, if it is one.
pub(super) fn trace(delivery: &Delivery) -> Option<String> {
    let text = text(header(delivery, TRACE)?)?;
    let sane = text.len() <= 64 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    sane.then(|| text.to_owned())
}

/// Why the broker moved the message last; it keeps the last reason first.
fn reason(delivery: &Delivery) -> Option<String> {
    let AMQPValue::FieldArray(deaths) = header(delivery, "x-death")? else { return None };
    let AMQPValue::FieldTable(last) = deaths.as_slice().first()? else { return None };
    let reason = text(last.inner().get("reason")?)?;
    let sane = reason.len() <= 64 && reason.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    sane.then(|| reason.to_owned())
}

fn header<'a>(delivery: &'a Delivery, name: &str) -> Option<&'a AMQPValue> {
    delivery.properties.headers().as_ref()?.inner().get(name)
}

fn count(delivery: &Delivery, name: &str) -> u16 {
    let count = match header(delivery, name) {
        Some(AMQPValue::LongLongInt(count)) => *count,
        Some(AMQPValue::LongInt(count)) => i64::from(*count),
        Some(AMQPValue::ShortInt(count)) => i64::from(*count),
        Some(AMQPValue::ShortShortInt(count)) => i64::from(*count),
        _ => 0,
    };
    u16::try_from(count.max(0)).unwrap_or(u16::MAX)
}

fn text(value: &AMQPValue) -> Option<&str> {
    match value {
        AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok(),
        AMQPValue::ShortString(text) => Some(text.as_str()),
        _ => None,
    }
}
