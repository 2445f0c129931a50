//! Dart: `pubspec.lock` (<https://dart.dev/tools/pub/versioning#lockfiles>).

use std::borrow::Cow;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;

use super::found::{Found, read};
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE, yaml};

/// Every package of the lock; what the SDK brings (`flutter`) has no version of its own and is left out.
pub(crate) static PUBSPEC: Extractor = Extractor {
    name: "lock-pub",
    version: 1,
    claims: |path| is_named(path, &["pubspec.lock"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Pub],
    form: "`pubspec.lock`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        let mut in_packages = false;
        let mut entry: Option<Entry<'_>> = None;
        for line in yaml::lines(found.lines(text)) {
            let line = line?;
            if line.indent <= 2 {
                entry.take().iter().for_each(|entry| entry.take(found));
            }
            match (line.indent, line.key) {
                (0, key) => in_packages = key.as_deref() == Some("packages"),
                (2, Some(name)) if in_packages => entry = Some(Entry { name, version: None, source: None }),
                (4, Some(key)) => {
                    let Some(entry) = &mut entry else { continue };
                    match &*key {
                        "version" => entry.version = yaml::scalar(line.value),
                        "source" => entry.source = yaml::scalar(line.value),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        entry.iter().for_each(|entry| entry.take(found));
        Ok(())
    })
}

struct Entry<'a> {
    name: Cow<'a, str>,
    version: Option<Cow<'a, str>>,
    source: Option<Cow<'a, str>>,
}

impl Entry<'_> {
    fn take(&self, found: &mut Found) {
        let registry = match self.source.as_deref() {
            Some("hosted") => None,
            Some("git") => Some("git"),
            Some("path") => Some("local"),
            Some("sdk") => return,
            _ => return found.invalid(),
        };
        found.add(Ecosystem::Pub, &*self.name, self.version.as_deref().unwrap_or_default(), registry);
    }
}
