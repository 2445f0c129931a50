//! OSV records: JSON of schema 1.x, read tolerantly, since one source's slip must not cost the others' advisories.
//!
//! Source: <https://ossf.github.io/osv-schema/>. Unknown ecosystems, severity types and fields are taken as they come.

mod lenient;

use std::borrow::Cow;

use serde::Deserialize;

use crate::advisory::feed::{Feed, FeedError, Parsed};
use crate::advisory::record::{Advisory, Affected, Event, EventKind, Range, Severity};
use lenient::{Specific, Text, one_or_many};

/// OSV, as its public bucket serves it.
pub const FEED: Feed = Feed { name: "osv", base: "https://osv-vulnerabilities.storage.googleapis.com", parse };

/// Longest summary kept.
const SUMMARY_BYTES: usize = 512;

/// Reads one record.
///
/// # Errors
/// [`FeedError`] where it is no JSON object of the schema's shape, or has no id.
pub fn parse(json: &[u8]) -> Result<Parsed<'_>, FeedError> {
    let record: Record<'_> = serde_json::from_slice(json)?;
    if record.id.0.is_empty() {
        return Err(FeedError::NoId);
    }
    let mut git_ranges = 0;
    let summary = cut(record.summary.0);
    let stream = module_stream(&summary);
    let affected = record.affected.into_iter();
    let affected = affected.filter_map(|entry| entry.read(stream.as_deref(), &mut git_ranges)).collect();
    let advisory = Advisory {
        id: record.id.0,
        modified: record.modified.0,
        published: record.published.0,
        withdrawn: !record.withdrawn.0.is_empty(),
        severity: severity(record.severity, record.database_specific.severity.or_else(|| vendor_word(&summary))),
        summary,
        aliases: texts(record.aliases),
        upstream: texts(record.upstream),
        related: texts(record.related),
        affected,
    };
    Ok(Parsed { advisory, git_ranges })
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default)]
    modified: Text<'a>,
    #[serde(borrow, default)]
    published: Text<'a>,
    #[serde(borrow, default)]
    withdrawn: Text<'a>,
    #[serde(borrow, default)]
    summary: Text<'a>,
    #[serde(borrow, default, deserialize_with = "one_or_many")]
    aliases: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "one_or_many")]
    upstream: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "one_or_many")]
    related: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "one_or_many")]
    severity: Vec<RecordSeverity<'a>>,
    #[serde(borrow, default, deserialize_with = "one_or_many")]
    affected: Vec<RecordAffected<'a>>,
    #[serde(borrow, default)]
    database_specific: Specific<'a>,
}

#[derive(Deserialize)]
struct RecordAffected<'a> {
    #[serde(borrow, default)]
    package: Option<RecordPackage<'a>>,
    #[serde(borrow, default, deserialize_with = "one_or_many")]
    ranges: Vec<RecordRange<'a>>,
    #[serde(borrow, default, deserialize_with = "one_or_many")]
    versions: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "one_or_many")]
    severity: Vec<RecordSeverity<'a>>,
    #[serde(borrow, default)]
    ecosystem_specific: Specific<'a>,
    #[serde(borrow, default)]
    database_specific: Specific<'a>,
}

#[derive(Deserialize)]
struct RecordPackage<'a> {
    #[serde(borrow, default)]
    ecosystem: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
}

#[derive(Deserialize)]
struct RecordRange<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "one_or_many")]
    events: Vec<RecordEvent<'a>>,
}

#[derive(Deserialize)]
struct RecordEvent<'a> {
    #[serde(borrow, default)]
    introduced: Option<Text<'a>>,
    #[serde(borrow, default)]
    fixed: Option<Text<'a>>,
    #[serde(borrow, default)]
    last_affected: Option<Text<'a>>,
    #[serde(borrow, default)]
    limit: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct RecordSeverity<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    score: Text<'a>,
}

impl<'a> RecordAffected<'a> {
    /// The entry in our words; `None` where it names no package.
    fn read(self, stream: Option<&str>, git_ranges: &mut usize) -> Option<Affected<'a>> {
        let package = self.package?;
        let (ecosystem, name) = (package.ecosystem.0, package.name.0);
        let mut ranges = Vec::with_capacity(self.ranges.len());
        for range in self.ranges {
            if range.kind.0 == "GIT" {
                *git_ranges += 1;
            } else {
                ranges.push(Range { events: range.events.into_iter().flat_map(RecordEvent::read).collect() });
            }
        }
        if ecosystem.is_empty() || name.is_empty() {
            return None;
        }
        let word = self.ecosystem_specific.severity.or(self.database_specific.severity);
        let modular = ranges.iter().flat_map(|range| &range.events).any(|event| is_modular(&event.version));
        let module = if modular { Some(Cow::Owned(stream.unwrap_or_default().to_owned())) } else { None };
        Some(Affected {
            ecosystem,
            name,
            ranges,
            versions: texts(self.versions),
            severity: severity(self.severity, word),
            module,
        })
    }
}

impl<'a> RecordEvent<'a> {
    fn read(self) -> impl Iterator<Item = Event<'a>> {
        let event = |kind, version: Option<Text<'a>>| version.map(|Text(version)| Event { kind, version });
        let events = [
            event(EventKind::Introduced, self.introduced),
            event(EventKind::Fixed, self.fixed),
            event(EventKind::LastAffected, self.last_affected),
            // `*` means no limit at all.
            event(EventKind::Limit, self.limit.filter(|limit| limit.0 != "*")),
        ];
        events.into_iter().flatten()
    }
}

/// Whether an rpm version was built for a module: its release has `module+el8…` (Red Hat, Rocky) or `module_el8…` (Alma).
pub fn is_modular(version: &str) -> bool {
    version.contains(".module+el") || version.contains(".module_el") || version.contains(".module_f")
}

/// The `name:stream` in summaries such as `Important: nodejs:16 security update`; rpm errata name it nowhere else.
fn module_stream(summary: &str) -> Option<String> {
    let title = summary.split_once(": ").map_or(summary, |(_, title)| title);
    let word = title.split_ascii_whitespace().next()?;
    let (name, stream) = word.split_once(':')?;
    let plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte))
    };
    (plain(name) && plain(stream)).then(|| word.to_owned())
}

/// Red Hat's ratings open the summaries of rpm errata: `Important: curl security update`.
fn vendor_word<'a>(summary: &str) -> Option<Cow<'a, str>> {
    let (word, _) = summary.split_once(": ")?;
    ["Critical", "Important", "Moderate", "Low"].contains(&word).then(|| Cow::Owned(word.to_owned()))
}

fn severity<'a>(entries: Vec<RecordSeverity<'a>>, mut word: Option<Cow<'a, str>>) -> Severity<'a> {
    let mut vectors = Vec::new();
    for RecordSeverity { kind: Text(kind), score: Text(score) } in entries {
        if kind.starts_with("CVSS_V") {
            vectors.push(score);
        } else if kind == "Ubuntu" {
            word = Some(score);
        }
    }
    Severity { vectors, word }
}

fn texts(texts: Vec<Text<'_>>) -> Vec<Cow<'_, str>> {
    texts.into_iter().map(|Text(text)| text).filter(|text| !text.is_empty()).collect()
}

fn cut(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() <= SUMMARY_BYTES {
        return text;
    }
    let end = text.floor_char_boundary(SUMMARY_BYTES);
    Cow::Owned(text.get(..end).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests;
