//! Lua rocks: the rockspec of each in the tree that LuaRocks installed it into.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use lazaret::package::Package;
use lazaret::text::from_bytes;

use super::plain::{last_components, malformed, one, word};
use super::{ClaimedFile, Content, Extractor, control, licence};

/// `rocks-5.X/NAME/VERSION/NAME-VERSION.rockspec` (LuaRocks documentation, "File locations"; trees older than LuaRocks 3 have
/// `rocks`), whose path says all but the licence. Who published the rock, where not the root manifest has it, stands in
/// `rock_namespace` beside it.
pub(super) static LUAROCKS: Extractor = Extractor {
    name: "luarocks",
    version: 1,
    claims: |path| path.ends_with(b".rockspec") && place(path).is_some(),
    content: Content::Whole(1 << 20),
    companions: &[NAMESPACE],
    yields: &[Ecosystem::LuaRocks],
    form: "rockspecs in rock trees",
    extract,
};

const NAMESPACE: &str = "rock_namespace";

/// Name and version, if the path is that of an installed rock.
fn place(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let [file, version, name, tree] = last_components(path)?;
    let is_tree = tree == b"rocks" || tree.starts_with(b"rocks-");
    let stem = file.strip_suffix(b".rockspec")?;
    let rest = stem.strip_prefix(name)?.strip_prefix(b"-")?;
    (is_tree && rest == version).then_some((name, version))
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let Some((name, version)) = place(file.path.as_bytes()) else { return Facts::default() };
    let (Some(name), Some(version)) = (word(name), word(version)) else {
        return malformed(file, "a Lua rock without a valid name and version");
    };
    let namespace = file.companion(NAMESPACE).and_then(|content| word(content.trim_ascii()));
    let name = match namespace.filter(|namespace| !namespace.contains('/')) {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    };
    let mut package = Package::new(Ecosystem::LuaRocks, name, version);
    package.licence = control::lines(file.content).find_map(declared);
    one(package)
}

/// `license = "MIT"`. A rockspec is a Lua program, but this field is written out in every one there is.
fn declared(line: &[u8]) -> Option<String> {
    let at = memchr::memmem::find(line, b"license")?;
    let (before, after) = line.split_at_checked(at)?;
    if before.last().is_some_and(|b| !b.is_ascii_whitespace() && !b"{,;".contains(b)) {
        return None;
    }
    let value = after.strip_prefix(b"license")?.trim_ascii().strip_prefix(b"=")?.trim_ascii();
    let quote = *value.first().filter(|b| b"\"'".contains(b))?;
    let value = value.get(1..)?;
    licence::declared(&from_bytes(value.get(..memchr::memchr(quote, value)?)?))
}

#[cfg(test)]
mod tests {
    use lazaret::path::LayerPath;

    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&LUAROCKS);
    }

    #[test]
    fn claims_installed_rocks() {
        for path in [
            "usr/local/lib/luarocks/rocks-5.1/luasocket/3.1.0-1/luasocket-3.1.0-1.rockspec",
            "opt/app/lib/luarocks/rocks/lua-cjson/2.1.0.10-1/lua-cjson-2.1.0.10-1.rockspec",
            "rocks-5.4/a/scm-1/a-scm-1.rockspec",
        ] {
            assert!((LUAROCKS.claims)(path.as_bytes()), "{path}");
        }
        for path in [
            "src/luasocket-3.1.0-1.rockspec",
            "rocks-5.1/luasocket/3.1.0-1/other-3.1.0-1.rockspec",
            "rocks-5.1/luasocket/3.1.0-1/luasocket-3.1.0-2.rockspec",
            "stones/luasocket/3.1.0-1/luasocket-3.1.0-1.rockspec",
            "rocks-5.1/luasocket/3.1.0-1/rock_manifest",
            ".rockspec",
        ] {
            assert!(!(LUAROCKS.claims)(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn the_publisher_is_part_of_the_name() {
        let path = LayerPath::from("rocks-5.1/a/1.0-1/a-1.0-1.rockspec");
        let name = |namespace: &[u8]| {
            let companions = [(NAMESPACE, namespace)];
            extract(&ClaimedFile { path: &path, content: b"", companions: &companions }).packages.remove(0).name
        };
        assert_eq!(name(b"hisham\n"), "hisham/a");
        assert_eq!(name(b"\xff"), "a");
        assert_eq!(name(b"a/b"), "a");
    }

    #[test]
    fn licences_of_every_spelling() {
        for (line, licence) in [
            ("   license = \"MIT/X11\",", Some("MIT/X11")),
            ("description = { summary = 'x', license='BSD' }", Some("BSD")),
            ("-- sublicense = \"MIT\"", None),
            ("license = MIT", None),
            ("license = \"MIT", None),
        ] {
            assert_eq!(declared(line.as_bytes()).as_deref(), licence, "{line}");
        }
    }
}
