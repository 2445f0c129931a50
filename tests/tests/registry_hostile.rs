//! The registry client against a registry that misbehaves: everything ends soon, with the right error or the right
//! bytes, and no password leaves the host that it is for.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lazaret::digest::Digest;
use lazaret::door::source::registry::{
    Credential, Credentials, Patience, Registry, RegistryError, RegistryImage, RegistryOptions, Secret,
};
use lazaret::door::source::{ImageSource as _, PlatformChoice, SourceError};
use lazaret::image::Descriptor;
use lazaret::reference::RegistryReference;
use lazaret_tests::support::hostile_registry::{Delivery, HostileRegistry, Reply, Seen};
use lazaret_tests::support::oci_fixture::{LAYER, MANIFEST, OciFixture, noise};
use serde_json::Value;

/// What must not be seen anywhere but on the host that it is for.
const CANARY: &str = "canary-77aa01";

/// One good image, of which single answers are then spoilt.
struct Content {
    fixture: OciFixture,
    descriptor: Value,
    layer: Vec<u8>,
}

impl Content {
    fn new() -> Arc<Self> {
        let layer = noise(3_000_000, 9);
        let mut fixture = OciFixture::default();
        let descriptor = fixture.image("amd64", &[(LAYER.to_owned(), layer.clone(), layer.clone())]);
        Arc::new(Self { fixture, descriptor, layer })
    }

    fn manifest(&self) -> Vec<u8> {
        self.fixture.blobs[self.digest()].clone()
    }

    fn digest(&self) -> &str {
        self.descriptor["digest"].as_str().unwrap()
    }

    fn blob(&self) -> Descriptor {
        let size = self.layer.len() as u64;
        Descriptor { media_type: LAYER.into(), digest: Digest::of(&self.layer), size }
    }

    /// What a good registry answers.
    fn answer(&self, seen: &Seen) -> Reply {
        let name = seen.target.rsplit('/').next().unwrap().split('?').next().unwrap();
        let digest = if name == "tag" { self.digest() } else { name };
        match self.fixture.blobs.get(digest) {
            None => Reply::new(404, Vec::new()),
            Some(content) if seen.target.contains("/manifests/") => {
                Reply::new(200, content.clone()).with("Content-Type", MANIFEST).with("Docker-Content-Digest", digest)
            }
            Some(content) => Reply::content(seen, content),
        }
    }
}

fn hasty() -> Patience {
    Patience {
        idle: Duration::from_millis(700),
        window: Duration::from_millis(500),
        window_bytes: 1000,
        pause: Duration::from_millis(5),
        shortest_pause: Duration::from_millis(50),
        longest_pause: Duration::from_millis(300),
        total_pause: Duration::from_secs(2),
        ..Patience::default()
    }
}

fn client_for(server: &HostileRegistry) -> Registry {
    let credential = Credential::Password { username: "tester".into(), password: Secret::new(CANARY) };
    let given = BTreeMap::from([(server.address.to_string(), credential)]);
    let credentials = Credentials { given, files: Vec::new() };
    Registry::new(RegistryOptions { credentials, patience: hasty(), ..RegistryOptions::default() })
}

fn reference(server: &HostileRegistry) -> RegistryReference {
    format!("{}/repo:tag", server.address).parse().unwrap()
}

async fn layer(server: &HostileRegistry, content: &Content) -> Result<Vec<u8>, String> {
    let stream = client_for(server).blob(&reference(server), &content.blob()).await;
    let mut stream = stream.map_err(|error| error.to_string())?;
    let read = move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).map(|_| bytes).map_err(|error| error.to_string())
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

/// Whether anything that a server has seen gives the password away, plain or as basic authentication.
fn leaked(server: &HostileRegistry) -> bool {
    // base64 of `tester:canary-77aa01`.
    server.seen().iter().any(|seen| {
        let all = format!("{} {:?} {}", seen.target, seen.headers, String::from_utf8_lossy(&seen.body));
        all.contains(CANARY) || all.contains("dGVzdGVyOmNhbmFyeS03N2FhMDE=")
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_in_every_form_is_obeyed_within_bounds() {
    let past = "Sun, 06 Nov 1994 08:49:37 GMT";
    for wish in [None, Some("0"), Some("1"), Some("864000"), Some("440.12µs"), Some("-1"), Some(past), Some("")] {
        let content = Content::new();
        let server = HostileRegistry::start(move |seen, before| match (before, wish) {
            (0 | 1, Some(wish)) => Reply::new(429, Vec::new()).with("Retry-After", wish),
            (0 | 1, None) => Reply::new(429, Vec::new()),
            _ => content.answer(seen),
        });
        let start = Instant::now();
        client_for(&server).root(&reference(&server)).await.unwrap();
        let (least, most) = if wish.is_some() { (100, 5000) } else { (0, 5000) };
        let took = start.elapsed().as_millis();
        assert!((least..most).contains(&took), "{wish:?}: {took} ms");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn patience_ends() {
    for (status, wish) in [(429, "864000"), (503, "0"), (500, "x")] {
        let server = HostileRegistry::start(move |_, _| {
            Reply::new(status, b"over\x1b[31mloaded".to_vec()).with("Retry-After", wish)
        });
        let start = Instant::now();
        let error = client_for(&server).root(&reference(&server)).await.unwrap_err();
        assert!(matches!(error, RegistryError::Busy { .. }) && error.is_transient(), "{error}");
        assert!(error.to_string().contains("over\\x1b[31mloaded"), "{error}");
        assert_eq!(server.seen().len(), 5);
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_that_pass_are_outlived() {
    let drip = Delivery::Drip(Duration::from_millis(40));
    for fault in [Delivery::Silence, Delivery::Hang(Duration::from_secs(5)), Delivery::Cut(10), drip] {
        let start = Instant::now();
        let content = Content::new();
        let spoilt = fault.clone();
        let server = HostileRegistry::start(move |seen, before| match before {
            0 => Reply::new(200, content.manifest()).by(spoilt.clone()),
            1 => Reply::new(502, Vec::new()),
            _ => content.answer(seen),
        });
        client_for(&server).root(&reference(&server)).await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert!(start.elapsed() < Duration::from_secs(10), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_blobs_are_taken_up_where_they_broke_off() {
    let content = Content::new();
    let served = Arc::clone(&content);
    // Each answer stops after 700,000 bytes.
    let server = HostileRegistry::start(move |seen, _| served.answer(seen).by(Delivery::Cut(700_000)));
    assert!(layer(&server, &content).await.unwrap() == content.layer);
    let starts: Vec<_> = server.seen().iter().map(Seen::range_start).collect();
    assert_eq!(starts, [None, Some(700_000), Some(1_400_000), Some(2_100_000), Some(2_800_000)]);

    // A registry that knows no ranges begins anew: what was had is skipped.
    let served = Arc::clone(&content);
    let server = HostileRegistry::start(move |_, before| {
        let reply = Reply::new(200, served.layer.clone());
        if before < 3 { reply.by(Delivery::Cut(1_000_000 + before)) } else { reply }
    });
    assert!(layer(&server, &content).await.unwrap() == content.layer);

    // Without a length, the end of the connection is not the end of the blob.
    let served = Arc::clone(&content);
    let server = HostileRegistry::start(move |seen, before| match before {
        0 => Reply::new(200, served.layer[..1000].to_vec()).by(Delivery::Undeclared),
        _ => served.answer(seen),
    });
    assert!(layer(&server, &content).await.unwrap() == content.layer);
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_that_never_come_whole_fail() {
    let content = Content::new();
    type Fault = Box<dyn Fn(&Seen, usize, &Content) -> Reply + Send + Sync>;
    let faults: Vec<(&str, Fault)> = vec![
        (
            "ended after",
            Box::new(|_, _, content| Reply::new(200, content.layer[..10].to_vec()).by(Delivery::Undeclared)),
        ),
        ("the manifest says", Box::new(|_, _, content| Reply::new(200, content.layer[1..].to_vec()))),
        ("the manifest says", Box::new(|_, _, content| Reply::new(200, [&content.layer[..], b"x"].concat()))),
        ("descriptor says", Box::new(|_, _, _| Reply::new(200, Vec::new()).by(Delivery::Endless))),
        (
            "end of file",
            Box::new(|_, before, content| Reply::new(200, content.layer.clone()).by(Delivery::Cut(before + 1))),
        ),
        (
            "another part",
            Box::new(|_, before, content| match before {
                0 => Reply::new(200, content.layer.clone()).by(Delivery::Cut(1000)),
                _ => Reply::new(206, content.layer[7..].to_vec()).with("Content-Range", "bytes 7-2999999/3000000"),
            }),
        ),
        (
            "descriptor says",
            Box::new(|_, before, content| match before {
                0 => Reply::new(200, content.layer.clone()).by(Delivery::Cut(1000)),
                _ => {
                    Reply::new(206, content.layer[1000..].to_vec()).with("Content-Range", "bytes 1000-2999999/5000000")
                }
            }),
        ),
        ("part of what", Box::new(|_, _, content| Reply::new(206, content.layer.clone()))),
        (
            "only",
            Box::new(|_, _, content| {
                Reply::new(200, content.layer.clone()).by(Delivery::Drip(Duration::from_millis(20)))
            }),
        ),
    ];
    for (message, fault) in faults {
        let served = Arc::clone(&content);
        let server = HostileRegistry::start(move |seen, before| fault(seen, before, &served));
        let start = Instant::now();
        let error = layer(&server, &content).await.unwrap_err();
        assert!(error.contains(message), "expected {message}, got {error}");
        assert!(start.elapsed() < Duration::from_secs(30), "{message}: {:?}", start.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_reader_ends_the_transfer() {
    let content = Content::new();
    let served = Arc::clone(&content);
    let server = HostileRegistry::start(move |_, _| {
        Reply::new(200, served.layer.clone()).by(Delivery::Drip(Duration::from_millis(1)))
    });
    let stream = client_for(&server).blob(&reference(&server), &content.blob()).await.unwrap();
    drop(stream);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(server.seen().len(), 1, "a transfer that nobody wants is not taken up again");
}

#[tokio::test(flavor = "multi_thread")]
async fn manifests_are_bounded_and_verified() {
    let content = Content::new();
    let good = content.manifest();
    let faults: Vec<(&str, Reply)> = vec![
        ("more than", Reply::new(200, Vec::new()).by(Delivery::Endless)),
        ("more than", Reply::new(200, vec![b' '; (4 << 20) + 1])),
        ("more than", Reply::new(200, vec![b' '; (4 << 20) + 1]).by(Delivery::Undeclared)),
        ("EOF", Reply::new(200, Vec::new())),
        ("expected value", Reply::new(200, b"<html>".to_vec())),
        (
            "is a manifest",
            Reply::new(200, good.clone()).with("Content-Type", "application/vnd.oci.image.index.v1+json"),
        ),
        ("schema 1", Reply::new(200, br#"{"schemaVersion":1,"fsLayers":[]}"#.to_vec())),
        ("does not match", Reply::new(200, good.clone()).with("Docker-Content-Digest", &Digest::of(b"x").to_string())),
    ];
    for (message, reply) in faults {
        let server = HostileRegistry::start(move |_, _| reply.clone());
        let error = client_for(&server).root(&reference(&server)).await.unwrap_err();
        assert!(error.to_string().contains(message), "expected {message}, got {error}");
    }

    let server = HostileRegistry::start(move |_, _| Reply::new(200, good.clone()));
    let other = format!("{}/repo@{}", server.address, Digest::of(b"x")).parse().unwrap();
    assert!(matches!(client_for(&server).root(&other).await, Err(RegistryError::Digest { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn corrupt_configurations_and_wrong_sizes_are_refused() {
    let content = Content::new();
    let config = {
        let manifest: Value = serde_json::from_slice(&content.manifest()).unwrap();
        manifest["config"]["digest"].as_str().unwrap().to_owned()
    };
    let served = Arc::clone(&content);
    let server = HostileRegistry::start(move |seen, _| {
        if !seen.target.ends_with(&config) {
            return served.answer(seen);
        }
        let mut spoilt = served.fixture.blobs[&config].clone();
        spoilt[3] ^= 1;
        Reply::new(200, spoilt)
    });
    let source = RegistryImage::new(client_for(&server), reference(&server), tokio::runtime::Handle::current());
    let error = tokio::task::spawn_blocking(move || source.images(&PlatformChoice::All)).await.unwrap().unwrap_err();
    assert!(matches!(error, SourceError::DigestMismatch { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_followed_with_care() {
    let content = Content::new();
    let served = Arc::clone(&content);
    let storage = HostileRegistry::start_on("127.0.0.2", move |seen, _| served.answer(seen));
    let neighbour = {
        let served = Arc::clone(&content);
        HostileRegistry::start(move |seen, _| served.answer(seen))
    };
    let basic = |seen: &Seen| seen.header("authorization").is_some();
    for target in [&storage, &neighbour] {
        let to = target.address;
        let server = HostileRegistry::start(move |seen, _| match basic(seen) {
            false => Reply::challenge("Basic realm=\"x\""),
            true => Reply::redirect(&format!("http://user:secret@{to}{}?X-Signature=abc", seen.target)),
        });
        assert!(layer(&server, &content).await.unwrap() == content.layer);
        assert!(leaked(&server), "it is what the password is for");
        assert!(!leaked(target), "another host or port must not see it");
        assert!(target.seen().iter().all(|seen| seen.header("authorization").is_none()));
    }

    for (message, to) in [
        ("link-local", "http://169.254.169.254/latest/meta-data/"),
        ("link-local", "http://[::ffff:a9fe:a9fe]/"),
        ("link-local", "http://0xa9fea9fe/"),
        ("link-local", "https://[fe80::1]/"),
        ("metadata", "http://100.100.100.200/"),
        ("metadata", "https://168.63.129.16/"),
        ("metadata", "http://[fd00:ec2::254]/"),
        ("plain http", "http://10.0.0.1/"),
        ("neither http", "ftp://127.0.0.1/x"),
        ("leads nowhere", "file:///etc/passwd"),
        ("leads nowhere", "http://"),
        ("more than five", "/v2/repo/manifests/tag"),
    ] {
        let server = HostileRegistry::start(move |_, _| Reply::redirect(to));
        let start = Instant::now();
        let error = client_for(&server).root(&reference(&server)).await.unwrap_err();
        assert!(error.to_string().contains(message), "{to}: expected {message}, got {error}");
        assert!(!error.is_transient() && start.elapsed() < Duration::from_secs(10), "{to}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_fetched_from_the_same_site_only() {
    let thief = HostileRegistry::start_on("127.0.0.2", |_, _| Reply::new(200, br#"{"token":"stolen"}"#.to_vec()));
    let realm = format!("http://{}/token", thief.address);
    for realm in [realm.as_str(), "http://169.254.169.254/token", "https://evil.example/token", "gopher://x", "::"] {
        let challenge = format!("Bearer realm=\"{realm}\",service=\"s\"");
        let server = HostileRegistry::start(move |_, _| Reply::challenge(&challenge));
        let error = client_for(&server).root(&reference(&server)).await.unwrap_err();
        assert!(matches!(error, RegistryError::Realm { .. }), "{realm}: {error}");
        assert!(!error.to_string().contains(CANARY));
    }
    // One that is on the same host but sends us on.
    let to = realm.clone();
    let server = HostileRegistry::start(move |seen, _| match seen.target.starts_with("/token") {
        true => Reply::redirect(&to),
        false => Reply::challenge(&format!("Bearer realm=\"http://{}/token\"", seen.header("host").unwrap())),
    });
    let _ = client_for(&server).root(&reference(&server)).await;
    assert!(leaked(&server) && !leaked(&thief));
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_kept_renewed_and_bounded() {
    let content = Content::new();
    let served = Arc::clone(&content);
    // Every token is good for two requests.
    let uses = std::sync::atomic::AtomicUsize::new(0);
    let server = HostileRegistry::start(move |seen, before| {
        if seen.target.starts_with("/token") {
            return Reply::new(200, format!(r#"{{"access_token":"t{before}","expires_in":99999999}}"#).into_bytes());
        }
        let use_of = uses.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        match seen.header("authorization") {
            Some(_) if !use_of.is_multiple_of(3) => served.answer(seen),
            _ => Reply::challenge(&format!(
                "Bearer realm=\"http://{}/token\",scope=\"repository:repo:pull,push\"",
                seen.header("host").unwrap()
            )),
        }
    });
    let client = client_for(&server);
    for _ in 0..4 {
        client.root(&reference(&server)).await.unwrap();
    }
    let tokens: Vec<_> = server.seen().into_iter().filter(|seen| seen.target.starts_with("/token")).collect();
    assert_eq!(tokens.len(), 2, "kept while good, renewed once refused");
    assert!(tokens.iter().all(|seen| seen.target.contains("scope=repository%3Arepo%3Apull&")), "{}", tokens[0].target);

    for (answer, message) in [
        (Reply::new(200, Vec::new()).by(Delivery::Endless), "more than 65536"),
        (Reply::new(200, b"{}".to_vec()), "no token"),
        (Reply::new(200, br#"{"token":"a\nb"}"#.to_vec()), "no token"),
        (Reply::new(200, br#"{"token":7}"#.to_vec()), "no token"),
        (Reply::new(403, br#"{"errors":[{"code":"DENIED","message":"not you"}]}"#.to_vec()), "not you"),
    ] {
        let server = HostileRegistry::start(move |seen, _| match seen.target.starts_with("/token") {
            true => answer.clone(),
            false => Reply::challenge(&format!("Bearer realm=\"http://{}/token\"", seen.header("host").unwrap())),
        });
        let error = client_for(&server).root(&reference(&server)).await.unwrap_err();
        assert!(error.to_string().contains(message), "expected {message}, got {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_what_to_do() {
    let long = "x\u{202e}".repeat(2000).into_bytes();
    for (status, hint) in [(401, "log in"), (403, "right to pull"), (404, "no such tag")] {
        let body = long.clone();
        let server = HostileRegistry::start(move |_, _| Reply::new(status, body.clone()));
        let anonymous = Registry::new(RegistryOptions { patience: hasty(), ..RegistryOptions::default() });
        let error = anonymous.root(&reference(&server)).await.unwrap_err();
        assert!(error.hint().unwrap().contains(hint) && error.to_string().len() < 500, "{error}");
        assert!(!error.to_string().contains('\u{202e}') && !error.is_transient(), "{error}");
        assert_eq!(server.seen().len(), 1, "asking again would not help");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_token_is_exchanged() {
    let content = Content::new();
    let server = HostileRegistry::start(move |seen, _| match seen.header("authorization") {
        _ if seen.target.starts_with("/token") => Reply::new(200, br#"{"access_token":"good"}"#.to_vec()),
        Some("Bearer good") => content.answer(seen),
        _ => Reply::challenge(&format!("Bearer realm=\"http://{}/token\"", seen.header("host").unwrap())),
    });
    let given = BTreeMap::from([(server.address.to_string(), Credential::IdentityToken(Secret::new("a&b c")))]);
    let credentials = Credentials { given, files: Vec::new() };
    let client = Registry::new(RegistryOptions { credentials, ..RegistryOptions::default() });
    client.root(&reference(&server)).await.unwrap();
    let asked = server.seen().into_iter().find(|seen| seen.method == "POST").unwrap();
    let form = String::from_utf8(asked.body).unwrap();
    assert!(form.contains("grant_type=refresh_token") && form.contains("refresh_token=a%26b+c"), "{form}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_digest_costs_one_head() {
    let content = Content::new();
    let served = Arc::clone(&content);
    let server = HostileRegistry::start(move |seen, _| served.answer(seen));
    let digest = client_for(&server).digest(&reference(&server)).await.unwrap();
    assert_eq!(digest.to_string(), content.digest());
    let seen = server.seen();
    assert_eq!(seen.iter().map(|seen| seen.method.as_str()).collect::<Vec<_>>(), ["HEAD"]);
    assert!(seen[0].headers.iter().filter(|(name, _)| name == "accept").count() == 4);

    let silent = Arc::clone(&content);
    let server = HostileRegistry::start(move |seen, _| match seen.method.as_str() {
        "HEAD" => Reply::new(200, Vec::new()),
        _ => silent.answer(seen),
    });
    assert_eq!(client_for(&server).digest(&reference(&server)).await.unwrap(), digest, "computed where it is not told");
}

/// The environment belongs to the whole process: the client runs in another one, which is this test again.
#[test]
fn proxies_of_the_environment_are_used() {
    let asks = |variable: &str, no_proxy: &str| {
        let proxy = HostileRegistry::start(|_, _| Reply::new(403, Vec::new()));
        let address = proxy.address;
        std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "asks_a_registry_that_does_not_exist"])
            .env(CHILD, "1")
            .env(variable, format!("http://name:word@{address}"))
            .env("NO_PROXY", no_proxy)
            .env_remove("no_proxy")
            .output()
            .unwrap();
        let seen = proxy.seen().into_iter().next();
        seen.map(|seen| {
            (seen.method.clone(), seen.target.clone(), seen.header("proxy-authorization").map(str::to_owned))
        })
    };
    // base64 of `name:word`.
    let tunnel = Some(("CONNECT".into(), "registry.invalid:443".into(), Some("Basic bmFtZTp3b3Jk".into())));
    assert_eq!(asks("HTTPS_PROXY", ""), tunnel);
    assert_eq!(asks("https_proxy", "other.invalid"), tunnel);
    assert_eq!(asks("HTTPS_PROXY", "registry.invalid"), None);
    assert_eq!(asks("HTTP_PROXY", ""), None);
}

/// Set for the process that [`proxies_of_the_environment_are_used`] starts with a proxy; in any other nothing is asked.
const CHILD: &str = "LAZARET_TEST_BEHIND_PROXY";

#[tokio::test(flavor = "multi_thread")]
async fn asks_a_registry_that_does_not_exist() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let patience = Patience { tries: 1, ..hasty() };
    let client = Registry::new(RegistryOptions { patience, ..RegistryOptions::default() });
    client.root(&"registry.invalid/a:b".parse().unwrap()).await.unwrap_err();
}
