//! A report beside what the seed says has to be in it.

use std::collections::BTreeSet;

use lazaret::ecosystem::Ecosystem;
use lazaret_loadtest::fleet::Fleet;

use super::super::Failure;
use crate::report::Report;

/// An advisory that concerns a package of an image: the package, its version, the id of the record.
pub(super) type Known = (String, String, String);

/// A package, its version, and the layer that it came with.
type Installed = (Ecosystem, String, String, u32);

/// Compares, and gives what is known about the image.
///
/// # Errors
/// They differ: a bug, here or there.
pub(super) fn check(fleet: &Fleet, image: u32, night: u32, report: &Report) -> Result<BTreeSet<Known>, Failure> {
    let name = shown_name(fleet, image);
    if let Some((index, error)) = report.layers.iter().find_map(|layer| Some((layer.index, layer.error.as_ref()?))) {
        return Err(Failure::new(format_args!("{name}: layer {index} failed: {error}")));
    }
    if let Some(gap) = report.gaps.first() {
        return Err(Failure::new(format_args!("{name}: not everything could be looked at: {}", gap.reason)));
    }
    let installed = report.packages.iter().map(|row| (row.ecosystem, row.name.clone(), row.version.clone(), row.layer));
    let installed: BTreeSet<Installed> = installed.collect();
    let expected = fleet.expected(image).packages.into_iter();
    let expected: BTreeSet<Installed> = expected
        .map(|(package, layer)| (package.ecosystem, package.name.into(), package.version.into(), layer))
        .collect();
    compare(&name, "packages", &installed, &expected)?;

    let rows = report
        .findings
        .iter()
        .flat_map(|row| row.records.iter().map(|record| (row.name.clone(), row.version.clone(), record.clone())));
    let found: BTreeSet<Known> = rows.collect();
    let expected = fleet.expected_findings(image, night).into_iter();
    let expected: BTreeSet<Known> =
        expected.map(|known| (known.package.into(), known.version.into(), known.advisory.into())).collect();
    compare(&name, "findings", &found, &expected)?;
    Ok(found)
}

/// What people call the image.
pub(super) fn shown_name(fleet: &Fleet, image: u32) -> String {
    let (repository, tag) = fleet.name(image);
    format!("{repository}:{tag}")
}

fn compare<T: Ord + std::fmt::Debug>(
    image: &str,
    what: &str,
    found: &BTreeSet<T>,
    expected: &BTreeSet<T>,
) -> Result<(), Failure> {
    if found == expected {
        return Ok(());
    }
    let missing: Vec<_> = expected.difference(found).collect();
    let wrong: Vec<_> = found.difference(expected).collect();
    let first = missing.first().or(wrong.first());
    Err(Failure::new(format_args!(
        "{image}: {} {what} are there and were not found, {} were found and are not there; the first is {first:?}: this is \
         a bug of lazaret",
        missing.len(),
        wrong.len()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_an_error_that_names_it() {
        let some = BTreeSet::from([("curl", 1), ("zlib", 2)]);
        assert!(compare("api:1", "packages", &some, &some).is_ok());
        let fewer = BTreeSet::from([("curl", 1)]);
        let missing = compare("api:1", "packages", &fewer, &some).unwrap_err().to_string();
        assert!(missing.contains("api:1: 1 packages are there and were not found, 0 were") && missing.contains("zlib"));
        let wrong = compare("api:1", "packages", &some, &fewer).unwrap_err().to_string();
        assert!(wrong.contains("0 packages are there and were not found, 1 were") && wrong.contains("zlib"), "{wrong}");
    }
}
