//! What the name of a store path says: hash, name, version, output.

use lazaret::ecosystem::Ecosystem;
use lazaret::package::Package;

use super::super::word::word;

/// Digits of the hash, in Nix's base 32.
const HASH: usize = 32;
/// Outputs of derivations that nixpkgs names (<https://nixos.org/manual/nixpkgs/stable/#multiple-output-file-binding-directives>).
const OUTPUTS: &[&str] = &[
    "bin", "dev", "devdoc", "debug", "dist", "doc", "info", "lib", "libgcc", "man", "out", "py", "static", "terminfo",
];
/// What a file in the store is rather than a package: sources, patches, build recipes.
const NO_PACKAGES: &[&str] = &[
    ".drv", ".lock", ".patch", ".diff", ".sh", ".json", ".xml", ".nix", ".conf", ".tar", ".gz", ".bz2", ".xz", ".zst",
    ".lz", ".tgz", ".zip", ".gem", ".crate", ".whl", ".service", ".check", ".pem",
];

/// The package at `HASH-NAME-VERSION[-OUTPUT]` in a store. `None` for what is no such name, has no version, or is one of
/// the many paths that are not packages: derivations, sources, patches, generated scripts.
pub(super) fn package(path: &[u8]) -> Option<Package> {
    let (hash, rest) = path.split_at_checked(HASH)?;
    let is_base32 = |b: &u8| b.is_ascii_digit() || b.is_ascii_lowercase() && !matches!(b, b'e' | b'o' | b'u' | b't');
    if !hash.iter().all(is_base32) {
        return None;
    }
    let full = word(rest.strip_prefix(b"-")?)?;
    if !full.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._?=".contains(&b))
        || NO_PACKAGES.iter().any(|end| full.ends_with(end))
    {
        return None;
    }
    let (full, output) = match full.rsplit_once('-') {
        Some((stem, output)) if OUTPUTS.contains(&output) => (stem, output),
        _ => (full, "out"),
    };
    let (name, version) = parted(full)?;
    let mut package = Package::new(Ecosystem::Nix, name, version);
    if output != "out" {
        package.qualifiers = vec![("output".to_owned(), output.to_owned())];
    }
    Some(package)
}

/// Name and version as `builtins.parseDrvName` parts them: the version begins behind the first hyphen that no letter follows.
fn parted(full: &str) -> Option<(&str, &str)> {
    let follows = |at: usize| full.as_bytes().get(at + 1).is_some_and(|b| !b.is_ascii_alphabetic());
    let at = full.match_indices('-').map(|(at, _)| at).find(|&at| follows(at))?;
    let (name, version) = (&full[..at], &full[at + 1..]);
    (!name.is_empty() && !version.is_empty()).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_part_as_nix_parts_them() {
        for (full, want) in [
            ("openssl-3.0.13", Some(("openssl", "3.0.13"))),
            ("openssl-3.0.13-bin", Some(("openssl", "3.0.13"))),
            ("python3.11-requests-2.31.0", Some(("python3.11-requests", "2.31.0"))),
            ("nix-0.12pre12876", Some(("nix", "0.12pre12876"))),
            ("xorg-server-21.1-unstable-2024-01-01", Some(("xorg-server", "21.1-unstable-2024-01-01"))),
            ("glibc-2.38-44", Some(("glibc", "2.38-44"))),
            ("source", None),
            ("user-environment", None),
            ("bash-5.2-p15.drv", None),
            ("openssl-3.0.13.tar.gz", None),
            ("fix-1.patch", None),
            ("-1", None),
            ("a-", None),
        ] {
            let found = package(format!("0c3d4f5g6h7i8j9k0l1m2n3p4q5r6s7v-{full}").as_bytes());
            let found = found.as_ref().map(|package| (package.name.as_str(), package.version.as_str()));
            assert_eq!(found, want, "{full}");
        }
    }

    #[test]
    fn a_store_path_begins_with_a_hash() {
        for path in
            ["", "openssl-3.0.13", "0c3d4f5g6h7i8j9k0l1m2n3p4q5r6s7v", "0c3d4f5g6h7i8j9k0l1m2n3p4q5r6s7e-a-1", ".links"]
        {
            assert_eq!(package(path.as_bytes()), None, "{path}");
        }
        assert_eq!(package(b"0c3d4f5g6h7i8j9k0l1m2n3p4q5r6s7v-a\xff-1"), None);
    }
}
