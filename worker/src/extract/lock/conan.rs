//! C and C++: `conan.lock` of Conan 1 and 2 (<https://docs.conan.io/2/tutorial/versioning/lockfiles.html>) and
//! `conanfile.txt` (<https://docs.conan.io/2/reference/conanfile_txt.html>).

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use lazaret::package::Package;
use serde::Deserialize;
use serde::de::MapAccess;

use super::found::{Found, is_word, read};
use super::json::{self, Members, Object, Text, each, list, skip};
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE};

/// The references of a lock: what the graph needs, and what its builds do.
pub(crate) static CONAN: Extractor = Extractor {
    name: "lock-conan",
    version: 1,
    claims: |path| is_named(path, &["conan.lock"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Conan],
    form: "`conan.lock`",
    extract: |file| read(file, |text, found| json::read(text, &mut Lock(found))),
};

/// The requirements of a `conanfile.txt` that name one version, no range.
pub(crate) static CONANFILE: Extractor = Extractor {
    name: "lock-conanfile",
    version: 1,
    claims: |path| is_named(path, &["conanfile.txt"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Conan],
    form: "`conanfile.txt`",
    extract: conanfile,
};

fn conanfile(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        let mut in_requirements = false;
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.starts_with('[') {
                in_requirements =
                    matches!(line, "[requires]" | "[build_requires]" | "[tool_requires]" | "[test_requires]");
            } else if in_requirements && !line.is_empty() && !line.contains('[') {
                take(line, found);
            }
        }
        Ok(())
    })
}

/// The lists of version 2, and the graph of version 1.
struct Lock<'m>(&'m mut Found);

impl<'de> Members<'de> for Lock<'_> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "requires" | "build_requires" | "python_requires" | "config_requires" => {
                map.next_value_seed(list(|reference: Text<'de>| take(reference.or_empty(), self.0)))
            }
            "graph_lock" => map.next_value_seed(Object(&mut Graph(self.0))),
            _ => skip(map),
        }
    }
}

struct Graph<'m>(&'m mut Found);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Node<'a> {
    #[serde(borrow, rename = "ref")]
    reference: Text<'a>,
    #[serde(borrow)]
    path: Text<'a>,
}

impl<'de> Members<'de> for Graph<'_> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if key != "nodes" {
            return skip(map);
        }
        map.next_value_seed(each(|_: &str, node: Node<'de>| {
            // The one with a path is what the lock is for.
            if let (Some(reference), None) = (node.reference.get(), node.path.get()) {
                take(reference, self.0);
            }
        }))
    }
}

/// `name/version[@user/channel][#revision[%time]]`.
fn take(reference: &str, found: &mut Found) {
    let reference = reference.split(['#', '%']).next().unwrap_or_default();
    let (package, of) = reference.split_once('@').map_or((reference, None), |(package, of)| (package, Some(of)));
    let Some((name, version)) = package.split_once('/') else { return found.invalid() };
    let mut package = Package::new(Ecosystem::Conan, name.trim(), version.trim());
    let (user, channel) = of.map_or(("", ""), |of| of.trim().split_once('/').unwrap_or((of.trim(), "")));
    let given = [("channel", channel), ("user", user)].into_iter().filter(|(_, value)| is_word(value) && *value != "_");
    package.qualifiers = given.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    found.push(package);
}
