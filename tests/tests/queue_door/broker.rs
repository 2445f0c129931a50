//! The broker that the tests share, each with queues of its own, and a plain client beside the door.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use lazaret::door::queue::{AmqpQueue, BrokerUrl, Deliveries, Delivery, Queue, QueueError, QueueSettings};
use lazaret_tests::support::rabbitmq::RabbitMq;

/// Longer than anything here takes.
pub const LONG: Duration = Duration::from_secs(120);

/// The broker, or nothing, loudly, where there is none.
pub fn shared() -> Option<&'static RabbitMq> {
    static BROKER: OnceLock<Option<RabbitMq>> = OnceLock::new();
    BROKER.get_or_init(RabbitMq::start).as_ref()
}

/// Settings with names that no other test uses, and short waits.
pub fn settings() -> QueueSettings {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    QueueSettings {
        prefix: format!("test-{}", NUMBER.fetch_add(1, Ordering::SeqCst)),
        job_shards: 2,
        ladder: vec![Duration::from_millis(300), Duration::from_millis(1_500)],
        first_connection: Duration::from_secs(60),
        // A broker on a machine that is busy with other things is slow, not dead.
        confirm_timeout: Duration::from_secs(60),
        ..QueueSettings::default()
    }
}

pub async fn open(url: &str, settings: &QueueSettings) -> Result<AmqpQueue, QueueError> {
    AmqpQueue::open(&BrokerUrl::parse(url)?, settings).await
}

/// A channel of a plain client.
pub async fn plain(url: &str) -> (Connection, Channel) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("a connection");
    let channel = connection.create_channel().await.expect("a channel");
    (connection, channel)
}

/// Puts bytes into a queue that may be no message at all.
pub async fn put(channel: &Channel, queue: &str, body: &[u8]) {
    let properties = BasicProperties::default().with_delivery_mode(2);
    let publish = channel.basic_publish("".into(), queue.into(), BasicPublishOptions::default(), body, properties);
    publish.await.expect("publish").await.expect("confirmation");
}

pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LONG, future).await {
        Ok(value) => value,
        Err(_) => panic!("no {what} within {LONG:?}"),
    }
}

pub async fn next<T: Send>(deliveries: &mut Box<dyn Deliveries<T>>) -> Delivery<T> {
    soon("delivery", deliveries.next()).await.expect("a delivery")
}

/// Waits until `condition` holds.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    soon(what, async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// Publishes one task.
pub async fn publish(queue: &AmqpQueue, task: &lazaret::task::Task) {
    let outcomes = soon("confirmation", queue.publish(std::slice::from_ref(task))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
}
