//! The access list that comes with lazaret is enough, and no password is ever shown.

use lazaret::door::cache::conformance::check_cache;
use lazaret::door::cache::{CacheSettings, Secret, open};
use lazaret_tests::source_tree::root;
use lazaret_tests::support::redis_farm::RedisCluster;
use lazaret_tests::support::redis_server::{RedisOptions, RedisServer};

use super::witness::{Witness, key, patient, patient_cache};

/// A password that must not be found anywhere, with characters that a URL has to encode.
const PASSWORD: &str = "canary-7d1e@/:x";
const IN_URL: &str = "canary-7d1e%40%2F%3Ax";

fn access_list() -> String {
    let text = std::fs::read_to_string(root().join("infra/redis/lazaret.acl")).unwrap();
    assert!(text.contains(">PASSWORD "), "the place for the password moved");
    text.replace(">PASSWORD", &format!(">{PASSWORD}"))
}

#[tokio::test]
async fn the_access_list_is_enough_for_everything_on_one_server() {
    let options = RedisOptions { acl: Some(access_list()), ..RedisOptions::default() };
    let Some(server) = RedisServer::start(options) else { return };
    let witness = Witness::new();
    let url = server.url(Some(&format!("lazaret:{IN_URL}")));
    check_cache(&*patient_cache(&url)).await;
    assert_eq!(witness.count(&["errors", "permission"]), 0);
    let other = CacheSettings { prefix: "other:".into(), ..patient() };
    let other = open(&url, other).unwrap();
    other.put("a", b"1").await;
    assert_eq!(other.get(&key("a")).await, [None], "the keys of others are out of reach");
    assert_eq!(witness.count(&["errors", "permission"]), 2);
    assert_eq!(server.command(&["EXISTS", "other:a"]), "0");
}

#[tokio::test]
async fn the_access_list_is_enough_on_a_cluster() {
    let Some(cluster) = RedisCluster::start(2, Some(&access_list())) else { return };
    check_cache(&*patient_cache(&cluster.url(Some(&format!("lazaret:{IN_URL}"))))).await;
}

#[tokio::test]
async fn passwords_and_keys_are_never_shown() {
    let options = RedisOptions { acl: Some(access_list()), ..RedisOptions::default() };
    let Some(mut server) = RedisServer::start(options) else { return };
    let witness = Witness::new();
    let settings = CacheSettings { key: Some(Secret::new("canary-of-the-mac-key")), ..patient() };
    let shown = format!("{settings:?} {settings:#?}");
    let right = open(&server.url(Some(&format!("lazaret:{IN_URL}"))), settings.clone()).unwrap();
    let wrong = open(&server.url(Some("lazaret:canary-wrong")), settings.clone()).unwrap();
    let unknown = open(&server.url(Some("canary-user:canary-wrong")), settings.clone()).unwrap();
    right.put("a", b"1").await;
    assert_eq!(right.get(&key("a")).await, [Some(b"1".to_vec())]);
    for cache in [&wrong, &unknown] {
        for _ in 0..5 {
            assert_eq!(cache.get(&key("a")).await, [None]);
        }
        assert!(!cache.is_healthy());
    }
    assert!(witness.count(&["errors", "authentication"]) >= 6);
    server.kill9();
    for _ in 0..5 {
        assert_eq!(right.get(&key("a")).await, [None]);
    }
    let mut errors = String::new();
    for url in ["redis://u:canary@h:x", "reddis://u:canary@h", "redis+cluster://u:canary@a,b/canary"] {
        let error = open(url, settings.clone()).err().expect(url);
        errors += &format!("{error} {error:?}\n");
    }
    let text = format!("{shown}\n{errors}\n{}", witness.text());
    assert!(text.contains("the cache does not answer"), "{text}");
    assert!(!text.contains("canary"), "{text}");
    assert_eq!(witness.warnings(), 3, "one for each cache that went away:\n{text}");
}
