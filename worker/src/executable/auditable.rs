//! The crates that `cargo auditable` records in an executable: zlib-compressed JSON in the section `.dep-v0`.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::bufread::ZlibDecoder;
use lazaret::ecosystem::Ecosystem;
use lazaret::package::Package;
use serde::Deserialize;

/// The most that the data of one executable may inflate to; the largest known has 60 KB. The limit of cargo-auditable's own reader.
const MAX_BYTES: usize = 8 << 20;

/// Why the data could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum AuditableError {
    /// It is no zlib stream, or a damaged one.
    #[error("crate list of cargo-auditable cannot be inflated")]
    Inflate,
    /// It inflates to more than [`MAX_BYTES`].
    #[error("crate list of cargo-auditable larger than {} MiB", MAX_BYTES >> 20)]
    TooLarge,
    /// It is not the JSON that it should be.
    #[error("crate list of cargo-auditable: {0}")]
    Json(#[from] serde_json::Error),
    /// A crate's name or version is none.
    #[error("crate list of cargo-auditable with an invalid name or version")]
    Invalid,
}

/// The crates that `section` lists, sorted, each once: build dependencies and the program's own crate included, as
/// `cargo auditable` records them. A linker that joins several objects joins their sections, so lists may follow each
/// other.
///
/// Format: <https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md>.
pub(super) fn crates(mut section: &[u8]) -> Result<Vec<Package>, AuditableError> {
    let mut packages = Vec::new();
    let mut room = MAX_BYTES;
    let mut json = Vec::new();
    loop {
        json.clear();
        let mut inflater = ZlibDecoder::new(&mut section).take(room as u64 + 1);
        inflater.read_to_end(&mut json).map_err(|_| AuditableError::Inflate)?;
        room = room.checked_sub(json.len()).ok_or(AuditableError::TooLarge)?;
        let list: List<'_> = serde_json::from_slice(&json)?;
        for item in list.packages {
            packages.push(item.package().ok_or(AuditableError::Invalid)?);
        }
        // Alignment may leave zeros behind a list.
        let padding = section.iter().take_while(|&&b| b == 0).count();
        section = &section[padding..];
        if section.is_empty() {
            break;
        }
    }
    packages.sort_unstable();
    packages.dedup();
    Ok(packages)
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    packages: Vec<Crate<'a>>,
}

#[derive(Deserialize)]
struct Crate<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
    /// `crates.io`, `git`, `local`, or `registry` for any other one.
    #[serde(borrow, default)]
    source: Option<Cow<'a, str>>,
}

impl Crate<'_> {
    fn package(self) -> Option<Package> {
        let named = !self.name.is_empty() && self.name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        let versioned = !self.version.is_empty() && self.version.bytes().all(|b| b.is_ascii_graphic());
        let short = self.name.len().max(self.version.len()) <= 256;
        let registry =
            self.source.filter(|source| source != "crates.io").map(|source| source.chars().take(64).collect());
        (named && versioned && short)
            .then(|| Package { registry, ..Package::new(Ecosystem::Cargo, self.name, self.version) })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    fn deflated(json: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(json).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn lists_every_crate_once_and_sorted() {
        let first = deflated(
            br#"{"packages":[{"name":"serde","version":"1.0.1","source":"crates.io","dependencies":[1]},
            {"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"},{"name":"own","version":"0.1.0","source":"local","root":true}],"format":1}"#,
        );
        let second = deflated(br#"{"packages":[{"name":"cc","version":"1.0.0","source":"git"}]}"#);
        let joined = [&first[..], &[0; 7], &second].concat();
        let shown = |p: Package| format!("{} {} {}", p.name, p.version, p.registry.as_deref().unwrap_or("-"));
        let names: Vec<_> = crates(&joined).unwrap().into_iter().map(shown).collect();
        assert_eq!(names, ["cc 1.0.0 -", "cc 1.0.0 git", "own 0.1.0 local", "serde 1.0.1 -"]);
    }

    #[test]
    fn hostile_lists_are_errors() {
        let good = deflated(br#"{"packages":[]}"#);
        assert!(crates(&good).unwrap().is_empty());
        for end in 0..good.len() {
            assert!(crates(&good[..end]).is_err(), "{end}");
        }
        assert!(matches!(crates(&deflated(&vec![b' '; MAX_BYTES + 1])), Err(AuditableError::TooLarge)));
        assert!(matches!(crates(&[&good[..], b"junk"].concat()), Err(AuditableError::Inflate)));
        assert!(matches!(crates(&deflated(b"[]")), Err(AuditableError::Json(_))));
        assert!(matches!(crates(&deflated(&b"[".repeat(1 << 20))), Err(AuditableError::Json(_))));
        let named = |name: &str| deflated(format!(r#"{{"packages":[{{"name":"{name}","version":"1"}}]}}"#).as_bytes());
        assert!(crates(&named("a-b_2")).is_ok());
        for name in ["", "a/b", "a b", r"a\u0000", &"a".repeat(257)] {
            assert!(matches!(crates(&named(name)), Err(AuditableError::Invalid)), "{name}");
        }
    }
}
