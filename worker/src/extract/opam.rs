//! OCaml packages of an opam switch: the definition that opam keeps of each.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use lazaret::package::Package;
use lazaret::text::from_bytes;

use super::plain::{last_components, malformed, one, word};
use super::{ClaimedFile, Content, Extractor, control, licence};

/// `.opam-switch/packages/NAME.VERSION/opam` (opam manual, "Switches"): opam keeps the definitions of what is installed
/// there, compilers included. The path says all but the licence.
pub(super) static OPAM: Extractor = Extractor {
    name: "opam",
    version: 1,
    claims: |path| path.ends_with(b"/opam") && place(path).is_some(),
    content: Content::Whole(1 << 20),
    companions: &[],
    yields: &[Ecosystem::Opam],
    form: "switches",
    extract,
};

/// Name and version, if the path is that of an installed package's definition.
fn place(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let [_, package, packages, switch] = last_components(path)?;
    let dot = memchr::memchr(b'.', package).filter(|_| packages == b"packages" && switch == b".opam-switch")?;
    Some((package.get(..dot)?, package.get(dot + 1..)?))
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let Some((name, version)) = place(file.path.as_bytes()) else { return Facts::default() };
    let is_name = |name: &&str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_+".contains(&b));
    let (Some(name), Some(version)) = (word(name).filter(is_name), word(version)) else {
        return malformed(file, "an opam package without a valid name and version");
    };
    let mut package = Package::new(Ecosystem::Opam, name, version);
    package.licence = control::lines(file.content).find_map(declared);
    one(package)
}

/// `license: "ISC"` or `license: ["MIT" "ISC"]`, the list on one line, as opam writes short ones.
fn declared(line: &[u8]) -> Option<String> {
    let value = line.strip_prefix(b"license:")?;
    let quoted: Vec<_> = value.split(|&b| b == b'"').skip(1).step_by(2).take(8).map(from_bytes).collect();
    licence::declared(&quoted.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&OPAM);
    }

    #[test]
    fn claims_definitions_of_installed_packages() {
        for path in [
            "home/opam/.opam/4.14/.opam-switch/packages/ocaml-base-compiler.4.14.1/opam",
            "app/_opam/.opam-switch/packages/dune.3.11.1/opam",
        ] {
            assert!((OPAM.claims)(path.as_bytes()), "{path}");
        }
        for path in [
            "root/.opam/repo/default/packages/dune/dune.3.11.1/opam",
            "a/.opam-switch/packages/dune/opam",
            "a/.opam-switch/overlay/dune/opam",
            "a/.opam-switch/packages/dune.3.11.1/opam.bak",
            ".opam-switch/packages/opam",
            "dune.3/opam",
        ] {
            assert!(!(OPAM.claims)(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn licences() {
        for (line, licence) in [
            (
                "license: \"LGPL-2.1-or-later WITH OCaml-LGPL-linking-exception\"",
                Some("LGPL-2.1-or-later WITH OCaml-LGPL-linking-exception"),
            ),
            ("license: [\"MIT\" \"ISC\"]", Some("MIT, ISC")),
            ("license: [", None),
            ("x-license: \"MIT\"", None),
        ] {
            assert_eq!(declared(line.as_bytes()).as_deref(), licence, "{line}");
        }
    }
}
