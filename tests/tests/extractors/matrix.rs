//! The README's table of what is read, made from the extractors, the version schemes and the feeds.
//!
//! `LAZARET_BLESS=1 cargo test -p lazaret-tests --test extractors` writes it anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use lazaret::ecosystem::Ecosystem;
use lazaret_coordinator::matching::coverage::{feeds, scheme};
use lazaret_tests::source_tree::root;
use lazaret_worker::extract::EXTRACTORS;
use lazaret_worker::{executable, signature};

const BEGIN: &str = "<!-- made from the code by tests/tests/extractors/matrix.rs -->\n";
const END: &str = "<!-- end of the table -->\n";

#[test]
fn the_table_in_the_readme_is_what_the_code_reads() {
    let path = root().join("README.md");
    let text = fs::read_to_string(&path).expect("the README");
    let (above, rest) = text.split_once(BEGIN).expect("where the table begins");
    let (table, below) = rest.split_once(END).expect("where it ends");
    let expected = matrix();
    if std::env::var_os("LAZARET_BLESS").is_some() {
        fs::write(&path, format!("{above}{BEGIN}{expected}{END}{below}")).expect("written");
    } else {
        assert_eq!(table, expected, "LAZARET_BLESS=1 writes it anew");
    }
}

#[test]
fn every_ecosystem_is_found_in_some_form() {
    for ecosystem in Ecosystem::ALL {
        assert!(!forms(Some(ecosystem), false).is_empty() || !forms(Some(ecosystem), true).is_empty(), "{ecosystem:?}");
    }
}

/// One row for each ecosystem: what is installed, what only declares, how versions are compared, whose advisories.
fn matrix() -> String {
    let mut table =
        "\n| ecosystem | installed | declared | versions as | advisories of |\n|---|---|---|---|---|\n".to_owned();
    for ecosystem in Ecosystem::ALL.into_iter().map(Some).chain([None]) {
        let row = [
            ecosystem.map_or("any", Ecosystem::name).to_owned(),
            forms(ecosystem, false).join(", "),
            forms(ecosystem, true).join(", "),
            ecosystem.and_then(scheme).map_or_else(String::new, |scheme| scheme.name().to_owned()),
            ecosystem.map(feeds).unwrap_or_default().join(", "),
        ];
        for cell in row {
            let _ = write!(table, "| {} ", if cell.is_empty() { "–" } else { &cell });
        }
        table.push_str("|\n");
    }
    table + "\n"
}

/// In which forms packages of an ecosystem, or of any, are found.
fn forms(ecosystem: Option<Ecosystem>, declared: bool) -> Vec<String> {
    let of = |yields: &[Ecosystem]| ecosystem.map_or(yields.is_empty(), |ecosystem| yields.contains(&ecosystem));
    let mut forms: Vec<String> = EXTRACTORS
        .iter()
        .filter(|extractor| of(extractor.yields) && !extractor.form.is_empty())
        .filter(|extractor| declares(extractor.name) == declared)
        .map(|extractor| extractor.form.to_owned())
        .collect();
    if !declared {
        let executables = executable::FORMS.iter().filter(|(yields, _)| of(&[*yields]));
        forms.extend(executables.map(|(_, form)| (*form).to_owned()));
        if ecosystem == Some(Ecosystem::Generic) {
            forms.push(format!("{} products by strings in their executables, with CPE names", signature::products()));
        }
    }
    forms
}

/// Whether an extractor's packages are declared without being installed.
fn declares(name: &str) -> bool {
    name == "sbom" || name.starts_with("lock-")
}

#[test]
fn what_golden_cases_yield_is_what_extractors_say() {
    for extractor in EXTRACTORS {
        let found: BTreeSet<Ecosystem> =
            super::lock::yields(extractor).iter().flat_map(|facts| &facts.packages).map(|p| p.ecosystem).collect();
        let said: BTreeSet<Ecosystem> = extractor.yields.iter().copied().collect();
        let any = said.is_empty() && !extractor.form.is_empty();
        let binary = super::lock::WITHOUT_CASES.contains(&extractor.name);
        assert!(any || binary || found == said, "{}: {found:?}, not {said:?}", extractor.name);
        let declared = super::lock::yields(extractor).iter().any(|facts| facts.declared && !facts.packages.is_empty());
        assert_eq!(declared, declares(extractor.name) && !found.is_empty(), "{}", extractor.name);
    }
}
