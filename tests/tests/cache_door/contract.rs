//! The contract of the door on one server, with TLS, on a Cluster and behind Sentinels.

use std::time::{Duration, Instant};

use lazaret::door::cache::conformance::check_cache;
use lazaret::door::cache::{CacheSettings, Claim, open};
use lazaret_tests::support::redis_farm::{RedisCluster, RedisSentinels};
use lazaret_tests::support::redis_server::{RedisOptions, RedisServer};

use super::witness::{Witness, key, patient, patient_cache};

#[tokio::test]
async fn one_server_keeps_the_contract() {
    let Some(server) = RedisServer::start(RedisOptions::default()) else { return };
    check_cache(&*patient_cache(&server.url(None))).await;
    server.flush();
    check_cache(&*patient_cache(&format!("{}/3", server.url(None)))).await;
}

#[tokio::test]
async fn one_server_over_tls_keeps_the_contract() {
    let Some(server) = RedisServer::start(RedisOptions { tls: true, ..RedisOptions::default() }) else { return };
    let certificate = std::fs::read(server.certificate.as_ref().unwrap()).unwrap();
    let trusting = CacheSettings { certificates: Some(certificate), ..patient() };
    check_cache(&*open(&server.url(None), trusting).unwrap()).await;

    let witness = Witness::new();
    let doubting = patient_cache(&server.url(None));
    doubting.put("a", b"1").await;
    assert_eq!(doubting.get(&key("a")).await, [None], "nobody signed the certificate");
    assert!(!doubting.is_healthy());
    assert!(witness.count(&["errors", "connection"]) > 0, "{}", witness.text());
}

#[tokio::test]
async fn a_cluster_keeps_the_contract() {
    let Some(cluster) = RedisCluster::start(3, None) else { return };
    let witness = Witness::new();
    let cache = patient_cache(&cluster.url(None));
    check_cache(&*cache).await;
    assert_eq!(witness.count(&["cross_slot"]), 0);
    for n in 0..30 {
        cache.put(&format!("spread/{n}"), b"1").await;
    }
    for node in &cluster.nodes {
        assert_ne!(node.command(&["DBSIZE"]), "0", "the keys are spread over the nodes");
    }
}

#[tokio::test]
async fn a_slot_that_moves_is_followed() {
    let Some(cluster) = RedisCluster::start(2, None) else { return };
    let cache = patient_cache(&cluster.url(None));
    let keys: Vec<String> = (0..50).map(|n| format!("moving/{n}")).collect();
    for key in &keys {
        cache.put(key, b"1").await;
    }
    assert!(cache.present(&keys).await.iter().all(|present| *present));
    // All slots of the first node become the second's; what the first held is gone with it.
    cluster.nodes[0].flush();
    let second = cluster.nodes[1].command(&["CLUSTER", "MYID"]);
    let moved: Vec<String> = keys.iter().filter(|key| slot_of(&cluster, key) < 8_192).cloned().collect();
    assert!(moved.len() > 5);
    for key in &moved {
        let slot = slot_of(&cluster, key).to_string();
        for node in [&cluster.nodes[1], &cluster.nodes[0]] {
            node.command(&["CLUSTER", "SETSLOT", &slot, "NODE", &second]);
        }
    }
    let claims: Vec<_> = moved.iter().map(|key| (key.clone(), "me".to_owned())).collect();
    for key in &moved {
        cache.put(key, b"2").await;
    }
    assert!(cache.get(&moved).await.iter().all(|value| value.as_deref() == Some(b"2")), "each at its new node");
    assert!(cache.claim(&claims, Duration::from_secs(60)).await.iter().all(|claim| *claim == Claim::Taken));
    assert_eq!(cache.claims().await, Some(claims.len() as u64));
}

fn slot_of(cluster: &RedisCluster, key: &str) -> u32 {
    cluster.nodes[0].command(&["CLUSTER", "KEYSLOT", &format!("lazaret:{key}")]).parse().unwrap()
}

#[tokio::test]
async fn sentinels_lead_to_the_master_and_after_its_death_to_the_new_one() {
    let Some(mut farm) = RedisSentinels::start(3) else { return };
    let cache = open(&farm.url(), CacheSettings::default()).unwrap();
    check_cache(&*patient_cache(&farm.url())).await;
    farm.master.flush();

    farm.master.kill9();
    let start = Instant::now();
    let mut slowest = Duration::ZERO;
    loop {
        let asked = Instant::now();
        cache.put("after", b"2").await;
        let found = cache.get(&key("after")).await;
        slowest = slowest.max(asked.elapsed());
        if found == [Some(b"2".to_vec())] {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "no new master was found");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(farm.replica.command(&["ROLE"]).starts_with("master"));
    assert_eq!(farm.replica.command(&["EXISTS", "lazaret:after"]), "1");
    assert!(slowest < Duration::from_secs(3), "nobody waits for a failover; the slowest waited {slowest:?}");
}
