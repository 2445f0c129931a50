//! The faults of a server: flushed, down, started anew, slow, full, a replica. Nothing fails, nobody waits for long, and
//! everything works again afterwards. (K5, eviction, is K1 for some keys.)

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use lazaret::door::cache::{Cache, CacheSettings, Claim, SharedCache, open};
use lazaret_tests::support::redis_server::{RedisOptions, RedisServer};

use super::witness::{Witness, key, patient_cache};

fn claim(name: &str) -> [(String, String); 1] {
    [(name.to_owned(), "me".to_owned())]
}

/// Asks until the cache takes a value and gives it back.
async fn wait_until_it_works(cache: &dyn Cache) {
    let start = Instant::now();
    loop {
        cache.put("probe", b"1").await;
        if cache.get(&key("probe")).await == [Some(b"1".to_vec())] {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "the cache never works again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn k1_flushed() {
    let Some(server) = RedisServer::start(RedisOptions::default()) else { return };
    let cache = patient_cache(&server.url(None));
    for _ in 0..3 {
        assert_eq!(cache.get(&key("a")).await, [None]);
        cache.put("a", b"1").await;
        assert_eq!(cache.get(&key("a")).await, [Some(b"1".to_vec())]);
        assert_eq!(cache.claim(&claim("a"), Duration::from_secs(60)).await, [Claim::Taken]);
        server.flush();
        cache.renew(&claim("a"), Duration::from_secs(60)).await;
        assert_eq!(cache.claims().await, Some(1), "a renewal takes the lost claim anew");
        server.command(&["SCRIPT", "FLUSH"]);
        cache.release(&claim("a")).await;
        assert_eq!(cache.claims().await, Some(0), "lost scripts are taught again");
    }
    assert!(cache.is_healthy());
}

#[tokio::test]
async fn k2_a_cut_connection_is_not_even_noticed() {
    let Some(server) = RedisServer::start(RedisOptions::default()) else { return };
    let witness = Witness::new();
    let cache = patient_cache(&server.url(None));
    cache.put("a", b"1").await;
    for _ in 0..5 {
        server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
        assert_eq!(cache.get(&key("a")).await, [Some(b"1".to_vec())]);
    }
    assert_eq!(witness.count(&["errors_total"]), 0, "{}", witness.text());
}

#[tokio::test]
async fn k2_down_from_the_start_and_started_later() {
    let Some(mut server) = RedisServer::start(RedisOptions::default()) else { return };
    server.kill9();
    let witness = Witness::new();
    let cache = open(&server.url(None), CacheSettings::default()).expect("a server that is down is no error");
    let start = Instant::now();
    for _ in 0..300 {
        cache.put("a", b"1").await;
        assert_eq!(cache.present(&key("a")).await, [false]);
        assert_eq!(cache.claim(&claim("a"), Duration::from_secs(60)).await, [Claim::Unknown]);
    }
    assert!(start.elapsed() < Duration::from_secs(5), "900 requests took {:?}", start.elapsed());
    assert!(!cache.is_healthy());
    assert_eq!(cache.claims().await, None);
    assert_eq!(witness.warnings(), 1, "told once:\n{}", witness.text());
    server.restart();
    wait_until_it_works(&*cache).await;
    assert!(cache.is_healthy());
}

#[tokio::test]
async fn k2_killed_and_started_anew() {
    let Some(mut server) = RedisServer::start(RedisOptions::default()) else { return };
    let cache = open(&server.url(None), CacheSettings::default()).unwrap();
    wait_until_it_works(&*cache).await;
    server.kill9();
    let start = Instant::now();
    for _ in 0..1_000 {
        assert_eq!(cache.get(&key("probe")).await, [None]);
    }
    assert!(start.elapsed() < Duration::from_secs(5), "1,000 requests took {:?}", start.elapsed());
    server.restart();
    wait_until_it_works(&*cache).await;
}

/// How many layers four workers do in `time`, each with 30 ms of work and what a worker asks of the cache.
async fn layers_done(cache: &SharedCache, time: Duration) -> u32 {
    let done = AtomicU32::new(0);
    let start = Instant::now();
    let worker = async |name: &str| {
        while start.elapsed() < time {
            let layer = format!("{name}-{}", done.load(Ordering::Relaxed));
            cache.claim(&claim(&layer), Duration::from_secs(60)).await;
            cache.get(&key(&layer)).await;
            tokio::time::sleep(Duration::from_millis(30)).await;
            cache.put(&layer, &[1; 3_000]).await;
            cache.release(&claim(&layer)).await;
            done.fetch_add(1, Ordering::Relaxed);
        }
    };
    tokio::join!(worker("a"), worker("b"), worker("c"), worker("d"));
    done.into_inner()
}

#[tokio::test]
async fn k2_a_frozen_server_costs_less_than_half_of_the_throughput() {
    let Some(server) = RedisServer::start(RedisOptions::default()) else { return };
    let witness = Witness::new();
    let cache = open(&server.url(None), CacheSettings::default()).unwrap();
    wait_until_it_works(&*cache).await;
    let normal = layers_done(&cache, Duration::from_secs(5)).await;
    server.freeze();
    let frozen = layers_done(&cache, Duration::from_secs(5)).await;
    assert!(!cache.is_healthy());
    assert!(frozen * 2 >= normal, "{frozen} layers while it was frozen, {normal} before");
    assert!(witness.count(&["errors", "breaker"]) > witness.count(&["errors", "timeout"]) * 3);
    server.thaw();
    wait_until_it_works(&*cache).await;
}

#[tokio::test]
async fn k2_a_request_to_a_slow_server_takes_its_budget_and_no_more() {
    let Some(server) = RedisServer::start(RedisOptions::default()) else { return };
    let settings = CacheSettings { payload_budget: Duration::from_millis(100), ..CacheSettings::default() };
    let cache = open(&server.url(None), settings).unwrap();
    wait_until_it_works(&*cache).await;
    server.command(&["CLIENT", "PAUSE", "5000", "ALL"]);
    let keys: Vec<String> = (0..10_000).map(|n| n.to_string()).collect();
    let start = Instant::now();
    assert_eq!(cache.get(&key("probe")).await, [None]);
    let one = start.elapsed();
    assert!(one >= Duration::from_millis(90) && one < Duration::from_millis(1_000), "one request took {one:?}");
    assert!(cache.present(&keys).await.iter().all(|present| !present));
    assert!(start.elapsed() < Duration::from_secs(3), "157 round trips are not waited for: {:?}", start.elapsed());
    wait_until_it_works(&*cache).await;
}

#[tokio::test]
async fn k3_full_and_nothing_may_be_evicted() {
    let options = RedisOptions::with(&["--maxmemory-policy", "noeviction"]);
    let Some(server) = RedisServer::start(options) else { return };
    let witness = Witness::new();
    let cache = patient_cache(&server.url(None));
    cache.put("first", b"1").await;
    assert_eq!(cache.claim(&claim("first"), Duration::from_secs(600)).await, [Claim::Taken]);
    // Less than an empty server needs, so that nothing fits, however small.
    server.command(&["CONFIG", "SET", "maxmemory", "100kb"]);
    for n in 0..40 {
        cache.put(&format!("filling/{n}"), &[n; 2_000]).await;
    }
    assert!(witness.count(&["errors", "out_of_memory"]) > 10, "{}", witness.text());
    assert_eq!(cache.get(&key("first")).await, [Some(b"1".to_vec())], "what is there can be read");
    assert_eq!(cache.claim(&claim("second"), Duration::from_secs(60)).await, [Claim::Unknown]);
    assert_eq!(cache.claim(&claim("first"), Duration::from_secs(60)).await, [Claim::Held("me".into())]);
    cache.release(&claim("first")).await;
    assert!(cache.is_healthy(), "it answers");
    assert_eq!(witness.warnings(), 1, "told once:\n{}", witness.text());
    server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    cache.put("last", b"1").await;
    assert_eq!(cache.get(&key("last")).await, [Some(b"1".to_vec())]);
}

#[tokio::test]
async fn k4_a_replica_is_read_and_left_for_a_master() {
    let Some(server) = RedisServer::start(RedisOptions::default()) else { return };
    let witness = Witness::new();
    let cache = patient_cache(&server.url(None));
    cache.put("a", b"1").await;
    server.command(&["REPLICAOF", "127.0.0.1", "1"]);
    let before = connections(&server);
    for _ in 0..20 {
        cache.put("b", b"1").await;
        assert_eq!(cache.claim(&claim("b"), Duration::from_secs(60)).await, [Claim::Unknown]);
    }
    assert_eq!(cache.get(&key("a")).await, [Some(b"1".to_vec())]);
    assert_eq!(cache.get(&key("b")).await, [None]);
    assert!(witness.count(&["errors", "read_only"]) >= 40);
    let mine = connections(&server) - before - 1;
    assert!((1..=10).contains(&mine), "a new connection may find the new master, but not at each request: {mine}");
    server.command(&["REPLICAOF", "NO", "ONE"]);
    cache.put("b", b"1").await;
    assert_eq!(cache.get(&key("b")).await, [Some(b"1".to_vec())]);
    assert_eq!(cache.claim(&claim("b"), Duration::from_secs(60)).await, [Claim::Taken]);
}

#[tokio::test]
async fn k4_too_few_replicas() {
    let Some(server) = RedisServer::start(RedisOptions::with(&["--min-replicas-to-write", "1"])) else { return };
    let witness = Witness::new();
    let cache = patient_cache(&server.url(None));
    cache.put("a", b"1").await;
    assert_eq!(cache.get(&key("a")).await, [None]);
    assert_eq!(cache.claim(&claim("a"), Duration::from_secs(60)).await, [Claim::Unknown]);
    assert_eq!(witness.count(&["errors", "no_replicas"]), 2, "{}", witness.text());
    assert!(cache.is_healthy());
}

/// How many connections the server has had.
fn connections(server: &RedisServer) -> u64 {
    let info = server.command(&["INFO", "stats"]);
    let number = info.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
    number.and_then(|number| number.trim().parse().ok()).expect("a number")
}
