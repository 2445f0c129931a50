//! What the tests have in common: a synthetic registry, advisories about what it holds, a farm that scans it, and what a
//! scan on this machine says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use lazaret::digest::Digest;
use lazaret::door::store::{S3Settings, S3Store, Store as _};
use lazaret_coordinator::report::{Report, json};
use lazaret_loadtest::fleet::{Fleet, FleetOptions, advisories};
use lazaret_loadtest::registry::{RegistryOptions, SyntheticRegistry, Throttle};
use lazaret_tests::support::binary::of_this_build;
use lazaret_tests::support::farm::{Farm, FarmOptions, ServerOptions, Servers};
use lazaret_tests::support::process::run;
use lazaret_tests::support::s3_server::BUCKET;
use serde::Deserialize;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Whether everything is run, and not a sample of it.
pub fn is_full() -> bool {
    std::env::var("LAZARET_FULL").as_deref() == Ok("1")
}

/// `full` of something, or a sample.
pub fn count(sample: u32, full: u32) -> u32 {
    if is_full() { full } else { sample }
}

/// A fleet, and the registry that has it.
pub struct Ground {
    pub fleet: Arc<Fleet>,
    pub registry: SyntheticRegistry,
}

impl Ground {
    /// Another fleet for each seed, with no layer in common. Each answer takes `latency` at least.
    pub fn new(seed: u64, images: u32, latency: Duration) -> Self {
        let throttle = Throttle { latency, ..Throttle::default() };
        Self::with(seed, images, RegistryOptions { throttle, ..RegistryOptions::default() })
    }

    pub fn with(seed: u64, images: u32, options: RegistryOptions) -> Self {
        let fleet = Arc::new(Fleet::new(FleetOptions { seed, scale: 0.000_1, ..FleetOptions::of(images) }));
        let registry = SyntheticRegistry::start(Arc::clone(&fleet), options).expect("a registry");
        Self { fleet, registry }
    }

    /// All images, as they are submitted.
    pub fn references(&self) -> Vec<String> {
        self.registry.references().map(|reference| format!("docker://{reference}")).collect()
    }

    /// The distinct layers of all images, with the sizes of their blobs.
    pub fn layers(&self) -> BTreeMap<Digest, u64> {
        let layers = (0..self.fleet.len()).flat_map(|image| self.fleet.layers(image));
        let facts = layers.map(|layer| self.fleet.facts(layer));
        facts.map(|facts| (facts.digest, facts.size)).collect()
    }

    /// How often blobs of layers were fetched: the numbers that occur. `[1]` is each of them once.
    pub fn layer_gets(&self) -> Vec<u32> {
        let gets: BTreeSet<u32> = self.layers().keys().map(|digest| self.registry.blob_gets(digest)).collect();
        gets.into_iter().collect()
    }

    /// How often layers were fetched more than once, all in all.
    pub fn extra_gets(&self) -> u32 {
        self.layers().keys().map(|digest| self.registry.blob_gets(digest).saturating_sub(1)).sum()
    }
}

/// A farm in front of some registries.
pub struct Scene {
    pub farm: Farm,
    /// Where the snapshot is.
    pub advisories: PathBuf,
    _directory: TempDir,
}

impl Scene {
    /// Starts servers and farm; `None`, loudly, where a server is not installed.
    pub fn start(grounds: &[&Ground], servers: ServerOptions, change: impl FnOnce(&mut FarmOptions)) -> Option<Self> {
        let servers = Servers::start(servers)?;
        Some(Self::on(servers, grounds, change))
    }

    /// The same on servers that run.
    pub fn on(servers: Servers, grounds: &[&Ground], change: impl FnOnce(&mut FarmOptions)) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let advisories = directory.path().join("advisories");
        import(&advisories, 1);
        let registries: Vec<_> = grounds.iter().map(|ground| ground.registry.address()).collect();
        let mut options = FarmOptions::new(&registries, &advisories);
        change(&mut options);
        Self { farm: Farm::start(servers, options), advisories, _directory: directory }
    }

    /// What a scan of `references` on this machine reports, all in one go: the bytes of each report. A reference that
    /// cannot be scanned has none.
    pub fn local(&self, references: &[String]) -> BTreeMap<String, Vec<u8>> {
        #[derive(Deserialize)]
        struct Reports {
            reports: Vec<Report>,
        }
        let list = self.advisories.join("list");
        fs::write(&list, references.join("\n")).expect("a list");
        let scanned = self.scan().arg("--file").arg(&list).output().expect("lazaret runs");
        let said = String::from_utf8_lossy(&scanned.stderr).into_owned();
        let reports: Reports =
            serde_json::from_slice(&scanned.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
        let bytes = reports.reports.into_iter().map(|report| {
            let mut bytes = Vec::new();
            json::write(&mut bytes, &report).expect("memory");
            (report.image.reference, bytes)
        });
        bytes.collect()
    }

    /// What a scan of one image writes.
    pub fn local_alone(&self, reference: &str) -> Vec<u8> {
        run(self.scan().arg(reference))
    }

    /// What the farm's store has below `prefix`.
    pub fn kept(&self, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        Runtime::new().expect("threads").block_on(async {
            let store = self.store().await;
            let mut kept = BTreeMap::new();
            for key in store.list(prefix, None).await.expect("a list") {
                let bytes = store.get(&key).await.expect("an answer").expect("an object");
                kept.insert(key, bytes);
            }
            kept
        })
    }

    /// Puts something into the farm's store.
    pub fn keep(&self, key: &str, bytes: Vec<u8>) {
        Runtime::new().expect("threads").block_on(async {
            self.store().await.put(key, bytes).await.expect("an object");
        });
    }

    async fn store(&self) -> S3Store {
        let server = &self.farm.servers.store;
        let settings = S3Settings {
            endpoint: Some(server.endpoint()),
            region: Some("us-east-1".into()),
            credentials: Some(server.credentials.clone()),
            ..S3Settings::default()
        };
        S3Store::open(&format!("s3://{BUCKET}/farm"), settings).await.expect("settings")
    }

    fn scan(&self) -> Command {
        let mut command = self.farm.command("lazaret");
        command.args(["scan", "--format", "json", "--store", "memory:", "--offline", "--advisories"]);
        command.arg(&self.advisories);
        command
    }
}

/// Compiles what is known about synthetic images in the night `night` into the snapshot in `home`.
pub fn import(home: &Path, night: u32) {
    let records = tempfile::tempdir().expect("a directory");
    for record in advisories(night) {
        let id = record["id"].as_str().expect("an id");
        fs::write(records.path().join(format!("{id}.json")), record.to_string()).expect("a record");
    }
    fs::create_dir_all(home).expect("a directory");
    let mut import = Command::new(of_this_build("lazaret"));
    run(import.args(["advisories", "import"]).arg(records.path()).arg("--advisories").arg(home));
}

/// Holds two sets of reports against each other, byte for byte.
pub fn assert_alike(found: &BTreeMap<String, Vec<u8>>, wanted: &BTreeMap<String, Vec<u8>>) {
    assert_eq!(found.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "images that have reports");
    for (reference, bytes) in wanted {
        let text = String::from_utf8_lossy;
        assert!(found[reference] == *bytes, "{reference}:\n{}\n\n{}", text(&found[reference]), text(bytes));
    }
}
