//! Turns `src/secrets/{rules,names}/*.toml` into static tables, so that no rule is parsed at run time. What is wrong with a rule
//! stops the build; whether it finds what it should is what its examples test. Puts `src/malware/rules/*.yar` under their veil.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

use regex_syntax::hir::Hir;

#[path = "src/secrets/file.rs"]
mod file;
#[path = "src/secrets/form.rs"]
mod form;
#[allow(dead_code)]
#[path = "src/secrets/glance.rs"]
mod glance;
#[path = "src/secrets/name_file.rs"]
mod name_file;
#[path = "src/secrets/shape.rs"]
mod shape;
#[path = "src/malware/veil.rs"]
mod veil;

use file::{RuleFile, RuleText};
use glance::Set;
use name_file::{NameFile, NameText};
use serde::de::DeserializeOwned;

fn main() {
    malware();
    for source in ["file.rs", "form.rs", "glance.rs", "name_file.rs", "shape.rs"] {
        println!("cargo::rerun-if-changed=src/secrets/{source}");
    }
    let mut table = String::from("pub(super) static BUILT_IN: &[Fixed] = &[\n");
    let (mut seen, mut sets) = (BTreeSet::new(), Vec::new());
    for (path, file) in files::<RuleFile>("src/secrets/rules") {
        for rule in &file.rules {
            let tested = rule.examples.len() > 1 && !rule.counter_examples.is_empty();
            assert!(tested, "{}: {} needs two examples and a counter-example", path.display(), rule.id);
            assert!(seen.insert(rule.id.clone()), "{}: {} is there twice", path.display(), rule.id);
            let hir = file::check(rule, &rule.keywords)
                .unwrap_or_else(|error| panic!("{}: {}: {error}", path.display(), rule.id));
            row(&mut table, &mut sets, &file, rule, &hir);
        }
    }
    table.push_str("];\n");
    writeln!(table, "static SETS: &[Set] = &{sets:?};").expect("a string takes all");
    write("secret_rules.rs", &table);
    let rows: Vec<String> = files::<NameFile>("src/secrets/names")
        .flat_map(|(path, file)| {
            file.rules.into_iter().inspect(move |rule| {
                name_file::check(rule).unwrap_or_else(|error| panic!("{}: {}: {error}", path.display(), rule.id));
            })
        })
        .inspect(|rule| assert!(seen.insert(rule.id.clone()), "{} is there twice", rule.id))
        .map(|rule| name_row(&rule))
        .collect();
    write("secret_names.rs", &format!("static NAMED: [Named; {}] = [\n{}];\n", rows.len(), rows.concat()));
}

/// The files of rules in a directory, by name.
fn files<T: DeserializeOwned>(directory: &str) -> impl Iterator<Item = (PathBuf, T)> {
    paths(directory, "toml").into_iter().map(|path| {
        let text = fs::read_to_string(&path).expect("a rule file");
        let file = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, file)
    })
}

/// The files in a directory with this ending, sorted; the build runs again when one changes.
fn paths(directory: &str, ending: &str) -> Vec<PathBuf> {
    println!("cargo::rerun-if-changed={directory}");
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory).expect("the rules").map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == ending));
    files.sort();
    for path in &files {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    files
}

fn write(name: &str, table: &str) {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join(name);
    fs::write(out, table).expect("the table");
}

fn malware() {
    println!("cargo::rerun-if-changed=src/malware/veil.rs");
    let mut text = Vec::new();
    let mut paths = paths("src/malware/rules", "yar");
    // The others use its rules.
    paths.sort_by_key(|path| !path.ends_with("base.yar"));
    for path in paths {
        text.extend(fs::read(&path).expect("a rule file"));
        text.push(b'\n');
    }
    veil::veil(&mut text);
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("malware_rules.bin");
    fs::write(out, text).expect("the rules");
}

fn name_row(rule: &NameText) -> String {
    let NameText { id, title, severity, paths, begins, holds, lacks, pattern, rotate, .. } = rule;
    let bytes = |told: &String| name_file::bytes(told).expect("checked");
    let begins: String = begins.iter().map(bytes).map(|(bytes, mask)| format!("(&{bytes:?}, &{mask:?}), ")).collect();
    let told = |all: &[String]| all.iter().map(bytes).map(|(bytes, _)| format!("&{bytes:?}, ")).collect::<String>();
    let (holds, lacks) = (told(holds), told(lacks));
    format!(
        "    Named {{ id: {id:?}, title: {title:?}, severity: Severity::{severity:?}, paths: &{paths:?}, begins: &[{begins}], \
         holds: &[{holds}], lacks: &[{lacks}], pattern: {pattern:?}, compiled: OnceLock::new(), rotate: {rotate:?} }},\n"
    )
}

fn row(table: &mut String, sets: &mut Vec<Set>, file: &RuleFile, rule: &RuleText, hir: &Hir) {
    let RuleFile { vendor, generic, .. } = file;
    let RuleText { id, title, severity, keywords, pattern, check, entropy, loose, rotate, .. } = rule;
    let reach = hir.properties().maximum_len().unwrap_or(usize::MAX);
    let leads = file::leads(hir, keywords);
    let mut number = |set: Set| {
        sets.iter().position(|known| *known == set).unwrap_or_else(|| {
            sets.push(set);
            sets.len() - 1
        })
    };
    let starts: Vec<usize> = match leads {
        true => shape::starts(hir).into_iter().map(&mut number).collect(),
        false => Vec::new(),
    };
    let run = shape::run(hir, keywords).map_or((0, 0), |run| (number(run.set), run.size));
    let check = check.map(|check| format!("Some(Check::{check:?})")).unwrap_or_else(|| "None".into());
    let entropy = entropy.unwrap_or_default();
    writeln!(
        table,
        "    Fixed {{ id: {id:?}, vendor: {vendor:?}, title: {title:?}, severity: Severity::{severity:?}, keywords: &{keywords:?}, \
         pattern: {pattern:?}, check: {check}, entropy: {entropy:?}, rotate: {rotate:?}, loose: {loose}, generic: {generic}, reach: {reach}, \
         leads: {leads}, starts: &{starts:?}, run: {run:?} }},"
    )
    .expect("a string takes all");
}
