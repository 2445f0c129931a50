//! A store that speaks TLS: it is used where its authority is trusted, and told apart from one that is merely away.

use std::process::Command;

use lazaret::door::store::Store as _;
use lazaret::door::store::{Patience, S3Settings, S3Store, StoreError};
use lazaret_tests::support::private_ca::PrivateCa;
use lazaret_tests::support::s3_server::{BUCKET, S3Server};
use lazaret_tests::support::tls_front::TlsFront;

/// Tells the copy of this test below where the store is.
const ENDPOINT: &str = "STORE_DOOR_TLS_ENDPOINT";
/// And that of the server's credentials.
const CREDENTIALS: (&str, &str) = ("tester", "canary-secret-of-s3s-51c0de");

async fn open(endpoint: String) -> S3Store {
    let settings = S3Settings {
        endpoint: Some(endpoint),
        region: Some("us-east-1".into()),
        credentials: Some((CREDENTIALS.0.to_owned(), CREDENTIALS.1.to_owned())),
        patience: Patience { tries: 1, ..Patience::default() },
        ..S3Settings::default()
    };
    S3Store::open(&format!("s3://{BUCKET}/tls"), settings).await.expect("settings")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_that_the_environment_names_is_trusted_and_no_other() {
    if let Ok(endpoint) = std::env::var(ENDPOINT) {
        let store = open(endpoint).await;
        store.put("a/b", b"object".to_vec()).await.expect("the authority is trusted");
        assert_eq!(store.get("a/b").await.expect("an answer").as_deref(), Some(&b"object"[..]));
        return;
    }
    let Some(authority) = PrivateCa::new() else { return };
    let server = S3Server::s3s();
    assert_eq!(server.credentials, (CREDENTIALS.0.to_owned(), CREDENTIALS.1.to_owned()));
    let front = tokio::task::block_in_place(|| TlsFront::start(server.address, &authority));
    let endpoint = format!("https://{}", front.address);
    let error = open(endpoint.clone()).await.get("a/b").await.expect_err("nobody vouches for it");
    assert!(matches!(&error, StoreError::Unavailable(said) if said.to_lowercase().contains("certificate")), "{error}");
    // The trusted authorities of a process are read once, from its environment: another process has others.
    let mut copy = Command::new(std::env::current_exe().expect("a program"));
    copy.args(["--exact", "tls::an_authority_that_the_environment_names_is_trusted_and_no_other", "--nocapture"]);
    let output = copy.env(ENDPOINT, &endpoint).env("SSL_CERT_FILE", authority.root()).output().expect("a copy");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
