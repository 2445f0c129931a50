//! From an rpm header to a package.

use std::borrow::Cow;

use lazaret::ecosystem::Ecosystem;
use lazaret::package::{Package, SourcePackage};
use lazaret::text::from_bytes;

use super::flaw::Flaw;
use super::header::{Header, Tag};

/// The package of a header, public keys (`gpg-pubkey`) included, as `rpm -qa` lists them. A field that we can do without
/// and that is damaged is left out and told in `flaws`.
pub(super) fn package(header: &Header<'_, '_>, flaws: &mut Vec<Flaw>) -> Result<Package, Flaw> {
    let name = required(header, Tag::Name)?;
    let evr_without_epoch = format!("{}-{}", required(header, Tag::Version)?, required(header, Tag::Release)?);
    let epoch = header.number(Tag::Epoch)?;
    let mut optional = |tag| match header.text(tag) {
        Ok(text) => text.and_then(stated),
        Err(flaw) => {
            flaws.push(flaw);
            None
        }
    };
    let source_rpm = optional(Tag::SourceRpm);
    Ok(Package {
        arch: optional(Tag::Arch),
        licence: optional(Tag::License),
        module: optional(Tag::ModularityLabel),
        vendor: optional(Tag::Vendor),
        ..named(name, &evr_without_epoch, epoch, source_rpm.as_deref())
    })
}

/// A package of this name, `version-release`, epoch and source package file.
pub(super) fn named(name: String, version_release: &str, epoch: Option<u32>, source_rpm: Option<&str>) -> Package {
    let version = epoch.map_or_else(|| version_release.to_owned(), |epoch| format!("{epoch}:{version_release}"));
    // The file name has no epoch. A package of the source's own version has its epoch too; one with a version of its
    // own has an epoch of its own.
    let source = source_rpm
        .and_then(source_parts)
        .filter(|&(source, source_version)| source != name || source_version != version_release)
        .map(|(source, source_version)| SourcePackage {
            name: source.to_owned(),
            version: if source_version == version_release { version.clone() } else { source_version.to_owned() },
        });
    Package { source, ..Package::new(Ecosystem::Rpm, name, version) }
}

/// Name and `version-release` of `name-version-release.src.rpm`; neither version nor release holds a hyphen.
fn source_parts(file: &str) -> Option<(&str, &str)> {
    let stem = file.strip_suffix(".src.rpm").or_else(|| file.strip_suffix(".nosrc.rpm"))?;
    let (head, _release) = stem.rsplit_once('-')?;
    let (name, _version) = head.rsplit_once('-')?;
    (!name.is_empty()).then(|| (name, &stem[name.len() + 1..]))
}

fn required(header: &Header<'_, '_>, tag: Tag) -> Result<String, Flaw> {
    header.text(tag)?.and_then(stated).ok_or_else(|| tag.flaw())
}

/// rpm writes `(none)` for what is not there, and some builds have stored it.
fn stated(text: Cow<'_, [u8]>) -> Option<String> {
    (!text.is_empty() && *text != *b"(none)").then(|| from_bytes(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources() {
        for (file, parts) in [
            ("util-linux-2.32.1-42.el8_8.src.rpm", Some(("util-linux", "2.32.1-42.el8_8"))),
            ("a-1-2.nosrc.rpm", Some(("a", "1-2"))),
            ("-1-2.src.rpm", None),
            ("1-2.src.rpm", None),
            ("a-1-2.x86_64.rpm", None),
            ("(none)", None),
        ] {
            assert_eq!(source_parts(file), parts, "{file}");
        }
    }

    #[test]
    fn a_source_only_where_it_differs() {
        let of = |epoch, source| named("bind-libs".into(), "9.16-1", epoch, Some(source)).source;
        assert_eq!(of(None, "bind-libs-9.16-1.src.rpm"), None);
        let bind = |version: &str| Some(SourcePackage { name: "bind".into(), version: version.into() });
        assert_eq!(of(Some(32), "bind-9.16-1.src.rpm"), bind("32:9.16-1"));
        assert_eq!(of(Some(32), "bind-9.17-1.src.rpm"), bind("9.17-1"));
    }

    #[test]
    fn an_epoch_of_zero_is_written_where_it_is_stated() {
        assert_eq!(named("a".into(), "1-2", Some(0), None).version, "0:1-2");
        assert_eq!(named("a".into(), "1-2", None, None).version, "1-2");
    }
}
