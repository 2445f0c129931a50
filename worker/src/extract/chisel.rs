//! Chisel's manifests: Ubuntu packages of which only slices are installed.
//!
//! Format: <https://documentation.ubuntu.com/chisel/en/latest/reference/manifest/>: "jsonwall", an object to a line, in zstd.
//! The slice that brings it has it at `var/lib/chisel/manifest.wall`, others may have it elsewhere.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;
use lazaret::path::{LayerPath, split};
use serde::Deserialize;

use super::word::is_word;
use super::{ClaimedFile, Content, Extractor, is_claimed, owned};

/// Packages as Debian's, for that is what they are, with the files of theirs that are there.
pub(super) static CHISEL: Extractor = Extractor {
    name: "chisel",
    version: 1,
    claims: |path| path.ends_with(b"manifest.wall") && split(path).1 == b"manifest.wall",
    content: Content::Whole(32 << 20),
    companions: &[],
    yields: &[Ecosystem::Deb],
    form: "Chisel's manifest",
    extract,
};

/// Bytes that a manifest may have unpacked: some hundred thousand files.
const MAX_BYTES: u64 = 128 << 20;
/// Bytes of one line: a path of 4096 bytes, each of them escaped, and the slices that have it.
const MAX_LINE: u64 = 64 << 10;
/// zstd's window: Chisel writes with one of 8 MiB at most.
const MAX_WINDOW: u32 = 25;
/// Packages that are kept, and files that they own.
const MAX_KEPT: usize = 100_000;

/// A line of any kind.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, default)]
    jsonwall: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    schema: Option<Cow<'a, str>>,
    #[serde(default)]
    count: Option<u64>,
    #[serde(borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    arch: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    slice: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    path: Option<Cow<'a, str>>,
}

/// What a manifest says, as far as it was read.
#[derive(Default)]
struct Manifest {
    packages: Vec<Package>,
    /// The package of a slice, and the path.
    owned: Vec<(String, LayerPath)>,
    /// Packages of slices, numbered as they come, for they come before their own lines.
    numbers: HashMap<String, u32>,
    /// The keys of all files, with the number of the package.
    files: Vec<(u64, u32)>,
    /// How many lines there should be.
    count: Option<u64>,
    lines: u64,
    malformed: u64,
    left_out: u64,
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let mut manifest = Manifest::default();
    let ended = manifest.read(file.content);
    let mut facts = Facts::default();
    let mut gap = |kind, reason: String| facts.gaps.push(file.gap(kind, reason));
    match ended {
        Err(Stop::NotOne) => return Facts::default(),
        Err(Stop::Schema(schema)) => {
            gap(GapKind::Unsupported, format!("schema {schema} of a Chisel manifest is not supported"));
        }
        Err(Stop::Unreadable) => {
            gap(GapKind::Malformed, "a Chisel manifest that cannot be unpacked to its end".to_owned())
        }
        Err(Stop::Size) => {
            gap(GapKind::Limit, format!("a Chisel manifest of more than {MAX_BYTES} bytes; the rest was not read"))
        }
        Ok(()) if manifest.count.is_some_and(|count| count != manifest.lines) => {
            gap(GapKind::Malformed, "a Chisel manifest with more or fewer lines than it says".to_owned());
        }
        Ok(()) => {}
    }
    if manifest.malformed > 0 {
        gap(GapKind::Malformed, format!("{} malformed lines in a Chisel manifest", manifest.malformed));
    }
    if manifest.left_out > 0 {
        gap(GapKind::Limit, format!("{} more lines of a Chisel manifest than are kept", manifest.left_out));
    }
    if !manifest.packages.is_empty() {
        // Nobody is to take it for clean: Ubuntu's advisories are about source packages.
        let reason = "a Chisel manifest does not say from which source packages its packages were built; \
                      advisories are found only where both have one name";
        gap(GapKind::Unsupported, reason.to_owned());
    }
    manifest.packages.sort_unstable();
    manifest.packages.dedup();
    let index_of: HashMap<&str, u32> = manifest.packages.iter().map(|package| package.name.as_str()).zip(0..).collect();
    facts.owned = manifest
        .owned
        .into_iter()
        .filter_map(|(package, path)| Some((path, *index_of.get(package.as_str())?)))
        .collect();
    facts.owned.sort_unstable();
    let mut indices = vec![None; manifest.numbers.len()];
    for (name, number) in &manifest.numbers {
        if let Some(index) = indices.get_mut(*number as usize) {
            *index = index_of.get(name.as_str()).copied();
        }
    }
    let indexed = |(key, number): (u64, u32)| Some((key, indices.get(number as usize).copied().flatten()?));
    facts.files = manifest.files.into_iter().filter_map(indexed).collect();
    facts.packages = manifest.packages;
    facts
}

/// Why reading stopped before the end.
enum Stop {
    /// It is a file of the same name that is something else.
    NotOne,
    Schema(String),
    Unreadable,
    Size,
}

impl Manifest {
    fn read(&mut self, content: &[u8]) -> Result<(), Stop> {
        const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
        if !content.starts_with(&MAGIC) {
            return Err(if content.is_empty() || MAGIC.starts_with(content) { Stop::Unreadable } else { Stop::NotOne });
        }
        let mut decoder = zstd::stream::read::Decoder::with_buffer(content).map_err(|_| Stop::Unreadable)?;
        decoder.window_log_max(MAX_WINDOW).map_err(|_| Stop::Unreadable)?;
        let mut unpacked = BufReader::new(decoder.take(MAX_BYTES));
        let mut line = Vec::new();
        loop {
            line.clear();
            let bytes = unpacked.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(|_| Stop::Unreadable)?;
            if bytes == 0 && unpacked.get_ref().limit() == 0 {
                return Err(Stop::Size);
            }
            if bytes == 0 {
                return if self.lines == 0 { Err(Stop::NotOne) } else { Ok(()) };
            }
            self.lines += 1;
            self.line(&line)?;
        }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Stop> {
        let Ok(line) = serde_json::from_slice::<Line<'_>>(line) else {
            if self.lines == 1 {
                return Err(Stop::NotOne);
            }
            self.malformed += 1;
            return Ok(());
        };
        if self.lines == 1 {
            return self.header(&line);
        }
        match line.kind.as_deref() {
            Some("package") => self.package(&line),
            Some("content") => self.content(&line),
            // Paths say again what contents say; a slice is nothing but its contents.
            _ => {}
        }
        Ok(())
    }

    fn header(&mut self, line: &Line<'_>) -> Result<(), Stop> {
        if line.jsonwall.is_none() {
            return Err(Stop::NotOne);
        }
        self.count = line.count;
        match line.schema.as_deref() {
            Some(schema) if schema.starts_with("1.") => Ok(()),
            Some(schema) => Err(Stop::Schema(schema.chars().filter(|c| c.is_ascii_graphic()).take(16).collect())),
            None => Err(Stop::NotOne),
        }
    }

    fn package(&mut self, line: &Line<'_>) {
        let stated = |text: &Option<Cow<'_, str>>| text.as_deref().filter(|text| is_word(text)).map(str::to_owned);
        let (Some(name), Some(version)) = (stated(&line.name), stated(&line.version)) else {
            self.malformed += 1;
            return;
        };
        if self.packages.len() == MAX_KEPT {
            self.left_out += 1;
            return;
        }
        self.packages.push(Package { arch: stated(&line.arch), ..Package::new(Ecosystem::Deb, name, version) });
    }

    fn content(&mut self, line: &Line<'_>) {
        // A slice is named PACKAGE_SLICE, and no package's name has such a character.
        let package = line.slice.as_deref().and_then(|slice| slice.split_once('_')).map(|(package, _)| package);
        let (Some(package), Some(path)) = (package.filter(|name| is_word(name)), line.path.as_deref()) else {
            self.malformed += 1;
            return;
        };
        let path = path.as_bytes();
        let path = path.strip_prefix(b"/").unwrap_or(path);
        if path.ends_with(b"/") {
            return;
        }
        let next = self.numbers.len() as u32;
        let number = match self.numbers.get(package) {
            Some(&number) => number,
            None => *self.numbers.entry(package.to_owned()).or_insert(next),
        };
        self.files.push((owned::key(path), number));
        if !is_claimed(path) {
            return;
        }
        if self.owned.len() == MAX_KEPT {
            self.left_out += 1;
            return;
        }
        self.owned.push((package.to_owned(), LayerPath::from_entry(path)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&CHISEL);
    }

    #[test]
    fn claims_its_file_name_wherever_it_is() {
        for (path, claimed) in [
            ("var/lib/chisel/manifest.wall", true),
            ("manifest.wall", true),
            ("var/lib/chisel/xmanifest.wall", false),
            ("var/lib/chisel/manifest.wall.bak", false),
            ("manifest.wall/x", false),
        ] {
            assert_eq!((CHISEL.claims)(path.as_bytes()), claimed, "{path}");
        }
    }

    fn packed(text: &str) -> Vec<u8> {
        zstd::bulk::compress(text.as_bytes(), 3).unwrap()
    }

    fn read(content: &[u8]) -> Facts {
        extract(&ClaimedFile { path: &"var/lib/chisel/manifest.wall".into(), content, companions: &[] })
    }

    const MANIFEST: &str = concat!(
        r#"{"jsonwall":"1.0","schema":"1.0","count":5}"#,
        "\n",
        r#"{"kind":"content","slice":"python3-six_core","path":"/usr/lib/python3/dist-packages/six-1.16.0.egg-info"}"#,
        "\n",
        r#"{"kind":"package","name":"libc6","version":"2.39-0ubuntu8.3","sha256":"0","arch":"amd64"}"#,
        "\n",
        r#"{"kind":"package","name":"python3-six","version":"1.16.0-4","sha256":"0","arch":"all"}"#,
        "\n",
        r#"{"kind":"slice","name":"python3-six_core"}"#,
        "\n",
    );

    #[test]
    fn packages_own_the_files_of_their_slices() {
        let facts = read(&packed(MANIFEST));
        assert_eq!(facts.gaps.iter().map(|gap| gap.kind).collect::<Vec<_>>(), [GapKind::Unsupported]);
        assert_eq!(facts.packages.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["libc6", "python3-six"]);
        assert_eq!(facts.owned, [("usr/lib/python3/dist-packages/six-1.16.0.egg-info".into(), 1)]);
    }

    #[test]
    fn every_truncation_is_a_gap() {
        let whole = packed(MANIFEST);
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).gaps.iter().any(|gap| gap.kind == GapKind::Malformed), "{end}");
        }
        for end in (0..MANIFEST.len()).filter(|&end| !MANIFEST[..end].is_empty()) {
            let facts = read(&packed(&MANIFEST[..end]));
            let is_header = end >= MANIFEST.find('\n').unwrap();
            let is_told = facts.gaps.iter().any(|gap| gap.kind == GapKind::Malformed);
            assert_eq!(is_told, is_header && end < MANIFEST.len() - 1, "{end} {facts:?}");
        }
    }

    #[test]
    fn what_is_no_manifest_is_nothing_and_what_bursts_is_a_gap() {
        assert_eq!(read(b"a wall of text"), Facts::default());
        assert_eq!(read(&packed("{\"a\":1}\n")), Facts::default());
        assert_eq!(
            read(&packed("{\"jsonwall\":\"1.0\",\"schema\":\"2.0\",\"count\":1}\n")).gaps[0].kind,
            GapKind::Unsupported
        );
        let bomb = format!("{{\"jsonwall\":\"1.0\",\"schema\":\"1.0\",\"count\":2}}\n{}", "\n".repeat(4 << 20));
        assert!(!read(&packed(&bomb)).gaps.is_empty());
        let line = format!("{{\"jsonwall\":\"1.0\",\"schema\":\"1.0\",\"count\":2}}\n{}", "[".repeat(1 << 20));
        assert!(!read(&packed(&line)).gaps.is_empty());
    }
}
