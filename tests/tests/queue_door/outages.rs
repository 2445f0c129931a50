//! A broker that runs out of memory, and one that is killed.

use std::time::{Duration, Instant};

use lazaret::door::queue::conformance::task;
use lazaret::door::queue::{Health, Queue as _, QueueError, QueueSettings};
use lazaret::task::{Class, Task};
use lazaret_tests::support::rabbitmq::RabbitMq;

use crate::broker::{next, open, publish, settings, soon, until};

#[tokio::test(flavor = "multi_thread")]
async fn under_an_alarm_publishing_waits_and_consuming_goes_on() {
    let Some(broker) = RabbitMq::start() else { return };
    let settings = QueueSettings { confirm_timeout: Duration::from_secs(3), ..settings() };
    let queue = open(&broker.url(), &settings).await.expect("a queue");
    for number in 0..20 {
        publish(&queue, &task(number, Class::Bulk)).await;
    }
    tokio::task::block_in_place(|| broker.rabbitmqctl(&["set_vm_memory_high_watermark", "absolute", "1MB"]));
    let outcomes = soon("end", queue.publish(&[task(20, Class::Bulk)])).await;
    assert!(matches!(outcomes[..], [Err(QueueError::Unconfirmed(_))]), "{outcomes:?}");
    until("word of the alarm", || matches!(queue.health(), Health::Blocked(_))).await;

    let mut tasks = queue.consume(Class::Bulk).await.expect("a consumer");
    for _ in 0..20 {
        assert!(next(&mut tasks).await.receipt.ack().await, "consuming goes on");
    }
    assert!(matches!(queue.health(), Health::Blocked(_)), "all that time");

    let patient = QueueSettings { confirm_timeout: Duration::from_secs(100), ..settings };
    let waiting = open(&broker.url(), &patient).await.expect("a queue");
    let waited = tokio::spawn(async move { waiting.publish(&[task(21, Class::Bulk)]).await });
    tokio::task::block_in_place(|| broker.rabbitmqctl(&["set_vm_memory_high_watermark", "0.9"]));
    until("end of the alarm", || queue.health() == Health::Up).await;
    let start = Instant::now();
    publish(&queue, &task(22, Class::Bulk)).await;
    assert!(start.elapsed() <= Duration::from_secs(2), "it resumes at once, not after {:?}", start.elapsed());
    assert!(soon("confirmation", waited).await.expect("published").iter().all(Result::is_ok), "who waited is served");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_confirmed_is_lost_with_a_killed_broker() {
    const MANY: usize = 4_000;
    let Some(mut broker) = RabbitMq::start() else { return };
    let settings = QueueSettings { restoration: Duration::from_secs(110), ..settings() };
    let queue = std::sync::Arc::new(open(&broker.url(), &settings).await.expect("a queue"));
    let publishing = tokio::spawn({
        let queue = std::sync::Arc::clone(&queue);
        async move {
            let tasks: Vec<Task> = (0..MANY).map(|number| task(number, Class::Bulk)).collect();
            let mut confirmed = Vec::new();
            for window in tasks.chunks(100) {
                let outcomes = queue.publish(window).await;
                let taken = window.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_ok());
                confirmed.extend(taken.map(|(task, _)| task.id));
            }
            confirmed
        }
    });
    // In the midst of it.
    soon("the first tasks", async {
        while !matches!(queue.depths().await, Ok(depths) if depths.bulk > 300) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let start = Instant::now();
    tokio::task::block_in_place(|| broker.kill9());
    until("word of the loss", || matches!(queue.health(), Health::Down(_))).await;
    tokio::task::block_in_place(|| broker.restart());
    until("connection", || queue.health() == Health::Up).await;
    println!("connected again {:?} after the kill", start.elapsed());
    let confirmed = soon("end of publishing", publishing).await.expect("published");
    assert_eq!(confirmed.len(), MANY, "all of them, those under way once more");

    let mut left: std::collections::BTreeSet<_> = confirmed.into_iter().collect();
    let mut tasks = queue.consume(Class::Bulk).await.expect("a consumer");
    let mut again = 0;
    while !left.is_empty() {
        let delivery = next(&mut tasks).await;
        again += usize::from(!left.remove(&delivery.message.id));
        assert!(delivery.receipt.ack().await);
    }
    println!("{again} came twice");
}
