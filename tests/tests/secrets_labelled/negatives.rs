//! Files of real packages, in which nothing is secret: every finding is a false alarm, and told.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;

use lazaret::door::source::{ImageSource as _, OciLayout, PlatformChoice};
use lazaret::exposure::Exposure;
use lazaret::path::LayerPath;
use lazaret_tests::support::{has_program, shuffled_files};
use lazaret_worker::analyze::analyze;
use lazaret_worker::limits::Limits;
use lazaret_worker::ruleset::Ruleset;
use lazaret_worker::secrets;

use super::positives;

/// What is found in real files may be one in so many of what is found.
const PRECISION: f64 = 0.995;
/// Bytes that a test without optimisation looks at; one with it looks at all.
const MOST: u64 = if cfg!(debug_assertions) { 300 << 20 } else { u64::MAX };

/// From npm, with whatever they depend on: what programs that speak with vendors are made of.
const NPM: &[&str] = &[
    "@slack/web-api@6.9.0",
    "aws-sdk@2.1400.0",
    "dotenv@16.3.1",
    "eslint@8.44.0",
    "express@4.18.2",
    "firebase-admin@11.9.0",
    "jsonwebtoken@9.0.1",
    "mongoose@7.3.1",
    "nodemailer@6.9.3",
    "openai@3.3.0",
    "pg@8.11.1",
    "stripe@12.11.0",
    "twilio@4.12.0",
    "webpack@5.88.1",
];

/// From PyPI, alone.
const PYPI: &[&str] = &[
    "ansible-core==2.15.1",
    "azure-identity==1.13.0",
    "boto3==1.27.0",
    "botocore==1.30.0",
    "celery==5.3.1",
    "cryptography==41.0.1",
    "Django==4.2.3",
    "Flask==2.3.2",
    "google-auth==2.21.0",
    "openai==0.27.8",
    "paramiko==3.2.0",
    "PyJWT==2.7.0",
    "requests==2.31.0",
    "slack-sdk==3.21.3",
    "SQLAlchemy==2.0.18",
    "stripe==5.4.0",
    "twilio==8.4.0",
    "urllib3==2.0.3",
];

/// What was searched, and what was found that is not known to be nothing.
#[derive(Default)]
struct Searched {
    files: u64,
    bytes: u64,
    found: Vec<(String, Exposure)>,
    /// By reason.
    dismissed: BTreeMap<String, u64>,
}

impl Searched {
    fn take(&mut self, place: &str, found: Vec<Exposure>) {
        for exposure in found {
            match exposure.dismissed {
                Some(reason) => *self.dismissed.entry(reason).or_default() += 1,
                None => self.found.push((place.to_owned(), exposure)),
            }
        }
    }

    /// A tree of files, or as much of it as there is time for, in an order that has nothing to do with what is in them.
    fn tree(&mut self, root: &Path, most: u64) {
        let paths = shuffled_files(root);
        let start = self.bytes;
        for path in paths {
            let size = fs::metadata(&path).map_or(0, |metadata| metadata.len());
            if self.bytes - start + size > most {
                continue;
            }
            let Ok(bytes) = fs::read(&path) else { continue };
            (self.files, self.bytes) = (self.files + 1, self.bytes + size);
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            let found = secrets::file(&LayerPath::from(name.as_str()), bytes.len() as u64, bytes.chunks(256 << 10));
            self.take(&root.display().to_string(), found);
        }
    }

    /// The layers of an image.
    fn layout(&mut self, reference: &str) {
        let layout = OciLayout::open(Path::new(reference), None).unwrap();
        let image = layout.images(&PlatformChoice::Host).unwrap().remove(0);
        for layer in &image.layers {
            let blob = layout.open_blob(&layer.blob).unwrap();
            let analysis = analyze(blob, &layer.blob, &Limits::default(), Ruleset::built_in()).unwrap();
            (self.files, self.bytes) = (self.files + analysis.entries, self.bytes + analysis.uncompressed_bytes);
            self.take(reference, analysis.exposures);
        }
    }

    fn print(&self) {
        let mut out = io::stderr().lock();
        for (place, found) in &self.found {
            let Exposure { path, line, column, rule, masked, .. } = found;
            let _ = writeln!(out, "{place}: {path}:{line}:{column}: {rule}: {masked}");
        }
        for (reason, count) in &self.dismissed {
            let _ = writeln!(out, "{count} dismissed: {reason}");
        }
        let _ = writeln!(out, "{} files, {} MB: {} found", self.files, self.bytes / 1_000_000, self.found.len());
    }
}

#[test]
fn files_of_real_packages_have_no_secrets() {
    let mut searched = Searched::default();
    let given = std::env::var("LAZARET_NEGATIVES").ok();
    let scratch = tempfile::tempdir().unwrap();
    match &given {
        Some(given) => {
            let mut places = given.split(':');
            while let Some(place) = places.next() {
                match place {
                    "oci" => searched.layout(places.next().expect("a path behind oci:")),
                    tree => searched.tree(Path::new(tree), MOST),
                }
            }
        }
        // What they depend on is what the registries have that day, and it takes minutes.
        None if std::env::var("LAZARET_FULL").as_deref() != Ok("1") => {
            let _ = writeln!(io::stderr(), "SKIPPED: set LAZARET_NEGATIVES, or LAZARET_FULL=1 to fetch packages");
            return;
        }
        None => {
            if !fetch(scratch.path()) {
                return;
            }
            searched.tree(scratch.path(), u64::MAX);
        }
    }
    searched.print();
    assert!(searched.files >= 5_000, "{} files", searched.files);
    let real = positives::scores().total.found as f64;
    let precision = real / (real + searched.found.len() as f64);
    let _ = writeln!(io::stderr(), "precision {precision:.4} at as many secrets as the labelled set has");
    assert!(precision >= PRECISION, "{precision}: {:?}", searched.found);
}

/// Installs the packages into `directory`; whether that went well. Where there is no network, the test is skipped, loudly; on CI
/// it fails.
fn fetch(directory: &Path) -> bool {
    if !["npm", "python3"].into_iter().all(has_program) {
        return false;
    }
    fs::write(directory.join("package.json"), r#"{"name":"app","version":"1.0.0"}"#).unwrap();
    let mut npm = Command::new("npm");
    npm.current_dir(directory)
        .args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        .args(NPM);
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--no-deps",
        "--no-compile",
        "--only-binary=:all:",
    ]);
    pip.args(["--python-version", "3.11", "--platform", "manylinux2014_x86_64", "--implementation", "cp", "--target"]);
    pip.arg(directory.join("site-packages")).args(PYPI);
    succeeds(&mut npm) && succeeds(&mut pip)
}

fn succeeds(command: &mut Command) -> bool {
    let output = command.output().unwrap();
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{command:?}: {reason}");
        let _ = writeln!(io::stderr(), "SKIPPED: {command:?} failed (no package registry?): {reason}");
    }
    output.status.success()
}
