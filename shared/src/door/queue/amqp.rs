//! RabbitMQ: one connection to publish, one to consume, each kept over a list of nodes. Tested with 3.10; of what it uses
//! 4.x has removed nothing, but 4.x is untested.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lapin::message::Delivery as Arrived;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;

use self::consumer::{Read, consume};
use self::link::Link;
use self::message::Outgoing;
use self::names::Names;
use self::publisher::Publisher;
use super::{Announcements, DeadLetter, Deliveries, Depths, Health, Queue, QueueError, QueueSettings, is_job, shard};
use crate::task::{Announcement, Class, Task, TaskError};

mod announcements;
mod consumer;
mod fault;
mod link;
mod message;
mod names;
mod publisher;
mod receipt;
mod socket;
mod topology;
mod url;

pub use self::url::BrokerUrl;

/// A queue of RabbitMQ.
pub struct AmqpQueue(Arc<Connections>);

/// What the queue shares with its consumers and their receipts.
struct Connections {
    names: Names,
    settings: QueueSettings,
    publisher: Publisher,
    consuming: Link,
}

impl Connections {
    /// The exchange of the first rung that waits at least `delay`; the last where none waits that long.
    fn rung(&self, delay: Duration) -> String {
        let ladder = &self.settings.ladder;
        let rung = ladder.iter().find(|rung| **rung >= delay).or(ladder.last());
        self.names.rung(rung.copied().unwrap_or_default())
    }
}

impl AmqpQueue {
    /// Connects, and declares what is missing; who may not declare is content with finding it there.
    ///
    /// # Errors
    /// The broker cannot be reached in the time allowed for the first connection, refuses, or has queues of another shape.
    pub async fn open(url: &BrokerUrl, settings: &QueueSettings) -> Result<Self, QueueError> {
        let (publishing, consuming) =
            tokio::try_join!(Link::open(url, settings, "publish"), Link::open(url, settings, "consume"))?;
        let names = Names::new(&settings.prefix, settings.job_shards);
        let publisher = Publisher::new(publishing, settings);
        let queue = Self(Arc::new(Connections { names, settings: settings.clone(), publisher, consuming }));
        queue.declare().await?;
        Ok(queue)
    }

    /// Declares what is missing, or finds out that it is not; [`AmqpQueue::open`] has done it.
    ///
    /// # Errors
    /// A queue has another shape, or is missing and may not be declared.
    pub async fn declare(&self) -> Result<(), QueueError> {
        topology::ensure(&self.0.consuming, &self.0.names, &self.0.settings).await
    }
}

#[async_trait]
impl Queue for AmqpQueue {
    async fn publish(&self, tasks: &[Task]) -> Vec<Result<(), QueueError>> {
        let queues = Class::ALL.map(|class| self.0.names.tasks(class));
        let make = |index: usize| {
            let task = &tasks[index];
            let queue = match task.class {
                Class::Interactive => &queues[0],
                Class::Bulk => &queues[1],
            };
            std::borrow::Cow::Owned(Outgoing::task(task, queue))
        };
        self.0.publisher.publish_all(tasks.len(), make).await
    }

    async fn consume(&self, class: Class) -> Result<Box<dyn Deliveries<Task>>, QueueError> {
        let read = |delivery: &Arrived| match message::task(delivery) {
            Ok(task) => Read::Message(task),
            Err(TaskError::Newer(_)) => Read::Newer,
            Err(TaskError::Malformed(_)) => Read::Malformed,
        };
        Ok(Box::new(consume(Arc::clone(&self.0), self.0.names.tasks(class), 1, read).await?))
    }

    async fn dead_letters(&self) -> Result<Box<dyn Deliveries<DeadLetter>>, QueueError> {
        let read = |delivery: &Arrived| Read::Message(message::dead_letter(delivery));
        Ok(Box::new(consume(Arc::clone(&self.0), self.0.names.dead(), 1, read).await?))
    }

    async fn announce(&self, announcement: &Announcement) {
        if let Ok(body) = serde_json::to_vec(announcement) {
            self.0.publisher.announce(&self.0.names.announcements(), &body).await;
        }
    }

    async fn announcements(&self) -> Result<Box<dyn Announcements>, QueueError> {
        Ok(Box::new(announcements::listen(Arc::clone(&self.0), self.0.names.announcements()).await?))
    }

    async fn publish_job(&self, job: &str) -> Result<(), QueueError> {
        if !is_job(job.as_bytes()) {
            return Err(QueueError::Job);
        }
        self.0.publisher.publish(&Outgoing::job(job, self.0.names.jobs(shard(job, self.job_shards())))).await
    }

    async fn jobs(&self, shard: u16, limit: u16) -> Result<Box<dyn Deliveries<String>>, QueueError> {
        let read = |delivery: &Arrived| message::job(delivery).map_or(Read::Malformed, Read::Message);
        Ok(Box::new(consume(Arc::clone(&self.0), self.0.names.jobs(shard), limit, read).await?))
    }

    fn job_shards(&self) -> u16 {
        self.0.settings.job_shards.max(1)
    }

    async fn depths(&self) -> Result<Depths, QueueError> {
        let names = &self.0.names;
        // Over the connection that consumes: an alarm leaves it alone.
        let up = self.0.consuming.ready().ok_or_else(|| match self.0.consuming.health() {
            Health::Down(error) => QueueError::Unreachable(error),
            _ => QueueError::Unreachable("blocked".to_owned()),
        })?;
        let channel = up.connection.create_channel().await.map_err(|error| fault::unreachable(&error))?;
        let ready = async |queue: String| {
            let options = QueueDeclareOptions { passive: true, ..Default::default() };
            let declared = channel.queue_declare(queue.as_str().into(), options, FieldTable::default()).await;
            declared
                .map(|declared| u64::from(declared.message_count()))
                .map_err(|error| fault::topology(&queue, &error).unwrap_or_else(|| fault::unreachable(&error)))
        };
        let mut depths = Depths {
            interactive: ready(names.tasks(Class::Interactive)).await?,
            bulk: ready(names.tasks(Class::Bulk)).await?,
            dead: ready(names.dead()).await?,
            ..Depths::default()
        };
        for delay in &self.0.settings.ladder {
            depths.retry += ready(names.rung(*delay)).await?;
        }
        for queue in names.all_jobs() {
            depths.jobs += ready(queue).await?;
        }
        Ok(depths)
    }

    fn health(&self) -> Health {
        match (self.0.consuming.health(), self.0.publisher.link.health()) {
            (Health::Down(error), _) | (_, Health::Down(error)) => Health::Down(error),
            (_, publishing) => publishing,
        }
    }

    async fn close(&self) {
        tokio::join!(self.0.consuming.close(), self.0.publisher.link.close());
    }
}
