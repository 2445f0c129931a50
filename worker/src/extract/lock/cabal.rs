//! Haskell: `cabal.project.freeze` (<https://cabal.readthedocs.io/en/stable/cabal-commands.html#cabal-freeze>).

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;

use super::found::read;
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE};

/// Constraints to one version, `any.name ==version`. Those of the compiler's own packages are there too.
pub(crate) static CABAL: Extractor = Extractor {
    name: "lock-cabal",
    version: 1,
    claims: |path| is_named(path, &["cabal.project.freeze"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Hackage],
    form: "`cabal.project.freeze`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        for line in found.lines(text) {
            let line = line.trim();
            if line.starts_with("--") {
                continue;
            }
            let line = line.strip_prefix("constraints:").unwrap_or(line);
            for constraint in line.split(',') {
                // Others set flags.
                let Some((name, version)) = constraint.split_once("==") else { continue };
                let name = name.trim();
                found.add(Ecosystem::Hackage, name.strip_prefix("any.").unwrap_or(name), version.trim(), None);
            }
        }
        Ok(())
    })
}
