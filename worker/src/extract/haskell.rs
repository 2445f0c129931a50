//! Haskell packages registered with GHC: the records of its package databases.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use lazaret::package::Package;
use lazaret::path::split;
use lazaret::text::from_bytes;

use super::plain::{malformed, one, word};
use super::{ClaimedFile, Content, Extractor, control, licence};

/// `ID.conf` in a package database (GHC User's Guide, "InstalledPackageInfo: a package specification"): GHC's own in
/// `package.conf.d`, that of Cabal's store in `package.db`, those of Stack in `pkgdb`.
///
/// A library below a package (`lib-name`) has a record of its own, which names the package that it is part of.
pub(super) static GHC_PACKAGE: Extractor = Extractor {
    name: "ghc-package",
    version: 1,
    claims: |path| {
        path.ends_with(b".conf") && {
            let (database, file) = split(path);
            file.len() > b".conf".len() && matches!(split(database).1, b"package.conf.d" | b"package.db" | b"pkgdb")
        }
    },
    // It lists every module and every flag of the package.
    content: Content::Whole(4 << 20),
    companions: &[],
    yields: &[Ecosystem::Hackage],
    form: "GHC's package databases",
    extract,
};

/// What GHC registers of itself: these are not on Hackage.
const OF_GHC: [&str; 2] = ["rts", "system-cxx-std-lib"];

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let (mut name, mut whole, mut version, mut declared) = (None, None, None, None);
    for line in control::lines(file.content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file.content)) {
        match control::field(line) {
            Some((b"name", value)) => name = Some(value),
            Some((b"package-name", value)) => whole = Some(value),
            Some((b"version", value)) => version = Some(value),
            Some((b"license", value)) => declared = Some(value),
            _ => {}
        }
    }
    let Some(name) = whole.or(name).and_then(word).filter(|name| is_name(name)) else {
        return malformed(file, "a Haskell package without a valid name");
    };
    let Some(version) = version.and_then(word) else {
        return malformed(file, "a Haskell package without a valid version");
    };
    let mut package = Package::new(Ecosystem::Hackage, name, version);
    package.licence = declared.and_then(|value| licence::declared(&from_bytes(value)));
    package.registry = registry(name, file.path.as_bytes()).map(str::to_owned);
    one(package)
}

/// Where it came from, if not from Hackage: from GHC, or from the project that Stack built.
fn registry(name: &str, path: &[u8]) -> Option<&'static str> {
    let is_project = memchr::memmem::find(path, b".stack-work/install/").is_some();
    if OF_GHC.contains(&name) { Some("registry") } else { is_project.then_some("local") }
}

/// Words of letters and digits, at least one letter in each, between hyphens (Cabal User Guide, "Package names"); only the
/// characters are looked at.
fn is_name(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && name.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use lazaret::path::LayerPath;

    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&GHC_PACKAGE);
    }

    #[test]
    fn claims_records_of_package_databases() {
        for path in [
            "var/lib/ghc/package.conf.d/base-4.17.2.1.conf",
            "root/.ghcup/ghc/9.4.7/lib/ghc-9.4.7/lib/package.conf.d/text-2.0.2.conf",
            "root/.cabal/store/ghc-9.4.7/package.db/vctr-0.13.1.0-2b1e4f.conf",
            "root/.stack/snapshots/x86_64-linux/0a1b/9.4.7/pkgdb/aeson-2.1.2.1-Kx.conf",
        ] {
            assert!((GHC_PACKAGE.claims)(path.as_bytes()), "{path}");
        }
        for path in
            ["package.conf.d/package.cache", "package.conf.d/.conf", "etc/a.conf", "package.conf.d/a/b.conf", "a.conf"]
        {
            assert!(!(GHC_PACKAGE.claims)(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn what_is_not_of_hackage() {
        assert_eq!(registry("rts", b"var/lib/ghc/package.conf.d/rts.conf"), Some("registry"));
        assert_eq!(registry("app", b"app/.stack-work/install/x86_64-linux/0a/9.4.7/pkgdb/app-1-K.conf"), Some("local"));
        assert_eq!(registry("text", b"var/lib/ghc/package.conf.d/text-2.0.2.conf"), None);
    }

    #[test]
    fn truncated_it_is_a_gap_or_the_package() {
        let path = LayerPath::from("a/package.conf.d/text-2.0.2.conf");
        let whole = b"name: text\nversion: 2.0.2\nid: text-2.0.2\n";
        for end in 0..whole.len() {
            let facts = extract(&ClaimedFile { path: &path, content: &whole[..end], companions: &[] });
            assert_eq!(facts.packages.len() + facts.gaps.len(), 1, "{end}");
        }
    }
}
