//! Announcements heard: a queue that lives as long as the connection, behind a fanout exchange.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Consumer};
use tokio::time::{sleep, timeout};

use super::super::{Announced, Announcements, QueueError};
use super::Connections;
use super::fault;
use super::link::Up;

/// Between two attempts to listen.
const PAUSE: Duration = Duration::from_millis(200);
/// How long one attempt may take.
const BUILDING: Duration = Duration::from_secs(20);
/// Announcements that wait here; the broker keeps more, up to [`KEPT`], and forgets the oldest.
const PREFETCH: u16 = 1_024;
/// They are acknowledged so many at a time.
const ACKNOWLEDGED: u64 = 256;
/// What the broker keeps for a listener that does not listen.
const KEPT: i64 = 100_000;

/// One who listens.
pub(super) struct AmqpAnnouncements {
    connections: Arc<Connections>,
    exchange: String,
    /// Nothing while the connection is away.
    listening: Option<(Channel, Consumer)>,
}

/// Listens to `exchange` from now on.
pub(super) async fn listen(connections: Arc<Connections>, exchange: String) -> Result<AmqpAnnouncements, QueueError> {
    let mut announcements = AmqpAnnouncements { connections, exchange, listening: None };
    announcements.resume().await?;
    Ok(announcements)
}

impl AmqpAnnouncements {
    async fn resume(&mut self) -> Result<(), QueueError> {
        loop {
            let up = self.connections.consuming.up().await?;
            match timeout(BUILDING, start(&up, &self.exchange)).await {
                Ok(Ok(listening)) => {
                    self.listening = Some(listening);
                    return Ok(());
                }
                Ok(Err(error)) => {
                    if let Some(error) = fault::topology(&self.exchange, &error) {
                        return Err(error);
                    }
                }
                Err(_) => up.give_up(),
            }
            sleep(PAUSE).await;
        }
    }
}

async fn start(up: &Up, exchange: &str) -> Result<(Channel, Consumer), lapin::Error> {
    let channel = up.connection.create_channel().await?;
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(KEPT));
    // The broker chooses the name.
    let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..Default::default() };
    let queue = channel.queue_declare("".into(), options, arguments).await?;
    let (options, none) = (QueueBindOptions::default(), FieldTable::default());
    channel.queue_bind(queue.name().clone(), exchange.into(), "".into(), options, none.clone()).await?;
    let consumer = channel.basic_consume(queue.name().clone(), "".into(), BasicConsumeOptions::default(), none).await?;
    Ok((channel, consumer))
}

#[async_trait]
impl Announcements for AmqpAnnouncements {
    async fn next(&mut self) -> Result<Announced, QueueError> {
        while let Some((_, consumer)) = &mut self.listening {
            let Some(Ok(delivery)) = consumer.next().await else {
                self.listening = None;
                break;
            };
            if delivery.delivery_tag % ACKNOWLEDGED == 0 {
                // Where the channel is gone, the next turn of the loop finds out.
                let _ = delivery.acker.ack(BasicAckOptions { multiple: true }).await;
            }
            match serde_json::from_slice(&delivery.data) {
                Ok(announcement) => return Ok(Announced::Ended(announcement)),
                Err(error) => tracing::debug!(%error, "an announcement that is none"),
            }
        }
        // Should the caller stop waiting here, the next call starts here again.
        self.resume().await?;
        Ok(Announced::Missed)
    }
}
