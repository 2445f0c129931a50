//! Consumers that lose their connection, messages that are none, retries, and who gets what somebody else had.

use std::time::{Duration, Instant};

use lazaret::door::queue::conformance::task;
use lazaret::door::queue::{Announced, Health, Queue as _, QueueSettings};
use lazaret::task::{Announcement, Class, Task};
use lazaret_tests::support::proxy::Proxy;

use crate::broker::{self, next, open, plain, publish, put, settings, soon, until};

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_after_a_reconnect_is_none() {
    let Some(broker) = broker::shared() else { return };
    let proxy = Proxy::start(broker.address);
    let queue = open(&broker.url_by(proxy.address), &settings()).await.expect("a queue");
    let mut tasks = queue.consume(Class::Bulk).await.expect("a consumer");
    publish(&queue, &task(1, Class::Bulk)).await;
    let delivery = next(&mut tasks).await;
    proxy.cut();
    soon("word of the loss", delivery.receipt.lost()).await;
    assert!(!delivery.receipt.ack().await, "the broker does not know of it");
    let again = next(&mut tasks).await;
    assert_eq!(again.message, task(1, Class::Bulk), "so it comes again, to a consumer that was rebuilt");
    assert!(again.receipt.ack().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_are_told_that_they_missed_something() {
    let Some(broker) = broker::shared() else { return };
    let proxy = Proxy::start(broker.address);
    let queue = open(&broker.url_by(proxy.address), &settings()).await.expect("a queue");
    let mut listener = queue.announcements().await.expect("a listener");
    proxy.cut();
    assert_eq!(soon("word of the loss", listener.next()).await.expect("heard"), Announced::Missed);
    until("connection", || queue.health() == Health::Up).await;
    let announcement = Announcement { task: task(1, Class::Bulk).id, done: true };
    queue.announce(&announcement).await;
    assert_eq!(soon("announcement", listener.next()).await.expect("heard"), Announced::Ended(announcement));
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_task_are_dead_letters() {
    let Some(broker) = broker::shared() else { return };
    let settings = settings();
    let queue = open(&broker.url(), &settings).await.expect("a queue");
    let (_connection, channel) = plain(&broker.url()).await;
    let name = format!("{}.bulk", settings.prefix);
    put(&channel, &name, b"\xff\x00 not a task").await;
    put(&channel, &name, &vec![b'['; 100_000]).await;
    publish(&queue, &task(1, Class::Bulk)).await;
    let mut tasks = queue.consume(Class::Bulk).await.expect("a consumer");
    assert_eq!(next(&mut tasks).await.message, task(1, Class::Bulk), "they stop nobody");
    let mut dead = queue.dead_letters().await.expect("a consumer");
    for _ in 0..2 {
        let letter = next(&mut dead).await;
        assert_eq!((letter.message.task, letter.message.reason.as_str()), (None, "rejected"));
        assert!(letter.receipt.ack().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_a_later_build_is_handed_back_and_is_a_dead_letter_in_the_end() {
    let Some(broker) = broker::shared() else { return };
    // Handed back for the last rung; with a short one the whole half hour passes quickly.
    let settings = QueueSettings { ladder: vec![Duration::from_millis(20)], ..settings() };
    let queue = open(&broker.url(), &settings).await.expect("a queue");
    let (_connection, channel) = plain(&broker.url()).await;
    put(&channel, &format!("{}.bulk", settings.prefix), br#"{"min_reader":9}"#).await;
    let _tasks = queue.consume(Class::Bulk).await.expect("a consumer");
    let start = Instant::now();
    let mut dead = queue.dead_letters().await.expect("a consumer");
    let letter = next(&mut dead).await;
    assert_eq!(letter.message.task, None);
    assert!(letter.receipt.ack().await);
    assert!(start.elapsed() >= Duration::from_millis(30 * 20), "thirty times first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_kills_its_workers_is_a_dead_letter() {
    let Some(broker) = broker::shared() else { return };
    let queue = open(&broker.url(), &settings()).await.expect("a queue");
    publish(&queue, &task(1, Class::Bulk)).await;
    let mut tasks = queue.consume(Class::Bulk).await.expect("a consumer");
    let mut dead = queue.dead_letters().await.expect("a consumer");
    let mut deliveries = 0;
    let letter = loop {
        tokio::select! {
            delivery = next(&mut tasks) => {
                deliveries += 1;
                drop(delivery);
            }
            letter = next(&mut dead) => break letter,
        }
    };
    assert_eq!(deliveries, 21, "the first, and as many more as the limit allows");
    assert_eq!(letter.message.reason, "delivery_limit");
    assert_eq!(letter.message.task, Some(task(1, Class::Bulk)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_waits_on_the_first_rung_that_is_long_enough() {
    let Some(broker) = broker::shared() else { return };
    let queue = open(&broker.url(), &settings()).await.expect("a queue");
    let mut tasks = queue.consume(Class::Interactive).await.expect("a consumer");
    publish(&queue, &task(1, Class::Interactive)).await;
    for (attempt, delay, least) in [(1, 100, 300), (2, 301, 1_500), (3, 60_000, 1_500)] {
        let delivery = next(&mut tasks).await;
        let start = Instant::now();
        delivery.receipt.retry(Duration::from_millis(delay), true).await.expect("retry");
        let delivery = next(&mut tasks).await;
        assert_eq!(delivery.message, Task { attempt, ..task(1, Class::Interactive) });
        assert!(start.elapsed() >= Duration::from_millis(least), "{delay} ms: back after {:?}", start.elapsed());
        // Back to the front without a word, for the next turn.
        drop(delivery);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_takes_the_jobs_of_one_whose_connection_dies() {
    let Some(broker) = broker::shared() else { return };
    let proxy = Proxy::start(broker.address);
    let settings = settings();
    let dying = open(&broker.url_by(proxy.address), &settings).await.expect("a queue");
    let heir = open(&broker.url(), &settings).await.expect("a queue");
    let mut active = [dying.jobs(0, 8).await.expect("a consumer"), dying.jobs(1, 8).await.expect("a consumer")];
    let mut waiting = [heir.jobs(0, 8).await.expect("a consumer"), heir.jobs(1, 8).await.expect("a consumer")];
    heir.publish_job("job-1").await.expect("publish");
    let [one, other] = &mut active;
    let delivery = tokio::select! {
        delivery = next(one) => delivery,
        delivery = next(other) => delivery,
    };
    proxy.refuse();
    let start = Instant::now();
    let [one, other] = &mut waiting;
    let taken = tokio::select! {
        delivery = next(one) => delivery,
        delivery = next(other) => delivery,
    };
    println!("taken over after {:?}", start.elapsed());
    assert!(start.elapsed() <= Duration::from_secs(2), "taken over after {:?}", start.elapsed());
    assert_eq!(taken.message, "job-1");
    assert!(taken.receipt.ack().await);
    soon("word of the loss", delivery.receipt.lost()).await;
    assert!(!delivery.receipt.ack().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_consumer_loses_its_task_to_another() {
    let Some(broker) = broker::shared() else { return };
    // The whole heartbeat of the farm takes half a minute.
    let full = std::env::var_os("LAZARET_FULL").is_some();
    let heartbeat = Duration::from_secs(if full { 10 } else { 2 });
    let settings = QueueSettings { heartbeat, ..settings() };
    let proxy = Proxy::start(broker.address);
    let frozen = open(&broker.url_by(proxy.address), &settings).await.expect("a queue");
    let other = open(&broker.url(), &settings).await.expect("a queue");
    publish(&other, &task(1, Class::Bulk)).await;
    let mut tasks = frozen.consume(Class::Bulk).await.expect("a consumer");
    let delivery = next(&mut tasks).await;
    proxy.pause();
    let start = Instant::now();
    let mut taking = other.consume(Class::Bulk).await.expect("a consumer");
    let taken = next(&mut taking).await;
    println!("redelivered after {:?}", start.elapsed());
    assert!(start.elapsed() <= heartbeat * 3 + Duration::from_secs(5), "redelivered after {:?}", start.elapsed());
    assert!(taken.receipt.ack().await);
    soon("word of the loss", delivery.receipt.lost()).await;
    assert!(!delivery.receipt.ack().await, "it notices, once it can");
}
