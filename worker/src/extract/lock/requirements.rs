//! Python: `requirements.txt` (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>), as pip-compile,
//! `pip freeze` and people write it.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use lazaret::path::split;
use memchr::memmem;

use super::found::{Found, Unreadable, read};
use super::place::has_suffix;
use super::{ClaimedFile, Extractor, WHOLE};
use crate::extract::python::{is_name, normalised};

/// Requirements of exactly one version, `name==version`. Any other line names a package, but no version of it: what pip
/// takes then is not in the file.
pub(crate) static REQUIREMENTS: Extractor = Extractor {
    name: "lock-requirements",
    version: 1,
    claims,
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::PyPi],
    form: "`*requirements*.txt`",
    extract,
};

/// `requirements.txt`, and what projects that have several call them: `requirements-dev.txt`, `dev-requirements.txt`,
/// `requirements/base.txt`.
fn claims(path: &[u8]) -> bool {
    let Some(stem) = path.strip_suffix(b".txt") else { return false };
    let (directory, name) = split(stem);
    (memmem::find(name, b"requirements").is_some() || split(directory).1 == b"requirements") && has_suffix(path, ".txt")
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    match from_utf16(file.content) {
        Some(text) => read(&ClaimedFile { content: text.as_bytes(), ..*file }, requirements),
        None => read(file, requirements),
    }
}

/// Text that says by a byte order mark that it is UTF-16, as `pip freeze > requirements.txt` is in PowerShell; pip reads that.
fn from_utf16(content: &[u8]) -> Option<String> {
    let (unit, content): (fn([u8; 2]) -> u16, _) = match content.split_first_chunk::<2>()? {
        (b"\xff\xfe", rest) => (u16::from_le_bytes, rest),
        (b"\xfe\xff", rest) => (u16::from_be_bytes, rest),
        _ => return None,
    };
    let (units, rest) = content.as_chunks::<2>();
    // Half a character at the end: it was cut off, and is no text.
    let is_whole = rest.is_empty();
    is_whole.then(|| char::decode_utf16(units.iter().map(|&bytes| unit(bytes))).collect::<Result<_, _>>().ok())?
}

fn requirements(text: &str, found: &mut Found) -> Result<(), Unreadable> {
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        // Hashes and options are on the lines that a backslash joins to it; none of them matters.
        let mut last = line;
        while last.ends_with('\\') {
            let Some(next) = lines.next() else { break };
            last = next;
        }
        if let Some((name, version)) = pinned(line) {
            found.add(Ecosystem::PyPi, normalised(name), version, None);
        }
    }
    Ok(())
}

/// The name and the version of a line that pins one.
fn pinned(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let line = line.split_once(" #").map_or(line, |(line, _)| line);
    let line = line.split_once(';').map_or(line, |(line, _)| line);
    let (name, rest) = line.split_once("==")?;
    let name = match name.split_once('[') {
        Some((name, extras)) => {
            extras.trim_end().strip_suffix(']')?;
            name
        }
        None => name,
    };
    let name = name.trim_end();
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    let (version, options) = rest.split_once([' ', '\t', '\\']).unwrap_or((rest, ""));
    let options = options.trim_start();
    let is_version = version.starts_with(|c: char| c.is_ascii_alphanumeric())
        && version.chars().all(|c| c.is_ascii_alphanumeric() || "._-+!".contains(c));
    let is_end = options.is_empty() || options.starts_with("--") || options.starts_with(['\\', '#']);
    (is_name(name.as_bytes()) && is_version && is_end).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use lazaret::path::LayerPath;

    use super::*;

    #[test]
    fn projects_have_several() {
        for path in [
            "requirements.txt",
            "app/requirements-dev.txt",
            "app/dev-requirements.txt",
            "app/requirements_test.txt",
            "app/requirements/base.txt",
            "requirements/base.txt",
        ] {
            assert!(claims(path.as_bytes()), "{path}");
        }
        for path in [
            "requirements",
            "requirements.txt/a",
            "app/requirements.in",
            "app/requirements/.txt",
            "app/requirements/a/base.txt",
            "app/base.txt",
            "lib/site-packages/x/requirements.txt",
            "",
        ] {
            assert!(!claims(path.as_bytes()), "{path}");
        }
    }

    fn read_bytes(content: &[u8]) -> Facts {
        extract(&ClaimedFile { path: &LayerPath::from("requirements.txt"), content, companions: &[] })
    }

    #[test]
    fn a_file_that_only_names_another_has_nothing() {
        assert_eq!(read_bytes(b"-r base.txt\n-c limits.txt\n"), Facts { declared: true, ..Facts::default() });
    }

    #[test]
    fn a_mark_tells_utf_16() {
        let text = "\u{feff}Django==4.2.1\r\nsix==1.16.0 # ü𝄞\r\n";
        for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            let content: Vec<u8> = text.encode_utf16().flat_map(bytes).collect();
            let facts = read_bytes(&content);
            assert_eq!((facts.packages.len(), facts.gaps.len()), (2, 0));
            for end in (1..content.len()).step_by(2) {
                let facts = read_bytes(&content[..end]);
                assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1), "{end}");
            }
        }
        // Half of a pair.
        assert_eq!(read_bytes(b"\xff\xfea\0\x34\xd8").gaps.len(), 1);
    }

    #[test]
    fn only_one_version_is_a_pin() {
        for (line, expected) in [
            ("Django==4.2.1", Some(("Django", "4.2.1"))),
            ("  a [x, y] == 1.0 ; python_version < \"3\"", Some(("a", "1.0"))),
            ("a===1.0+local # why", Some(("a", "1.0+local"))),
            ("a==1!2.0 \\", Some(("a", "1!2.0"))),
            ("a==1.0\\", Some(("a", "1.0"))),
            ("a==1.0 --hash=sha256:00", Some(("a", "1.0"))),
            ("a==1.*", None),
            ("a==1.0,>=0.5", None),
            ("a>=1.0", None),
            ("a", None),
            ("a>=1,==1.5", None),
            ("# a==1.0", None),
            ("-e git+https://x/y@v==1#egg=a", None),
            ("a @ https://x/a==1.0", None),
            ("https://x/a.whl?v==1", None),
            ("-r other.txt", None),
            ("a==", None),
            ("a==$VERSION", None),
            ("", None),
        ] {
            assert_eq!(pinned(line), expected, "{line}");
        }
    }
}
