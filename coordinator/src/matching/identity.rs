//! Which vulnerability a record is about: the names over which records may be joined.
//!
//! A record that names several CVEs (an erratum for eight of them) is about none of them alone: it is joined with nothing.
//! `related` never says that two records are the same.

use crate::advisory::record::Advisory;

/// The names of the one vulnerability that `advisory` is about: its id, its aliases and its single upstream CVE, each
/// once; its own id alone where it names several CVEs.
pub fn names<'a>(advisory: &'a Advisory<'_>) -> impl Iterator<Item = &'a str> {
    let own = std::iter::once(advisory.id.as_ref()).chain(advisory.aliases.iter().map(AsRef::as_ref));
    let upstream = advisory.upstream.iter().map(AsRef::as_ref).filter(|id| is_cve(id));
    let mut names: Vec<&str> = own.chain(upstream).collect();
    names.sort_unstable();
    names.dedup();
    if names.iter().filter(|name| is_cve(name)).count() > 1 {
        names = vec![&advisory.id];
    }
    names.into_iter()
}

/// Whether `id` is that of a package that is malware itself: <https://github.com/ossf/malicious-packages>.
pub fn is_malicious(id: &str) -> bool {
    id.starts_with("MAL-")
}

/// Whether `id` is a CVE number.
pub fn is_cve(id: &str) -> bool {
    id.starts_with("CVE-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advisory(id: &'static str, aliases: &[&'static str], upstream: &[&'static str]) -> Advisory<'static> {
        Advisory {
            id: id.into(),
            aliases: aliases.iter().map(|&id| id.into()).collect(),
            upstream: upstream.iter().map(|&id| id.into()).collect(),
            related: vec!["CVE-9".into()],
            ..Advisory::default()
        }
    }

    #[test]
    fn several_cves_are_no_identity() {
        let names = |advisory: &Advisory<'_>| names(advisory).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(names(&advisory("PYSEC-1", &["GHSA-1", "CVE-1"], &[])), ["CVE-1", "GHSA-1", "PYSEC-1"]);
        assert_eq!(names(&advisory("UBUNTU-CVE-1", &[], &["CVE-1"])), ["CVE-1", "UBUNTU-CVE-1"]);
        assert_eq!(names(&advisory("DSA-1", &[], &["CVE-1", "CVE-2"])), ["DSA-1"]);
        assert_eq!(names(&advisory("CVE-1", &["GHSA-1"], &["CVE-1"])), ["CVE-1", "GHSA-1"]);
    }
}
