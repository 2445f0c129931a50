//! Modules of Perl, told of by several records: what cpanm installed, `perllocal.pod`, and packlists, which know no versions.

use std::collections::{BTreeMap, BTreeSet};

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Gap, GapKind};

use super::LayerGap;
use super::presence::Identity;
use super::rows::Rows;
use super::state::State;

/// Joins records of one module. Where nothing tells the version of one, that is a gap.
pub(super) fn join(rows: &mut Rows<'_>, state: &State<'_>, gaps: &mut BTreeSet<LayerGap>) {
    let is_perl = |key: &Identity<'_>| key.0 == Ecosystem::Cpan;
    let modules: Vec<Identity<'_>> = rows.keys().filter(|key| is_perl(key) && !key.1.contains('/')).copied().collect();
    if modules.is_empty() {
        return;
    }
    // A distribution is called after its main module, as a rule, and named with its author.
    let mut distributions: BTreeMap<(String, &str), Identity<'_>> = BTreeMap::new();
    for key in rows.keys().filter(|key| is_perl(key)) {
        if let Some((_, name)) = key.1.split_once('/') {
            distributions.entry((name.replace('-', "::"), number(key.2))).or_insert(*key);
        }
    }
    for &module in modules.iter().filter(|module| !module.2.is_empty()) {
        if let Some(&distribution) = distributions.get(&(module.1.to_owned(), number(module.2))) {
            merge(rows, module, distribution);
        }
    }
    for &module in modules.iter().filter(|module| module.2.is_empty()) {
        let distribution = distributions.range((module.1.to_owned(), "")..).next();
        let distribution = distribution.filter(|((name, _), _)| name == module.1).map(|(_, key)| *key);
        // Versions are words, so this comes before all of them, and behind none.
        let versioned = rows.range((Ecosystem::Cpan, module.1, "\0", None, None)..).next();
        let versioned = versioned.filter(|(key, _)| is_perl(key) && key.1 == module.1).map(|(key, _)| *key);
        if let Some(told) = versioned.or(distribution) {
            merge(rows, module, told);
            continue;
        }
        for path in rows.get(&module).into_iter().filter(|row| !row.is_owned()).flat_map(|row| &row.evidence) {
            let layer = state.slots.get(path).map(|slot| slot.layer);
            let reason = format!("the Perl module {} is installed, but no record tells its version", module.1);
            gaps.insert(LayerGap { layer, gap: Gap { kind: GapKind::Version, path: path.clone(), reason } });
        }
    }
}

/// The version without the mark of a version string.
fn number(version: &str) -> &str {
    version.strip_prefix('v').unwrap_or(version)
}

fn merge<'s>(rows: &mut Rows<'s>, from: Identity<'s>, to: Identity<'s>) {
    if let Some(row) = rows.remove(&from)
        && let Some(into) = rows.get_mut(&to)
    {
        into.evidence.extend(row.evidence);
    }
}

#[cfg(test)]
mod tests {
    use lazaret::inventory::{Evidence, Facts, LayerInventory};
    use lazaret::package::Package;

    use super::super::compose;
    use super::*;

    fn told(files: &[(&str, &[(&str, &str)])]) -> (Vec<String>, usize) {
        let evidence = |&(path, packages): &(&str, &[(&str, &str)])| {
            let packages =
                packages.iter().map(|(name, version)| Package::new(Ecosystem::Cpan, *name, *version)).collect();
            Evidence { path: path.into(), extractor: "x".into(), facts: Facts { packages, ..Facts::default() } }
        };
        let layer = LayerInventory { evidence: files.iter().map(evidence).collect(), ..LayerInventory::default() };
        let contents = compose([Some(&layer)]);
        let rows = contents
            .packages
            .iter()
            .map(|row| format!("{} {} {}", row.package.name, row.package.version, row.evidence.len()));
        (rows.collect(), contents.gaps.iter().filter(|gap| gap.gap.kind == GapKind::Version).count())
    }

    #[test]
    fn a_module_is_told_of_once_and_never_in_silence() {
        let packlist = ("auto/A/B/.packlist", &[("A::B", "")][..]);
        for (files, rows, gaps) in [
            (&[packlist][..], &["A::B  1"][..], 1),
            (&[packlist, ("perllocal.pod", &[("A::B", "1.2")])], &["A::B 1.2 2"], 0),
            (&[packlist, ("perllocal.pod", &[("A::C", "1.2")])], &["A::B  1", "A::C 1.2 1"], 1),
            (&[packlist, ("perllocal.pod", &[("A::B", "")])], &["A::B  2"], 2),
            (&[packlist, ("x/install.json", &[("ME/A-B", "1.2")])], &["ME/A-B 1.2 2"], 0),
            (
                &[packlist, ("perllocal.pod", &[("A::B", "v1.2")]), ("x/install.json", &[("ME/A-B", "1.2")])],
                &["ME/A-B 1.2 3"],
                0,
            ),
            (
                &[packlist, ("perllocal.pod", &[("A::B", "1.3")]), ("x/install.json", &[("ME/A-B", "1.2")])],
                &["A::B 1.3 2", "ME/A-B 1.2 1"],
                0,
            ),
            (&[packlist, ("x/install.json", &[("ME/A-BC", "1.2")])], &["A::B  1", "ME/A-BC 1.2 1"], 1),
        ] {
            assert_eq!(told(files), (rows.iter().map(|&row| row.to_owned()).collect(), gaps), "{files:?}");
        }
    }
}
