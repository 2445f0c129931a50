//! What every store does, on each of them; and what they do each in their own way.

use std::sync::Arc;

use lazaret::door::store::conformance::check_store;
use lazaret::door::store::{FileStore, MemoryStore, Store};
use lazaret_tests::support::http_fault::{Fault, HttpFault};
use lazaret_tests::support::s3_server::S3Server;

use crate::store;

#[tokio::test]
async fn memory_and_file_conform() {
    check_store(&MemoryStore::default()).await;
    let directory = tempfile::tempdir().unwrap();
    check_store(&FileStore::new(directory.path().join("store"))).await;
}

#[tokio::test]
async fn moto_conforms_and_honours_conditions() {
    let Some(server) = S3Server::moto() else { return };
    let store = store(&server, server.address, "some/where").await;
    assert!(store.probe().await.unwrap());
    check_store(&store).await;
    assert!(store.is_conditional());
    assert!(store.list("", None).await.unwrap().iter().all(|key| !key.starts_with("probe/")), "a probe stays");
}

#[tokio::test]
async fn s3s_conforms_with_and_without_a_prefix() {
    let server = S3Server::s3s();
    let below = store(&server, server.address, "some/where").await;
    check_store(&below).await;
    assert!(below.is_conditional());
    for key in below.list("", None).await.unwrap() {
        below.remove(&key).await.unwrap();
    }
    check_store(&store(&server, server.address, "").await).await;
}

#[tokio::test]
async fn garage_conforms_and_is_found_to_ignore_conditions() {
    let Some(server) = S3Server::garage() else { return };
    let store = store(&server, server.address, "some/where").await;
    check_store(&store).await;
    assert!(!store.is_conditional());
}

#[tokio::test]
async fn a_server_that_ignores_conditions_is_found_out_and_conforms() {
    let server = S3Server::s3s();
    let proxy = HttpFault::start(server.address, |_, _| Some(Fault::NoConditions));
    let store = store(&server, proxy.address, "p").await;
    check_store(&store).await;
    assert!(!store.is_conditional());
    let conditional = proxy.seen().iter().filter(|request| request.is_conditional()).count();
    assert_eq!(conditional, 1, "after the probe nothing is left to conditions");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixteen_racers_one_wins() {
    let Some(server) = S3Server::moto() else { return };
    let store = Arc::new(store(&server, server.address, "race").await);
    assert!(store.probe().await.unwrap());
    for round in 0..10_u8 {
        // A race to make the object, then one to replace it, and so on.
        let key = format!("pointer/{}", round / 2);
        let seen = store.versioned(&key).await.unwrap().map(|(_, version)| version);
        assert_eq!(seen.is_some(), round % 2 == 1);
        let mut racers = tokio::task::JoinSet::new();
        for racer in 0..16_u8 {
            let (store, key, seen) = (Arc::clone(&store), key.clone(), seen.clone());
            let object = vec![round, racer];
            racers.spawn(async move {
                let won = store.replace(&key, object.clone(), seen.as_ref()).await.unwrap();
                won.then_some(object)
            });
        }
        let winners: Vec<_> = racers.join_all().await.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        assert_eq!(store.get(&key).await.unwrap().as_ref(), winners.first(), "the winner's object is there");
    }
}

#[tokio::test]
async fn a_large_object_goes_in_parts_and_comes_back_whole() {
    let server = S3Server::s3s();
    let proxy = HttpFault::start(server.address, |_, _| None);
    let store = store(&server, proxy.address, "p").await;
    let large: Vec<u8> = (0..40_000_000_u32).map(|n| (n % 253) as u8).collect();
    store.put("large", large.clone()).await.unwrap();
    assert!(store.get("large").await.unwrap().as_deref() == Some(&large));
    let parts = proxy.seen().iter().filter(|request| request.target.contains("partNumber=")).count();
    assert_eq!(parts, 3);
}

#[tokio::test]
async fn many_keys_are_looked_for_in_few_requests() {
    let server = S3Server::s3s();
    let proxy = HttpFault::start(server.address, |_, _| None);
    let store = store(&server, proxy.address, "p").await;
    let direct = crate::store(&server, server.address, "p").await;
    let key = |n: usize| format!("layers/sha256:{n:04}/set");
    for n in 0..600 {
        direct.put(&key(n), Vec::new()).await.unwrap();
    }
    // Every other one of the first 600 is asked for, and 300 that are not there; in no order.
    let mut wanted: Vec<String> = (0..1_200).step_by(2).map(key).collect();
    wanted.reverse();
    let expected: Vec<bool> = (0..1_200).step_by(2).map(|n| n < 600).rev().collect();
    assert_eq!(store.present(&wanted).await.unwrap(), expected);
    assert!(proxy.seen().len() <= 3, "{} requests", proxy.seen().len());

    // Few among many are asked for one by one, and so are those of somebody who may not list.
    assert_eq!(store.present(&wanted[500..510]).await.unwrap(), expected[500..510]);
    let refusing = HttpFault::start(server.address, |request, _| {
        request.target.contains("list-type").then_some(Fault::Answer(403, "AccessDenied"))
    });
    let worker = crate::store(&server, refusing.address, "p").await;
    assert_eq!(worker.present(&wanted).await.unwrap(), expected);
}
