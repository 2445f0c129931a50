//! Python distributions: the headers of `METADATA` and `PKG-INFO`, where pip and `importlib.metadata` look for them.

use std::borrow::Cow;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;
use lazaret::path::split;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{ClaimedFile, Content, Extractor, licence};

/// Installed Python distributions (PyPA "Recording installed projects"; core metadata): wheels' `*.dist-info/METADATA`,
/// setuptools' `*.egg-info/PKG-INFO` and `*.egg/EGG-INFO/PKG-INFO`, and distutils' `*.egg-info` file.
///
/// The headers alone name the package. Where they lack the name or the version pip skips the distribution, so the name
/// of the directory is never taken for either; here that is a gap.
pub(crate) static PYTHON: Extractor = Extractor {
    name: "python",
    version: 2,
    claims,
    // Long descriptions reach a megabyte; nothing in earnest comes near this.
    content: Content::Whole(16 << 20),
    companions: &[DIRECT_URL],
    yields: &[Ecosystem::PyPi],
    form: "dist-info, egg-info, eggs",
    extract,
};

/// Where pip had the distribution from, if not from an index (PEP 610).
const DIRECT_URL: &str = "direct_url.json";

/// The longest name or version that is believed.
const MAX_BYTES: usize = 256;

fn claims(path: &[u8]) -> bool {
    if let Some(directory) = path.strip_suffix(b"/METADATA") {
        directory.strip_suffix(b".dist-info").is_some_and(is_in_use)
    } else if let Some(directory) = path.strip_suffix(b"/PKG-INFO") {
        directory.strip_suffix(b".egg-info").is_some_and(is_in_use) || directory.ends_with(b".egg/EGG-INFO")
    } else {
        path.strip_suffix(b".egg-info").is_some_and(is_in_use)
    }
}

/// Whether the last component of `stem` (`name`, or `name-version…`) starts with a valid project name. pip renames a
/// directory that it is about to remove (`~ip-23.0.dist-info`) and ignores what an interrupted removal leaves behind.
pub(super) fn is_in_use(stem: &[u8]) -> bool {
    is_name(split(stem).1.split(|&b| b == b'-').next().unwrap_or_default())
}

/// The core metadata specification's rule for names: ASCII letters and digits at both ends, `.`, `_` and `-` between.
pub(super) fn is_name(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_alphanumeric)
        && name.last().is_some_and(u8::is_ascii_alphanumeric)
        && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let headers = Headers::read(file.content);
    let malformed = |reason: &str| Facts { gaps: vec![file.gap(GapKind::Malformed, reason)], ..Facts::default() };
    let Some(name) = &headers.name else { return malformed("Python metadata without a name") };
    let Some(version) = &headers.version else { return malformed("Python metadata without a version") };
    if !is_name(name.as_bytes()) || name.len() > MAX_BYTES {
        return malformed("Python metadata with an invalid name");
    }
    if version.len() > MAX_BYTES || version.chars().any(char::is_control) {
        return malformed("Python metadata with an invalid version");
    }
    let mut package = Package::new(Ecosystem::PyPi, normalised(name), version);
    package.licence = headers.licence();
    package.registry = file.companion(DIRECT_URL).and_then(origin).map(str::to_owned);
    Facts { packages: vec![package], ..Facts::default() }
}

#[derive(Deserialize)]
struct DirectUrl {
    vcs_info: Option<IgnoredAny>,
    dir_info: Option<DirectoryInfo>,
}

#[derive(Deserialize)]
struct DirectoryInfo {
    #[serde(default)]
    editable: bool,
}

/// A checkout, or a project that is worked on in place, is not what the index has under that name.
///
/// An archive or a directory says no such thing: wheels of the index are installed from files in most builds of several
/// stages, and every package of conda was built in a directory; whoever passed them over would miss what is known of them.
fn origin(direct_url: &[u8]) -> Option<&'static str> {
    let url: DirectUrl = serde_json::from_slice(direct_url).ok()?;
    match url {
        DirectUrl { vcs_info: Some(_), .. } => Some("git"),
        DirectUrl { dir_info: Some(DirectoryInfo { editable: true }), .. } => Some("local"),
        _ => None,
    }
}

/// The name as PEP 503 compares it: lower case, every run of `-`, `_` and `.` a single `-`.
pub(super) fn normalised(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.push(c.to_ascii_lowercase()),
        }
    }
    out
}

/// The headers that are read, each at its first occurrence, as `email.message.Message.get` gives it.
#[derive(Default)]
struct Headers {
    name: Option<String>,
    version: Option<String>,
    licence_expression: Option<String>,
    licence: Option<String>,
    classifiers: Vec<String>,
}

/// Licence classifiers that are kept of one package.
const MAX_CLASSIFIERS: usize = 8;

impl Headers {
    /// Reads up to the first line that is neither a header nor the continuation of one: the description begins there.
    fn read(content: &[u8]) -> Self {
        let mut headers = Self::default();
        let mut lines = Lines { rest: content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content) }.peekable();
        while let Some(line) = lines.next() {
            if matches!(line.first(), Some(b' ' | b'\t')) {
                // Before any header there is nothing that it could continue: skipped, as Python's parser does.
                continue;
            }
            let Some(colon) = memchr::memchr(b':', line) else { break };
            let key = &line[..colon];
            if !key.iter().all(u8::is_ascii_graphic) {
                break;
            }
            let mut value = Cow::Borrowed(&line[colon + 1..]);
            let wanted = is_read(key);
            while let Some(folded) = lines.next_if(|next| matches!(next.first(), Some(b' ' | b'\t'))) {
                if wanted {
                    let value = value.to_mut();
                    value.push(b'\n');
                    value.extend_from_slice(folded);
                }
            }
            if wanted {
                headers.keep(key, String::from_utf8_lossy(&value).trim());
            }
        }
        headers
    }

    fn keep(&mut self, key: &[u8], value: &str) {
        let field = match key.to_ascii_lowercase().as_slice() {
            b"name" => &mut self.name,
            b"version" => &mut self.version,
            b"license-expression" => &mut self.licence_expression,
            b"license" => &mut self.licence,
            _ => {
                let licence = value.strip_prefix("License ::").and_then(|rest| rest.rsplit(" :: ").next());
                if self.classifiers.len() < MAX_CLASSIFIERS {
                    self.classifiers.extend(licence.map(|name| name.trim().to_owned()));
                }
                return;
            }
        };
        if field.is_none() && !value.is_empty() {
            *field = Some(value.to_owned());
        }
    }

    /// The expression where there is one (PEP 639); else the free field where it names a licence, the classifiers
    /// where it holds a whole text or nothing.
    fn licence(&self) -> Option<String> {
        let free = self.licence.as_deref();
        let named = free.filter(|text| text.len() <= 100 && !text.contains('\n'));
        [self.licence_expression.as_deref(), named, Some(&self.classifiers.join(", ")), free]
            .into_iter()
            .flatten()
            .find_map(licence::declared)
    }
}

fn is_read(key: &[u8]) -> bool {
    [&b"name"[..], b"version", b"license", b"license-expression", b"classifier"]
        .iter()
        .any(|wanted| key.eq_ignore_ascii_case(wanted))
}

/// Lines without their ends (LF or CR LF).
struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = match memchr::memchr(b'\n', self.rest) {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
            None => (self.rest, &self.rest[self.rest.len()..]),
        };
        self.rest = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&PYTHON);
    }

    #[test]
    fn claims_what_pip_lists_and_nothing_beside_it() {
        for path in [
            "usr/lib/python3/dist-packages/six-1.16.0.dist-info/METADATA",
            "a/PyYAML.egg-info/PKG-INFO",
            "a/python_apt-2.6.0.egg-info",
            "a/zope.interface-5.4.0-py3.11.egg/EGG-INFO/PKG-INFO",
        ] {
            assert!(claims(path.as_bytes()), "{path}");
        }
        for path in [
            "a/~ip-23.0.dist-info/METADATA",
            "a/-ip-23.0.dist-info/METADATA",
            "a/.dist-info/METADATA",
            "a/METADATA",
            "a/six-1.16.0/PKG-INFO",
            "a/EGG-INFO/PKG-INFO",
            "a/six-1.16.0.dist-info/RECORD",
            "a/six-1.16.0.dist-info/sub/METADATA",
            ".egg-info",
            "",
        ] {
            assert!(!claims(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn checkouts_and_editable_projects_are_not_of_the_index() {
        let path = lazaret::path::LayerPath::from("a/x-1.dist-info/METADATA");
        for (direct_url, registry) in [
            (
                r#"{"url":"https://github.com/a/x.git","vcs_info":{"vcs":"git","commit_id":"0f","requested_revision":"v1"}}"#,
                Some("git"),
            ),
            (r#"{"dir_info":{"editable":true},"url":"file:///app"}"#, Some("local")),
            (r#"{"dir_info":{},"url":"file:///croot/x_1700000000/work"}"#, None),
            (r#"{"archive_info":{"hashes":{"sha256":"0f"}},"url":"file:///wheels/x-1-py3-none-any.whl"}"#, None),
            (r#"{"vcs_info":"#, None),
            ("[", None),
        ] {
            let companions = [(DIRECT_URL, direct_url.as_bytes())];
            let file = ClaimedFile { path: &path, content: b"Name: x\nVersion: 1\n", companions: &companions };
            assert_eq!(extract(&file).packages[0].registry.as_deref(), registry, "{direct_url}");
        }
    }

    #[test]
    fn a_huge_header_costs_its_own_size() {
        let path = lazaret::path::LayerPath::from("a/x-1.dist-info/METADATA");
        let mut content = b"Name: x\nVersion: 1\nLicense: y\n".to_vec();
        content.extend(b" folded\n".repeat(1 << 20));
        content.extend(b"Classifier: License :: Z\n".repeat(1 << 16));
        let facts = extract(&ClaimedFile { path: &path, content: &content, companions: &[] });
        assert_eq!(facts.packages[0].licence.as_deref(), Some("Z, Z, Z, Z, Z, Z, Z, Z"));
    }
}
