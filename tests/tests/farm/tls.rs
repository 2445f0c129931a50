//! A farm whose servers all speak TLS, with certificates of an authority that only `SSL_CERT_FILE` names.

use std::sync::Arc;
use std::time::Duration;

use lazaret_tests::support::farm::Servers;
use lazaret_tests::support::private_ca::PrivateCa;
use lazaret_tests::support::rabbitmq::RabbitMq;
use lazaret_tests::support::redis_farm::RedisCluster;
use lazaret_tests::support::redis_server::RedisOptions;
use lazaret_tests::support::s3_server::S3Server;
use lazaret_tests::support::tls_front::TlsFront;

use super::scene::{Ground, Scene, assert_alike};

#[test]
fn queue_cache_and_store_are_spoken_to_over_tls_and_a_stranger_is_not() {
    let ground = Ground::new(95, 8, Duration::ZERO);
    let Some(authority) = PrivateCa::new().map(Arc::new) else { return };
    let options = RedisOptions { authority: Some(Arc::clone(&authority)), ..RedisOptions::default() };
    let Some(cluster) = RedisCluster::start_with(2, &options) else { return };
    let Some((broker, queue)) = RabbitMq::start_with_tls(&authority) else { return };
    let store = S3Server::s3s();
    let front = TlsFront::start(store.address, &authority);
    let servers = Servers { broker, cache: None, store, faults: None };
    let scene = Scene::on(servers, &[&ground], |options| {
        for (name, value) in [
            ("LAZARET_QUEUE", format!("amqps://guest:guest@{queue}/%2f")),
            ("LAZARET_CACHE", cluster.url(None)),
            ("AWS_ENDPOINT_URL_S3", format!("https://{}", front.address)),
            ("SSL_CERT_FILE", authority.root().display().to_string()),
        ] {
            options.environment.push((name.to_owned(), value));
        }
    });
    let (api, references) = (scene.farm.api(), ground.references());
    let job = api.submit(&references);
    api.wait(&job);
    assert_eq!(ground.layer_gets(), [1], "{:?}", ground.registry.counts());
    assert_alike(&api.reports(&job), &scene.local(&references));
    for node in &cluster.nodes {
        assert!(
            node.command(&["--scan", "--pattern", "lazaret:layers/*"]).contains("layers/"),
            "the cache was not used"
        );
    }
    scene.farm.verify_empty();

    // Whoever has not been told of the authority talks to nobody.
    let mut stranger = scene.farm.command("lazaret");
    let output = stranger.env_remove("SSL_CERT_FILE").args(["queues", "declare"]).output().expect("lazaret runs");
    let said = String::from_utf8_lossy(&output.stderr).to_lowercase();
    assert!(!output.status.success() && said.contains("certificate"), "{}: {said}", output.status);
}
