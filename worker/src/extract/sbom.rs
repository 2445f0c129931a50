//! Bills of materials that lie in an image: CycloneDX and SPDX in JSON, read for the package URLs that they list.
//!
//! Formats: <https://cyclonedx.org/specification/overview/>, <https://spdx.github.io/spdx-spec/v2.3/>.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::path::split;
use memchr::memmem;

use super::{ClaimedFile, Content, Extractor};

mod cyclonedx;
mod document;
mod found;
mod package;
mod purl;
mod spdx;

use document::Document;

/// Documents that whoever built the image put there to say what is installed: Bitnami's components, buildpacks' layers of
/// the final image, melange's for each apk (Wolfi, Chainguard), and `/usr/share/sbom`.
pub(super) static INSTALLED: Extractor = Extractor {
    name: "sbom-installed",
    version: 1,
    claims: says_what_is_installed,
    content: MAX_BYTES,
    companions: &[],
    yields: &[],
    form: "CycloneDX and SPDX (JSON) where images keep them",
    extract: |file| Facts { declared: false, ..facts(file, true) },
};

/// Documents anywhere else: they came with some software, and nobody says that what they list is here.
pub(super) static DECLARED: Extractor = Extractor {
    name: "sbom",
    version: 1,
    claims: |path| path.ends_with(b".json") && is_document(split(path).1),
    content: MAX_BYTES,
    companions: &[],
    yields: &[],
    form: "CycloneDX and SPDX (JSON)",
    // Requirements of no version in particular, as build tools of Python list them, declare nothing that could be looked up.
    extract: |file| Facts { declared: true, ..facts(file, false) },
};

/// CycloneDX in XML, which is told and not read.
pub(super) static XML: Extractor = Extractor {
    name: "sbom-xml",
    version: 1,
    claims: |path| path.ends_with(b".xml") && is_xml(split(path).1),
    content: MAX_BYTES,
    companions: &[],
    yields: &[],
    form: "",
    extract: xml,
};

const MAX_BYTES: Content = Content::Whole(64 << 20);
/// Where melange puts what it knows of an apk: sources and build recipes beside the apk itself.
const MELANGE: &[u8] = b"var/lib/db/sbom";

fn is_document(name: &[u8]) -> bool {
    let ended = [&b".cdx.json"[..], b".cyclonedx.json", b".spdx.json"].iter().any(|end| has_suffix(name, end));
    ended || matches!(name, b"bom.json" | b"sbom.json")
}

fn is_xml(name: &[u8]) -> bool {
    name == b"bom.xml" || [&b".cdx.xml"[..], b".cyclonedx.xml"].iter().any(|end| has_suffix(name, end))
}

fn says_what_is_installed(path: &[u8]) -> bool {
    if !path.ends_with(b".json") && !path.ends_with(b".spdx") {
        return false;
    }
    let (directory, name) = split(path);
    if directory == MELANGE {
        return has_suffix(name, b".spdx.json");
    }
    if path.starts_with(b"layers/sbom/launch/") {
        return matches!(name, b"sbom.cdx.json" | b"sbom.spdx.json");
    }
    if path.starts_with(b"usr/share/sbom/") {
        return is_document(name);
    }
    path.starts_with(b"opt/bitnami/") && name.starts_with(b".spdx-") && name.ends_with(b".spdx")
}

/// Whether `name` is something and then `suffix`.
fn has_suffix(name: &[u8], suffix: &[u8]) -> bool {
    name.strip_suffix(suffix).is_some_and(|stem| !stem.is_empty())
}

/// What a document lists; entries without a version are a gap where `all_have_versions`.
fn facts(file: &ClaimedFile<'_>, all_have_versions: bool) -> Facts {
    let mut facts = Facts::default();
    let mut gap = |kind, reason: String| facts.gaps.push(file.gap(kind, reason));
    let mut found = match Document::read(file.content) {
        Ok(Document::Read(found)) => found,
        Ok(Document::Other) => return facts,
        Ok(Document::Unsupported(what)) => {
            gap(GapKind::Unsupported, format!("{what} is not supported"));
            return facts;
        }
        Err(error) => {
            gap(GapKind::Malformed, format!("bill of materials: {error}"));
            return facts;
        }
    };
    if file.path.parent() == MELANGE {
        found.packages.retain(|package| package.ecosystem == Ecosystem::Apk);
    }
    if found.malformed > 0 {
        let reason =
            format!("{} entries of a bill of materials with an invalid package URL or version", found.malformed);
        gap(GapKind::Malformed, reason);
    }
    if found.without_version > 0 && all_have_versions {
        let reason = format!("{} entries of a bill of materials without a version", found.without_version);
        gap(GapKind::Malformed, reason);
    }
    if found.left_out > 0 {
        gap(GapKind::Limit, format!("{} more entries of a bill of materials than are kept", found.left_out));
    }
    found.packages.sort_unstable();
    found.packages.dedup();
    facts.packages = found.packages;
    facts
}

fn xml(file: &ClaimedFile<'_>) -> Facts {
    // The namespace stands in the root element, before which there is room for a comment.
    let start = &file.content[..file.content.len().min(16 << 10)];
    if memmem::find(start, b"http://cyclonedx.org/schema/bom").is_none() {
        return Facts::default();
    }
    let gaps = vec![file.gap(GapKind::Unsupported, "a bill of materials in XML is not supported")];
    Facts { gaps, ..Facts::default() }
}

#[cfg(test)]
mod tests;
