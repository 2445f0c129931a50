//! Node: `yarn.lock`, in the format of yarn 1 (<https://classic.yarnpkg.com/lang/en/docs/yarn-lock/>) and in that of yarn 2
//! and later, which is YAML (<https://yarnpkg.com/advanced/lexicon#lockfile>).

use std::borrow::Cow;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;

use super::found::{Found, Unreadable, read};
use super::npm_source::{name_and_version, registry};
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE, yaml};
use crate::extract::npm::is_name;

/// Every package of the lock but the workspace's own, which have no version there.
pub(crate) static YARN: Extractor = Extractor {
    name: "lock-yarn",
    version: 1,
    claims: |path| is_named(path, &["yarn.lock"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Npm],
    form: "`yarn.lock`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        if text.lines().any(|line| line.starts_with("__metadata:")) { berry(text, found) } else { classic(text, found) }
    })
}

/// Blocks of `pattern, pattern:` with `  version "…"` and `  resolved "…"` below.
fn classic(text: &str, found: &mut Found) -> Result<(), Unreadable> {
    let mut block: Option<Block<'_>> = None;
    for line in found.lines(text) {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(member) = line.strip_prefix("  ") {
            let Some(block) = &mut block else { return Err(unknown()) };
            let (key, value) = member.split_once(' ').unwrap_or((member, ""));
            match key {
                "version" => block.version = Some(unquoted(value)),
                "resolved" => block.resolved = Some(unquoted(value)),
                _ => {}
            }
            continue;
        }
        let pattern = line.strip_suffix(':').filter(|_| !line.starts_with(' ')).ok_or_else(unknown)?;
        block.take().iter().for_each(|block| block.take(found));
        block = Some(Block { pattern, version: None, resolved: None });
    }
    block.iter().for_each(|block| block.take(found));
    Ok(())
}

fn unknown() -> Unreadable {
    Unreadable::malformed("a line that is not of a yarn.lock")
}

struct Block<'a> {
    pattern: &'a str,
    version: Option<&'a str>,
    resolved: Option<&'a str>,
}

impl Block<'_> {
    fn take(&self, found: &mut Found) {
        let first = match self.pattern.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').map(|(first, _)| first),
            None => self.pattern.split(',').next(),
        };
        let Some((name, range)) = first.and_then(name_and_version) else { return found.invalid() };
        // An alias: `name@npm:real@range`.
        let real = range.strip_prefix("npm:").map(|real| name_and_version(real).map_or(real, |(name, _)| name));
        let name = real.unwrap_or(name);
        let from = self.resolved.and_then(registry).or_else(|| registry(range).filter(|_| self.resolved.is_none()));
        if is_name(name) {
            found.add(Ecosystem::Npm, name, self.version.unwrap_or_default(), from);
        } else {
            found.invalid();
        }
    }
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value)
}

/// Blocks of descriptors with `version` and `resolution`, which is `name@npm:version` or `name@place`.
fn berry(text: &str, found: &mut Found) -> Result<(), Unreadable> {
    let (mut version, mut resolution): (Option<Cow<'_, str>>, Option<Cow<'_, str>>) = (None, None);
    let mut is_package = false;
    for line in yaml::lines(found.lines(text)) {
        let line = line?;
        if line.indent == 0 {
            if is_package {
                resolved(resolution.take(), version.take(), found);
            }
            (version, resolution, is_package) = (None, None, !line.is("__metadata"));
        } else if line.indent == 2 && line.is("version") {
            version = yaml::scalar(line.value);
        } else if line.indent == 2 && line.is("resolution") {
            resolution = yaml::scalar(line.value);
        }
    }
    if is_package {
        resolved(resolution, version, found);
    }
    Ok(())
}

fn resolved(resolution: Option<Cow<'_, str>>, version: Option<Cow<'_, str>>, found: &mut Found) {
    let resolution = resolution.unwrap_or_default();
    let Some((name, place)) = name_and_version(&resolution) else { return found.invalid() };
    if !is_name(name) {
        found.invalid();
    } else if !place.starts_with("workspace:") {
        // A patch of a package is that package, in the version that it patches.
        let is_public = place.starts_with("npm:") || place.starts_with("patch:");
        let from = if is_public { None } else { registry(place) };
        found.add(Ecosystem::Npm, name, version.unwrap_or_default(), from);
    }
}

#[cfg(test)]
mod tests {
    use lazaret::path::LayerPath;

    use super::*;

    #[test]
    fn a_long_key_parts_no_block() {
        let content =
            "__metadata:\n  version: 8\n\n? \"a@npm:1, a@npm:2\"\n:\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n";
        let path = LayerPath::from("yarn.lock");
        let facts = extract(&ClaimedFile { path: &path, content: content.as_bytes(), companions: &[] });
        assert_eq!((facts.packages.len(), facts.gaps), (1, Vec::new()));
    }

    #[test]
    fn aliases_and_places_are_followed() {
        let content = "\"a@npm:b@^1\", c@1:\n  version \"1.2.0\"\n  resolved \"https://registry.yarnpkg.com/b/-/b-1.2.0.tgz#0\"\n\n\"d@git+https://x/d.git\":\n  version \"2.0.0\"\n  resolved \"git+https://x/d.git#0\"\n\n\"e@file:../e\":\n  version \"3.0.0\"\n";
        let path = LayerPath::from("yarn.lock");
        let facts = extract(&ClaimedFile { path: &path, content: content.as_bytes(), companions: &[] });
        let found: Vec<_> =
            facts.packages.iter().map(|package| (package.name.as_str(), package.registry.as_deref())).collect();
        assert_eq!(found, [("b", None), ("d", Some("git")), ("e", Some("local"))]);
    }
}
