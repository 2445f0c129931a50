//! Java: Gradle's lockfiles (<https://docs.gradle.org/current/userguide/dependency_locking.html>).

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;

use super::found::read;
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE};

/// `gradle.lockfile`, and `buildscript-gradle.lockfile` of the build itself: `group:artifact:version=configurations`.
pub(crate) static GRADLE: Extractor = Extractor {
    name: "lock-gradle",
    version: 1,
    claims: |path| is_named(path, &["gradle.lockfile", "buildscript-gradle.lockfile"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Maven],
    form: "`gradle.lockfile`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        for line in found.lines(text) {
            let line = line.trim();
            // `empty=` names the configurations that have nothing.
            if line.is_empty() || line.starts_with('#') || line.starts_with("empty=") {
                continue;
            }
            let module = line.split_once('=').map(|(module, _)| module);
            match module.and_then(|module| module.rsplit_once(':')) {
                Some((name, version))
                    if name.split(':').count() == 2 && name.split(':').all(|part| !part.is_empty()) =>
                {
                    found.add(Ecosystem::Maven, name, version, None);
                }
                _ => found.invalid(),
            }
        }
        Ok(())
    })
}
