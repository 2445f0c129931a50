//! An image with fifty secrets through a farm: what its servers were given, what its processes said and answered, shows none.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use lapin::options::{BasicAckOptions, BasicGetOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties};
use lazaret_tests::support::canaries::{self, Needles};
use lazaret_tests::support::farm::{Api, ServerOptions, Servers};
use lazaret_tests::support::has_optional_program;
use lazaret_tests::support::hostile_registry::{HostileRegistry, Reply, Seen};
use lazaret_tests::support::oci_fixture::{MANIFEST, OciFixture};
use lazaret_tests::support::process::run;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::scene::Scene;

#[test]
fn no_canary_is_written_anywhere() {
    let Some(servers) = Servers::start(ServerOptions::default()) else { return };
    let canaries = canaries::all("farm");
    let needles = Needles::of(&canaries);
    let fixture = canaries::image(&canaries, &lazaret::image::Platform::host().architecture);
    let registry = serve(fixture);
    // RabbitMQ's own tap: a copy of every message that is published or delivered.
    servers.broker.rabbitmqctl(&["trace_on"]);
    let tap = Tap::open(&servers.broker.url());

    let mut scene = Scene::on(servers, &[], |options| {
        options.registries = vec![registry.address];
        for (name, value) in
            [("LAZARET_LOG", "trace"), ("RUST_BACKTRACE", "full"), ("LAZARET_CACHE_KEY", "a key of the tests alone")]
        {
            options.environment.push((name.to_owned(), value.to_owned()));
        }
    });
    let api = scene.farm.api();
    let job = api.submit(&[format!("docker://{}/team/canaries:1", registry.address)]);
    api.wait(&job);

    let reports = api.reports(&job);
    for report in reports.values() {
        needles.assert_none("a report", report);
        let report: Value = serde_json::from_slice(report).unwrap();
        let told: Vec<&str> =
            report["exposures"].as_array().unwrap().iter().filter_map(|row| row["rule"].as_str()).collect();
        let missing: Vec<_> = canaries.iter().filter(|canary| !told.contains(&canary.rule)).collect();
        assert!(missing.is_empty(), "not found: {missing:?}");
    }
    assert_eq!(reports.len(), 1);
    for path in
        ["/v1/jobs".to_owned(), format!("/v1/jobs/{job}"), format!("/v1/jobs/{job}/results"), "/metrics".to_owned()]
    {
        needles.assert_none(&path, &api.get(&path).body);
    }
    needles.assert_none("a worker's metrics", &Api(scene.farm.worker_addresses[0]).get("/metrics").body);
    let logs = scene.farm.logs();
    assert!(logs.contains("TRACE") && logs.contains("DEBUG"), "nothing was logged");
    needles.assert_none("the logs", logs.as_bytes());

    let messages = tap.messages();
    assert!(messages.len() > 3, "{} messages", messages.len());
    for (key, body) in &messages {
        needles.assert_none(key, body);
    }
    let cache = scene.farm.servers.cache.as_ref().unwrap();
    let keys = cache.command(&["--scan", "--pattern", "*"]);
    assert!(keys.contains("lazaret:layers/"), "{keys}");
    for key in keys.lines() {
        needles.assert_none(key, &value(cache.address, key));
    }
    let objects = scene.kept("");
    assert!(objects.keys().any(|key| key.starts_with("layers/")) && objects.len() > 5, "{:?}", objects.keys());
    for (key, bytes) in &objects {
        needles.assert_none(key, bytes);
    }
    scene.farm.verify_empty();

    if !has_optional_program("prlimit") {
        return;
    }
    for program in scene.farm.workers.iter_mut().chain(&mut scene.farm.coordinators) {
        run(Command::new("prlimit").arg(format!("--pid={}", program.id())).arg("--core=unlimited"));
        program.signal("ABRT");
        let ended = program.wait(Duration::from_secs(60));
        assert!(ended.signal() == Some(6) && !ended.core_dumped(), "{}: {ended}", program.log().display());
    }
}

/// A registry with one image.
fn serve(fixture: OciFixture) -> HostileRegistry {
    let manifest =
        fixture.blobs.iter().find(|(_, content)| content.starts_with(b"{") && holds(content, "schemaVersion"));
    let manifest = manifest.expect("a manifest").0.clone();
    let fixture = Arc::new(fixture);
    HostileRegistry::start(move |seen: &Seen, _| {
        let name = seen.target.rsplit('/').next().unwrap_or_default().split('?').next().unwrap_or_default();
        let digest = if name == "1" { manifest.as_str() } else { name };
        match fixture.blobs.get(digest) {
            None if seen.target == "/v2/" => Reply::new(200, Vec::new()),
            None => Reply::new(404, Vec::new()),
            Some(content) if seen.target.contains("/manifests/") => {
                Reply::new(200, content.clone()).with("Content-Type", MANIFEST).with("Docker-Content-Digest", digest)
            }
            Some(content) => Reply::content(seen, content),
        }
    })
}

fn holds(content: &[u8], text: &str) -> bool {
    content.windows(text.len()).any(|window| window == text.as_bytes())
}

/// A queue that gets a copy of all messages.
struct Tap {
    up: Option<(Channel, Connection)>,
    runtime: Runtime,
}

impl Tap {
    const QUEUE: &str = "tap";

    fn open(url: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let up = runtime.block_on(async {
            let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
            let channel = connection.create_channel().await.unwrap();
            let (exclusive, none) =
                (QueueDeclareOptions { exclusive: true, ..Default::default() }, FieldTable::default());
            channel.queue_declare(Self::QUEUE.into(), exclusive, none.clone()).await.unwrap();
            let exchange = "amq.rabbitmq.trace";
            let options = QueueBindOptions::default();
            channel.queue_bind(Self::QUEUE.into(), exchange.into(), "#".into(), options, none).await.unwrap();
            (channel, connection)
        });
        Self { up: Some(up), runtime }
    }

    /// What has come so far: where it went, with its headers, and its body. The queue is gone then.
    fn messages(mut self) -> Vec<(String, Vec<u8>)> {
        let (channel, connection) = self.up.take().unwrap();
        self.runtime.block_on(async {
            let mut messages = Vec::new();
            while let Some(message) = channel.basic_get(Self::QUEUE.into(), BasicGetOptions::default()).await.unwrap() {
                let delivery = message.delivery;
                delivery.ack(BasicAckOptions::default()).await.unwrap();
                messages.push((format!("{} {:?}", delivery.routing_key, delivery.properties), delivery.data));
            }
            connection.close(200, "tapped".into()).await.unwrap();
            drop((channel, connection));
            messages
        })
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        // The connection wants a runtime around it when it ends.
        let _context = self.runtime.enter();
        self.up = None;
    }
}

/// A value of Redis, byte for byte: of a string as it is, of anything else as Redis dumps it.
fn value(address: SocketAddr, key: &str) -> Vec<u8> {
    let ask = |command: &str| {
        let mut connection = TcpStream::connect(address).unwrap();
        let words = format!("*2\r\n${}\r\n{command}\r\n${}\r\n{key}\r\n*1\r\n$4\r\nQUIT\r\n", command.len(), key.len());
        connection.write_all(words.as_bytes()).unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).unwrap();
        answer
    };
    let mut answer = ask("GET");
    if answer.starts_with(b"-") {
        answer = ask("DUMP");
    }
    assert!(answer.starts_with(b"$"), "{key}: {}", String::from_utf8_lossy(&answer));
    answer
}
