//! What a farm tells of itself: one trace has the whole story of a job, from its submission to its reports, and metrics add up
//! to what the registry saw.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Connection, ConnectionProperties};
use lazaret::digest::Digest;
use lazaret::door::queue::{self, QueueSettings};
use lazaret::image::Descriptor;
use lazaret::task::{Class, Task};
use lazaret::telemetry::metrics as names;
use lazaret_tests::support::farm::{Api, FarmOptions, Figures, PATIENCE, ServerOptions};
use lazaret_tests::support::otlp_collector::{OtlpCollector, Span};

use super::scene::{Ground, Scene};

#[test]
fn one_trace_leads_from_submission_to_report() {
    let ground = Ground::new(111, 3, Duration::ZERO);
    let collector = OtlpCollector::start();
    let endpoint = format!("http://{}", collector.address);
    let traced = |options: &mut FarmOptions| {
        options.environment.push(("OTEL_EXPORTER_OTLP_ENDPOINT".into(), endpoint));
        options.environment.push(("OTEL_BSP_SCHEDULE_DELAY".into(), "200".into()));
    };
    let Some(scene) = Scene::start(&[&ground], ServerOptions::default(), traced) else { return };
    let api = scene.farm.api();
    let job = api.submit(&ground.references());
    api.wait(&job);
    let layers = ground.layers().len();
    let of = |spans: &[Span], name: &str| spans.iter().filter(|span| span.name == name).cloned().collect::<Vec<_>>();
    let is_ours = |span: &&Span| span.attributes.get("job").is_some_and(|id| *id == job);
    let spans = collector.wait(PATIENCE, |spans| {
        of(spans, "job").iter().any(|span| is_ours(&span))
            && of(spans, "layer").iter().filter(is_ours).count() >= layers
    });
    let trace = of(&spans, "job").into_iter().find(|span| is_ours(&span)).unwrap().trace_id;
    let spans: Vec<Span> = spans.into_iter().filter(|span| span.trace_id == trace).collect();
    let by_id: BTreeMap<&str, &Span> = spans.iter().map(|span| (span.span_id.as_str(), span)).collect();
    let images = ground.fleet.len() as usize;
    for (name, number, service) in [
        ("job", 1, "lazaret-coordinator"),
        ("image", images, "lazaret-coordinator"),
        ("plan", images, "lazaret-coordinator"),
        ("layer", layers, "lazaret-worker"),
        ("compose", images, "lazaret-coordinator"),
        ("match", images, "lazaret-coordinator"),
        ("publish", images, "lazaret-coordinator"),
    ] {
        let named = of(&spans, name);
        let services: BTreeSet<&str> = named.iter().map(|span| span.service.as_str()).collect();
        assert_eq!((named.len(), services), (number, BTreeSet::from([service])), "spans called {name}");
        for span in named {
            // Up to the job, or to whatever submitted it.
            let mut above = &span;
            while let Some(parent) = by_id.get(above.parent_id.as_str()) {
                above = parent;
            }
            let is_root = above.name == "job" || above.parent_id.is_empty();
            assert!(is_root, "{name} hangs below {above:?}, which nobody told of");
        }
    }
    scene.farm.verify_empty();
}

#[test]
fn metrics_tell_of_a_job_while_it_runs_and_add_up_to_what_it_took() {
    // Slow enough to be looked at while most of its tasks wait: the coordinator looks every five seconds.
    let ground = Ground::new(112, 6, Duration::from_millis(500));
    let one_slot = |options: &mut FarmOptions| options.environment.push(("LAZARET_SLOTS".into(), "1".into()));
    let Some(scene) = Scene::start(&[&ground], ServerOptions::default(), one_slot) else { return };
    let (api, worker) = (scene.farm.api(), Api(scene.farm.worker_addresses[0]));
    let job = api.submit(&ground.references());
    let is_positive = |figures: &Figures, name: &str, labels: &[(&str, &str)]| figures.sum(name, labels) > Some(0.0);
    api.wait_for_figures("tasks that wait", |figures| {
        is_positive(figures, names::QUEUE_DEPTH, &[("queue", "bulk")])
            && is_positive(figures, names::OLDEST_TASK_AGE, &[("class", "bulk")])
            && is_positive(figures, names::WINDOW_IN_USE, &[])
            && is_positive(figures, names::JOBS_RUNNING, &[])
    });
    worker.wait_for_figures("a slot with a layer in hand", |figures| {
        is_positive(figures, names::SLOTS_BUSY, &[("class", "bulk")])
            && is_positive(figures, names::BYTES_IN_FLIGHT, &[])
    });
    let ledger = api.wait(&job)["ledger"].clone();
    scene.farm.verify_empty();

    let told = api.wait_for_figures("an idle coordinator", |figures| {
        [names::JOBS_RUNNING, names::QUEUE_DEPTH, names::OLDEST_TASK_AGE, names::WINDOW_IN_USE]
            .iter()
            .all(|name| figures.sum(name, &[]) == Some(0.0))
    });
    let (layers, images) = (ground.layers(), f64::from(ground.fleet.len()));
    let layer_count = layers.len() as f64;
    for (name, labels, wanted) in [
        (names::LAYERS, [("outcome", "analysed")].as_slice(), layer_count),
        (names::IMAGES_DONE, &[("outcome", "complete")], images),
        (names::JOBS_ENDED, &[("status", "done")], 1.0),
        (names::CLAIMS, &[("outcome", "taken")], layer_count),
        // The tasks, and the job.
        (names::PUBLISHES, &[("outcome", "confirmed")], layer_count + 1.0),
        (names::PUBLISHES, &[], layer_count + 1.0),
        (names::WINDOW, &[], 20_000.0),
        (names::HTTP_REQUESTS, &[("route", "/v1/jobs"), ("status", "202")], 1.0),
    ] {
        assert_eq!(told.sum(name, labels), Some(wanted), "{name} {labels:?} in {told:?}");
    }
    for name in [names::CACHE_HITS, names::CACHE_MISSES, names::STORE_REQUESTS, names::STORE_BYTES] {
        assert!(is_positive(&told, name, &[]), "{name} in {told:?}");
    }
    for name in [names::TASK_DURATION, names::STORE_REQUEST_DURATION, names::HTTP_REQUEST_DURATION] {
        assert!(told.count(name) > Some(0.0), "{name} in {told:?}");
    }

    let done = worker.figures();
    for (name, labels, wanted) in [
        (names::TASKS, [("class", "bulk"), ("outcome", "analysed")].as_slice(), layer_count),
        (names::TASKS, &[], layer_count),
        (names::PULLED_BYTES, &[], layers.values().sum::<u64>() as f64),
        (names::SLOTS, &[("class", "bulk")], 1.0),
        (names::SLOTS_BUSY, &[], 0.0),
        (names::BYTES_IN_FLIGHT, &[], 0.0),
        (names::STORE_DOWN, &[], 0.0),
    ] {
        assert_eq!(done.sum(name, labels), Some(wanted), "{name} {labels:?} in {done:?}");
    }
    assert_eq!(done.count(names::LAYER_DURATION), Some(layer_count), "{done:?}");
    assert_eq!(done.count(names::LAYER_CPU), Some(layer_count), "{done:?}");
    assert!(is_positive(&done, names::STORE_BYTES, &[("direction", "written")]), "{done:?}");
    let level = done.sum(names::SANDBOX_LEVEL, &[]).expect("a level");
    let word = ["none", "partial", "full"][level as usize];
    assert!(worker.readiness().1.contains(&format!("\"sandbox\":\"{word}")), "{word}: {:?}", worker.readiness());
    let requests = told.sum(names::REGISTRY_REQUESTS, &[]).unwrap() + done.sum(names::REGISTRY_REQUESTS, &[]).unwrap();
    assert_eq!(requests, ground.registry.counts().requests as f64);
    let cpu = done.sum(&format!("{}_sum", names::LAYER_CPU), &[]).unwrap();
    let wanted = ledger["cpu_micros"].as_f64().unwrap() / 1e6;
    assert!((cpu - wanted).abs() < 1e-6 * layer_count, "{cpu} s, and {wanted} s in the ledger");
}

#[test]
fn metrics_tell_of_tasks_that_are_put_off_and_of_dead_letters() {
    let Some(scene) = Scene::start(&[], ServerOptions::default(), |_| {}) else { return };
    let (api, worker, url) = (scene.farm.api(), Api(scene.farm.worker_addresses[0]), scene.farm.servers.broker.url());
    let blob = Descriptor { media_type: String::new(), digest: Digest::of(b""), size: 0 };
    let of_another_build = Task::new(blob, "00ff", Class::Interactive, Vec::new());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let queue = queue::open(&url, &QueueSettings::default()).await.unwrap();
        queue.publish(&[of_another_build]).await.remove(0).unwrap();
        queue.close().await;
        let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let published = channel.basic_publish("".into(), "lazaret.bulk".into(), options, b"no task", properties);
        published.await.unwrap();
        connection.close(200, "published".into()).await.unwrap();
    });
    let is = |figures: &Figures, name, label, value| figures.sum(name, &[(label, value)]) == Some(1.0);
    worker.wait_for_figures("a task handed back", |figures| {
        is(figures, names::RETRIES, "reason", "handed-back") && is(figures, names::TASKS, "outcome", "handed-back")
    });
    api.wait_for_figures("a dead letter and a task on the ladder", |figures| {
        is(figures, names::DEAD_LETTERS, "reason", "rejected") && is(figures, names::QUEUE_DEPTH, "queue", "retry")
    });
}
