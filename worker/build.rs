//! Turns `src/secrets/rules/*.toml` into one static table, so that no rule is parsed at run time. What is wrong with a rule stops
//! the build; whether it finds what it should is what its examples test. Puts `src/malware/rules/*.yar` under their veil.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use regex_syntax::hir::Hir;

#[path = "src/secrets/file.rs"]
mod file;
#[path = "src/secrets/form.rs"]
mod form;
#[path = "src/malware/veil.rs"]
mod veil;

use file::{RuleFile, RuleText};

fn main() {
    malware();
    let rules = Path::new("src/secrets/rules");
    println!("cargo::rerun-if-changed={}", rules.display());
    for source in ["file.rs", "form.rs"] {
        println!("cargo::rerun-if-changed=src/secrets/{source}");
    }
    let files = files(rules, "toml");
    let mut table = String::from("pub(super) static BUILT_IN: &[Fixed] = &[\n");
    let mut seen = BTreeSet::new();
    for path in files {
        println!("cargo::rerun-if-changed={}", path.display());
        let text = fs::read_to_string(&path).expect("a rule file");
        let file: RuleFile = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for rule in &file.rules {
            let tested = rule.examples.len() > 1 && !rule.counter_examples.is_empty();
            assert!(tested, "{}: {} needs two examples and a counter-example", path.display(), rule.id);
            assert!(seen.insert(rule.id.clone()), "{}: {} is there twice", path.display(), rule.id);
            let hir = file::check(rule, &rule.keywords)
                .unwrap_or_else(|error| panic!("{}: {}: {error}", path.display(), rule.id));
            row(&mut table, &file.vendor, rule, &hir, file.generic);
        }
    }
    table.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("secret_rules.rs");
    fs::write(out, table).expect("the table");
}

/// The files of rules in `directory`, sorted.
fn files(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory).expect("the rules").map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == ending));
    files.sort();
    files
}

fn malware() {
    let rules = Path::new("src/malware/rules");
    println!("cargo::rerun-if-changed={}", rules.display());
    println!("cargo::rerun-if-changed=src/malware/veil.rs");
    let mut text = Vec::new();
    let mut paths = files(rules, "yar");
    // The others use its rules.
    paths.sort_by_key(|path| !path.ends_with("base.yar"));
    for path in paths {
        println!("cargo::rerun-if-changed={}", path.display());
        text.extend(fs::read(&path).expect("a rule file"));
        text.push(b'\n');
    }
    veil::veil(&mut text);
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("malware_rules.bin");
    fs::write(out, text).expect("the rules");
}

fn row(table: &mut String, vendor: &str, rule: &RuleText, hir: &Hir, generic: bool) {
    let RuleText { id, title, severity, keywords, pattern, check, entropy, loose, rotate, .. } = rule;
    let reach = hir.properties().maximum_len().unwrap_or(usize::MAX);
    let leads = file::leads(hir, keywords);
    let check = check.map(|check| format!("Some(Check::{check:?})")).unwrap_or_else(|| "None".into());
    let entropy = entropy.unwrap_or_default();
    writeln!(
        table,
        "    Fixed {{ id: {id:?}, vendor: {vendor:?}, title: {title:?}, severity: Severity::{severity:?}, keywords: &{keywords:?}, \
         pattern: {pattern:?}, check: {check}, entropy: {entropy:?}, rotate: {rotate:?}, loose: {loose}, generic: {generic}, reach: {reach}, \
         leads: {leads} }},"
    )
    .expect("a string takes all");
}
