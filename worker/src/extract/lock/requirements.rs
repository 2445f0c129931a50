//! Python: `requirements.txt` (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>), as pip-compile,
//! `pip freeze` and people write it.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;

use super::found::read;
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE};
use crate::extract::python::{is_name, normalised};

/// Requirements of exactly one version, `name==version`. Any other line names a package, but no version of it: what pip
/// takes then is not in the file.
pub(crate) static REQUIREMENTS: Extractor = Extractor {
    name: "lock-requirements",
    version: 1,
    claims: |path| is_named(path, &["requirements.txt"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::PyPi],
    form: "`requirements.txt`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
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
    })
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
    use super::*;

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
