//! S2 of the failure matrix: what is refused is refused at once, with words that help, and without a storm of requests.

use lazaret::door::store::{S3Settings, S3Store, Store, StoreError};
use lazaret_tests::support::http_fault::{Fault, HttpFault};
use lazaret_tests::support::s3_server::S3Server;

use crate::{store, store_as};

#[tokio::test]
async fn s2_a_refusal_is_final_and_asked_for_once() {
    let server = S3Server::s3s();
    for (status, code) in [(403, "AccessDenied"), (403, ""), (401, "Unauthorized"), (400, "InvalidRequest")] {
        let proxy = HttpFault::start(server.address, move |_, _| Some(Fault::Answer(status, code)));
        let store = store(&server, proxy.address, "p").await;
        let refused = |what: &str, error: StoreError| {
            assert!(
                matches!(error, StoreError::Refused(_)) && !error.is_transient(),
                "{what}, {status} {code}: {error}"
            );
        };
        refused("get", store.get("a").await.unwrap_err());
        refused("put", store.put("a", vec![1]).await.unwrap_err());
        refused("present", store.present(&["a".into()]).await.unwrap_err());
        refused("list", store.list("", None).await.unwrap_err());
        refused("remove", store.remove("a").await.unwrap_err());
        refused("versioned", store.versioned("a").await.unwrap_err());
        assert_eq!(proxy.seen().len(), 6, "one request each: {:?}", proxy.seen());
    }
}

#[tokio::test]
async fn who_may_not_list_is_told_why_a_missing_key_is_refused() {
    let server = S3Server::s3s();
    let proxy = HttpFault::start(server.address, |_, _| Some(Fault::Answer(403, "AccessDenied")));
    let error = store(&server, proxy.address, "p").await.get("a").await.unwrap_err().to_string();
    assert!(error.contains("s3:ListBucket") && error.contains("403 AccessDenied"), "{error}");
}

#[tokio::test]
async fn who_may_not_write_the_probe_replaces_without_conditions() {
    let server = S3Server::s3s();
    let proxy = HttpFault::start(server.address, |request, _| {
        request.target.contains("/probe/").then_some(Fault::Answer(403, "AccessDenied"))
    });
    let store = store(&server, proxy.address, "p").await;
    assert!(store.replace("v", b"1".to_vec(), None).await.unwrap());
    assert!(!store.replace("v", b"2".to_vec(), None).await.unwrap());
    assert!(!store.is_conditional());
    assert_eq!(proxy.seen().iter().filter(|request| request.target.contains("/probe/")).count(), 1, "asked once");
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_named() {
    // s3s-fs does not tell a bucket that is missing from a key.
    let Some(server) = S3Server::moto() else { return };
    let settings = S3Settings {
        endpoint: Some(server.endpoint()),
        credentials: Some(server.credentials.clone()),
        ..S3Settings::default()
    };
    let store = S3Store::open("s3://not-there/p", settings).await.unwrap();
    for error in [
        store.get("a").await.unwrap_err(),
        store.put("a", vec![1]).await.unwrap_err(),
        store.present(&["a".into()]).await.unwrap_err(),
        store.list("", None).await.unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Refused(_)), "{error}");
        let said = error.to_string();
        assert!(said.contains("`not-there`") && said.contains("no such bucket"), "{said}");
    }
}

#[tokio::test]
async fn wrong_keys_are_refused_with_a_hint() {
    let servers = [Some(S3Server::s3s()), S3Server::moto()];
    for server in servers.into_iter().flatten() {
        let (id, _) = server.credentials.clone();
        for credentials in [(id, "canary-wrong".to_owned()), ("AKIANOBODY".to_owned(), "canary-wrong".to_owned())] {
            let store = store_as(credentials, server.address, "p").await;
            let error = store.put("a", vec![1]).await.unwrap_err();
            assert!(matches!(error, StoreError::Refused(_)), "{error}");
            let said = error.to_string();
            assert!(said.contains("AWS_ACCESS_KEY_ID") && !said.contains("canary"), "{said}");
        }
    }
}
