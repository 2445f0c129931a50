//! One image from every source: the same report from a directory, an archive and a registry; the same packages, findings and
//! verdict from what `docker save` writes and from the local engine, whose digests differ.

#![allow(clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use lazaret::door::source::{Endpoint, PlatformChoice};
use lazaret::door::store::MemoryStore;
use lazaret::package::Package;
use lazaret_coordinator::advisory::{Snapshot, compile};
use lazaret_coordinator::matching;
use lazaret_coordinator::policy::Policy;
use lazaret_coordinator::report::build::{Context, Scanner, build};
use lazaret_tests::support::docker_registry::{DockerRegistry, Form, Keeper};
use lazaret_tests::support::{has_program, podman::Podman, process};
use serde_json::Value;

mod embedded;

const TAGS: [&str; 3] = ["alpine-3.10-aged", "almalinux-9-rpm-layers", "variant-zstd"];

struct Bench {
    images: PathBuf,
    scratch: tempfile::TempDir,
    snapshot: Snapshot,
}

impl Bench {
    fn new() -> Option<Self> {
        let Some(corpus) = std::env::var_os("LAZARET_CORPUS").map(PathBuf::from) else {
            eprintln!("SKIPPED: LAZARET_CORPUS is not set");
            return None;
        };
        if !has_program("skopeo") {
            return None;
        }
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("snapshot");
        compile(&[corpus.join("osv-converted/Alpine"), corpus.join("osv/AlmaLinux")], &file).unwrap();
        Some(Self { images: corpus.join("images"), snapshot: Snapshot::open(&file).unwrap(), scratch })
    }

    /// The report on `reference`, without what was typed and where it was found.
    fn report(&self, reference: &str, engines: Vec<Endpoint>) -> Value {
        let store = Arc::new(MemoryStore::default());
        let (mut images, _) = embedded::scan(reference, PlatformChoice::Host, store, engines);
        let (image, inventoried) = images.remove(0);
        let contents = &inventoried.inventory.contents;
        let packages: Vec<&Package> = contents.packages.iter().map(|installed| &installed.package).collect();
        let matches = matching::find(&packages, contents.distro.as_ref(), &self.snapshot).unwrap();
        let scanners = [Scanner::Packages, Scanner::Vuln];
        let policy = Policy::default();
        let context =
            Context { reference, scanners: &scanners, policy: &policy, snapshot: None, matches: Ok(Some(matches)) };
        let mut report = serde_json::to_value(build(&image, &inventoried, context)).unwrap();
        let image = report["image"].as_object_mut().unwrap();
        image.remove("reference");
        image.remove("source");
        report
    }

    fn skopeo(&self, tag: &str, transport: &str, rest: &str) -> String {
        let from = format!("oci:{}:{tag}", self.images.display());
        let path = self.scratch.path().join(format!("{transport}-{tag}.tar"));
        let to = format!("{transport}:{}{rest}", path.display());
        process::run(Command::new("skopeo").args(["--insecure-policy", "copy", "-q", &from, &to]));
        to
    }

    fn layout(&self, tag: &str) -> Value {
        self.report(&format!("oci:{}:{tag}", self.images.display()), Vec::new())
    }
}

#[test]
fn directory_archive_and_registry_give_the_same_bytes() {
    let Some(bench) = Bench::new() else { return };
    let registry = DockerRegistry::start(Keeper::None, false);
    for tag in TAGS {
        let expected = bench.layout(tag);
        assert!(!expected["packages"].as_array().unwrap().is_empty());
        let bytes = serde_json::to_vec(&expected).unwrap();
        let archive = bench.skopeo(tag, "oci-archive", "");
        assert_eq!(serde_json::to_vec(&bench.report(&archive, Vec::new())).unwrap(), bytes, "{tag}: archive");
        if let Some(registry) = &registry {
            registry.push(&bench.images, tag, tag, Form::AsItIs);
            let reference = format!("docker://{}/{tag}:{tag}", registry.address);
            assert_eq!(serde_json::to_vec(&bench.report(&reference, Vec::new())).unwrap(), bytes, "{tag}: registry");
        }
    }
}

fn comparable(report: &Value) -> [&Value; 4] {
    ["packages", "findings", "verdict", "distro"].map(|key| &report[key])
}

#[test]
fn docker_archives_and_the_local_engine_give_the_same_packages_findings_and_verdict() {
    let Some(bench) = Bench::new() else { return };
    let podman = Podman::start();
    // skopeo makes no docker archive out of zstd layers.
    for tag in TAGS.into_iter().filter(|tag| *tag != "variant-zstd") {
        let expected = bench.layout(tag);
        let name = format!("localhost/lazaret-{tag}:x");
        let archive = bench.skopeo(tag, "docker-archive", &format!(":{name}"));
        assert_eq!(comparable(&bench.report(&archive, Vec::new())), comparable(&expected), "{tag}: docker archive");
        let path = bench.scratch.path().join(format!("docker-archive-{tag}.tar"));
        process::run(Command::new("gzip").arg("-k").arg(&path));
        let gzipped = format!("docker-archive:{}.gz:{name}", path.display());
        assert_eq!(comparable(&bench.report(&gzipped, Vec::new())), comparable(&expected), "{tag}: gzipped");
        if let Some(podman) = &podman {
            podman.load(Path::new(&path));
            let found = bench.report(&format!("docker-daemon:{name}"), vec![Endpoint::Unix(podman.socket.clone())]);
            assert_eq!(comparable(&found), comparable(&expected), "{tag}: engine");
        }
    }
}
