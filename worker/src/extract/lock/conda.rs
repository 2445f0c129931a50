//! conda: `conda-lock.yml` (<https://conda.github.io/conda-lock/output/#unified-lockfile>).

use std::borrow::Cow;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
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
        let (mut in_packages, mut is_unread) = (false, false);
        // Where the members of an entry stand: lists are indented, or not.
        let mut column = None;
        let mut entry: Option<Entry<'_>> = None;
        for line in yaml::lines(found.lines(text)) {
            let line = line?;
            if !line.is_item && line.indent == 0 {
                entry.take().iter().for_each(|entry| entry.take(found));
                in_packages = line.is("package");
                is_unread |= in_packages && !matches!(line.value, "" | "[]");
                column = None;
            } else if in_packages {
                if line.is_item && column.is_none_or(|column| column == line.indent) {
                    column = Some(line.indent);
                    entry.take().iter().for_each(|entry| entry.take(found));
                    entry = Some(Entry::default());
                }
                is_unread |= column.is_none();
                let Some(entry) = entry.as_mut().filter(|_| column == Some(line.indent)) else { continue };
                let Some(key) = &line.key else { continue };
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
        if is_unread {
            found.gap(GapKind::Malformed, "packages that are no list with a line for each member");
        }
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

#[cfg(test)]
mod tests {
    use lazaret::path::LayerPath;

    use super::*;

    fn read_text(content: &str) -> Facts {
        let path = LayerPath::from("conda-lock.yml");
        extract(&ClaimedFile { path: &path, content: content.as_bytes(), companions: &[] })
    }

    #[test]
    fn lists_may_be_indented() {
        let plain = "version: 1\npackage:\n- name: a\n  version: '1'\n  manager: conda\n  dependencies:\n    - b\n    name: c\n- name: d\n  version: '2'\n  manager: pip\n";
        let indented = plain.replace("\n- ", "\n  - ").replace("\n  v", "\n    v").replace("\n  m", "\n    m");
        let indented = indented
            .replace("\n  d", "\n    d")
            .replace("\n    - b", "\n      - b")
            .replace("\n    name: c", "\n      name: c");
        let facts = read_text(plain);
        assert_eq!((facts.packages.len(), facts.gaps.len()), (2, 0), "{facts:?}");
        assert_eq!(read_text(&indented), facts, "{indented}");
    }

    #[test]
    fn another_form_is_a_gap() {
        for text in ["package: [{name: a}]\n", "package:\n  a:\n    version: 1\n"] {
            let facts = read_text(text);
            assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1), "{text}");
        }
        for text in ["package: []\n", "package:\nmetadata:\n  x: 1\n"] {
            assert_eq!(read_text(text).gaps, [], "{text}");
        }
    }
}
