//! Publishing when the broker does not answer, is full, or is a node that is gone.

use std::time::{Duration, Instant};

use lazaret::door::queue::conformance::task;
use lazaret::door::queue::{Health, Queue as _, QueueError, QueueSettings};
use lazaret::task::{Class, Task};
use lazaret_tests::support::process::free_address;
use lazaret_tests::support::proxy::Proxy;

use crate::broker::{self, open, publish, settings, soon, until};

#[tokio::test(flavor = "multi_thread")]
async fn many_tasks_are_confirmed_in_one_go() {
    const MANY: usize = 5_000;
    let Some(broker) = broker::shared() else { return };
    let queue = open(&broker.url(), &settings()).await.expect("a queue");
    let tasks: Vec<Task> = (0..MANY).map(|number| task(number, Class::Bulk)).collect();
    let start = Instant::now();
    let outcomes = soon("confirmations", queue.publish(&tasks)).await;
    println!("{:.0} confirmed tasks/s", MANY as f64 / start.elapsed().as_secs_f64());
    assert!(outcomes.iter().all(Result::is_ok) && outcomes.len() == MANY);
    soon("depth", async {
        while queue.depths().await.expect("depths").bulk != MANY as u64 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_published_side_by_side_are_each_confirmed() {
    let Some(broker) = broker::shared() else { return };
    let queue = std::sync::Arc::new(open(&broker.url(), &settings()).await.expect("a queue"));
    let publishing = (0..50).map(|number| {
        let queue = std::sync::Arc::clone(&queue);
        tokio::spawn(async move { publish(&queue, &task(number, Class::Interactive)).await })
    });
    for published in publishing.collect::<Vec<_>>() {
        published.await.expect("published");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_says_so() {
    let Some(broker) = broker::shared() else { return };
    let settings = settings();
    let queue = open(&broker.url(), &settings).await.expect("a queue");
    let pattern = format!("^{}\\.bulk$", settings.prefix);
    tokio::task::block_in_place(|| {
        broker.rabbitmqctl(&["set_policy", "--apply-to", "queues", &settings.prefix, &pattern, "{\"max-length\":5}"]);
    });
    // The policy takes hold a moment later, and then the broker lets a few more pass than it says.
    let refused = async {
        loop {
            let outcome = queue.publish(&[task(1, Class::Bulk)]).await.pop().expect("an outcome");
            if let Err(error) = outcome {
                return error;
            }
        }
    };
    let error = soon("refusal", refused).await;
    assert!(matches!(error, QueueError::Full) && error.is_transient(), "{error}");
    assert!(queue.depths().await.expect("depths").bulk >= 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_confirmation_in_time_the_outcome_is_unknown_and_the_connection_new() {
    let Some(broker) = broker::shared() else { return };
    let proxy = Proxy::start(broker.address);
    let settings = QueueSettings { confirm_timeout: Duration::from_secs(2), ..settings() };
    let queue = open(&broker.url_by(proxy.address), &settings).await.expect("a queue");
    let before = proxy.accepted();
    // Half open: the socket is fine, and nobody answers.
    proxy.pause();
    let outcomes = soon("end", queue.publish(&[task(1, Class::Bulk), task(2, Class::Bulk)])).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(QueueError::Unconfirmed(_)))), "{outcomes:?}");
    until("new connection", || proxy.accepted() > before).await;
    proxy.resume();
    until("connection", || queue.health() == Health::Up).await;
    publish(&queue, &task(3, Class::Bulk)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lost_on_the_way_is_made_good_for() {
    const MANY: usize = 3_000;
    let Some(broker) = broker::shared() else { return };
    let proxy = Proxy::start(broker.address);
    let settings = settings();
    // The first node is gone; the second is the proxy.
    let url = format!("amqp://guest:guest@{},{}/%2f", free_address(), proxy.address);
    let queue = open(&url, &settings).await.expect("a queue");
    let tasks: Vec<Task> = (0..MANY).map(|number| task(number, Class::Bulk)).collect();
    let cuts = async {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(150)).await;
            proxy.cut();
        }
    };
    let (outcomes, ()) = tokio::join!(soon("confirmations", queue.publish(&tasks)), cuts);
    assert!(outcomes.iter().all(Result::is_ok), "published again, over the next connection");
    soon("tasks", async {
        // Some may be there twice, none is missing.
        while !matches!(queue.depths().await, Ok(depths) if depths.bulk >= MANY as u64) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}
