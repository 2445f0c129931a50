//! The registry client against Debian's docker-registry.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};

use lazaret::digest::Digest;
use lazaret::door::source::registry::{
    Credential, Credentials, Patience, Registry, RegistryError, RegistryImage, RegistryOptions, Secret,
};
use lazaret::door::source::{ImageSource, OciLayout, PlatformChoice};
use lazaret::image::Descriptor;
use lazaret::reference::RegistryReference;
use lazaret_tests::support::docker_registry::{DockerRegistry, Form, Keeper, PASSWORD, USER};
use lazaret_tests::support::oci_fixture::{LAYER, OciFixture, noise};
use serde_json::Value;

/// What `fill` put into a registry.
struct Filled {
    single: Digest,
    index: Digest,
    layers: Vec<(Descriptor, Vec<u8>)>,
}

/// Puts an image (plain, gzip and zstd layers, and one of some MB) and an index of two platforms into `registry`.
fn fill(registry: &DockerRegistry) -> Filled {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = OciFixture::default();
    let tars = [noise(1000, 1), noise(200_000, 2), noise(300_000, 3), noise(5_000_000, 4)];
    let gzip = |tar: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(tar).unwrap();
        encoder.finish().unwrap()
    };
    let layers = [
        (LAYER.to_owned(), tars[0].clone(), tars[0].clone()),
        (format!("{LAYER}+gzip"), gzip(&tars[1]), tars[1].clone()),
        (format!("{LAYER}+zstd"), zstd::encode_all(&tars[2][..], 1).unwrap(), tars[2].clone()),
        (format!("{LAYER}+gzip"), gzip(&tars[3]), tars[3].clone()),
    ];
    let single = layout.image("amd64", &layers);
    let other = layout.image("arm64", &layers[..1]);
    let index = layout.index(&[single.clone(), other]);
    let plain = layout.image("amd64", &layers[..1]);
    layout.tag("single", &single);
    layout.tag("index", &index);
    layout.tag("plain", &plain);
    layout.write(directory.path());
    for tag in ["single", "index"] {
        registry.push(directory.path(), tag, "team/image", Form::AsItIs);
    }
    registry.push(directory.path(), "plain", "team/image", Form::Docker);
    let digest = |descriptor: &Value| descriptor["digest"].as_str().unwrap().parse().unwrap();
    let layers = layers.iter().map(|(media_type, blob, _)| {
        let descriptor =
            Descriptor { media_type: media_type.clone(), digest: Digest::of(blob), size: blob.len() as u64 };
        (descriptor, blob.clone())
    });
    Filled { single: digest(&single), index: digest(&index), layers: layers.collect() }
}

fn named(registry: &DockerRegistry, name: &str) -> RegistryReference {
    format!("{}/{name}", registry.address).parse().unwrap()
}

fn with_password(registry: &DockerRegistry, password: &str) -> RegistryOptions {
    let credential = Credential::Password { username: USER.into(), password: Secret::new(password) };
    let given = BTreeMap::from([(registry.address.to_string(), credential)]);
    RegistryOptions { credentials: Credentials { given, files: Vec::new() }, ..RegistryOptions::default() }
}

async fn read_to_end(client: &Registry, reference: &RegistryReference, blob: &Descriptor) -> Vec<u8> {
    let mut reader = client.blob(reference, blob).await.unwrap();
    tokio::task::spawn_blocking(move || {
        let mut content = Vec::new();
        reader.read_to_end(&mut content).unwrap();
        content
    })
    .await
    .unwrap()
}

/// Everything that a scan asks of a registry.
async fn pull_all(client: &Registry, registry: &DockerRegistry, filled: &Filled) {
    let single = named(registry, "team/image:single");
    assert_eq!(client.digest(&single).await.unwrap(), filled.single);
    assert_eq!(client.root(&single).await.unwrap().descriptor.digest, filled.single);
    let index = named(registry, "team/image:index");
    assert_eq!(client.digest(&index).await.unwrap(), filled.index);
    for (descriptor, content) in &filled.layers {
        assert!(read_to_end(client, &single, descriptor).await == *content, "{}", descriptor.media_type);
    }
    let docker = named(registry, "team/image:plain");
    let by_digest = named(registry, &format!("team/image@{}", filled.index));
    let (client, filled) = (client.clone(), filled.single);
    let runtime = tokio::runtime::Handle::current();
    let through_the_door = move || {
        for (reference, choice, platforms) in [
            (&single, PlatformChoice::All, &["linux/amd64"][..]),
            (&index, PlatformChoice::All, &["linux/amd64", "linux/arm64"]),
            (&docker, PlatformChoice::Host, &["linux/amd64"]),
            (&by_digest, PlatformChoice::Exactly("linux/arm64".parse().unwrap()), &["linux/arm64"]),
        ] {
            let source = RegistryImage::new(client.clone(), reference.clone(), runtime.clone());
            let images = source.images(&choice).unwrap();
            let found: Vec<_> = images.iter().map(|image| image.platform.to_string()).collect();
            assert_eq!(found, platforms, "{reference}");
            assert!(*reference != single || images[0].digest == filled);
            let dockers = images[0].layers.iter().all(|layer| layer.blob.media_type.contains("docker"));
            assert_eq!(dockers, *reference == docker);
            for layer in &images[0].layers {
                let mut content = Vec::new();
                source.open_blob(&layer.blob).unwrap().read_to_end(&mut content).unwrap();
                assert_eq!(Digest::of(&content), layer.blob.digest);
            }
        }
    };
    tokio::task::spawn_blocking(through_the_door).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn anonymous() {
    let Some(registry) = DockerRegistry::start(Keeper::None, false) else { return };
    let filled = fill(&registry);
    let client = Registry::new(RegistryOptions::default());
    pull_all(&client, &registry, &filled).await;

    let error = client.root(&named(&registry, "team/image:missing")).await.unwrap_err();
    assert!(matches!(&error, RegistryError::NotFound { what, .. } if what == "tag missing"), "{error}");
    assert!(error.hint().unwrap().contains("no such tag"), "{error}");
    let error = client.digest(&named(&registry, "nothing:here")).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error}");
    let absent = Descriptor { media_type: String::new(), digest: Digest::of(b"absent"), size: 6 };
    let error = client.blob(&named(&registry, "team/image:single"), &absent).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error}");

    let (layer, content) = &filled.layers[3];
    let longer = Descriptor { size: layer.size + 1, ..layer.clone() };
    let error = client.blob(&named(&registry, "team/image:single"), &longer).await.unwrap_err();
    assert!(matches!(error, RegistryError::Length { actual, .. } if actual == content.len() as u64), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn basic() {
    let Some(registry) = DockerRegistry::start(Keeper::Basic, false) else { return };
    let filled = fill(&registry);
    pull_all(&Registry::new(with_password(&registry, PASSWORD)), &registry, &filled).await;

    let reference = named(&registry, "team/image:single");
    for options in [RegistryOptions::default(), with_password(&registry, "wrong-canary")] {
        let error = Registry::new(options).root(&reference).await.unwrap_err();
        assert!(matches!(error, RegistryError::Unauthorized { .. }), "{error}");
        assert!(error.hint().unwrap().contains("docker login") && !format!("{error:?}").contains("canary"), "{error}");
    }

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.json");
    let auths = serde_json::json!({"auths": {registry.address.to_string(): {"username": USER, "password": PASSWORD}}});
    std::fs::write(&file, auths.to_string()).unwrap();
    let credentials = Credentials { given: BTreeMap::new(), files: vec![file] };
    let client = Registry::new(RegistryOptions { credentials, ..RegistryOptions::default() });
    assert_eq!(client.digest(&reference).await.unwrap(), filled.single);
}

#[tokio::test(flavor = "multi_thread")]
async fn token() {
    let Some(registry) = DockerRegistry::start(Keeper::Token, false) else { return };
    let filled = fill(&registry);
    let before = registry.tokens.as_ref().unwrap().seen().len();
    pull_all(&Registry::new(with_password(&registry, PASSWORD)), &registry, &filled).await;
    let asked = registry.tokens.as_ref().unwrap().seen().split_off(before);
    assert_eq!(asked.len(), 1, "one token for the whole image");
    assert!(asked[0].target.contains("scope=repository%3Ateam%2Fimage%3Apull"), "{}", asked[0].target);

    let error = Registry::new(RegistryOptions::default()).root(&named(&registry, "team/image:single")).await;
    assert!(matches!(error, Err(RegistryError::Unauthorized { .. })), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn anonymous_token() {
    let Some(registry) = DockerRegistry::start(Keeper::AnonymousToken, false) else { return };
    let filled = fill(&registry);
    pull_all(&Registry::new(RegistryOptions::default()), &registry, &filled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tls() {
    let Some(registry) = DockerRegistry::start(Keeper::Basic, true) else { return };
    let filled = fill(&registry);
    let certificate = registry.certificate.clone().unwrap();
    let trusting = RegistryOptions { authorities: vec![certificate], ..with_password(&registry, PASSWORD) };
    pull_all(&Registry::new(trusting), &registry, &filled).await;

    let insecure = BTreeSet::from([registry.address.to_string()]);
    let careless = RegistryOptions { insecure, ..with_password(&registry, PASSWORD) };
    pull_all(&Registry::new(careless), &registry, &filled).await;

    let error = Registry::new(with_password(&registry, PASSWORD)).root(&named(&registry, "team/image:single")).await;
    let Err(error @ RegistryError::Certificate { .. }) = error else { panic!("{error:?}") };
    assert!(error.hint().unwrap().contains("--insecure-registry"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_listens() {
    let patience = Patience { tries: 2, pause: std::time::Duration::from_millis(1), ..Patience::default() };
    let client = Registry::new(RegistryOptions { patience, ..RegistryOptions::default() });
    let reference = format!("{}/a:b", lazaret_tests::support::process::free_address()).parse().unwrap();
    let error = client.root(&reference).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("refused"), "{error}");
}

/// The same image out of a layout and out of a registry is the same image, layer for layer. `LAZARET_CORPUS` says where
/// the real images are.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
async fn real_images_are_what_they_are_in_a_layout() {
    let Some(corpus) = std::env::var_os("LAZARET_CORPUS").map(std::path::PathBuf::from) else {
        eprintln!("SKIPPED: LAZARET_CORPUS is not set");
        return;
    };
    let Some(registry) = DockerRegistry::start(Keeper::None, false) else { return };
    let layout = corpus.join("images");
    assert!(layout.is_dir(), "{} is missing", layout.display());
    let runtime = tokio::runtime::Handle::current();
    let compare = move || {
        for tag in ["alpine-3.20", "variant-zstd", "variant-gzip-multimember", "debian-bookworm", "almalinux-9-arm64"] {
            registry.push(&layout, tag, "corpus", Form::AsItIs);
            let reference = named(&registry, &format!("corpus:{tag}"));
            let client = Registry::new(RegistryOptions::default());
            let here = OciLayout::open(&layout, Some(tag)).unwrap();
            let there = RegistryImage::new(client, reference, runtime.clone());
            let of = |source: &dyn ImageSource| source.images(&PlatformChoice::All).unwrap();
            let (expected, found) = (of(&here), of(&there));
            assert_eq!(expected.len(), found.len(), "{tag}");
            for (expected, mut found) in expected.into_iter().zip(found) {
                assert_eq!(std::mem::replace(&mut found.source, expected.source), "registry");
                assert_eq!(found, expected, "{tag}");
                for layer in &found.layers {
                    let mut content = Vec::new();
                    there.open_blob(&layer.blob).unwrap().read_to_end(&mut content).unwrap();
                    assert_eq!(Digest::of(&content), layer.blob.digest, "{tag}");
                }
            }
        }
    };
    tokio::task::spawn_blocking(compare).await.unwrap();
}
