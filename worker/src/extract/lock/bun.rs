//! Node: `bun.lock` (<https://bun.com/docs/pm/lockfile>), which is JSON with trailing commas, and the binary `bun.lockb`
//! before it.

use std::fmt;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::found::{Found, read};
use super::json::{self, Members, Text, each, skip};
use super::npm_source::{name_and_version, registry};
use super::place::is_named;
use super::{ClaimedFile, Content, Extractor, WHOLE};
use crate::extract::npm::is_name;

/// Every package of the lock but the workspace's own.
pub(crate) static BUN: Extractor = Extractor {
    name: "lock-bun",
    version: 1,
    claims: |path| is_named(path, &["bun.lock"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Npm],
    form: "`bun.lock`",
    extract,
};

/// The lockfile of bun before 1.2: its layout is bun's memory, and written down nowhere.
pub(crate) static BUN_BINARY: Extractor = Extractor {
    name: "lock-bun-binary",
    version: 1,
    claims: |path| is_named(path, &["bun.lockb"]),
    content: Content::NameOnly,
    companions: &[],
    yields: &[],
    form: "",
    extract: |file| {
        let gap =
            file.gap(GapKind::Unsupported, "bun's binary lockfile; `bun install --save-text-lockfile` replaces it");
        Facts { declared: true, gaps: vec![gap], ..Facts::default() }
    },
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let plain = without_trailing_commas(file.content);
    read(&ClaimedFile { content: &plain, ..*file }, |text, found| json::read(text, &mut Lock(found)))
}

/// A copy in which a comma before a closing bracket is a space.
fn without_trailing_commas(content: &[u8]) -> Vec<u8> {
    let mut plain = content.to_vec();
    let (mut comma, mut in_string, mut is_escaped) = (None, false, false);
    for (at, &byte) in content.iter().enumerate() {
        if in_string {
            in_string = is_escaped || byte != b'"';
            is_escaped = !is_escaped && byte == b'\\';
            continue;
        }
        match byte {
            b',' => comma = Some(at),
            b']' | b'}' => {
                if let Some(place) = comma.take().and_then(|at| plain.get_mut(at)) {
                    *place = b' ';
                }
            }
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => {
                in_string = byte == b'"';
                comma = None;
            }
        }
    }
    plain
}

struct Lock<'m>(&'m mut Found);

impl<'de> Members<'de> for Lock<'_> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if key != "packages" {
            return skip(map);
        }
        map.next_value_seed(each(|_: &str, First(package): First<'de>| {
            let Some((name, version)) = name_and_version(package.or_empty()) else { return self.0.invalid() };
            match registry(version) {
                _ if !is_name(name) => self.0.invalid(),
                // Its version is in a manifest; a commit or an address is none.
                Some(_) => {}
                None => self.0.add(Ecosystem::Npm, name, version, None),
            }
        }))
    }
}

/// The first element of an array: `name@version`, or `name@place`.
struct First<'a>(Text<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for First<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FirstVisitor(std::marker::PhantomData))
    }
}

struct FirstVisitor<'a>(std::marker::PhantomData<First<'a>>);

impl<'de: 'a, 'a> Visitor<'de> for FirstVisitor<'a> {
    type Value = First<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<First<'a>, A::Error> {
        let first = seq.next_element()?.unwrap_or_default();
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(First(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commas_before_brackets_go() {
        let plain = |text: &str| String::from_utf8(without_trailing_commas(text.as_bytes())).unwrap();
        assert_eq!(plain("[1, 2,\n]"), "[1, 2 \n]");
        assert_eq!(plain(r#"{"a,}": "\",]", }"#), r#"{"a,}": "\",]"  }"#);
        assert_eq!(plain("[,,]"), "[, ]");
    }
}
