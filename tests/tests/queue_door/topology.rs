//! Queues that are missing, of another shape, or may not be declared.

use std::time::{Duration, Instant};

use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use lazaret::door::queue::conformance::{check_queue, task};
use lazaret::door::queue::{Queue as _, QueueError, QueueSettings};
use lazaret::task::Class;
use lazaret_tests::support::process::free_address;

use crate::broker::{self, open, plain, publish, settings, soon};

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_conforms() {
    let Some(broker) = broker::shared() else { return };
    let queue = lazaret::door::queue::open(&broker.url(), &settings()).await.expect("a queue");
    check_queue(&*queue).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_of_another_shape_is_named() {
    let Some(broker) = broker::shared() else { return };
    let settings = settings();
    let name = format!("{}.bulk", settings.prefix);
    let (_connection, channel) = plain(&broker.url()).await;
    let options = QueueDeclareOptions { durable: true, ..Default::default() };
    channel.queue_declare(name.as_str().into(), options, FieldTable::default()).await.expect("a classic queue");
    match open(&broker.url(), &settings).await.map(drop) {
        Err(QueueError::Topology { queue, reason }) => {
            assert_eq!(queue, name);
            assert!(reason.contains("inequivalent arg"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_deleted_is_missed_by_its_consumer_and_its_publisher() {
    let Some(broker) = broker::shared() else { return };
    let settings = settings();
    let queue = open(&broker.url(), &settings).await.expect("a queue");
    let mut tasks = queue.consume(Class::Bulk).await.expect("a consumer");
    let name = format!("{}.bulk", settings.prefix);
    let (_connection, channel) = plain(&broker.url()).await;
    channel.queue_delete(name.as_str().into(), QueueDeleteOptions::default()).await.expect("deleted");
    let error = soon("end", tasks.next()).await.map(drop).expect_err("an error");
    assert!(matches!(&error, QueueError::Topology { queue, .. } if *queue == name), "{error}");
    // Unroutable messages are confirmed as acknowledged; the return inside says what became of them.
    let outcomes = queue.publish(&[task(1, Class::Bulk), task(2, Class::Interactive)]).await;
    assert!(matches!(&outcomes[0], Err(QueueError::Unroutable(queue)) if *queue == name), "{outcomes:?}");
    assert!(outcomes[1].is_ok(), "{outcomes:?}");
    queue.declare().await.expect("declared again");
    publish(&queue, &task(1, Class::Bulk)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_declare_is_content_with_finding_it_there() {
    let Some(broker) = broker::shared() else { return };
    let settings = settings();
    let url = broker.url().replace("guest:guest@", "worker:canary-7@");
    tokio::task::block_in_place(|| {
        broker.rabbitmqctl(&["add_user", "worker", "canary-7"]);
        broker.rabbitmqctl(&["set_permissions", "worker", "^$", ".*", ".*"]);
    });
    match open(&url, &settings).await.map(drop) {
        Err(error @ QueueError::Topology { .. }) => assert!(!error.to_string().contains("canary"), "{error}"),
        other => panic!("{other:?}"),
    }
    open(&broker.url(), &settings).await.expect("a queue");
    let queue = open(&url, &settings).await.expect("a queue");
    publish(&queue, &task(1, Class::Bulk)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_fails_at_once_and_is_not_repeated() {
    let Some(broker) = broker::shared() else { return };
    let url = broker.url().replace("guest:guest@", "guest:canary-8@");
    let error = soon("refusal", open(&url, &settings())).await.map(drop).expect_err("refused");
    assert!(matches!(error, QueueError::Refused(_)), "{error}");
    assert!(!error.to_string().contains("canary"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_not_there_is_waited_for_only_so_long() {
    let settings = QueueSettings { first_connection: Duration::from_secs(1), ..settings() };
    let start = Instant::now();
    let url = format!("amqp://u:canary@{}", free_address());
    let error = soon("end", open(&url, &settings)).await.map(drop).expect_err("nobody listens");
    assert!(matches!(error, QueueError::Unreachable(_)) && error.is_transient(), "{error}");
    assert!(start.elapsed() >= Duration::from_secs(1), "it tries again and again");
    assert!(!error.to_string().contains("canary"), "{error}");
}
