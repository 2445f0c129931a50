//! Image sources against real images, as skopeo and podman write and serve them.

#![allow(clippy::print_stderr)]

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use lazaret::digest::Digest;
use lazaret::door::source::{Endpoint, Opened, PlatformChoice, SourceError, SourceOptions, open};
use lazaret::image::Image;
use lazaret::reference::Reference;

const TAGS: [&str; 5] =
    ["alpine-3.20", "variant-estargz", "variant-zstd", "almalinux-9-rpm-layers", "secrets-multilayer"];

/// The layout of real images, or a loud skip.
fn corpus() -> Option<PathBuf> {
    let Some(corpus) = std::env::var_os("LAZARET_CORPUS") else {
        eprintln!("SKIPPED: LAZARET_CORPUS is not set");
        return None;
    };
    let images = Path::new(&corpus).join("images");
    assert!(images.is_dir(), "{} is missing", images.display());
    Some(images)
}

/// Whether a tool is there; on CI it must be.
fn tool(name: &str) -> bool {
    let there = Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(there || !ci, "{name} is missing");
    if !there {
        eprintln!("SKIPPED: {name} is missing");
    }
    there
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// An image, and for each layer the digest and the length of what came.
type Had = (Image, Vec<(Digest, u64)>);

fn measured(reader: &mut dyn BufRead) -> (Digest, u64) {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    (Digest::of(&bytes), bytes.len() as u64)
}

fn read(text: &str, engines: Vec<Endpoint>) -> Result<Had, SourceError> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = SourceOptions { runtime: runtime.handle().clone(), engines, registry: None };
    let reference: Reference = text.parse().unwrap();
    match open(&reference, &options)? {
        Opened::Random(source) => {
            let mut images = source.images(&PlatformChoice::Host)?;
            let image = images.remove(0);
            let blobs =
                image.layers.iter().map(|layer| measured(&mut source.open_blob(&layer.blob).unwrap())).collect();
            Ok((image, blobs))
        }
        Opened::Directory(_) => panic!("{text} is no directory"),
        Opened::Stream(archive) => {
            let mut streamed = archive.read(&PlatformChoice::Host, &mut |_, reader| measured(reader))?;
            let image = streamed.images.remove(0);
            let blob = |digest| *streamed.layers[digest].as_ref().unwrap();
            let blobs = image.layers.iter().map(|layer| blob(&layer.blob.digest)).collect();
            Ok((image, blobs))
        }
    }
}

/// Every blob is what the image calls it.
fn verify((image, blobs): &Had) {
    let said: Vec<_> = image.layers.iter().map(|layer| (layer.blob.digest, layer.blob.size)).collect();
    assert_eq!(&said, blobs, "{}", image.source);
}

fn unsourced(image: &Image) -> Image {
    Image { source: "", ..image.clone() }
}

#[test]
fn every_real_image_resolves_and_verifies() {
    let Some(images) = corpus() else { return };
    let index: serde_json::Value = serde_json::from_slice(&std::fs::read(images.join("index.json")).unwrap()).unwrap();
    let mut seen = BTreeMap::new();
    for entry in index["manifests"].as_array().unwrap() {
        let tag = entry["annotations"]["org.opencontainers.image.ref.name"].as_str().unwrap();
        let image = read(&format!("oci:{}:{tag}", images.display()), Vec::new()).unwrap();
        verify(&image);
        assert_eq!(image.0.digest.to_string(), entry["digest"].as_str().unwrap());
        seen.insert(tag.to_owned(), image);
    }
    assert!(seen.len() > 20);
    let several = read(&format!("oci:{}", images.display()), Vec::new());
    assert!(matches!(several, Err(SourceError::SeveralImages { there, .. }) if there.len() == seen.len()));
}

#[test]
fn what_skopeo_writes_is_the_same_image() {
    let Some(images) = corpus() else { return };
    if !tool("skopeo") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    for tag in TAGS {
        let from = format!("oci:{}:{tag}", images.display());
        let at = |name: &str| scratch.path().join(format!("{tag}-{name}")).display().to_string();
        let copy = |to: &str| run(Command::new("skopeo").args(["--insecure-policy", "copy", "-q", &from, to]));
        let original = read(&from, Vec::new()).unwrap();
        verify(&original);

        // An archive written by copying may be of another manifest; one that is packed is not.
        let layout = at("layout");
        copy(&format!("oci:{layout}:x"));
        let packed = at("packed.tar");
        run(Command::new("tar").args(["-C", &layout, "-cf", &packed, "."]));
        let copied = at("oci.tar");
        copy(&format!("oci-archive:{copied}:x"));
        run(Command::new("gzip").args(["-k", "-1", &copied]));
        let in_layout = read(&format!("oci:{layout}:x"), Vec::new()).unwrap();
        for text in [
            format!("oci-archive:{packed}:x"),
            format!("oci-archive:{copied}:x"),
            format!("oci-archive:{copied}.gz:x"),
            copied.clone(),
            format!("{copied}.gz"),
        ] {
            let image = read(&text, Vec::new()).unwrap();
            verify(&image);
            assert_eq!((unsourced(&image.0), image.1), (unsourced(&in_layout.0), in_layout.1.clone()), "{text}");
        }
        assert_eq!(unsourced(&in_layout.0), unsourced(&original.0));

        if tag == "variant-zstd" {
            continue;
        }
        let docker = at("docker.tar");
        copy(&format!("docker-archive:{docker}:example.org/{tag}:1"));
        run(Command::new("gzip").args(["-k", "-1", &docker]));
        let mut all = Vec::new();
        for text in [
            format!("docker-archive:{docker}"),
            format!("docker-archive:{docker}:example.org/{tag}:1"),
            format!("docker-archive:{docker}.gz"),
            docker.clone(),
        ] {
            let image = read(&text, Vec::new()).unwrap();
            verify(&image);
            assert_eq!(image.0.config.rootfs, original.0.config.rootfs);
            all.push(image);
        }
        all.dedup();
        assert_eq!(all.len(), 1);
    }
}

/// A podman service with a store of its own, ended when dropped.
struct Podman {
    service: Child,
    scratch: tempfile::TempDir,
}

impl Podman {
    fn command(scratch: &Path) -> Command {
        let mut podman = Command::new("podman");
        let at = |name: &str| scratch.join(name).display().to_string();
        podman.args(["--storage-driver", "vfs", "--root", &at("root"), "--runroot", &at("run")]);
        podman
    }

    fn socket(&self) -> PathBuf {
        self.scratch.path().join("podman.sock")
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _ = self.service.kill();
        let _ = self.service.wait();
    }
}

#[test]
fn the_local_engine_hands_out_its_images() {
    let Some(images) = corpus() else { return };
    if !tool("skopeo") || !tool("podman") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let original = format!("oci:{}:alpine-3.20", images.display());
    let saved = scratch.path().join("saved.tar").display().to_string();
    run(Command::new("skopeo")
        .args(["--insecure-policy", "copy", "-q", &original])
        .arg(format!("docker-archive:{saved}:localhost/built:1")));
    run(Podman::command(scratch.path()).args(["load", "-q", "-i", &saved]));
    let socket = scratch.path().join("podman.sock");
    let service = Podman::command(scratch.path())
        .args(["system", "service", "-t", "0"])
        .arg(format!("unix://{}", socket.display()))
        .spawn()
        .unwrap();
    let podman = Podman { service, scratch };
    for _ in 0..200 {
        if std::os::unix::net::UnixStream::connect(podman.socket()).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let engines = || vec![Endpoint::Unix("/no/such/socket".into()), Endpoint::Unix(podman.socket())];
    let original = read(&original, Vec::new()).unwrap();
    for text in ["docker-daemon:localhost/built:1", "docker-daemon:built:1", "built:1"] {
        let image = read(text, engines()).unwrap();
        verify(&image);
        assert_eq!(image.0.source, "docker-daemon");
        assert_eq!(image.0.config.rootfs, original.0.config.rootfs);
        assert_eq!(image.0.platform, original.0.platform);
    }
    let absent = read("docker-daemon:absent:1", engines());
    assert!(matches!(absent, Err(SourceError::NotInEngine { .. })), "{:?}", absent.err());
}
