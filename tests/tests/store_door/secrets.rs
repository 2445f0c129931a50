//! Credentials come from the standard variables and files, and are seen nowhere afterwards.

use std::io::{self, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};

use lazaret::door::store::{self, Store as _};
use lazaret_tests::support::http_fault::{Fault, HttpFault};
use lazaret_tests::support::s3_server::{BUCKET, S3Server};

use crate::{store, store_as};

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_is_logged_at_any_level() {
    let server = S3Server::s3s();
    let log = Log::default();
    let own = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || own.clone());
    // Of this thread, on which this test's runtime is.
    let guard = tracing::subscriber::set_default(subscriber.finish());
    let proxy = HttpFault::start(server.address, |_, count| (count == 0).then_some(Fault::Answer(503, "SlowDown")));
    let good = store(&server, proxy.address, "p").await;
    good.put("a", vec![1]).await.unwrap();
    assert!(good.replace("b", vec![1], None).await.unwrap());
    let bad = store_as(("nobody".into(), "canary-wrong".into()), server.address, "p").await;
    assert!(bad.get("a").await.is_err());
    let url = "s3://me:canary-in-url@bucket/p";
    assert!(store::open(url).await.is_err_and(|error| !format!("{error} {error:?}").contains("canary")));
    assert!(
        store::open("ftp://me:canary@x").await.is_err_and(|error| !format!("{error} {error:?}").contains("canary"))
    );
    drop(guard);
    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(logged.contains("the store is asked again"), "the log was not collected");
    for secret in ["canary", server.credentials.1.as_str()] {
        let line = logged.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "logged: {line:?}");
    }
}

/// Says in which variable a test below finds the store's URL, in a process of its own.
const URL: &str = "LAZARET_TEST_STORE";

/// Run again by the tests below, each time in a process with other variables; by itself it has nothing to do.
#[test]
fn in_a_process_with_these_variables() {
    let Ok(url) = std::env::var(URL) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = store::open(&url).await.unwrap();
        store.put("from/there", b"it works".to_vec()).await.unwrap();
    });
}

/// Stores an object in a process with `variables` and no other one; what that process says if it fails.
fn store_with(url: &str, variables: &[(&str, &str)]) -> Result<(), String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "secrets::in_a_process_with_these_variables", "--nocapture"]);
    command.env_clear().envs(variables.iter().copied()).env(URL, url).env("AWS_EC2_METADATA_DISABLED", "true");
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(said.contains("running 1 test"), "{said}");
    if output.status.success() { Ok(()) } else { Err(said) }
}

#[tokio::test]
async fn the_standard_variables_are_honoured() {
    let server = S3Server::s3s();
    let (id, secret) = server.credentials.clone();
    let keys = [("AWS_ACCESS_KEY_ID", id.as_str()), ("AWS_SECRET_ACCESS_KEY", &secret), ("AWS_REGION", "eu-central-1")];
    let endpoint = server.endpoint();
    for (round, variable) in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"].into_iter().enumerate() {
        store_with(&format!("s3://{BUCKET}/v{round}"), &[&keys[..], &[(variable, &endpoint)]].concat()).unwrap();
        let store = store(&server, server.address, &format!("v{round}")).await;
        assert_eq!(store.get("from/there").await.unwrap().as_deref(), Some(&b"it works"[..]));
    }
    let said = store_with(&format!("s3://{BUCKET}/v"), &[("AWS_ENDPOINT_URL", &endpoint)]).unwrap_err();
    assert!(said.contains("no credentials; set AWS_PROFILE"), "{said}");
    let said = store_with(&format!("s3://{BUCKET}/v"), &keys[..2]).unwrap_err();
    assert!(said.contains("set AWS_REGION"), "{said}");
}

#[tokio::test]
async fn a_profile_of_the_standard_files_is_honoured() {
    let server = S3Server::s3s();
    let directory = tempfile::tempdir().unwrap();
    let (id, secret) = &server.credentials;
    let at = |name: &str| directory.path().join(name).display().to_string();
    let credentials = format!(
        "[default]\naws_access_key_id = nobody\naws_secret_access_key = x\n\
         [farm]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"
    );
    let config = format!(
        "[profile farm]\nregion = us-east-1\nservices = own\n[services own]\ns3 =\n  endpoint_url = {}\n",
        server.endpoint()
    );
    std::fs::write(at("credentials"), credentials).unwrap();
    std::fs::write(at("config"), config).unwrap();
    let (files, configs) = (at("credentials"), at("config"));
    let files = [("AWS_SHARED_CREDENTIALS_FILE", files.as_str()), ("AWS_CONFIG_FILE", configs.as_str())];
    store_with(&format!("s3://{BUCKET}/p"), &[&files[..], &[("AWS_PROFILE", "farm")]].concat()).unwrap();
    let store = store(&server, server.address, "p").await;
    assert_eq!(store.get("from/there").await.unwrap().as_deref(), Some(&b"it works"[..]));
    // The same, with the profile named in the URL; and the default one, which is somebody else.
    store_with(&format!("s3://{BUCKET}/q?profile=farm"), &files).unwrap();
    let url = format!("s3://{BUCKET}/p?endpoint={}", server.endpoint());
    let said = store_with(&url, &files).unwrap_err();
    assert!(said.contains("403 NotSignedUp"), "{said}");
}
