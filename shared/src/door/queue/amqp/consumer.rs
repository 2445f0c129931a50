//! Consumers: a channel each, built anew whenever it or its connection is lost.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use lapin::message::Delivery as Arrived;
use lapin::options::{BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::super::{Deliveries, Delivery, QueueError};
use super::Connections;
use super::fault;
use super::link::Link;
use super::receipt::AmqpReceipt;
use crate::telemetry::metrics as names;

/// Between two attempts to build a channel.
const PAUSE: Duration = Duration::from_millis(200);
/// How long building a channel may take. A quorum queue that elects its leader takes its time.
const BUILDING: Duration = Duration::from_secs(20);

/// What a message is to a consumer.
pub(super) enum Read<T> {
    /// One for whoever waits.
    Message(T),
    /// None at all: it goes to the dead letters.
    Malformed,
    /// One for a later build: it is handed back.
    Newer,
}

/// How a consumer reads its messages.
pub(super) type Reader<T> = fn(&Arrived) -> Read<T>;

/// A channel of one consumer. It stays open until the consumer and all receipts are gone.
pub(super) struct Session {
    /// The queue.
    pub(super) queue: String,
    /// Of which connection.
    pub(super) generation: u64,
    /// Whether the channel is gone.
    pub(super) gone: watch::Sender<bool>,
    _channel: Channel,
}

/// Deliveries of one consumer.
pub(super) struct AmqpDeliveries<T> {
    arriving: mpsc::Receiver<Result<Delivery<T>, QueueError>>,
}

#[async_trait]
impl<T: Send> Deliveries<T> for AmqpDeliveries<T> {
    async fn next(&mut self) -> Result<Delivery<T>, QueueError> {
        self.arriving.recv().await.unwrap_or(Err(QueueError::Closed))
    }
}

/// Consumes `queue` with at most `limit` unacknowledged messages.
pub(super) async fn consume<T: Send + 'static>(
    connections: Arc<Connections>,
    queue: String,
    limit: u16,
    read: Reader<T>,
) -> Result<AmqpDeliveries<T>, QueueError> {
    let first = build(&connections.consuming, &queue, limit).await?;
    let (arrived, arriving) = mpsc::channel(1);
    tokio::spawn(async move {
        tokio::select! {
            () = arrived.closed() => {}
            error = pump(&connections, first, limit, read, &arrived) => {
                // Whoever waited may have left meanwhile.
                let _ = arrived.send(Err(error)).await;
            }
        }
    });
    Ok(AmqpDeliveries { arriving })
}

/// Hands deliveries on, over one channel after the other; the error that ends it for good.
async fn pump<T: Send + 'static>(
    connections: &Arc<Connections>,
    first: (Arc<Session>, Consumer),
    limit: u16,
    read: Reader<T>,
    arrived: &mpsc::Sender<Result<Delivery<T>, QueueError>>,
) -> QueueError {
    let (mut session, mut consumer) = first;
    loop {
        while let Some(Ok(delivery)) = consumer.next().await {
            let (read, again) = (read(&delivery), delivery.redelivered);
            let receipt = AmqpReceipt::new(connections, &session, delivery);
            match read {
                Read::Message(message) => {
                    let delivery = Delivery { message, again, receipt: Box::new(receipt) };
                    if arrived.send(Ok(delivery)).await.is_err() {
                        return QueueError::Closed;
                    }
                }
                Read::Malformed => receipt.dead("malformed").await,
                Read::Newer => receipt.hand_back().await,
            }
        }
        session.gone.send_replace(true);
        let queue = session.queue.clone();
        drop((session, consumer));
        metrics::counter!(names::CONSUMERS_REOPENED).increment(1);
        (session, consumer) = match build(&connections.consuming, &queue, limit).await {
            Ok(built) => built,
            Err(error) => return error,
        };
    }
}

async fn build(link: &Link, queue: &str, limit: u16) -> Result<(Arc<Session>, Consumer), QueueError> {
    loop {
        let up = link.up().await?;
        let building = async {
            let channel = up.connection.create_channel().await?;
            channel.basic_qos(limit.max(1), BasicQosOptions::default()).await?;
            let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
            let consumer = channel.basic_consume(queue.into(), "".into(), options, arguments).await?;
            Ok::<_, lapin::Error>((channel, consumer))
        };
        match timeout(BUILDING, building).await {
            Ok(Ok((channel, consumer))) => {
                let (gone, _) = watch::channel(false);
                let session = Session { queue: queue.to_owned(), generation: up.generation, gone, _channel: channel };
                return Ok((Arc::new(session), consumer));
            }
            Ok(Err(error)) => {
                if let Some(error) = fault::topology(queue, &error) {
                    return Err(error);
                }
                tracing::debug!(queue, %error, "cannot consume yet");
            }
            Err(_) => up.give_up(),
        }
        sleep(PAUSE).await;
    }
}
