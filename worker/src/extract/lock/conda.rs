//! conda: `conda-lock.yml` (<https://conda.github.io/conda-lock/output/#unified-lockfile>).

use std::borrow::Cow;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use lazaret::package::Package;

use super::found::{Found, is_word, read};
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE, yaml};
use crate::extract::python::normalised;

/// The packages of all platforms; those of pip among them are Python's.
pub(crate) static CONDA: Extractor = Extractor {
    name: "lock-conda",
    version: 1,
    claims: |path| is_named(path, &["conda-lock.yml", "conda-lock.yaml"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Conda, Ecosystem::PyPi],
    form: "`conda-lock.yml`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        let mut in_packages = false;
        let mut entry: Option<Entry<'_>> = None;
        for line in yaml::lines(found.lines(text)) {
            let line = line?;
            if !line.is_item && line.indent == 0 {
                entry.take().iter().for_each(|entry| entry.take(found));
                in_packages = line.is("package");
            } else if in_packages && line.indent == 2 {
                if line.is_item {
                    entry.take().iter().for_each(|entry| entry.take(found));
                    entry = Some(Entry::default());
                }
                let (Some(entry), Some(key)) = (&mut entry, &line.key) else { continue };
                match &**key {
                    "name" => entry.name = yaml::scalar(line.value),
                    "version" => entry.version = yaml::scalar(line.value),
                    "manager" => entry.manager = yaml::scalar(line.value),
                    "url" => entry.url = yaml::scalar(line.value),
                    _ => {}
                }
            }
        }
        entry.iter().for_each(|entry| entry.take(found));
        Ok(())
    })
}

#[derive(Default)]
struct Entry<'a> {
    name: Option<Cow<'a, str>>,
    version: Option<Cow<'a, str>>,
    manager: Option<Cow<'a, str>>,
    url: Option<Cow<'a, str>>,
}

impl Entry<'_> {
    fn take(&self, found: &mut Found) {
        let name = self.name.as_deref().unwrap_or_default();
        let version = self.version.as_deref().unwrap_or_default();
        match self.manager.as_deref() {
            Some("conda") => {}
            Some("pip") => return found.add(Ecosystem::PyPi, normalised(name), version, None),
            _ => return found.invalid(),
        }
        let mut package = Package::new(Ecosystem::Conda, name, version);
        // `…/CHANNEL/SUBDIR/NAME-VERSION-BUILD.conda`.
        let mut parts = self.url.as_deref().unwrap_or_default().rsplit('/');
        if let (Some(file), Some(subdir), Some(channel)) = (parts.next(), parts.next(), parts.next()) {
            let stem = file.strip_suffix(".conda").or_else(|| file.strip_suffix(".tar.bz2"));
            let build = stem.and_then(|stem| stem.rsplit('-').next());
            let stated = [("build", build), ("channel", Some(channel)), ("subdir", Some(subdir))];
            let stated = stated.into_iter().filter_map(|(key, value)| Some((key, value.filter(|text| is_word(text))?)));
            package.qualifiers = stated.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        }
        found.push(package);
    }
}
