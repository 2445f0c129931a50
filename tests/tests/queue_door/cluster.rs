//! R2 to R4 of the failure matrix, on three nodes that are one broker: the leader of a queue killed or frozen, and most of
//! the nodes lost. Whatever was confirmed arrives, and publishing goes on within the time allowed.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use lazaret::door::queue::conformance::task;
use lazaret::door::queue::{AmqpQueue, Queue as _, QueueError, QueueSettings};
use lazaret::task::{Class, Task, TaskId};
use lazaret_tests::support::proxy::Proxy;
use lazaret_tests::support::rabbitmq_cluster::RabbitCluster;
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::{JoinSet, block_in_place};
use tokio::time::sleep;

use crate::broker::{open, settings, soon};

/// Tasks that are published together.
const WINDOW: usize = 10;

/// The cluster, one test at a time; each leaves it whole.
async fn cluster() -> Option<MutexGuard<'static, RabbitCluster>> {
    static CLUSTER: OnceLock<Option<Mutex<RabbitCluster>>> = OnceLock::new();
    let start = || RabbitCluster::start(3).map(Mutex::new);
    let cluster = block_in_place(|| CLUSTER.get_or_init(start).as_ref())?;
    Some(cluster.lock().await)
}

/// A queue whose leaders are all at the first node, and which is connected to just that one; it knows of the others.
async fn open_at_first(cluster: &RabbitCluster, settings: &QueueSettings) -> (Arc<AmqpQueue>, [Proxy; 2]) {
    let others = [1, 2].map(|other: usize| Proxy::start(cluster.nodes[other].address));
    others.iter().for_each(Proxy::refuse);
    let [second, third] = others.each_ref().map(|proxy| proxy.address);
    let url = format!("amqp://guest:guest@{},{second},{third}/%2f", cluster.nodes[0].address);
    let queue = Arc::new(open(&url, settings).await.expect("a queue"));
    others.iter().for_each(Proxy::resume);
    block_in_place(|| cluster.wait_until_whole(&settings.prefix));
    (queue, others)
}

/// What publishers and consumers saw.
#[derive(Default)]
struct Traffic {
    confirmed: std::sync::Mutex<BTreeSet<TaskId>>,
    arrived: std::sync::Mutex<BTreeSet<TaskId>>,
    /// Deliveries that somebody had had before.
    again: AtomicU64,
    /// The longest time between two confirmations, in milliseconds.
    gap: AtomicU64,
    is_over: AtomicBool,
}

impl Traffic {
    fn confirmed(&self) -> usize {
        self.confirmed.lock().unwrap().len()
    }

    /// Publishes as a coordinator does: what is not confirmed once more, for as long as it takes.
    async fn publish(&self, queue: &AmqpQueue) {
        let mut last = Instant::now();
        for window in 0.. {
            let mut open: Vec<Task> = (0..WINDOW).map(|n| task(window * WINDOW + n, Class::Bulk)).collect();
            while !open.is_empty() {
                let outcomes = queue.publish(&open).await;
                let mut outcomes = outcomes.into_iter();
                let before = open.len();
                open.retain(|task| match outcomes.next().expect("an outcome for each") {
                    Ok(()) => !self.confirmed.lock().unwrap().insert(task.id),
                    // Whatever it is: while a leader is away, the broker may also say that there is no such queue.
                    Err(error) => !matches!(error, QueueError::Closed),
                });
                if open.len() < before {
                    let gap = u64::try_from(last.elapsed().as_millis()).expect("a short time");
                    self.gap.fetch_max(gap, Ordering::SeqCst);
                    last = Instant::now();
                }
                sleep(Duration::from_millis(50)).await;
            }
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
        }
    }

    /// One slot.
    async fn consume(&self, queue: &AmqpQueue) {
        let mut tasks = queue.consume(Class::Bulk).await.expect("a consumer");
        loop {
            let delivery = tasks.next().await.expect("the queue is still there");
            if delivery.receipt.ack().await {
                let is_new = self.arrived.lock().unwrap().insert(delivery.message.id);
                self.again.fetch_add(u64::from(!is_new), Ordering::SeqCst);
            }
        }
    }

    /// Waits until so many more are confirmed.
    async fn goes_on(&self, more: usize) {
        let wanted = self.confirmed() + more;
        soon("confirmations", async {
            while self.confirmed() < wanted {
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }
}

/// Publishes and consumes while `fault` happens, and until everything that was confirmed has arrived.
async fn through(name: &str, queue: &Arc<AmqpQueue>, gap: Duration, fault: impl AsyncFnOnce(&Traffic)) {
    let traffic = Arc::new(Traffic::default());
    let mut consuming = JoinSet::new();
    for _ in 0..2 {
        let (traffic, queue) = (Arc::clone(&traffic), Arc::clone(queue));
        consuming.spawn(async move { traffic.consume(&queue).await });
    }
    let publishing = tokio::spawn({
        let (traffic, queue) = (Arc::clone(&traffic), Arc::clone(queue));
        async move { traffic.publish(&queue).await }
    });
    traffic.goes_on(20 * WINDOW).await;
    fault(&traffic).await;
    traffic.goes_on(20 * WINDOW).await;
    traffic.is_over.store(true, Ordering::SeqCst);
    soon("end of publishing", publishing).await.expect("published");
    let confirmed = traffic.confirmed.lock().unwrap().clone();
    soon("whatever was confirmed", async {
        while !confirmed.is_subset(&traffic.arrived.lock().unwrap()) {
            assert!(consuming.try_join_next().is_none(), "a consumer ended");
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let longest = Duration::from_millis(traffic.gap.load(Ordering::SeqCst));
    let again = traffic.again.load(Ordering::SeqCst);
    println!("{name}: {} confirmed, 0 lost, {again} came twice, the longest gap {longest:?}", traffic.confirmed());
    assert!(longest <= gap, "{name}: nothing was confirmed for {longest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn r2_the_leader_is_killed() {
    let Some(mut cluster) = cluster().await else { return };
    let settings = QueueSettings { confirm_timeout: Duration::from_secs(10), ..settings() };
    let (queue, _others) = open_at_first(&cluster, &settings).await;
    through("leader killed", &queue, Duration::from_secs(5), async |traffic| {
        block_in_place(|| cluster.nodes[0].kill9());
        traffic.goes_on(20 * WINDOW).await;
        block_in_place(|| cluster.nodes[0].restart());
    })
    .await;
    queue.close().await;
    block_in_place(|| cluster.wait_until_whole(&settings.prefix));
}

#[tokio::test(flavor = "multi_thread")]
async fn r3_the_leader_is_frozen() {
    if !is_full() {
        return;
    }
    let Some(mut cluster) = cluster().await else { return };
    let settings = QueueSettings { confirm_timeout: Duration::from_secs(10), ..settings() };
    let (queue, others) = open_at_first(&cluster, &settings).await;
    through("leader frozen", &queue, Duration::from_secs(75), async |traffic| {
        cluster.nodes[0].freeze();
        traffic.goes_on(20 * WINDOW).await;
        cluster.nodes[0].thaw();
        traffic.goes_on(20 * WINDOW).await;
        // What it slept through it does not always notice; it knows what the others know once it is started anew.
        block_in_place(|| cluster.nodes[0].kill9());
        block_in_place(|| cluster.nodes[0].restart());
    })
    .await;
    assert!(others.iter().any(|other| other.accepted() > 0), "it went to another node");
    queue.close().await;
    block_in_place(|| cluster.wait_until_whole(&settings.prefix));
}

#[tokio::test(flavor = "multi_thread")]
async fn r4_most_nodes_are_lost_for_a_while() {
    const OUTAGE: Duration = Duration::from_secs(15);
    if !is_full() {
        return;
    }
    let Some(mut cluster) = cluster().await else { return };
    let settings = QueueSettings { confirm_timeout: Duration::from_secs(10), ..settings() };
    let (queue, _others) = open_at_first(&cluster, &settings).await;
    through("two of three nodes lost", &queue, OUTAGE + Duration::from_secs(60), async |traffic| {
        block_in_place(|| cluster.nodes[1..].iter_mut().for_each(|node| node.kill9()));
        // What was on its way may yet be confirmed, by whom it had reached.
        sleep(Duration::from_secs(1)).await;
        let before = traffic.confirmed();
        sleep(OUTAGE).await;
        assert_eq!(traffic.confirmed(), before, "one of three confirms nothing");
        block_in_place(|| {
            std::thread::scope(|scope| {
                for node in &mut cluster.nodes[1..] {
                    scope.spawn(|| node.restart());
                }
            });
        });
    })
    .await;
    queue.close().await;
    block_in_place(|| cluster.wait_until_whole(&settings.prefix));
}

/// Whether everything is run: the freeze and the loss of most nodes take minutes.
fn is_full() -> bool {
    std::env::var("LAZARET_FULL").as_deref() == Ok("1")
}
