//! Lua: `luarocks.lock` (<https://github.com/luarocks/luarocks/blob/main/docs/pinning_versions_with_a_lock_file.md>).

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};

use super::found::read;
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE};

/// The rocks of a returned table: `dependencies = { name = "version-revision", ["name"] = … }`.
pub(crate) static LUAROCKS: Extractor = Extractor {
    name: "lock-luarocks",
    version: 1,
    claims: |path| is_named(path, &["luarocks.lock"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::LuaRocks],
    form: "`luarocks.lock`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        let (mut depth, mut any) = (0_usize, false);
        for line in found.lines(text) {
            let line = line.trim().trim_end_matches(',');
            if line.is_empty() || line.starts_with("--") {
                continue;
            } else if line.ends_with('{') {
                depth += 1;
                any = true;
            } else if line == "}" {
                depth = depth.saturating_sub(1);
            } else if let (2, Some((name, version))) = (depth, line.split_once(" = ")) {
                let name = name.strip_prefix("[\"").and_then(|name| name.strip_suffix("\"]")).unwrap_or(name);
                let version = version.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                found.add(Ecosystem::LuaRocks, name, version.unwrap_or_default(), None);
            } else if !line.ends_with("{}") {
                found.invalid();
            }
        }
        if depth > 0 || !any {
            found.gap(GapKind::Malformed, "cut off, or no table of rocks");
        }
        Ok(())
    })
}
