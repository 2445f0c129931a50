//! Ruby: `Gemfile.lock` and `gems.locked` (<https://bundler.io/guides/using_bundler_in_applications.html>).

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use lazaret::package::Package;

use super::found::{Unreadable, is_word, read};
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE};

/// Every gem in the `specs` of the sources, for all platforms of the lock.
pub(crate) static BUNDLER: Extractor = Extractor {
    name: "lock-bundler",
    version: 1,
    claims: |path| is_named(path, &["Gemfile.lock", "gems.locked"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Gem],
    form: "`Gemfile.lock`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        let mut source: Option<Option<&str>> = None;
        for line in found.lines(text) {
            let line = line.trim_end();
            if line.starts_with(['<', '>', '=']) {
                return Err(Unreadable::malformed("a merge conflict"));
            }
            if !line.starts_with(' ') {
                source = match line {
                    "GEM" => Some(None),
                    "GIT" => Some(Some("git")),
                    "PATH" => Some(Some("local")),
                    "PLUGIN SOURCE" => Some(Some("registry")),
                    _ => None,
                };
                continue;
            }
            // Six spaces are what a gem depends on.
            let Some(spec) = line.strip_prefix("    ").filter(|spec| !spec.starts_with(' ')) else { continue };
            let Some(registry) = source else { continue };
            match name_and_version(spec) {
                Some((name, version, platform)) => {
                    let mut package = Package::new(Ecosystem::Gem, name, version);
                    package.registry = registry.map(str::to_owned);
                    let platform = platform.filter(|&platform| platform != "ruby" && is_word(platform));
                    package.qualifiers.extend(platform.map(|platform| ("platform".to_owned(), platform.to_owned())));
                    found.push(package);
                }
                None => found.invalid(),
            }
        }
        Ok(())
    })
}

/// `name (version[-platform])`.
fn name_and_version(spec: &str) -> Option<(&str, &str, Option<&str>)> {
    let (name, version) = spec.split_once(" (")?;
    let version = version.trim_end_matches('!').strip_suffix(')')?;
    let (version, platform) = match version.split_once('-') {
        Some((version, platform)) => (version, Some(platform)),
        None => (version, None),
    };
    Some((name, version, platform))
}
