//! S1 and S3 of the failure matrix: whatever the network does, an object is right or absent, and what was stored stays.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lazaret::door::store::{Patience, S3Settings, S3Store, Store, StoreError};
use lazaret_tests::support::http_fault::{Fault, HttpFault};
use lazaret_tests::support::s3_server::{BUCKET, S3Server};

use crate::store;

/// Each of these heals when the request is repeated.
const PASSING: &[Fault] = &[
    Fault::Answer(500, "InternalError"),
    Fault::Answer(503, "SlowDown"),
    Fault::Answer(429, ""),
    Fault::Answer(200, "InternalError"),
    Fault::Slow(Duration::from_millis(20)),
    Fault::Reset,
    Fault::LoseAnswer,
    Fault::CutAnswer,
    Fault::CutRequest,
    Fault::Corrupt,
];

#[tokio::test]
async fn s1_each_passing_fault_is_healed_by_asking_again() {
    let server = S3Server::s3s();
    for fault in PASSING {
        let turn = Arc::new(AtomicUsize::new(0));
        let own = Arc::clone(&turn);
        // The first request after the turn is set to 0 has the fault.
        let proxy =
            HttpFault::start(server.address, move |_, _| (own.fetch_add(1, Ordering::Relaxed) == 0).then_some(*fault));
        let store = store(&server, proxy.address, "p").await;
        let again = || turn.store(0, Ordering::Relaxed);
        store.put("a/b", b"object".to_vec()).await.unwrap_or_else(|error| panic!("put, {fault:?}: {error}"));
        again();
        let got = store.get("a/b").await.unwrap_or_else(|error| panic!("get, {fault:?}: {error}"));
        assert_eq!(got.as_deref(), Some(&b"object"[..]), "{fault:?}");
        again();
        let wanted = ["a/b".to_owned(), "a/c".to_owned()];
        assert_eq!(store.present(&wanted).await.unwrap(), [true, false], "{fault:?}");
        again();
        assert_eq!(store.list("a/", None).await.unwrap(), ["a/b"], "{fault:?}");
        again();
        store.remove("a/b").await.unwrap_or_else(|error| panic!("remove, {fault:?}: {error}"));
        again();
        store.remove("a/b").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_nothing_is_lost_where_two_requests_in_five_fail() {
    let server = S3Server::s3s();
    let proxy = HttpFault::start(server.address, |_, count| {
        // A fixed shuffle: which requests fail does not depend on luck, which callers they hit does.
        let mixed = (count as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        (mixed % 5 < 2).then(|| PASSING[(mixed / 5) as usize % PASSING.len()])
    });
    let faulty = Arc::new(store(&server, proxy.address, "p").await);
    let direct = store(&server, server.address, "p").await;
    let mut puts = tokio::task::JoinSet::new();
    for n in 0..300_usize {
        let faulty = Arc::clone(&faulty);
        puts.spawn(async move { (n, faulty.put(&key(n), object(n)).await) });
    }
    let mut stored = 0;
    for (n, put) in puts.join_all().await {
        let there = direct.get(&key(n)).await.unwrap();
        match put {
            Ok(()) => {
                stored += 1;
                assert_eq!(there, Some(object(n)), "an object whose storage was reported is not there");
                match faulty.get(&key(n)).await {
                    Ok(got) => assert_eq!(got, Some(object(n))),
                    Err(error) => assert!(error.is_transient(), "{error}"),
                }
            }
            Err(error) => {
                assert!(error.is_transient(), "{error}");
                assert!(there.is_none() || there == Some(object(n)), "neither right nor absent");
            }
        }
    }
    assert!(stored >= 285, "five attempts at 40 % should fail for 1 % of the objects; {stored} of 300 were stored");
}

fn key(n: usize) -> String {
    format!("layers/sha256:{n:03}/set")
}

fn object(n: usize) -> Vec<u8> {
    n.to_le_bytes().repeat(n + 1)
}

#[tokio::test]
async fn s3_a_put_that_never_gets_through_leaves_the_right_object_or_none() {
    let server = S3Server::s3s();
    for (fault, is_stored) in [(Fault::CutRequest, false), (Fault::Corrupt, false), (Fault::LoseAnswer, true)] {
        let proxy = HttpFault::start(server.address, move |request, _| (request.method == "PUT").then_some(fault));
        let direct = store(&server, server.address, "p").await;
        let (key, object) = (format!("layers/{fault:?}"), vec![7; 100_000]);
        let error = store(&server, proxy.address, "p").await.put(&key, object.clone()).await.unwrap_err();
        assert!(error.is_transient(), "{fault:?}: {error}");
        assert_eq!(direct.get(&key).await.unwrap(), is_stored.then_some(object), "{fault:?}");
        // Whoever sees the error does it again, which is right whatever had become of the first.
        direct.put(&key, vec![7; 100_000]).await.unwrap();
        assert_eq!(direct.list("layers/", None).await.unwrap().iter().filter(|found| **found == key).count(), 1);
        assert!(proxy.seen().len() >= 2, "{fault:?}: {} attempts", proxy.seen().len());
    }
}

#[tokio::test]
async fn s3_a_conditional_put_whose_answer_was_lost_is_recognised_as_ours() {
    let server = S3Server::s3s();
    let lose = Arc::new(AtomicUsize::new(0));
    let own = Arc::clone(&lose);
    let proxy = HttpFault::start(server.address, move |request, _| {
        let wanted = request.is_conditional() && own.swap(0, Ordering::Relaxed) == 1;
        wanted.then_some(Fault::LoseAnswer)
    });
    let store = store(&server, proxy.address, "p").await;
    assert!(store.probe().await.unwrap());
    lose.store(1, Ordering::Relaxed);
    assert!(store.replace("v", b"ours".to_vec(), None).await.unwrap(), "it was stored");
    assert_eq!(lose.load(Ordering::Relaxed), 0, "the fault happened");
    let (_, seen) = store.versioned("v").await.unwrap().unwrap();
    lose.store(1, Ordering::Relaxed);
    assert!(store.replace("v", b"ours again".to_vec(), Some(&seen)).await.unwrap());
    assert!(!store.replace("v", b"theirs".to_vec(), Some(&seen)).await.unwrap());
}

#[tokio::test]
async fn s3_a_large_object_is_whole_although_each_kind_of_request_fails_once() {
    // s3s-fs answers an upload that is no longer there with a refusal.
    let Some(server) = S3Server::moto() else { return };
    for fault in [Fault::LoseAnswer, Fault::Answer(500, "InternalError"), Fault::Answer(200, "InternalError")] {
        let kinds = ["?uploads", "partNumber=2", "?uploadId"];
        let failed: [AtomicUsize; 3] = Default::default();
        let happened = Arc::new(failed);
        let own = Arc::clone(&happened);
        let proxy = HttpFault::start(server.address, move |request, _| {
            let kind = kinds.iter().position(|kind| request.target.contains(kind))?;
            (own[kind].fetch_add(1, Ordering::Relaxed) == 0).then_some(fault)
        });
        let large: Vec<u8> = (0..35_000_000_u32).map(|n| (n % 249) as u8).collect();
        store(&server, proxy.address, "p").await.put("large", large.clone()).await.unwrap();
        let direct = store(&server, server.address, "p").await;
        assert!(direct.get("large").await.unwrap().as_deref() == Some(&large), "{fault:?}");
        assert!(happened.iter().all(|count| count.load(Ordering::Relaxed) > 1), "{fault:?}: {happened:?}");
    }
}

#[tokio::test]
async fn a_race_is_tried_once_more() {
    let server = S3Server::s3s();
    let raced = AtomicUsize::new(0);
    let proxy = HttpFault::start(server.address, move |request, _| {
        let is_ours = request.is_conditional() && request.target.contains("/v");
        (is_ours && raced.fetch_add(1, Ordering::Relaxed) == 0)
            .then_some(Fault::Answer(409, "ConditionalRequestConflict"))
    });
    let store = store(&server, proxy.address, "p").await;
    assert!(store.replace("v", b"1".to_vec(), None).await.unwrap());
    assert_eq!(store.get("v").await.unwrap().as_deref(), Some(&b"1"[..]));
}

#[tokio::test]
async fn a_server_that_is_silent_or_away_is_given_up_in_time() {
    let server = S3Server::s3s();
    let proxy = HttpFault::start(server.address, |_, _| Some(Fault::Slow(Duration::from_secs(3))));
    let away = lazaret_tests::support::process::free_address();
    for address in [proxy.address, away] {
        let patience = Patience {
            attempt: Duration::from_millis(100),
            pause: Duration::from_millis(5),
            tries: 3,
            ..Patience::default()
        };
        let settings = S3Settings {
            endpoint: Some(format!("http://{address}")),
            credentials: Some(server.credentials.clone()),
            patience,
            ..S3Settings::default()
        };
        let store = S3Store::open(&format!("s3://{BUCKET}/p"), settings).await.unwrap();
        let start = Instant::now();
        let error = store.get("a").await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)) && error.is_transient(), "{error}");
        assert!(start.elapsed() < Duration::from_millis(2_900), "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn an_object_that_is_too_large_is_refused_before_it_is_read() {
    let server = S3Server::s3s();
    let proxy = HttpFault::start(server.address, |_, _| {
        Some(Fault::Raw("HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 99999999999\r\nConnection: close\r\n\r\nx"))
    });
    let error = store(&server, proxy.address, "p").await.get("a").await.unwrap_err();
    assert!(matches!(&error, StoreError::Refused(said) if said.contains("larger")), "{error}");
}
