//! Swift and Objective-C: `Podfile.lock` (<https://guides.cocoapods.org/using/using-cocoapods.html#what-is-podfilelock>).

use std::collections::BTreeMap;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;

use super::found::read;
use super::place::is_named;
use super::{ClaimedFile, Content, Extractor, yaml};

/// The pods and subspecs in `PODS`; `EXTERNAL SOURCES` tells which are not from a repository of specs.
pub(crate) static COCOAPODS: Extractor = Extractor {
    name: "lock-cocoapods",
    version: 1,
    claims: |path| is_named(path, &["Podfile.lock"]),
    // What it says at its end is about what stands above: that is kept, so less of it is read.
    content: Content::Whole(8 << 20),
    companions: &[],
    yields: &[Ecosystem::CocoaPods],
    form: "`Podfile.lock`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        let mut section = String::new();
        let mut external: BTreeMap<String, &str> = BTreeMap::new();
        let mut pod = String::new();
        for line in yaml::lines(found.lines(text)) {
            let line = line?;
            match (line.indent, line.is_item, &line.key) {
                (0, _, Some(key)) => section = key.to_string(),
                (4, true, key) if section == "PODS" => {
                    let written = key.clone().or_else(|| yaml::scalar(line.value)).unwrap_or_default();
                    match written.strip_suffix(')').and_then(|spec| spec.rsplit_once(" (")) {
                        Some((name, version)) => found.add(Ecosystem::CocoaPods, name, version, None),
                        None => found.invalid(),
                    }
                }
                (2, false, Some(key)) => pod = key.to_string(),
                (4, false, Some(key)) if section == "EXTERNAL SOURCES" => {
                    let registry = match &**key {
                        ":path" | ":podspec" => "local",
                        ":git" | ":hg" | ":svn" => "git",
                        _ => continue,
                    };
                    external.insert(pod.clone(), registry);
                }
                _ => {}
            }
        }
        found.mark(&external);
        Ok(())
    })
}
