//! The rules of the architecture that a machine can check, read off the source tree.

use std::process::Command;

use lazaret_tests::source_tree::{SourceFile, files, root};

/// Modules that may say `unsafe`; each has one `allow` and says why it is sound.
const UNSAFE: &[&str] = &[
    "coordinator/src/advisory/map.rs",
    "worker/src/child/descriptors.rs",
    "worker/src/child/fork.rs",
    "worker/src/secrets/prefilter/x86.rs",
    "worker/src/sha256/x86.rs",
];
/// Names with a banned word that is somebody else's term: Docker's "credential helpers".
const FOREIGN_TERMS: &[&str] = &["credential_helper", "HelperError", "CredentialHelper"];
/// A file longer than this has more than one idea.
const LINES: usize = 400;

/// Collects what breaks a rule, and fails with all of it.
fn check(rule: &str, broken: impl Iterator<Item = String>) {
    let broken: Vec<String> = broken.collect();
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

/// Lines of the code of `files` that hold one of `words` as a word of its own.
fn lines_with(files: &[SourceFile], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in file.code() {
            if words.iter().any(|word| has_word(line, word)) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    found
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(is_part) && (word.ends_with(['!', '(']) || !line[at + word.len()..].starts_with(is_part))
    })
}

fn sources(wanted: impl Fn(&str) -> bool) -> Vec<SourceFile> {
    files(".rs").into_iter().filter(|file| !file.is_test() && wanted(&file.path)).collect()
}

/// Whether `path` is the module `name` (below `coordinator/src`) or a part of it.
fn is_module(path: &str, name: &str) -> bool {
    let below = path.strip_prefix("coordinator/src/").unwrap_or_default();
    below == format!("{name}.rs") || below.starts_with(&format!("{name}/"))
}

#[test]
fn the_worker_knows_no_coordinator_and_only_one_file_knows_the_worker() {
    let worker = files(".rs").into_iter().filter(|file| file.path.starts_with("worker/")).collect::<Vec<_>>();
    check("the worker names the coordinator", lines_with(&worker, &["lazaret_coordinator"]).into_iter());
    let coordinator = sources(|path| path.starts_with("coordinator/src/") && path != "coordinator/src/local.rs");
    check("only local.rs names the worker", lines_with(&coordinator, &["lazaret_worker"]).into_iter());
    let shared = files(".rs").into_iter().filter(|file| file.path.starts_with("shared/")).collect::<Vec<_>>();
    let members = ["lazaret_worker", "lazaret_coordinator", "lazaret_loadtest", "lazaret_tests"];
    check("shared names another member", lines_with(&shared, &members).into_iter());
    let loadtest = files(".rs").into_iter().filter(|file| file.path.starts_with("loadtest/src/")).collect::<Vec<_>>();
    check(
        "the load test drives built binaries",
        lines_with(&loadtest, &["lazaret_worker", "lazaret_coordinator"]).into_iter(),
    );
}

#[test]
fn nouns_open_no_door() {
    let nouns = sources(|path| {
        path.starts_with("shared/src/")
            && !path.starts_with("shared/src/door")
            && !matches!(path, "shared/src/lib.rs" | "shared/src/telemetry.rs" | "shared/src/settings.rs")
    });
    assert!(nouns.len() > 10, "the nouns moved");
    check(
        "a noun names a door",
        lines_with(&nouns, &["door", "tokio", "reqwest", "std::fs", "std::env::var", "std::env::var_os"]).into_iter(),
    );
}

#[test]
fn the_middle_is_pure() {
    const PURE: &[&str] = &["compose", "matching", "version", "policy", "report", "advisory/feed"];
    let pure = sources(|path| PURE.iter().any(|name| is_module(path, name)));
    assert!(pure.len() > 20, "the middle moved");
    let rim = ["door", "tokio", "std::fs", "std::env", "std::net", "SystemTime", "Instant", "jiff", "async"];
    check("the pure middle touches the outside", lines_with(&pure, &rim).into_iter());
}

#[test]
fn only_the_rim_of_the_worker_is_async() {
    let inner = sources(|path| {
        let rim = ["serve.rs", "serve/", "sandbox.rs", "sandbox/", "main.rs"];
        path.strip_prefix("worker/src/").is_some_and(|path| !rim.iter().any(|rim| path.starts_with(rim)))
    });
    check("async in the worker", lines_with(&inner, &["tokio", "async", "await"]).into_iter());
}

#[test]
fn every_file_starts_with_what_it_is_about_and_stays_with_it() {
    let all = files(".rs");
    let silent = all.iter().filter(|file| !file.text.starts_with("//!")).map(|file| file.path.clone());
    check("no //! sentence at the start", silent);
    let long = all.iter().filter(|file| !file.is_test() && file.text.lines().count() > LINES);
    check("longer than 400 lines", long.map(|file| file.path.clone()));
}

#[test]
fn nothing_is_called_by_a_word_that_says_nothing() {
    const FILES: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager", "misc"];
    const TYPES: &[&str] = &[
        "Util",
        "Utils",
        "Helper",
        "Manager",
        "Artifact",
        "Analyzer",
        "Analyser",
        "Cataloguer",
        "Cataloger",
        "Vuln",
        "Provider",
        "Slice",
        "Dock",
        "Crew",
    ];
    let all = files(".rs");
    let stems = all.iter().filter(|file| {
        let stem = file.path.trim_end_matches(".rs").rsplit('/').next().unwrap_or_default();
        !FOREIGN_TERMS.contains(&stem) && stem.split('_').any(|word| FILES.contains(&word))
    });
    check("a file's name says nothing", stems.map(|file| file.path.clone()));
    let types = all.iter().flat_map(|file| file.code().map(move |(number, line)| (file, number, line)));
    let types = types.filter_map(|(file, number, line)| {
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.find(|word| matches!(*word, "struct" | "enum" | "trait" | "type"))?;
        let name = words.next()?;
        let banned = !FOREIGN_TERMS.contains(&name) && camel_words(name).any(|word| TYPES.contains(&word));
        banned.then(|| format!("{}:{number}: {name}", file.path))
    });
    check("a banned word", types);
}

/// `HelperError` is `Helper` and `Error`.
fn camel_words(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?.len_utf8();
        let end = rest[first..].find(char::is_uppercase).map_or(rest.len(), |at| first + at);
        let word = &rest[..end];
        rest = &rest[end..];
        Some(word)
    })
}

#[test]
fn nothing_is_left_for_later() {
    let all = files(".rs").into_iter().filter(|file| !file.path.ends_with("house_rules.rs")).collect::<Vec<_>>();
    let marks = ["TODO", "FIXME", "XXX", "HACK"];
    let notes = all.iter().flat_map(|file| {
        let noted = file.text.lines().enumerate().filter(|(_, line)| marks.iter().any(|mark| has_word(line, mark)));
        noted.map(|(index, line)| format!("{}:{}: {}", file.path, index + 1, line.trim()))
    });
    check("a note for later", notes);
    check("unfinished code", lines_with(&all, &["todo!", "unimplemented!", "dbg!"]).into_iter());
    let ignored = all.iter().filter(|file| file.text.contains("#[ignore"));
    check("an ignored test", ignored.map(|file| file.path.clone()));
}

#[test]
fn only_the_command_line_prints_and_exits() {
    let silent = sources(|path| {
        !is_module(path, "cli")
            && !matches!(path, "loadtest/src/main.rs" | "worker/src/main.rs" | "worker/build.rs")
            && !path.starts_with("loadtest/src/cli")
    });
    let words = ["print!", "println!", "eprint!", "eprintln!", "process::exit", "exit("];
    check("prints or exits", lines_with(&silent, &words).into_iter());
}

#[test]
fn unsafe_code_is_where_it_is_listed() {
    let listed = |file: &SourceFile| UNSAFE.contains(&file.path.as_str()) || file.path.ends_with("house_rules.rs");
    let all = files(".rs").into_iter().filter(|file| !listed(file)).collect::<Vec<_>>();
    check("unsafe elsewhere", lines_with(&all, &["unsafe", "unsafe_code"]).into_iter());
    for listed in UNSAFE {
        let text = std::fs::read_to_string(root().join(listed)).unwrap_or_else(|error| panic!("{listed}: {error}"));
        assert!(text.contains("unsafe_code"), "{listed} needs no place in the list");
    }
}

#[test]
fn versions_of_dependencies_are_in_the_root_alone() {
    let mut broken = Vec::new();
    for manifest in files("Cargo.toml") {
        let table: toml::Table = manifest.text.parse().expect("a manifest");
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, dependency) in table.get(section).and_then(|section| section.as_table()).into_iter().flatten() {
                if dependency.get("workspace").and_then(|inherited| inherited.as_bool()) != Some(true) {
                    broken.push(format!("{}: {name}", manifest.path));
                }
            }
        }
    }
    check("a dependency is not `workspace = true`", broken.into_iter());
}

#[test]
fn the_nouns_alone_link_no_runtime() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", "lazaret-shared", "--no-default-features", "--edges", "normal"])
        .args(["--prefix", "none"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let tree = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && tree.contains("bincode"), "{}", String::from_utf8_lossy(&output.stderr));
    let linked = tree
        .lines()
        .filter(|line| ["tokio ", "reqwest ", "hyper ", "rustls "].iter().any(|name| line.starts_with(name)));
    check("the nouns link a door's dependency", linked.map(str::to_owned));
}

#[test]
fn a_metric_has_one_name_and_is_counted_somewhere() {
    const TABLE: &str = "shared/src/telemetry/metrics.rs";
    const PREFIX: &str = "lazaret_";
    const CRATES: &[&str] =
        &["lazaret_shared", "lazaret_worker", "lazaret_coordinator", "lazaret_loadtest", "lazaret_tests"];
    let (table, others): (Vec<_>, Vec<_>) = files(".rs").into_iter().partition(|file| file.path == TABLE);
    let named = others.iter().flat_map(|file| {
        let lines = file.text.lines().enumerate();
        lines.filter(|(_, line)| line.contains(PREFIX)).filter_map(|(index, line)| {
            let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let name = words.find(|w| w.len() > PREFIX.len() && w.starts_with(PREFIX) && !CRATES.contains(w))?;
            Some(format!("{}:{}: {name}", file.path, index + 1))
        })
    });
    check("a metric by its name, where its constant is meant", named);
    let product = sources(|path| path.contains("/src/") && !path.starts_with("loadtest/") && path != TABLE);
    let constants: Vec<_> = table
        .iter()
        .flat_map(SourceFile::code)
        .filter_map(|(_, line)| Some(line.strip_prefix("pub const ")?.split_once(": &str =")?.0))
        .collect();
    assert!(constants.len() > 20, "the metrics moved");
    let idle = constants.into_iter().filter(|name| {
        let word = format!("names::{name}");
        !product.iter().any(|file| has_word(&file.text, &word))
    });
    check("a metric that nobody counts", idle.map(str::to_owned));
}
