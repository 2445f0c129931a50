//! The rules as their files have them, with the examples, which the product leaves out.

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;

/// A vendor's file.
#[derive(Deserialize)]
pub struct RuleFile {
    pub vendor: String,
    pub rules: Vec<Rule>,
}

/// A rule, as far as it tells what its secrets look like.
#[derive(Deserialize)]
pub struct Rule {
    pub id: String,
    pub pattern: String,
    #[serde(default)]
    pub loose: bool,
    pub examples: Vec<String>,
}

impl Rule {
    /// Whether its format says that a value is told by itself, wherever it stands.
    pub fn is_told_alone(&self) -> bool {
        !self.loose && self.pattern.trim_start_matches(r"\b").starts_with("(?<secret>")
    }
}

pub fn all() -> Vec<RuleFile> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../worker/src/secrets/rules");
    let mut paths: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| toml::from_str(&fs::read_to_string(path).unwrap()).unwrap()).collect()
}
