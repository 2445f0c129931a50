//! A package URL as a package: its type is the ecosystem, and the ecosystem says how its parts make a name.

use lazaret::ecosystem::Ecosystem;
use lazaret::package::{Package, SourcePackage};

use super::super::python;
use super::super::word::is_word;
use super::found::Entry;
use super::purl::Purl;

/// Why an entry yields no package.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// Its package URL or its version is none.
    Malformed,
    /// It has no version.
    WithoutVersion,
    /// It is something that is no package: an image, a repository.
    OtherType,
}

/// The package of an entry.
pub(super) fn package(entry: &Entry<'_>) -> Result<Package, Unread> {
    let purl = Purl::parse(entry.purl).ok_or(Unread::Malformed)?;
    let ecosystem = Ecosystem::ALL.into_iter().find(|ecosystem| ecosystem.name() == purl.kind);
    let ecosystem = ecosystem.ok_or(Unread::OtherType)?;
    let version = purl.version.as_deref().or(entry.version).filter(|version| !version.is_empty());
    let version = version.ok_or(Unread::WithoutVersion)?;
    let version = match purl.qualifier("epoch") {
        Some(epoch) if ecosystem == Ecosystem::Rpm && epoch != "0" => format!("{epoch}:{version}"),
        _ => version.to_owned(),
    };
    let name = name(ecosystem, &purl);
    if !is_word(&name) || !is_word(&version) {
        return Err(Unread::Malformed);
    }
    let source = ecosystem.is_os().then(|| purl.qualifier("upstream")).flatten();
    Ok(Package {
        arch: purl.qualifier("arch").filter(|arch| is_word(arch)).map(str::to_owned),
        source: source.and_then(|source| self::source(source, &version)),
        licence: entry.licence.clone(),
        qualifiers: qualifiers(ecosystem, &purl),
        cpe: entry.cpe.filter(|cpe| ecosystem == Ecosystem::Generic && is_cpe(cpe)).map(str::to_owned),
        ..Package::new(ecosystem, name, version)
    })
}

/// The whole name, as [`Package::name`] has it.
fn name(ecosystem: Ecosystem, purl: &Purl) -> String {
    use Ecosystem as E;
    let with = |separator: &str| match purl.namespace.as_str() {
        "" => purl.name.clone(),
        namespace => format!("{namespace}{separator}{}", purl.name),
    };
    match ecosystem {
        E::Maven => with(":"),
        E::Npm | E::Golang | E::Composer | E::Swift | E::Ebuild | E::LuaRocks | E::Hex | E::Generic => with("/"),
        E::PyPi => python::normalised(&purl.name),
        E::CocoaPods if !purl.subpath.is_empty() => format!("{}/{}", purl.name, purl.subpath),
        // A namespace is the distribution, the vendor, the author: no part of the name.
        _ => purl.name.clone(),
    }
}

/// `NAME@VERSION` or `NAME`, as the tools that write it have it.
fn source(upstream: &str, version: &str) -> Option<SourcePackage> {
    let (name, version) = upstream.rsplit_once('@').unwrap_or((upstream, version));
    (is_word(name) && is_word(version)).then(|| SourcePackage { name: name.to_owned(), version: version.to_owned() })
}

/// The qualifiers that are kept of a package of this ecosystem, sorted.
fn qualifiers(ecosystem: Ecosystem, purl: &Purl) -> Vec<(String, String)> {
    let kept: &[&str] = match ecosystem {
        Ecosystem::Bitnami => &["distro"],
        Ecosystem::Conda => &["build", "channel", "subdir"],
        Ecosystem::Julia => &["uuid"],
        _ => &[],
    };
    let values = kept.iter().filter_map(|&key| Some((key.to_owned(), purl.qualifier(key)?.to_owned())));
    values.filter(|(_, value)| is_word(value)).collect()
}

fn is_cpe(text: &str) -> bool {
    text.starts_with("cpe:2.3:") && is_word(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(purl: &str, version: Option<&str>) -> Result<Package, Unread> {
        package(&Entry { purl, version, cpe: Some("cpe:2.3:a:b:c:1:*:*:*:*:*:*:*"), licence: None })
    }

    #[test]
    fn names_are_whole_as_their_ecosystems_have_them() {
        for (purl, ecosystem, name, version) in [
            ("pkg:maven/org.a/b@1", Ecosystem::Maven, "org.a:b", "1"),
            ("pkg:npm/%40s/b@1", Ecosystem::Npm, "@s/b", "1"),
            ("pkg:golang/github.com/a/b@v1", Ecosystem::Golang, "github.com/a/b", "v1"),
            ("pkg:pypi/Zope.Interface@5", Ecosystem::PyPi, "zope-interface", "5"),
            ("pkg:deb/debian/libc6@2.36-9?arch=amd64&upstream=glibc", Ecosystem::Deb, "libc6", "2.36-9"),
            ("pkg:rpm/redhat/vim@8-1?epoch=2", Ecosystem::Rpm, "vim", "2:8-1"),
            ("pkg:cocoapods/Google@7#NSData", Ecosystem::CocoaPods, "Google/NSData", "7"),
            ("pkg:cpan/AUTHOR/Some-Dist@1", Ecosystem::Cpan, "Some-Dist", "1"),
            ("pkg:generic/oracle/openjdk@17", Ecosystem::Generic, "oracle/openjdk", "17"),
            ("pkg:bitnami/redis@7.4.2-0?arch=amd64&distro=debian-12", Ecosystem::Bitnami, "redis", "7.4.2-0"),
        ] {
            let package = read(purl, None).unwrap();
            assert_eq!((package.ecosystem, &*package.name, &*package.version), (ecosystem, name, version), "{purl}");
            assert_eq!(package.cpe.is_some(), ecosystem == Ecosystem::Generic);
        }
        let libc = read("pkg:deb/debian/libc6@2.36-9?arch=amd64&upstream=glibc%402.36-1", None).unwrap();
        assert_eq!(libc.arch.as_deref(), Some("amd64"));
        assert_eq!(libc.source, Some(SourcePackage { name: "glibc".into(), version: "2.36-1".into() }));
        assert_eq!(read("pkg:npm/a", Some("2")).unwrap().version, "2");
    }

    #[test]
    fn what_is_no_package_is_told_from_what_is_malformed() {
        assert_eq!(read("pkg:docker/alpine@3", None), Err(Unread::OtherType));
        assert_eq!(read("pkg:npm/a", None), Err(Unread::WithoutVersion));
        assert_eq!(read("pkg:npm/a%0a@1", None), Err(Unread::Malformed));
        assert_eq!(read("npm/a@1", None), Err(Unread::Malformed));
    }
}
