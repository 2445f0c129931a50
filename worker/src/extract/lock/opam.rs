//! OCaml: `NAME.opam.locked`, which `opam lock` writes (<https://opam.ocaml.org/doc/man/opam-lock.html>).

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};

use super::found::read;
use super::place::{has_suffix, is_named};
use super::{ClaimedFile, Extractor, WHOLE};

/// The dependencies with the version that each is locked to: `"name" {= "version"}` in `depends`.
pub(crate) static OPAM: Extractor = Extractor {
    name: "lock-opam",
    version: 1,
    claims: |path| has_suffix(path, ".opam.locked") || is_named(path, &["opam.locked"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Opam],
    form: "`*.opam.locked`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        let mut in_depends = false;
        for line in found.lines(text) {
            if !in_depends {
                in_depends = line.trim_end() == "depends: [";
                continue;
            }
            let line = line.trim();
            if line == "]" {
                in_depends = false;
                continue;
            }
            // What has no exact version is optional, or of the build's system.
            let Some((name, version)) = locked(line) else { continue };
            found.add(Ecosystem::Opam, name, version, None);
        }
        if in_depends {
            found.gap(GapKind::Malformed, "the dependencies are cut off");
        }
        Ok(())
    })
}

/// `"name" {= "version" & …}`.
fn locked(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.strip_prefix('"')?.split_once('"')?;
    let constraint = rest.trim_start().strip_prefix('{')?;
    let exact = constraint.split('&').find_map(|part| part.trim_start().strip_prefix("= \""))?;
    Some((name, exact.split_once('"')?.0))
}
