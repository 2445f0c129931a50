//! Node: `pnpm-lock.yaml` in its versions 5 to 9 (<https://github.com/pnpm/spec/tree/master/lockfile>).

use std::borrow::Cow;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;

use super::found::{Found, Unreadable, read};
use super::npm_source::{name_and_version, registry};
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE, yaml};
use crate::extract::npm::is_name;

/// Every package in `packages`; the workspace's own are not there.
pub(crate) static PNPM: Extractor = Extractor {
    name: "lock-pnpm",
    version: 1,
    claims: |path| is_named(path, &["pnpm-lock.yaml"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Npm],
    form: "`pnpm-lock.yaml`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        let (mut major, mut in_packages) = (None, false);
        let mut entry: Option<Entry<'_>> = None;
        for line in yaml::lines(found.lines(text)) {
            let line = line?;
            if line.indent <= 2 {
                entry.take().iter().for_each(|entry| entry.take(found));
            }
            match (line.indent, line.key) {
                (0, Some(key)) => {
                    in_packages = key == "packages";
                    if key == "lockfileVersion" {
                        major = Some(self::major(line.value)?);
                    }
                }
                (2, Some(key)) if in_packages => {
                    let major =
                        major.ok_or_else(|| Unreadable::malformed("packages before the version of the format"))?;
                    entry = Some(Entry { key, major, in_resolution: false, name: None, version: None, from: None });
                }
                (4, Some(key)) => {
                    if let Some(entry) = &mut entry {
                        entry.member(&key, line.value);
                    }
                }
                (6, Some(key)) => {
                    if let Some(entry) = entry.as_mut().filter(|entry| entry.in_resolution) {
                        entry.resolution(&key, line.value);
                    }
                }
                _ => {}
            }
        }
        entry.iter().for_each(|entry| entry.take(found));
        match major {
            None => Err(Unreadable::malformed("no version of the format")),
            Some(_) => Ok(()),
        }
    })
}

fn major(value: &str) -> Result<u8, Unreadable> {
    let version = yaml::scalar(value).unwrap_or_default();
    match version.split('.').next().unwrap_or_default().parse() {
        Ok(major @ 5..=9) => Ok(major),
        _ => Err(Unreadable::unsupported("another version of pnpm's lockfile than 5 to 9")),
    }
}

struct Entry<'a> {
    key: Cow<'a, str>,
    major: u8,
    /// Whether the lines below are of its `resolution`.
    in_resolution: bool,
    name: Option<Cow<'a, str>>,
    version: Option<Cow<'a, str>>,
    from: Option<&'static str>,
}

impl<'a> Entry<'a> {
    fn member(&mut self, key: &str, value: &'a str) {
        self.in_resolution = key == "resolution";
        match key {
            "name" => self.name = yaml::scalar(value),
            "version" => self.version = yaml::scalar(value),
            "resolution" => yaml::members(value).for_each(|(key, value)| self.resolution(&key, value)),
            _ => {}
        }
    }

    /// A member of `resolution`.
    fn resolution(&mut self, key: &str, value: &str) {
        let from = match key {
            "tarball" => yaml::scalar(value).and_then(|url| registry(&url)),
            "commit" | "repo" => Some("git"),
            "directory" => Some("local"),
            _ => None,
        };
        self.from = self.from.or(from);
    }

    fn take(&self, found: &mut Found) {
        // What is no registry's package has its name and version beside it, and a place for a key.
        let (name, version) = match (&self.name, &self.version) {
            (Some(name), Some(version)) => (&**name, &**version),
            (_, version) => match (self.key_parts(), version) {
                (Some((name, _)), Some(version)) => (name, &**version),
                (Some((name, version)), None) if registry(version).is_none() => (name, version),
                // A place, with no version known.
                _ if self.from.is_some() => return,
                _ => return found.invalid(),
            },
        };
        if is_name(name) {
            found.add(Ecosystem::Npm, name, version, self.from);
        } else {
            found.invalid();
        }
    }

    /// The name and version in the key: `/name/1.0.0_peers` in version 5, `/name@1.0.0(peers)` in 6, `name@1.0.0` in 9.
    fn key_parts(&self) -> Option<(&str, &str)> {
        let key = self.key.split_once('(').map_or(&*self.key, |(key, _)| key);
        if self.major >= 9 {
            return name_and_version(key);
        }
        // Before the first slash stands the registry, where it is not the default one.
        let (_, key) = key.split_once('/')?;
        if self.major >= 6 {
            return name_and_version(key);
        }
        let (name, version) = if key.starts_with('@') {
            let (scope, rest) = key.split_once('/')?;
            let (bare, version) = rest.split_once('/')?;
            (&key[..scope.len() + 1 + bare.len()], version)
        } else {
            key.split_once('/')?
        };
        let version = version.split_once('_').map_or(version, |(version, _)| version);
        // `github.com/user/repo/commit` has as many parts as it likes.
        (!version.contains('/')).then_some((name, version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_all_versions() {
        for (major, key, expected) in [
            (5, "/a/1.0.0", Some(("a", "1.0.0"))),
            (5, "/@s/a/1.0.0_b@2.0.0+c@3.0.0", Some(("@s/a", "1.0.0"))),
            (5, "npm.corp.example/a/1.0.0", Some(("a", "1.0.0"))),
            (6, "/@s/a@1.0.0(b@2.0.0)(c@3.0.0)", Some(("@s/a", "1.0.0"))),
            (9, "@s/a@1.0.0-rc.1", Some(("@s/a", "1.0.0-rc.1"))),
            (9, "a@1.0.0(patch_hash=0)", Some(("a", "1.0.0"))),
            (5, "github.com/user/repo/0123", None),
            (5, "a", None),
            (6, "/a", None),
            (9, "a", None),
            (9, "", None),
        ] {
            let entry = Entry { key: key.into(), major, in_resolution: false, name: None, version: None, from: None };
            assert_eq!(entry.key_parts(), expected, "{key}");
        }
    }
}
