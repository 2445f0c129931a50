//! Package URLs, read strictly: what the specification does not allow is none.
//!
//! <https://github.com/package-url/purl-spec/blob/main/docs/how-to-parse.md>.

/// The parts of a package URL, decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Purl {
    /// The type, in lower case.
    pub(super) kind: String,
    /// The namespace, its segments joined by slashes; empty where there is none.
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) version: Option<String>,
    /// In the order in which they stand; no key twice, no value empty.
    pub(super) qualifiers: Vec<(String, String)>,
    /// Its segments joined by slashes; empty where there is none.
    pub(super) subpath: String,
}

/// Longer than any real one.
const MAX_BYTES: usize = 4096;
/// More qualifiers than any real one has; each is compared with those before it.
const MAX_QUALIFIERS: usize = 32;

impl Purl {
    /// Reads `text`; `None` where it is no package URL.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let (rest, subpath) = text.rsplit_once('#').map_or((text, ""), |(rest, subpath)| (rest, subpath));
        let (rest, qualifiers) = rest.rsplit_once('?').map_or((rest, ""), |(rest, qualifiers)| (rest, qualifiers));
        let (scheme, rest) = rest.split_once(':')?;
        if !scheme.eq_ignore_ascii_case("pkg") {
            return None;
        }
        let (kind, rest) = rest.trim_start_matches('/').split_once('/')?;
        let rest = rest.trim_matches('/');
        // The last at sign parts the version, but for one that begins a segment with others after it: a scope, which ought
        // to be encoded and often is not.
        let begins = |at: usize| at == 0 || rest.as_bytes().get(at - 1) == Some(&b'/');
        let version = rest.rfind('@').filter(|&at| !(begins(at) && rest[at..].contains('/')));
        let (path, version) = version.map_or((rest, ""), |at| (&rest[..at], &rest[at + 1..]));
        let (namespace, name) = path.trim_end_matches('/').rsplit_once('/').unwrap_or(("", path));
        let purl = Self {
            kind: is_type(kind).then(|| kind.to_ascii_lowercase())?,
            namespace: segments(namespace, |_| true)?,
            name: decoded(name).filter(|name| !name.is_empty())?,
            version: Some(decoded(version)?).filter(|version| !version.is_empty()),
            qualifiers: self::qualifiers(qualifiers)?,
            subpath: segments(subpath, |segment| !matches!(segment, "." | ".."))?,
        };
        Some(purl)
    }

    /// The value of a qualifier.
    pub(super) fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers.iter().find(|(found, _)| found == key).map(|(_, value)| value.as_str())
    }
}

/// Letters, digits, dots and hyphens (and plus signs, which earlier versions allowed), not beginning with a digit.
fn is_type(kind: &str) -> bool {
    kind.starts_with(|c: char| c.is_ascii_alphabetic())
        && kind.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+'))
}

/// The segments that are not empty and that `keep` keeps, each decoded, joined again.
fn segments(text: &str, keep: fn(&str) -> bool) -> Option<String> {
    let mut out = String::new();
    for segment in text.split('/') {
        let segment = decoded(segment)?;
        // An encoded slash would be taken for one that parts.
        if segment.contains('/') {
            return None;
        }
        if !segment.is_empty() && keep(&segment) {
            if !out.is_empty() {
                out.push('/');
            }
            out.push_str(&segment);
        }
    }
    Some(out)
}

fn qualifiers(text: &str) -> Option<Vec<(String, String)>> {
    let mut found: Vec<(String, String)> = Vec::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=')?;
        let is_key = key.starts_with(|c: char| c.is_ascii_alphabetic())
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        if !is_key {
            return None;
        }
        let (key, value) = (key.to_ascii_lowercase(), decoded(value)?);
        if value.is_empty() {
            continue;
        }
        if found.len() >= MAX_QUALIFIERS || found.iter().any(|(other, _)| *other == key) {
            return None;
        }
        found.push((key, value));
    }
    Some(found)
}

/// `text` with its percent-encoded bytes decoded, if they make UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if *first == b'%' {
            let (digits, after) = after.split_first_chunk::<2>()?;
            let digit = |byte: u8| char::from(byte).to_digit(16);
            bytes.push((digit(digits[0])? * 16 + digit(digits[1])?) as u8);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        let purl = Purl::parse(text)?;
        let qualifiers: Vec<_> = purl.qualifiers.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let version = purl.version.unwrap_or_default();
        Some([purl.kind, purl.namespace, purl.name, version, qualifiers.join("&"), purl.subpath].join(" | "))
    }

    #[test]
    fn what_the_specification_allows() {
        for (text, parts) in [
            ("pkg:npm/foobar@12.3.1", "npm |  | foobar | 12.3.1 |  | "),
            ("pkg:npm/%40angular/animation@12.3.1", "npm | @angular | animation | 12.3.1 |  | "),
            ("pkg:npm/@angular/animation@12.3.1", "npm | @angular | animation | 12.3.1 |  | "),
            ("pkg:npm/@angular/animation", "npm | @angular | animation |  |  | "),
            ("PKG:NPM/foobar@1", "npm |  | foobar | 1 |  | "),
            ("pkg://npm///foobar@1", "npm |  | foobar | 1 |  | "),
            ("pkg:maven/org.apache.commons/io@1.3.4", "maven | org.apache.commons | io | 1.3.4 |  | "),
            ("pkg:maven/a/b@1?type=zip&classifier=dist&empty=", "maven | a | b | 1 | type=zip&classifier=dist | "),
            (
                "pkg:golang/google.golang.org/genproto@v1#/googleapis/./api//annotations/",
                "golang | google.golang.org | genproto | v1 |  | googleapis/api/annotations",
            ),
            (
                "pkg:deb/debian/libstdc%2B%2B6@1:12.2-1%2Bb1?arch=amd64",
                "deb | debian | libstdc++6 | 1:12.2-1+b1 | arch=amd64 | ",
            ),
            ("pkg:brew/postgresql%4012@12.17", "brew |  | postgresql@12 | 12.17 |  | "),
            (
                "pkg:generic/openssl@1?checksum=sha1:a%2Csha256:b",
                "generic |  | openssl | 1 | checksum=sha1:a,sha256:b | ",
            ),
            (
                "pkg:swift/github.com/Alamofire/Alamofire@5.4.3",
                "swift | github.com/Alamofire | Alamofire | 5.4.3 |  | ",
            ),
        ] {
            assert_eq!(shown(text).as_deref(), Some(parts), "{text}");
        }
    }

    #[test]
    fn what_it_does_not() {
        for text in [
            "",
            "EnterpriseLibrary.Common@6.0.1304",
            "pkg:EnterpriseLibrary.Common@6.0.1304",
            "pkg:n&g?inx/nginx@0.8.9",
            "pkg:3nginx/nginx@0.8.9",
            "pkg:nginx:a/nginx@0.8.9",
            "pkg:npm/myartifact@1.0.0?in%20production=true",
            "pkg:maven/@1.3.4",
            "pkg:maven/",
            "pkg%3Amaven/org.apache.commons/io",
            "pkg:npm/a@%zz",
            "pkg:npm/a@%f",
            "pkg:npm/a@%ff",
            "pkg:npm/a%2Fb/c@1",
            "pkg:npm/a@1?x=1&x=2",
            "pkg:npm/a@1?novalue",
            "http://npm/a@1",
        ] {
            assert_eq!(Purl::parse(text), None, "{text}");
        }
        assert_eq!(Purl::parse(&format!("pkg:npm/{}", "a".repeat(5000))), None);
        let many = |count: usize| format!("pkg:npm/a@1?{}", (0..count).map(|n| format!("a{n}=b&")).collect::<String>());
        assert!(Purl::parse(&many(MAX_QUALIFIERS)).is_some());
        assert_eq!(Purl::parse(&many(MAX_QUALIFIERS + 1)), None);
    }

    #[test]
    fn no_prefix_panics() {
        let whole = "pkg:npm/%40ü/b%C3%BC@1.0%2B1?a=b%20c&d=e#x/%2e%2e/y";
        for end in (0..=whole.len()).filter(|&end| whole.is_char_boundary(end)) {
            let _ = Purl::parse(&whole[..end]);
        }
    }
}
