//! What every queue must do; run on each of them.

use std::time::Duration;

use super::{Announced, DeadLetter, Deliveries, Delivery, Depths, Health, Queue, QueueError};
use crate::digest::Digest;
use crate::image::Descriptor;
use crate::task::{Announcement, Class, Place, Task};

/// Longer than anything here takes, even on a machine that is busy with other things.
const LONG: Duration = Duration::from_secs(60);
/// Long enough to see that nothing comes.
const SILENCE: Duration = Duration::from_millis(300);

/// Checks an empty queue, whose retry ladder has a first rung of a second at most. It is closed in the end.
///
/// # Panics
/// If it breaks the contract of [`Queue`].
pub async fn check_queue(queue: &dyn Queue) {
    assert_eq!(queue.health(), Health::Up);
    tasks(queue).await;
    retries(queue).await;
    dead_letters(queue).await;
    announcements(queue).await;
    jobs(queue).await;
    all_gone(queue).await;
    closing(queue).await;
}

/// A task, different for each `number`.
pub fn task(number: usize, class: Class) -> Task {
    let blob = Descriptor { media_type: String::new(), digest: Digest::of(&number.to_le_bytes()), size: 1 };
    let place = Place { registry: "registry.example:5000".to_owned(), repository: "a/b".to_owned() };
    Task::new(blob, "00ff", class, vec![place])
}

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LONG, future).await {
        Ok(value) => value,
        Err(_) => panic!("no {what} within {LONG:?}"),
    }
}

async fn next<T: Send>(deliveries: &mut Box<dyn Deliveries<T>>) -> Delivery<T> {
    soon("delivery", deliveries.next()).await.expect("a delivery")
}

async fn nothing<T: Send>(deliveries: &mut Box<dyn Deliveries<T>>) -> bool {
    tokio::time::timeout(SILENCE, deliveries.next()).await.is_err()
}

async fn publish(queue: &dyn Queue, tasks: &[Task]) {
    let outcomes = soon("confirmation", queue.publish(tasks)).await;
    assert_eq!(outcomes.len(), tasks.len(), "one outcome for each task");
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
}

async fn tasks(queue: &dyn Queue) {
    assert!(queue.publish(&[]).await.is_empty());
    let mut traced = task(1, Class::Bulk);
    traced.trace = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
    traced.job = "a-job".to_owned();
    publish(queue, &[traced.clone(), task(2, Class::Interactive), task(3, Class::Bulk)]).await;

    let mut interactive = queue.consume(Class::Interactive).await.expect("a consumer");
    let delivery = next(&mut interactive).await;
    assert_eq!(delivery.message, task(2, Class::Interactive), "each class has a queue of its own");
    assert!(delivery.receipt.ack().await);

    let mut bulk = queue.consume(Class::Bulk).await.expect("a consumer");
    let first = next(&mut bulk).await;
    assert_eq!(first.message, traced, "with its trace and its job");
    assert!(nothing(&mut bulk).await, "one unacknowledged delivery at a time");
    let mut other = queue.consume(Class::Bulk).await.expect("a consumer");
    let second = next(&mut other).await;
    assert_eq!(second.message, task(3, Class::Bulk), "another consumer gets the next");

    drop(second);
    let again = next(&mut other).await;
    assert_eq!(again.message, task(3, Class::Bulk), "dropped without a word it comes back");
    assert_eq!(again.message.attempt, 0, "which is no attempt");
    assert!(again.again, "and says that it does");
    drop((again, other));
    assert!(first.receipt.ack().await);
    let again = next(&mut bulk).await;
    assert_eq!(again.message, task(3, Class::Bulk), "and to another consumer where its own has left");
    assert!(again.receipt.ack().await);
    assert!(nothing(&mut bulk).await, "what is acknowledged does not come back");
}

async fn retries(queue: &dyn Queue) {
    publish(queue, &[task(4, Class::Interactive)]).await;
    let mut tasks = queue.consume(Class::Interactive).await.expect("a consumer");
    let delivery = next(&mut tasks).await;
    delivery.receipt.retry(Duration::from_millis(100), true).await.expect("retry");
    let delivery = next(&mut tasks).await;
    assert_eq!(delivery.message, Task { attempt: 1, ..task(4, Class::Interactive) }, "an attempt more, same queue");
    delivery.receipt.retry(Duration::from_millis(100), false).await.expect("retry");
    let delivery = next(&mut tasks).await;
    assert_eq!(delivery.message.attempt, 1, "this one does not count");
    assert!(delivery.receipt.ack().await);
    assert!(nothing(&mut tasks).await, "a retry leaves no second copy");
}

async fn dead_letters(queue: &dyn Queue) {
    publish(queue, &[task(5, Class::Bulk)]).await;
    let mut tasks = queue.consume(Class::Bulk).await.expect("a consumer");
    next(&mut tasks).await.receipt.reject().await;
    let mut dead = queue.dead_letters().await.expect("a consumer");
    let letter = next(&mut dead).await;
    assert_eq!(letter.message, DeadLetter { task: Some(task(5, Class::Bulk)), reason: "rejected".to_owned() });
    assert!(letter.receipt.ack().await);
}

async fn announcements(queue: &dyn Queue) {
    let unheard = Announcement { task: task(6, Class::Bulk).id, done: true };
    queue.announce(&unheard).await;
    let mut one = queue.announcements().await.expect("a listener");
    let mut two = queue.announcements().await.expect("a listener");
    let announcement = Announcement { task: task(7, Class::Bulk).id, done: false };
    queue.announce(&announcement).await;
    for listener in [&mut one, &mut two] {
        let heard = soon("announcement", listener.next()).await.expect("an announcement");
        assert_eq!(heard, Announced::Ended(announcement.clone()), "every listener hears what is said from then on");
    }
}

async fn jobs(queue: &dyn Queue) {
    for id in ["", "a/b", "a b", &"x".repeat(65)] {
        assert!(matches!(queue.publish_job(id).await, Err(QueueError::Job)), "{id:?}");
    }
    // Three jobs of one shard, whichever it is.
    let shards = queue.job_shards();
    let all: Vec<String> = (0..).map(|n| format!("job-{n}")).take(3 * usize::from(shards)).collect();
    let shard_of = |job: &str| super::shard(job, shards);
    let shard = (0..shards).find(|shard| all.iter().filter(|job| shard_of(job) == *shard).count() >= 3);
    let shard = shard.expect("of three times as many jobs as shards three are in one");
    let jobs: Vec<&String> = all.iter().filter(|job| shard_of(job) == shard).take(3).collect();
    for job in &jobs {
        soon("confirmation", queue.publish_job(job)).await.expect("publish");
    }
    let mut active = queue.jobs(shard, 2).await.expect("a consumer");
    let mut waiting = queue.jobs(shard, 2).await.expect("a consumer");
    let (first, second) = (next(&mut active).await, next(&mut active).await);
    assert_eq!([&first.message, &second.message], [jobs[0], jobs[1]], "in order");
    assert!(nothing(&mut active).await, "no more than the limit");
    assert!(nothing(&mut waiting).await, "one consumer of a shard is active");
    assert!(first.receipt.ack().await);
    let third = next(&mut active).await;
    assert_eq!(&third.message, jobs[2]);
    drop((second, third, active));
    let mut taken = [next(&mut waiting).await, next(&mut waiting).await];
    taken.sort_by(|one, other| one.message.cmp(&other.message));
    assert_eq!([&taken[0].message, &taken[1].message], [jobs[1], jobs[2]], "the next takes over");
    for delivery in taken {
        assert!(delivery.receipt.ack().await);
    }
}

async fn all_gone(queue: &dyn Queue) {
    let end = tokio::time::Instant::now() + LONG;
    loop {
        let depths = queue.depths().await.expect("depths");
        if depths == Depths::default() {
            break;
        }
        assert!(tokio::time::Instant::now() < end, "left over: {depths:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    publish(queue, &[task(8, Class::Bulk)]).await;
    while queue.depths().await.expect("depths").bulk != 1 {
        assert!(tokio::time::Instant::now() < end, "a task that waits is not counted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn closing(queue: &dyn Queue) {
    let mut tasks = queue.consume(Class::Bulk).await.expect("a consumer");
    let delivery = next(&mut tasks).await;
    let waits = async { tokio::time::timeout(SILENCE, delivery.receipt.lost()).await.is_err() };
    assert!(waits.await, "nothing is lost yet");
    queue.close().await;
    soon("word of the loss", delivery.receipt.lost()).await;
    assert!(!delivery.receipt.ack().await, "nobody takes an acknowledgement any more");
    assert!(matches!(soon("end", tasks.next()).await, Err(QueueError::Closed)));
    assert!(
        queue.publish(&[task(9, Class::Bulk)]).await.iter().all(|outcome| matches!(outcome, Err(QueueError::Closed)))
    );
    assert!(matches!(queue.health(), Health::Down(_)));
}
