//! Version orders against the ecosystems' own tools, many pairs in one process of the tool.
#![allow(clippy::print_stderr)] // What was compared, and what was skipped, is told.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lazaret_coordinator::version::check::relation;
use lazaret_coordinator::version::{Scheme, Version};
use lazaret_tests::support::has_optional_program;

#[path = "versions/generate.rs"]
mod generate;

/// How the texts that we read stand to those that the tool reads.
#[derive(Clone, Copy, PartialEq)]
enum Validity {
    /// They are the same.
    Same,
    /// We read more: dpkg's Perl module refuses what dpkg itself only warns about.
    WeReadMore,
    /// The tool reads more: rpm compares anything.
    ToolReadsMore,
}

#[test]
fn deb_as_dpkg() {
    let tool = command("perl", &["deb.pl"]);
    against(Scheme::Deb, tool, Validity::WeReadMore, &["osv/Debian", "osv-converted/Debian", "osv-converted/Ubuntu"]);
}

/// What the Perl module cannot tell: long numbers, and texts that dpkg reads with a warning or not at all. This costs
/// processes, so it is a few pairs; a random one costs up to three.
#[test]
fn deb_as_dpkg_itself() {
    let long = "9".repeat(40);
    let texts = [
        "1_0",
        "abc",
        "~1",
        "1_0-1_",
        "1,0",
        "1:",
        "a:1",
        "+a:1",
        ":1",
        "1-",
        "-",
        "2147483647:1",
        "2147483648:1",
        "1:1:1",
        "1 2",
        " 1",
        "1.0\t",
        &format!("1.{long}"),
        &format!("1.1{long}"),
        &format!("1.0{long}-1"),
    ];
    let dpkg = |a: &str, operator: &str, b: &str| {
        Command::new("dpkg")
            .args(["--compare-versions", "--", a, operator, b])
            .output()
            .map(|output| output.status.code())
    };
    if let Err(error) = dpkg("1", "lt", "2") {
        assert!(env::var_os("CI").is_none(), "dpkg cannot run: {error}");
        return eprintln!("SKIPPED: dpkg cannot run: {error}");
    }
    let holds = |a, operator, b| dpkg(a, operator, b).expect("dpkg ran before") == Some(0);
    let random = generate::pairs(Scheme::Deb, 7, 60, &[]);
    let random = random.iter().map(|(a, b)| (a.as_str(), b.as_str()));
    let awkward = texts.iter().flat_map(|a| [(*a, "1.0-1"), (*a, "1_0"), (*a, *a)]);
    // The empty text is "no version" for dpkg, and below all.
    for (a, b) in random.chain(awkward).filter(|(a, b)| !a.is_empty() && !b.is_empty()) {
        let theirs = [("lt", "<"), ("eq", "="), ("gt", ">")].into_iter().find(|(operator, _)| holds(a, operator, b));
        assert_eq!(relation(Scheme::Deb, a, b).unwrap_or("!"), theirs.map_or("!", |(_, sign)| sign), "{a:?} {b:?}");
    }
}

#[test]
fn rpm_as_rpm() {
    let mut tool = Command::new("rpm");
    tool.arg("--eval").arg(format!("%{{lua:dofile(\"{}\")}}", script("rpm.lua").display()));
    let dumps = ["osv/AlmaLinux", "osv-converted/Azure Linux", "osv-converted/Photon OS"];
    against(Scheme::Rpm, tool, Validity::ToolReadsMore, &dumps);
}

#[test]
fn pep440_as_packaging() {
    against(Scheme::Pep440, command("python3", &["pep440.py"]), Validity::Same, &["osv/PyPI"]);
}

#[test]
fn npm_as_node_semver() {
    let dumps = ["osv/npm", "osv-converted/npm", "osv/crates.io"];
    against(Scheme::Npm, command("node", &["npm.mjs", &npm_root(), "loose"]), Validity::Same, &dumps);
}

#[test]
fn semver_as_node_semver() {
    let tool = command("node", &["npm.mjs", &npm_root(), "strict"]);
    against(Scheme::Semver, tool, Validity::WeReadMore, &["osv/crates.io", "osv/Go"]);
}

#[test]
fn maven_as_maven() {
    let Some(jar) = maven_artifact().filter(|_| has_optional_program("java")) else {
        eprintln!("SKIPPED: there is no maven-artifact 3.9 in ~/.m2, or no Java");
        return;
    };
    let mut tool = Command::new("java");
    tool.arg("-cp").arg(jar).arg(script("Maven.java"));
    against(Scheme::Maven, tool, Validity::ToolReadsMore, &["osv-converted/Maven"]);
}

#[test]
fn composer_as_composer() {
    let dumps = ["osv/Packagist", "osv-converted/Packagist"];
    against(Scheme::Composer, command("php", &["composer.php"]), Validity::Same, &dumps);
}

#[test]
fn gem_as_rubygems() {
    against(Scheme::Gem, command("ruby", &["gem.rb"]), Validity::Same, &["osv-converted/RubyGems"]);
}

#[test]
fn nuget_as_a_second_reading_of_its_rules() {
    against(Scheme::NuGet, command("python3", &["nuget.py"]), Validity::Same, &[]);
}

#[test]
fn apk_as_a_second_reading_of_its_rules() {
    against(Scheme::Apk, command("python3", &["apk.py"]), Validity::Same, &["osv/Alpaquita", "osv-converted/Alpine"]);
}

#[test]
fn cran_as_r() {
    against_large(Scheme::Cran, "Rscript", command("Rscript", &["cran.R"]), &["osv/CRAN"]);
}

#[test]
fn hackage_as_cabal() {
    against_large(Scheme::Hackage, "runghc", command("runghc", &["hackage.hs"]), &["osv/Hackage", "osv/GHC"]);
}

#[test]
fn pub_as_a_second_reading_of_its_rules() {
    against(Scheme::Pub, command("python3", &["pub.py"]), Validity::Same, &["osv/Julia"]);
}

/// opam compares no two versions for the asking, but lists those of a package in its order, equal ones once.
#[test]
fn opam_as_opam() {
    if !has_optional_program("opam") {
        return;
    }
    let pairs = generate::pairs(Scheme::Opam, 11, 1_000, &real_versions(&["osv/opam"], 300));
    let texts: BTreeSet<String> = pairs.into_iter().flat_map(|(a, b)| [a, b]).collect();
    let texts: Vec<_> = texts.into_iter().filter(|text| Version::parse(Scheme::Opam, text).is_ok()).collect();
    let repository = tempfile::tempdir().expect("a directory for packages");
    let define = |at: PathBuf| {
        fs::create_dir_all(at.parent().expect("a parent"))?;
        fs::write(at, "opam-version: \"2.0\"\n")
    };
    define(repository.path().join("repo")).expect("the repository is written");
    for text in &texts {
        define(repository.path().join(format!("packages/p/p.{text}/opam"))).expect("a package is written");
    }
    let mut tool = Command::new("opam");
    tool.args(["admin", "list", "--short", "--columns=version", "p"]).env("OPAMROOTISOK", "1");
    let output = tool.current_dir(repository.path()).output().expect("opam runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed = String::from_utf8(output.stdout).expect("versions are text");
    let listed: Vec<_> = listed.lines().collect();
    for neighbours in listed.windows(2) {
        assert_eq!(relation(Scheme::Opam, neighbours[0], neighbours[1]), Ok("<"), "{neighbours:?}");
    }
    for text in &texts {
        let is_listed = listed.iter().any(|other| relation(Scheme::Opam, text, other) == Ok("="));
        assert!(is_listed, "{text} equals none that opam lists");
    }
    eprintln!("opam: {} versions, {} different ones in the same order", texts.len(), listed.len());
    assert!(listed.len() > 500, "too many texts were refused");
}

/// As [`against`], with a tool of hundreds of megabytes, which no machine has to have: not even CI.
fn against_large(scheme: Scheme, program: &str, tool: Command, dumps: &[&str]) {
    if has_optional_program(program) {
        against(scheme, tool, Validity::Same, dumps);
    }
}

/// Compares random and real pairs by us and by `tool`; real ones only where the corpus is.
fn against(scheme: Scheme, mut tool: Command, validity: Validity, dumps: &[&str]) {
    let full = env::var_os("LAZARET_FULL").is_some();
    let (count, records) = if full { (300_000, 1_000_000) } else { (15_000, 300) };
    let real = real_versions(dumps, records);
    let mut pairs = generate::pairs(scheme, 0x1a2a_7e70, count, &real);
    pairs.retain(|(a, b)| comparable(scheme, a) && comparable(scheme, b));

    let Some(theirs) = run(&mut tool, &pairs) else { return };
    assert_eq!(theirs.len(), pairs.len(), "{tool:?} left lines out");
    let (mut compared, mut refused, mut differences) = (0, 0, Vec::new());
    for ((a, b), theirs) in pairs.iter().zip(&theirs) {
        let ours = relation(scheme, a, b).unwrap_or("!");
        let agreed = match (ours, theirs.as_str()) {
            ("!", "!") => true,
            ("!", _) => validity == Validity::ToolReadsMore,
            (_, "!") => validity == Validity::WeReadMore,
            (ours, theirs) => ours == theirs,
        };
        match agreed {
            false => differences.push(format!("{a:?} {b:?}: {ours} here, {theirs} there")),
            true if ours == "!" || theirs == "!" => refused += 1,
            true => compared += 1,
        }
    }
    let unread: Vec<_> = real.iter().filter(|text| Version::parse(scheme, text).is_err()).collect();
    eprintln!(
        "{scheme}: {compared} pairs compared, {refused} refused by either, {} differ; {} real versions, unread {}: {:?}",
        differences.len(),
        real.len(),
        unread.len(),
        &unread[..unread.len().min(10)],
    );
    let shown = &differences[..differences.len().min(20)];
    assert!(differences.is_empty(), "{scheme}: {} differ:\n{}", differences.len(), shown.join("\n"));
    assert!(compared * 3 > count, "{scheme}: too many pairs were refused");
}

/// Whether the tool's word on `text` counts: not where its arithmetic is inexact, nor where it reads by accident.
fn comparable(scheme: Scheme, text: &str) -> bool {
    let counts = match scheme {
        // Perl compares long numbers as floating-point ones, has no greatest epoch, and takes a colon at the end for a
        // part of the version.
        Scheme::Deb => {
            let epoch = text.split_once(':').map_or(0, |(epoch, _)| epoch.len());
            numbers_are_exact(text) && epoch < 10 && !text.ends_with(':')
        }
        // So does JavaScript; and a fourth number (`1.2.34.5`) is read by accident, as `1.2.3-4.5`.
        Scheme::Npm => {
            let core = text.trim_start_matches(|c: char| !c.is_ascii_digit());
            let end = core.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(core.len());
            numbers_are_exact(text) && core[..end].matches('.').count() < 3
        }
        // PHP's numbers end at 2^63. `as` and `@` are for requirements.
        Scheme::Composer => numbers_are_exact(text) && !text.contains(['@', ' ']),
        Scheme::Semver => numbers_are_exact(text),
        // A long run of zeros is more than any short number for Maven.
        Scheme::Maven => !text.contains("0000000000"),
        Scheme::Apk | Scheme::Rpm | Scheme::Pep440 | Scheme::NuGet | Scheme::Gem | Scheme::Opam | Scheme::Pub => true,
        // R warns of every number that is none of its integers, and makes it NA.
        Scheme::Cran => text.split(['.', '-']).all(|digits| digits.len() <= 9),
        // Tags, which Cabal reads and forgets.
        Scheme::Hackage => !text.contains('-'),
    };
    counts && text.is_ascii() && !text.contains(['\t', '\n']) && !text.is_empty()
}

fn numbers_are_exact(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_digit()).all(|digits| digits.len() <= 15)
}

/// The versions of the corpus' dumps; none, loudly, without a corpus.
fn real_versions(dumps: &[&str], records: usize) -> Vec<String> {
    if dumps.is_empty() {
        return Vec::new();
    }
    let Some(corpus) = env::var_os("LAZARET_CORPUS").map(PathBuf::from) else {
        eprintln!("SKIPPED: real versions, because LAZARET_CORPUS is not set; random ones only");
        return Vec::new();
    };
    let mut reader = command("python3", &["osv_versions.py", &records.to_string()]);
    reader.args(dumps.iter().map(|dump| corpus.join(dump).join("all.zip")));
    let output = reader.output().expect("python3 reads the corpus");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("versions are text").lines().map(str::to_owned).collect()
}

/// What `tool` answers to `pairs`, a line each. `None`, loudly, where the tool is missing; on CI that is a failure.
fn run(tool: &mut Command, pairs: &[(String, String)]) -> Option<Vec<String>> {
    let mut input = tempfile::tempfile().expect("a file for the pairs");
    let lines: String = pairs.iter().map(|(a, b)| format!("{a}\t{b}\n")).collect();
    input.write_all(lines.as_bytes()).and_then(|()| std::io::Seek::rewind(&mut input)).expect("the pairs are written");
    let answer = tool.stdin(input).stderr(Stdio::piped()).output();
    let missing = match answer {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8(output.stdout).expect("the answers are text");
            return Some(text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect());
        }
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    assert!(env::var_os("CI").is_none(), "{tool:?} cannot run: {missing}");
    eprintln!("SKIPPED: {tool:?} cannot run: {missing}");
    None
}

/// `program` with a script of ours, the first of `arguments`, and the rest of them.
fn command(program: &str, arguments: &[&str]) -> Command {
    let (name, rest) = arguments.split_first().expect("a script");
    let mut command = Command::new(program);
    command.arg(script(name)).args(rest);
    command
}

fn script(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("differential").join(name);
    assert!(fs::exists(&path).is_ok_and(|there| there), "{} is missing", path.display());
    path
}

/// The newest maven-artifact 3.9 of the local repository (`mvn dependency:get -Dartifact=org.apache.maven:maven-artifact:3.9.11`
/// puts it there), if it has one.
fn maven_artifact() -> Option<PathBuf> {
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let versions = home.join(".m2/repository/org/apache/maven/maven-artifact");
    let jars = fs::read_dir(versions).into_iter().flatten().flatten().filter_map(|version| {
        let name = version.file_name().into_string().ok()?;
        let jar = version.path().join(format!("maven-artifact-{name}.jar"));
        (name.starts_with("3.9.") && jar.exists()).then_some((name, jar))
    });
    jars.max_by(|(a, _), (b, _)| {
        let [a, b] = [a, b].map(|name| Version::parse(Scheme::Maven, name).expect("a version"));
        a.compare(&b).expect("of one scheme")
    })
    .map(|(_, jar)| jar)
}

/// Where npm is installed; empty where it is not, so that the script fails for lack of it.
fn npm_root() -> String {
    let output = Command::new("npm").args(["root", "--global"]).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
