//! No password, of a registry or of a server, is in a log, a message, a cached value, a stored object or an answer.

use std::fs;

use base64::Engine as _;
use lapin::options::BasicGetOptions;
use lapin::{Connection, ConnectionProperties};
use lazaret_tests::support::docker_registry::{DockerRegistry, Form, Keeper, PASSWORD, USER};
use lazaret_tests::support::farm::{Api, FarmOptions, ServerOptions, Servers};
use lazaret_tests::support::oci_fixture::{LAYER, OciFixture};
use lazaret_tests::support::redis_server::RedisOptions;

use super::scene::Scene;

const BROKER: &str = "canary-broker-5a1f";
const REDIS: &str = "canary-redis-90be";
const CACHE_KEY: &str = "canary-cache-key-c3d4";

#[test]
fn no_password_is_written_anywhere() {
    let acl = Some(format!("user default off\nuser lazaret on >{REDIS} ~lazaret:* +@all"));
    let redis = RedisOptions { acl, ..RedisOptions::default() };
    let Some(registry) = DockerRegistry::start(Keeper::Basic, false) else { return };
    let Some(servers) = Servers::start(ServerOptions { redis, ..ServerOptions::default() }) else { return };
    servers.broker.rabbitmqctl(&["add_user", "lazaret", BROKER]);
    servers.broker.rabbitmqctl(&["set_permissions", "-p", "/", "lazaret", ".*", ".*", ".*"]);
    let s3 = servers.store.credentials.1.clone();
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let canaries = [BROKER, REDIS, CACHE_KEY, PASSWORD, s3.as_str(), basic.as_str()];
    let assert_clean = |place: &str, bytes: &[u8]| {
        for canary in canaries {
            let hit = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
            assert!(!hit, "{canary} in {place}: {}", String::from_utf8_lossy(bytes));
        }
    };

    let directory = tempfile::tempdir().unwrap();
    let mut fixture = OciFixture::default();
    let layers = [20, 40].map(|blocks| (LAYER.to_owned(), vec![0; 512 * blocks], vec![0; 512 * blocks]));
    let image = fixture.image(&lazaret::image::Platform::host().architecture, &layers);
    fixture.tag("1", &image);
    fixture.write(directory.path());
    registry.push(directory.path(), "1", "team/secret", Form::AsItIs);
    let logins = format!(r#"{{"auths": {{"{}": {{"auth": "{basic}"}}}}}}"#, registry.address);
    fs::write(directory.path().join("auth.json"), logins).unwrap();

    let cache = format!("redis://lazaret:{REDIS}@{}", servers.cache.as_ref().unwrap().address);
    let queue = format!("amqp://lazaret:{BROKER}@{}/%2f", servers.broker.address);
    let change = |options: &mut FarmOptions| {
        (options.registries, options.workers) = (vec![registry.address], 0);
        let login = directory.path().join("auth.json").display().to_string();
        for (name, value) in [
            ("LAZARET_QUEUE", queue.as_str()),
            ("LAZARET_CACHE", &cache),
            ("LAZARET_CACHE_KEY", CACHE_KEY),
            ("REGISTRY_AUTH_FILE", &login),
            ("LAZARET_LOG", "debug"),
        ] {
            options.environment.push((name.to_owned(), value.to_owned()));
        }
    };
    let mut scene = Scene::on(servers, &[], change);
    let api = scene.farm.api();
    let job = api.submit(&[format!("docker://{}/team/secret:1", registry.address)]);
    // Nobody takes the tasks yet.
    let tasks = peek(&queue, "lazaret.bulk", layers.len());
    for body in &tasks {
        assert!(String::from_utf8_lossy(body).contains("team/secret"), "a task: {}", String::from_utf8_lossy(body));
        assert_clean("a message", body);
    }
    scene.farm.add_worker();
    Api(scene.farm.worker_addresses[0]).wait_until_ready();
    api.wait(&job);

    for report in api.reports(&job).into_values() {
        assert_clean("a report", &report);
    }
    for path in ["/v1/jobs".to_owned(), format!("/v1/jobs/{job}/results"), "/metrics".to_owned()] {
        assert_clean(&path, &api.get(&path).body);
    }
    assert_clean("a worker's metrics", &Api(scene.farm.worker_addresses[0]).get("/metrics").body);
    let logs = scene.farm.logs();
    assert!(logs.contains(&registry.address.to_string()), "nothing was logged of what happened");
    assert_clean("the logs", logs.as_bytes());
    let cache = scene.farm.servers.cache.as_ref().unwrap();
    let keys = cache.command(&["--scan", "--pattern", "*"]);
    assert!(keys.contains("lazaret:layers/"), "{keys}");
    for key in keys.lines() {
        assert_clean(key, cache.command(&["GET", key]).as_bytes());
    }
    let mut objects = 0;
    for prefix in ["advisories/", "images/", "jobs/", "latest/", "layers/", "reports/"] {
        for (key, bytes) in scene.kept(prefix) {
            assert_clean(&key, &bytes);
            objects += 1;
        }
    }
    assert!(objects > 5, "{objects} objects");
    scene.farm.verify_empty();
}

/// The bodies of `count` messages that wait in a queue, which stay there.
fn peek(url: &str, queue: &str, count: usize) -> Vec<Vec<u8>> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let mut bodies = Vec::new();
        let start = std::time::Instant::now();
        while bodies.len() < count {
            assert!(start.elapsed() < lazaret_tests::support::farm::PATIENCE, "{} messages", bodies.len());
            match channel.basic_get(queue.into(), BasicGetOptions::default()).await.unwrap() {
                Some(message) => bodies.push(message.delivery.data.to_vec()),
                None => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            }
        }
        // What is not acknowledged goes back as the connection ends.
        connection.close(200, "peeked".into()).await.unwrap();
        bodies
    })
}
