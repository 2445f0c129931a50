//! One advisory: the fields of the OSV schema that decide what is affected, how badly, and what it is called.
//!
//! The texts borrow from the JSON they were read from or from the mapped snapshot. Source:
//! <https://ossf.github.io/osv-schema/>.

use std::borrow::Cow;

/// One source's statement about ranges of packages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advisory<'a> {
    /// What the source calls it.
    pub id: Cow<'a, str>,
    /// When it was changed, RFC 3339 as written. Some sources write absurd dates: good for choosing between two records
    /// with one id, and for nothing else.
    pub modified: Cow<'a, str>,
    /// When it was published, as written; empty where not given.
    pub published: Cow<'a, str>,
    /// The source took it back.
    pub withdrawn: bool,
    /// One line for people; empty where not given, cut at 512 bytes.
    pub summary: Cow<'a, str>,
    /// Other names of the very same vulnerability.
    pub aliases: Vec<Cow<'a, str>>,
    /// Vulnerabilities that this one comes from: a distribution's record names the CVE here.
    pub upstream: Vec<Cow<'a, str>>,
    /// Records that are somehow near to this one; never a reason to join.
    pub related: Vec<Cow<'a, str>>,
    /// How bad it is.
    pub severity: Severity<'a>,
    /// What it affects.
    pub affected: Vec<Affected<'a>>,
}

/// What an advisory says about one package of one ecosystem.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affected<'a> {
    /// The ecosystem with its release suffix, any string: `PyPI`, `Debian:12`, …
    pub ecosystem: Cow<'a, str>,
    /// The package, in the ecosystem's own spelling.
    pub name: Cow<'a, str>,
    /// Ranges of versions; those of type `GIT` are left out.
    pub ranges: Vec<Range<'a>>,
    /// Single versions.
    pub versions: Vec<Cow<'a, str>>,
    /// How bad it is here, where that differs.
    pub severity: Severity<'a>,
    /// The rpm module and stream (`name:stream`) that it is about, where the advisory says.
    pub module: Option<Cow<'a, str>>,
}

/// One range: its events, unsorted as in the record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range<'a> {
    /// Where the vulnerability begins and ends.
    pub events: Vec<Event<'a>>,
}

/// One event of a range and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// What happens there.
    pub kind: EventKind,
    /// The version; `0` stands below all versions.
    pub version: Cow<'a, str>,
}

/// What happens at a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// Affected from here on.
    Introduced,
    /// No longer affected from here on.
    Fixed,
    /// No longer affected above this.
    LastAffected,
    /// The range says nothing from here on.
    Limit,
}

/// Everything a record says about how bad it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Severity<'a> {
    /// CVSS vectors, of any version.
    pub vectors: Vec<Cow<'a, str>>,
    /// The source's own word: an Ubuntu priority, a Debian urgency, GitHub's `MODERATE`.
    pub word: Option<Cow<'a, str>>,
}
