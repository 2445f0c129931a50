//! Real, old packages installed by pip and npm: a layer of them yields what `pip list` and `npm ls --all` list.

#![allow(clippy::print_stderr)]

use std::collections::BTreeSet;
use std::fs;
use std::io::BufReader;
use std::path::Path;
use std::process::{Command, Stdio};

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::LayerInventory;
use lazaret::package::Package;
use lazaret_coordinator::advisory::{Snapshot, compile};
use lazaret_coordinator::compose::compose;
use lazaret_coordinator::matching::{self, Finding};
use lazaret_tests::support::has_program;
use lazaret_worker::analyze::analyze_unnamed;
use lazaret_worker::limits::Limits;
use lazaret_worker::ruleset::Ruleset;

/// What is installed from PyPI: known for advisories, of every age of the metadata formats, odd names among them.
const PYTHON: &[&str] = &[
    "aiohttp==3.8.4",
    "babel==2.9.0",
    "bleach==2.1.3",
    "certifi==2018.8.13",
    "chardet==3.0.4",
    "click==6.7",
    "cryptography==39.0.0",
    "django==2.2.0",
    "ecdsa==0.13",
    "flask==0.12",
    "Flask-Cors==3.0.8",
    "gunicorn==19.9.0",
    "html5lib==1.0.1",
    "httplib2==0.18.0",
    "idna==2.7",
    "itsdangerous==1.1.0",
    "jinja2==2.10",
    "lxml==4.9.2",
    "mistune==0.8.4",
    "numpy==1.22.0",
    "oauthlib==3.2.0",
    "paramiko==2.4.0",
    "pillow==9.3.0",
    "pip==21.0",
    "pygments==2.7.0",
    "pyjwt==1.5.3",
    "python-dateutil==2.8.0",
    "pyyaml==6.0",
    "requests==2.19.1",
    "rsa==4.0",
    "ruamel.yaml==0.17.21",
    "setuptools==72.0.0",
    "six==1.11.0",
    "sqlalchemy==1.4.0",
    "tornado==6.1",
    "twisted==22.1.0",
    "urllib3==1.24",
    "waitress==1.4.0",
    "werkzeug==0.14.1",
    "wheel==0.37.0",
    "zope.interface==5.4.0",
];

/// What is installed from npm's registry, with whatever it depends on.
const NPM: &[&str] = &[
    "@babel/traverse@7.0.0",
    "axios@0.18.0",
    "debug@2.6.8",
    "ejs@2.5.6",
    "express@4.15.0",
    "handlebars@4.0.11",
    "jquery@3.3.1",
    "js-yaml@3.12.0",
    "lodash@4.17.4",
    "marked@0.3.6",
    "minimist@0.0.8",
    "mkdirp@0.5.0",
    "moment@2.19.0",
    "node-fetch@2.6.0",
    "qs@6.3.0",
    "serialize-javascript@1.4.0",
    "tar@4.4.0",
    "underscore@1.8.3",
    "ws@3.3.0",
    "yargs-parser@5.0.0",
];

/// Where each package is, its name and version.
type Installed = BTreeSet<(String, String, String)>;

#[test]
fn python_packages_are_those_of_pip_list() {
    if !["python3", "tar"].into_iter().all(has_program) {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let site = root.path().join("usr/lib/python3/site-packages");
    fs::create_dir_all(&site).unwrap();
    // Wheels for one old Python, so that the same ones are chosen whatever Python runs the test.
    let mut install = pip(&["install", "--quiet", "--no-deps", "--no-compile", "--only-binary=:all:"]);
    install.args(["--python-version", "3.9", "--platform", "manylinux2014_x86_64", "--implementation", "cp"]);
    if !succeeds(install.arg("--target").arg(&site).args(PYTHON)) {
        return;
    }
    write_egg_info(&site);

    // pip looks into the directories that it is told; those that vendor distributions are told too, and the unpacked
    // egg among setuptools' own tests.
    let mut expected = Installed::new();
    for directory in directories_with_metadata(&site) {
        let list = output(pip(&["list", "--format", "json", "--path"]).arg(&directory));
        let place = relative(root.path(), &directory);
        for package in serde_json::from_slice::<serde_json::Value>(&list).unwrap().as_array().unwrap() {
            let name = package["name"].as_str().unwrap().to_lowercase().replace(['_', '.'], "-");
            expected.insert((place.clone(), name, package["version"].as_str().unwrap().to_owned()));
        }
    }
    assert!(expected.len() > PYTHON.len(), "{expected:?}");

    let inventory = layer(root.path());
    assert_same(&installed(&inventory, Ecosystem::PyPi, 2), &expected);
    let facts = [
        ("django", "CVE-2019-14234", "2.2.4"),
        ("requests", "CVE-2018-18074", "2.20.0"),
        ("urllib3", "CVE-2019-11324", "1.24.2"),
        ("jinja2", "CVE-2019-10906", "2.10.1"),
    ];
    // PyYAML 6.0 has the fix of this one, and no advisory names six.
    assert_findings(&inventory, "osv/PyPI", &facts, &[("pyyaml", "CVE-2020-14343"), ("six", "")]);
}

#[test]
fn node_packages_are_those_of_npm_ls() {
    if !["npm", "node", "tar"].into_iter().all(has_program) {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let app = root.path().join("app");
    fs::create_dir_all(&app).unwrap();
    fs::write(app.join("package.json"), r#"{"name":"app","version":"1.0.0"}"#).unwrap();
    let mut install = npm(&app, &["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    if !succeeds(install.args(NPM)) {
        return;
    }

    // Lines of `path:name@version`, the application's own first: it is the root, not installed into it.
    let list = String::from_utf8(output(&mut npm(&app, &["ls", "--all", "--parseable", "--long"]))).unwrap();
    let real_root = root.path().canonicalize().unwrap();
    let mut expected = Installed::new();
    for line in list.lines().skip(1) {
        let mut fields = line.split(':');
        let place = relative(&real_root, Path::new(fields.next().unwrap()));
        let (name, version) = fields.next().unwrap().rsplit_once('@').unwrap();
        expected.insert((place, name.to_owned(), version.to_owned()));
    }
    assert!(expected.len() > NPM.len(), "{expected:?}");

    let inventory = layer(root.path());
    assert_same(&installed(&inventory, Ecosystem::Npm, 1), &expected);
    let facts = [
        ("lodash", "CVE-2019-10744", "4.17.12"),
        ("lodash", "CVE-2018-16487", "4.17.11"),
        ("handlebars", "CVE-2019-19919", "4.3.0"),
    ];
    assert_findings(&inventory, "osv-converted/npm", &facts, &[("accepts", "")]);
}

/// Findings on the corpus's advisories for what was installed: those that the texts of the advisories say (package, id, first
/// fixed version), and none of those that they rule out (package, id; any finding at all where the id is empty).
fn assert_findings(inventory: &LayerInventory, feed: &str, facts: &[(&str, &str, &str)], ruled_out: &[(&str, &str)]) {
    let Some(corpus) = std::env::var_os("LAZARET_CORPUS") else {
        eprintln!("SKIPPED: LAZARET_CORPUS is not set: packages were compared, findings were not");
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("snapshot");
    compile(&[Path::new(&corpus).join(feed)], &file).unwrap();
    let snapshot = Snapshot::open(&file).unwrap();
    let contents = compose([Some(inventory)]);
    let packages: Vec<&Package> = contents.packages.iter().map(|installed| &installed.package).collect();
    let matches = matching::find(&packages, None, &snapshot).unwrap();
    let found: Vec<(&str, &Finding)> =
        matches.findings.iter().map(|finding| (packages[finding.package].name.as_str(), finding)).collect();
    for &(name, id, fixed) in facts {
        let has = |&&(found, finding): &&(&str, &Finding)| found == name && finding.ids.iter().any(|found| found == id);
        let (_, finding) = found.iter().find(has).unwrap_or_else(|| panic!("{name}: no {id}"));
        assert_eq!(finding.fixed.as_deref(), Some(fixed), "{name}: {id}");
    }
    for &(name, id) in ruled_out {
        let wrong = found
            .iter()
            .find(|(found, finding)| *found == name && (id.is_empty() || finding.ids.iter().any(|found| found == id)));
        assert!(wrong.is_none(), "{wrong:?}");
    }
}

/// The packages of an ecosystem and where their files are, so many components left off the path.
fn installed(inventory: &LayerInventory, ecosystem: Ecosystem, file_depth: usize) -> Installed {
    let mut installed = Installed::new();
    for evidence in inventory.evidence.iter().filter(|evidence| !evidence.facts.declared) {
        assert!(evidence.facts.gaps.is_empty(), "{:?}", evidence.facts.gaps);
        let path = evidence.path.to_string();
        let place = path.rsplitn(file_depth + 1, '/').last().unwrap();
        for package in evidence.facts.packages.iter().filter(|package| package.ecosystem == ecosystem) {
            installed.insert((place.to_owned(), package.name.clone(), package.version.clone()));
        }
    }
    assert!(inventory.gaps.is_empty(), "{:?}", inventory.gaps);
    installed
}

fn assert_same(found: &Installed, expected: &Installed) {
    let missing: Vec<_> = expected.difference(found).collect();
    let too_many: Vec<_> = found.difference(expected).collect();
    assert!(missing.is_empty() && too_many.is_empty(), "missing: {missing:#?}\ntoo many: {too_many:#?}");
}

/// The inventory of a layer that holds everything below `root`.
fn layer(root: &Path) -> LayerInventory {
    let mut tar = Command::new("tar");
    let mut tar = tar.arg("-C").arg(root).args(["-c", "."]).stdout(Stdio::piped()).spawn().unwrap();
    let analysis = analyze_unnamed(BufReader::new(tar.stdout.take().unwrap()), &Limits::default(), Ruleset::built_in());
    assert!(tar.wait().unwrap().success());
    analysis.unwrap().inventory
}

/// Has setuptools itself write an `egg-info`, as `setup.py develop` and old installations leave it.
fn write_egg_info(site: &Path) {
    let scratch = tempfile::tempdir().unwrap();
    let code = "import sys, setuptools; setuptools.setup(name='Egg_Info.demo', version='1.0.0', license='MIT', \
                script_args=['--quiet', 'egg_info', '--egg-base', sys.argv[1]])";
    let mut setup = Command::new("python3");
    output(setup.current_dir(scratch.path()).env("PYTHONPATH", site).args(["-c", code]).arg(site));
}

fn directories_with_metadata(directory: &Path) -> BTreeSet<std::path::PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
        let name = entry.file_name().into_string().unwrap();
        if name.ends_with(".dist-info") || name.ends_with(".egg-info") || name == "EGG-INFO" {
            found.insert(directory.to_owned());
        }
        found.extend(directories_with_metadata(&entry.path()));
    }
    found
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap().to_str().unwrap().to_owned()
}

fn pip(arguments: &[&str]) -> Command {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "--disable-pip-version-check"]).args(arguments);
    pip
}

fn npm(directory: &Path, arguments: &[&str]) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(directory).args(arguments);
    npm
}

/// Whether the command, which needs a package registry, went well. If not, the test is skipped, loudly; on CI it fails.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn succeeds(command: &mut Command) -> bool {
    let output = command.output().unwrap();
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{command:?}: {reason}");
        eprintln!("SKIPPED: {command:?} failed (no package registry?): {reason}");
    }
    output.status.success()
}

fn output(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
