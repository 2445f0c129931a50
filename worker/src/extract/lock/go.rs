//! Go: `go.mod` (<https://go.dev/ref/mod#go-mod-file>). Not `go.sum`, which lists what was ever looked at.

use std::collections::BTreeMap;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};

use super::found::read;
use super::place::is_named;
use super::{ClaimedFile, Content, Extractor};

/// The required modules, direct and indirect, as replaced. Not the module itself, nor the standard library: with which
/// toolchain it was built, the executable says.
pub(crate) static GO: Extractor = Extractor {
    name: "lock-go",
    version: 1,
    claims: |path| is_named(path, &["go.mod"]),
    // What it says at its end is about what stands above: that is kept, so less of it is read.
    content: Content::Whole(8 << 20),
    companions: &[],
    yields: &[Ecosystem::Golang],
    form: "`go.mod`",
    extract,
};

/// A module in place of another: its path, and its version, or none for a directory.
type Replacement<'a> = (&'a str, Option<&'a str>);

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        let mut required: Vec<(&str, &str)> = Vec::new();
        // By path, and version where one is named.
        let mut replaced: BTreeMap<(&str, Option<&str>), Replacement<'_>> = BTreeMap::new();
        let (mut block, mut unknown) = (None, 0_usize);
        // People write it too, and Go takes a last line without its end.
        for line in text.lines() {
            let mut words = Words(line);
            let Some(first) = words.next() else { continue };
            let verb = match block {
                Some(_) if first == ")" => {
                    block = None;
                    continue;
                }
                Some(verb) => {
                    words = Words(line);
                    verb
                }
                None => first,
            };
            let mut rest = words.clone();
            if block.is_none() && rest.next() == Some("(") && rest.next().is_none() {
                block = Some(verb);
                continue;
            }
            let understood = match verb {
                "require" => match (words.next(), words.next(), words.next()) {
                    (Some(path), Some(version), None) if is_version(version) => {
                        required.push((path, version));
                        true
                    }
                    _ => false,
                },
                "replace" => match replacement(words) {
                    Some((old, new)) => {
                        replaced.insert(old, new);
                        true
                    }
                    None => false,
                },
                "module" | "go" | "toolchain" | "godebug" | "exclude" | "retract" | "tool" | "ignore" => true,
                _ => false,
            };
            unknown += usize::from(!understood);
        }
        if block.is_some() {
            found.gap(GapKind::Malformed, "the last block is cut off");
        }
        if unknown > 0 {
            found.gap(GapKind::Malformed, format!("{unknown} lines that are not of a go.mod"));
        }
        for (path, version) in required {
            match replaced.get(&(path, Some(version))).or_else(|| replaced.get(&(path, None))) {
                None => found.add(Ecosystem::Golang, path, version, None),
                Some((path, Some(version))) => found.add(Ecosystem::Golang, *path, *version, None),
                Some((_, None)) => found.add(Ecosystem::Golang, path, version, Some("local")),
            }
        }
        Ok(())
    })
}

/// `old [version] => new [version]`.
fn replacement<'a>(mut words: Words<'a>) -> Option<((&'a str, Option<&'a str>), Replacement<'a>)> {
    let old = words.next()?;
    let version = match words.next()? {
        "=>" => None,
        version if words.next()? == "=>" => Some(version),
        _ => return None,
    };
    let new = words.next()?;
    let new_version = words.next();
    let is_directory =
        new.starts_with("./") || new.starts_with("../") || new.starts_with('/') || matches!(new, "." | "..");
    let is_whole = words.next().is_none() && is_directory == new_version.is_none();
    (is_whole && new_version.is_none_or(is_version)).then_some(((old, version), (new, new_version)))
}

/// A semantic version, as a written go.mod has: a branch or commit there was resolved by whatever wrote it.
fn is_version(version: &str) -> bool {
    let Some(numbers) = version.strip_prefix('v') else { return false };
    let numbers = numbers.split(['-', '+']).next().unwrap_or_default();
    let mut parts = numbers.split('.');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    parts.by_ref().take(3).filter(|part| is_number(part)).count() == 3 && parts.next().is_none()
}

/// The words of a line up to its comment, without their quotes.
#[derive(Clone)]
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start();
        if text.is_empty() || text.starts_with("//") {
            self.0 = "";
            return None;
        }
        if let Some(quote) = text.chars().next().filter(|&c| c == '"' || c == '`')
            && let Some((word, rest)) = text[1..].split_once(quote)
        {
            self.0 = rest;
            return Some(word);
        }
        if let Some(bracket) = text.get(..1).filter(|&first| first == "(" || first == ")") {
            self.0 = &text[1..];
            return Some(bracket);
        }
        let end = text.find(|c: char| c.is_whitespace() || c == '(').unwrap_or(text.len());
        // A comment may follow without a space; `://` is of no module's path.
        let end = text[..end].find("//").unwrap_or(end);
        self.0 = &text[end..];
        Some(&text[..end])
    }
}

#[cfg(test)]
mod tests {
    use lazaret::path::LayerPath;

    use super::*;

    fn read(content: &str) -> Facts {
        let path = LayerPath::from("go.mod");
        extract(&ClaimedFile { path: &path, content: content.as_bytes(), companions: &[] })
    }

    #[test]
    fn replacements_take_the_place_of_modules() {
        let facts = read(
            "module m\nrequire (\n\ta.example/a v1.0.0\n\tb.example/b v1.0.0 // indirect\n\t\"c.example/c\" v1.0.0//x\n\td.example/d v1.0.0\n)\n\
             replace a.example/a => f.example/a v1.1.0\nreplace(\n\tb.example/b v1.0.0 => ./b\n\tc.example/c v9.0.0 => ./c\n)\n",
        );
        let found: Vec<_> = facts
            .packages
            .iter()
            .map(|package| (package.name.as_str(), package.version.as_str(), package.registry.as_deref()))
            .collect();
        assert_eq!(
            found,
            [
                ("b.example/b", "v1.0.0", Some("local")),
                ("c.example/c", "v1.0.0", None),
                ("d.example/d", "v1.0.0", None),
                ("f.example/a", "v1.1.0", None),
            ]
        );
        assert!(facts.gaps.is_empty(), "{:?}", facts.gaps);
    }

    #[test]
    fn the_last_line_needs_no_end() {
        let facts = read("module m\n\nrequire a.example/a v1.0.0");
        assert_eq!((facts.packages.len(), facts.gaps.len()), (1, 0));
        assert_eq!(read("module m\nrequire (\n\ta.example/a v1.0.0").gaps.len(), 1);
    }

    #[test]
    fn what_is_not_of_a_go_mod_is_a_gap() {
        for text in
            ["require a\n", "require a master\n", "require (\n", "replace a => b\n", "replace a b\n", "x\n", "{}\n"]
        {
            let facts = read(text);
            assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1), "{text}");
        }
        assert_eq!(read("// comment\n\nmodule x\n\ngo 1.22\nretract [v1.0.0, v1.1.0] // why\n").gaps, []);
    }
}
