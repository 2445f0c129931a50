//! conda's records of installed packages: `conda-meta/NAME-VERSION-BUILD.json` in every environment.
//!
//! Format: <https://docs.conda.io/projects/conda/en/stable/dev-guide/specs/> and what conda and micromamba write: the
//! record of the package's channel, with the files that were linked into the environment.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;
use lazaret::path::split;

use super::word::is_word;
use super::{ClaimedFile, Content, Extractor, licence};

mod channel;
mod record;

use record::Record;

/// Installed conda packages. Those of a Python distribution own its metadata, which tells of it as a package of PyPI.
pub(super) static CONDA: Extractor = Extractor {
    name: "conda",
    version: 2,
    claims,
    // A record lists every file twice, with checksums; there are packages of a hundred thousand files.
    content: Content::Whole(64 << 20),
    companions: &[],
    yields: &[Ecosystem::Conda],
    form: "`conda-meta`",
    extract,
};

fn claims(path: &[u8]) -> bool {
    path.strip_suffix(b".json").is_some_and(|stem| {
        let (directory, name) = split(stem);
        !name.is_empty() && split(directory).1 == b"conda-meta"
    })
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let malformed = |reason: String| Facts { gaps: vec![file.gap(GapKind::Malformed, reason)], ..Facts::default() };
    let environment = split(file.path.parent()).0;
    let record = match Record::read(file.content, environment) {
        Ok(record) => record,
        Err(error) => return malformed(format!("conda record: {error}")),
    };
    let (Some(name), Some(version)) = (&record.name, &record.version) else {
        return malformed("conda record without a name or a version".to_owned());
    };
    if !is_word(name) || !is_word(version) {
        return malformed("conda record with an invalid name or version".to_owned());
    }
    let channel = record.channel.as_deref().and_then(|channel| channel::read(channel, record.subdir.as_deref()));
    let registry = channel.as_ref().and_then(|channel| channel.registry);
    let stated = [
        ("build", record.build.as_deref()),
        ("channel", channel.as_ref().map(|channel| channel.name.as_str())),
        ("subdir", record.subdir.as_deref()),
    ];
    let stated = stated.into_iter().filter_map(|(key, value)| Some((key, value?)));
    let package = Package {
        licence: record.licence.as_deref().and_then(licence::declared),
        registry: registry.map(str::to_owned),
        qualifiers: stated
            .filter(|(_, value)| is_word(value))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect(),
        ..Package::new(Ecosystem::Conda, name.as_ref(), version.as_ref())
    };
    let mut facts = Facts { packages: vec![package], ..Facts::default() };
    facts.owned = record.owned.into_iter().map(|path| (path, 0)).collect();
    facts.owned.sort_unstable();
    if record.too_many_files {
        let reason = "a conda record whose files have paths out of proportion to it; the last have no owner";
        facts.gaps.push(file.gap(GapKind::Limit, reason));
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&CONDA);
    }

    #[test]
    fn claims_records_and_not_the_history() {
        for (path, claimed) in [
            ("opt/conda/conda-meta/numpy-1.26.0-py311h64a7726_0.json", true),
            ("opt/conda/envs/x/conda-meta/a-1-0.json", true),
            ("conda-meta/a-1-0.json", true),
            ("opt/conda/conda-meta/history", false),
            ("opt/conda/conda-meta/.json", false),
            ("opt/conda/xconda-meta/a.json", false),
            ("opt/conda/conda-meta/a/b.json", false),
            ("opt/conda/pkgs/a-1-0/info/index.json", false),
        ] {
            assert_eq!(claims(path.as_bytes()), claimed, "{path}");
        }
    }

    fn read(content: &[u8]) -> Facts {
        extract(&ClaimedFile { path: &"opt/conda/conda-meta/a-1-0.json".into(), content, companions: &[] })
    }

    #[test]
    fn every_truncation_is_a_gap() {
        let whole = br#"{"name":"a","version":"1","build":"0","files":["lib/x.dist-info/METADATA"],"license":"MIT"}"#;
        for end in 0..whole.len() {
            let facts = read(&whole[..end]);
            assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1), "{end}");
        }
        let facts = read(whole);
        assert_eq!(facts.owned, [("opt/conda/lib/x.dist-info/METADATA".into(), 0)]);
    }

    #[test]
    fn hostile_records_cost_their_own_size() {
        for open in ["[", "{\"a\":"] {
            for key in ["x", "files", "license"] {
                let deep = format!("{{\"name\":\"a\",\"version\":\"1\",\"{key}\":{}", open.repeat(1 << 18));
                assert_eq!(read(deep.as_bytes()).packages.len(), 0);
            }
        }
        // A long prefix, and short names that any extractor claims below it.
        let path = format!("{}/conda-meta/a-1-0.json", "d/".repeat(1000)).as_str().into();
        let files = r#""a.egg-info","#.repeat(1 << 16);
        let content = format!(r#"{{"name":"a","version":"1","files":[{files}"b"]}}"#);
        let facts = extract(&ClaimedFile { path: &path, content: content.as_bytes(), companions: &[] });
        assert_eq!((facts.packages.len(), facts.gaps.len()), (1, 1));
        assert!(facts.owned.iter().map(|(path, _)| path.as_bytes().len()).sum::<usize>() <= 16 * content.len());
    }
}
