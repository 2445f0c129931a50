//! Haskell: `stack.yaml.lock` (<https://docs.haskellstack.org/en/stable/topics/lock_files/>).

use std::borrow::Cow;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;

use super::found::{Found, read};
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE, yaml};

/// The extra packages, as `completed`. The many of the snapshot are not in the file.
pub(crate) static STACK: Extractor = Extractor {
    name: "lock-stack",
    version: 1,
    claims: |path| is_named(path, &["stack.yaml.lock"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Hackage],
    form: "`stack.yaml.lock`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        let (mut in_packages, mut in_completed) = (false, false);
        let mut entry = Entry::default();
        for line in yaml::lines(found.lines(text)) {
            let line = line?;
            let Some(key) = line.key else { continue };
            match line.indent {
                0 => in_packages = key == "packages",
                2 => {
                    std::mem::take(&mut entry).take(found);
                    in_completed = in_packages && key == "completed";
                }
                4 if in_completed => match &*key {
                    "hackage" => entry.hackage = yaml::scalar(line.value),
                    "name" => entry.name = yaml::scalar(line.value),
                    "version" => entry.version = yaml::scalar(line.value),
                    "git" | "hg" => entry.registry = Some("git"),
                    "url" | "archive" => entry.registry = Some("registry"),
                    _ => {}
                },
                _ => {}
            }
        }
        entry.take(found);
        Ok(())
    })
}

#[derive(Default)]
struct Entry<'a> {
    /// `name-version@sha256:…,size`.
    hackage: Option<Cow<'a, str>>,
    name: Option<Cow<'a, str>>,
    version: Option<Cow<'a, str>>,
    registry: Option<&'static str>,
}

impl Entry<'_> {
    fn take(self, found: &mut Found) {
        if let Some(hackage) = &self.hackage {
            let package = hackage.split('@').next().unwrap_or_default();
            let (name, version) = package.rsplit_once('-').unwrap_or_default();
            found.add(Ecosystem::Hackage, name, version, None);
        } else if let (Some(name), Some(version)) = (&self.name, &self.version) {
            found.add(Ecosystem::Hackage, &**name, &**version, self.registry);
        } else if self.registry.is_some() || self.name.is_some() {
            found.invalid();
        }
    }
}
