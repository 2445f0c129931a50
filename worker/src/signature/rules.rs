//! What is looked for, product by product. To add one, add a [`Rule`] to the group it belongs to.
//!
//! Texts are as they stand in programs: those of Debian 12 and of PyPI's and npm's wheels, but where a comment says that none
//! was at hand. Names of products are those of Bitnami and of Docker's official images; vendor and product those of NVD.

mod databases;
mod go;
mod languages;
mod libraries;
mod network;
mod services;
mod tools;
mod web;

/// How one product is recognised.
pub(super) struct Rule {
    /// Its name in package URLs.
    pub(super) name: &'static str,
    /// Vendor and product in NVD's dictionary, as CPE 2.3 writes them.
    pub(super) cpe: (&'static str, &'static str),
    /// Names of the files that have it; see [`super::names`] for what `*` stands for.
    pub(super) files: &'static [&'static str],
    /// Regular expressions over the bytes, of which any may match. The group is the version. One called `named` has to
    /// begin like the digits in the file's name, behind a zero; one called `update` is the last part of the version, and CPE's update.
    pub(super) version: &'static [&'static str],
    /// Pieces of programs, and the version that each tells of.
    #[cfg_attr(not(test), expect(dead_code, reason = "what the rule's tests are made of"))]
    pub(super) examples: &'static [(&'static [u8], &'static str)],
    /// Pieces that look alike and tell of nothing.
    #[cfg_attr(not(test), expect(dead_code, reason = "what the rule's tests are made of"))]
    pub(super) others: &'static [&'static [u8]],
}

/// All groups. A file whose name several rules know is looked at by each.
pub(super) static GROUPS: &[&[Rule]] = &[
    databases::RULES,
    web::RULES,
    languages::RULES,
    tools::RULES,
    network::RULES,
    services::RULES,
    libraries::RULES,
    go::RULES,
];
