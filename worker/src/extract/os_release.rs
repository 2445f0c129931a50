//! os-release: which distribution this is.

use lazaret::distro::OsRelease;
use lazaret::inventory::{Facts, GapKind};

use super::{ClaimedFile, Content, Extractor, control};

pub(super) static OS_RELEASE: Extractor = Extractor {
    name: "os-release",
    version: 1,
    claims: |path| matches!(path, b"etc/os-release" | b"usr/lib/os-release"),
    content: Content::Whole(1 << 20),
    companions: &[],
    yields: &[],
    form: "",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let mut release = OsRelease::default();
    for line in control::lines(file.content) {
        let line = line.trim_ascii();
        let Some(equals) = memchr::memchr(b'=', line) else { continue };
        let slot = match &line[..equals] {
            b"ID" => &mut release.id,
            b"ID_LIKE" => &mut release.id_like,
            b"VERSION_ID" => &mut release.version_id,
            b"VERSION_CODENAME" => &mut release.version_codename,
            b"PRETTY_NAME" => &mut release.pretty_name,
            b"CPE_NAME" => &mut release.cpe_name,
            b"SUPPORT_END" => &mut release.support_end,
            _ => continue,
        };
        *slot = control::value(&unquoted(&line[equals + 1..])).unwrap_or_default();
    }
    release.id.make_ascii_lowercase();
    release.id_like.make_ascii_lowercase();
    if release.id.is_empty() {
        // os-release(5) says that a missing ID means plain "linux"; for us it means that nobody knows what to look up.
        let gaps = vec![file.gap(GapKind::Distro, "os-release names no distribution (no ID)")];
        return Facts { gaps, ..Facts::default() };
    }
    Facts { os_release: Some(Box::new(release)), ..Facts::default() }
}

/// A value without its shell quotes and escapes, as os-release(5) allows them.
fn unquoted(value: &[u8]) -> Vec<u8> {
    let value = value.trim_ascii();
    let quote = value.first().copied().filter(|b| matches!(b, b'"' | b'\''));
    let inner = match quote {
        Some(quote) => value[1..].strip_suffix(&[quote]).unwrap_or(&value[1..]),
        None => value,
    };
    if quote == Some(b'\'') {
        return inner.to_vec();
    }
    let mut text = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        text.extend(if byte == b'\\' { bytes.next().copied() } else { Some(byte) });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(content: &str) -> Facts {
        extract(&ClaimedFile { path: &"etc/os-release".into(), content: content.as_bytes(), companions: &[] })
    }

    #[test]
    fn reads_quoted_and_bare_values() {
        let facts = run("NAME=\"SLES\"\nVERSION_ID='15.3'\nID=\"sles\"\nPRETTY_NAME=\"a \\\"b\\\"\"\r\n# ID=x\n");
        let release = facts.os_release.unwrap();
        assert_eq!(
            (release.id.as_str(), release.version_id.as_str(), release.pretty_name.as_str()),
            ("sles", "15.3", "a \"b\"")
        );
    }

    #[test]
    fn no_id_is_a_gap() {
        assert_eq!(run("NAME=x\n").gaps.len(), 1);
        assert_eq!(run("").gaps.len(), 1);
    }
}
