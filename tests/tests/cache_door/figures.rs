//! What the cache costs: round trips of a thousand keys, and bytes of a value in Redis.

#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use lazaret_tests::support::redis_farm::RedisCluster;
use lazaret_tests::support::redis_server::{RedisOptions, RedisServer};

use super::witness::patient_cache;

/// Keys as long as the real ones: `layers/sha256:<64>/<64>`.
fn keys(count: usize) -> Vec<String> {
    let key = |n: usize| {
        let hash = blake3::hash(&n.to_le_bytes()).to_hex();
        format!("layers/sha256:{hash}/{hash}")
    };
    (0..count).map(key).collect()
}

#[tokio::test]
async fn a_hundred_thousand_keys_are_asked_for_in_seconds() {
    let Some(server) = RedisServer::start(RedisOptions::default()) else { return };
    let Some(cluster) = RedisCluster::start(3, None) else { return };
    let keys = keys(100_000);
    for url in [server.url(None), cluster.url(None)] {
        let cache = patient_cache(&url);
        for key in keys.iter().take(1_000) {
            cache.put(key, b"1").await;
        }
        let start = Instant::now();
        let present = cache.present(&keys).await;
        let elapsed = start.elapsed();
        assert_eq!(present.iter().filter(|present| **present).count(), 1_000);
        println!("{url}: {:.0} keys/s in batches of 1,000", keys.len() as f64 / elapsed.as_secs_f64());
        // A debug build on a machine that does other things besides: ten times as long as it takes alone.
        assert!(elapsed < Duration::from_secs(60), "{elapsed:?}");
    }
}

#[tokio::test]
async fn a_value_costs_little_more_than_its_bytes() {
    let Some(server) = RedisServer::start(RedisOptions::default()) else { return };
    let cache = patient_cache(&server.url(None));
    let keys = keys(6_000);
    for (size, keys) in [300, 1_000, 2_000, 2_700, 4_000, 8_000].into_iter().zip(keys.chunks(1_000)) {
        let before = used_memory(&server);
        for key in keys {
            cache.put(key, &vec![7; size]).await;
        }
        let per_key = (used_memory(&server) - before) / keys.len() as u64;
        println!("a value of {size} B costs {per_key} B");
        assert!(per_key < size as u64 * 3 / 2 + 500, "{size} B cost {per_key} B");
    }
}

fn used_memory(server: &RedisServer) -> u64 {
    let info = server.command(&["INFO", "memory"]);
    info.lines()
        .find_map(|line| line.strip_prefix("used_memory:"))
        .and_then(|n| n.trim().parse().ok())
        .expect("a number")
}
