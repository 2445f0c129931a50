//! Bundles in the shapes of the SDKs, behind a program that another linker could have written.

use super::super::ElfCapture;
use super::*;

const DEPS: &str = r#"{
  "runtimeTarget": { "name": ".NETCoreApp,Version=v8.0/linux-x64", "signature": "" },
  "targets": { ".NETCoreApp,Version=v8.0/linux-x64": {
    "Shop/1.0.0": { "runtime": { "Shop.dll": {} } },
    "Newtonsoft.Json/13.0.1": { "runtime": { "lib/netstandard2.0/Newtonsoft.Json.dll": {} } }
  } },
  "libraries": { "Shop/1.0.0": { "type": "project" }, "Newtonsoft.Json/13.0.1": { "type": "package" } }
}"#;

/// A program of one writable segment that holds the mark, before it `header_at`.
fn program(header_at: u64) -> Vec<u8> {
    let data = [vec![1; 13], header_at.to_le_bytes().to_vec(), MARK.to_vec(), vec![2; 5000]].concat();
    let mut out = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
    out.resize(16, 0);
    let number = |out: &mut Vec<u8>, fields: &[(usize, u64)]| {
        fields.iter().for_each(|&(bytes, value)| out.extend(&value.to_le_bytes()[..bytes]));
    };
    number(&mut out, &[(2, 3), (2, 62), (4, 1), (8, 0), (8, 64), (8, 0), (4, 0), (2, 64), (2, 56), (2, 1)]);
    number(&mut out, &[(2, 0), (2, 0), (2, 0)]);
    let (start, size) = (120, data.len() as u64);
    number(&mut out, &[(4, 1), (4, 6), (8, start), (8, start), (8, start), (8, size), (8, size), (8, 16)]);
    [out, data].concat()
}

struct Shape<'a> {
    major: u32,
    manifest: &'a str,
    /// Bytes before the manifest and between it and the header.
    before: usize,
    between: usize,
    /// The header says that there is none.
    silent: bool,
}

const PLAIN: Shape<'_> = Shape { major: 6, manifest: DEPS, before: 9000, between: 300, silent: false };

impl Shape<'_> {
    fn file(&self) -> Vec<u8> {
        let start = program(0).len() as u64;
        let manifest_at = start + self.before as u64;
        let header_at = manifest_at + (self.manifest.len() + self.between) as u64;
        let mut out = program(header_at);
        out.resize(manifest_at as usize, b'.');
        out.extend(self.manifest.as_bytes());
        out.resize(header_at as usize, b',');
        let place = if self.silent { (0, 0) } else { (manifest_at, self.manifest.len() as u64) };
        let count = if self.major == 1 && !self.silent { 2 } else { 1 };
        out.extend([self.major, 0, count].into_iter().flat_map(u32::to_le_bytes));
        out.extend(b"\x0cabcdefghijkl");
        let mut numbers = |values: &[u64]| out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        if self.major == 1 {
            numbers(&[start, 10]);
            out.extend(b"\x01\x08Shop.dll");
            if !self.silent {
                out.extend([place.0, place.1].into_iter().flat_map(u64::to_le_bytes));
                out.extend(b"\x03\x0eShop.deps.json");
            }
        } else {
            numbers(&[place.0, place.1, 0, 0, 0, start, 10, 0]);
            out.extend(b"\x01\x08Shop.dll");
        }
        out
    }
}

fn read(file: &[u8], chunk: usize) -> Facts {
    let mut capture = ElfCapture::default();
    capture.begin();
    file.chunks(chunk).for_each(|chunk| capture.feed(chunk));
    capture.finish(&LayerPath::from("app/Shop"))
}

fn told(facts: &Facts) -> Vec<String> {
    let told = |package: &lazaret::package::Package| format!("{} {}", package.name, package.version);
    facts.packages.iter().map(told).chain(facts.gaps.iter().map(|gap| format!("{:?}", gap.kind))).collect()
}

#[test]
fn the_manifest_is_read_in_every_version_and_chunking() {
    for major in [1, 2, 6] {
        for (before, between) in [(9000, 300), (0, 0), (3, 100_000)] {
            let file = Shape { major, before, between, ..PLAIN }.file();
            for chunk in [1, 7, 4096, 65_536, file.len()] {
                let facts = read(&file, chunk);
                assert_eq!(
                    told(&facts),
                    ["Newtonsoft.Json 13.0.1", "Shop 1.0.0"],
                    "{major} {before} {between} {chunk}"
                );
            }
        }
    }
}

/// The same behind a program of Windows, whose headers are where those of the other are.
#[test]
fn behind_a_program_of_windows_too() {
    let read = |header_at: u64, mark: &[u8], chunk: usize| {
        let mut out = vec![0; 0x200];
        out[..2].copy_from_slice(b"MZ");
        out[0x3c] = 0x40;
        out[0x40..0x44].copy_from_slice(b"PE\0\0");
        (out[0x46], out[0x54]) = (1, 112);
        out[0x58..0x5a].copy_from_slice(&0x20bu16.to_le_bytes());
        let section = 0x58 + 112;
        for (at, value) in [(16, 0x1000u32), (20, 0x200), (36, 0xc000_0040)] {
            out[section + at..section + at + 4].copy_from_slice(&value.to_le_bytes());
        }
        out.extend([&[0; 100], &header_at.to_le_bytes()[..], mark].concat());
        out.resize(0x1200, 0);
        out.extend(DEPS.as_bytes());
        out.extend([6, 0, 1].into_iter().flat_map(u32::to_le_bytes));
        out.extend(b"\x01a");
        out.extend([0x1200, DEPS.len() as u64].into_iter().flat_map(u64::to_le_bytes));
        let mut capture = super::super::pe::PeCapture::default();
        capture.begin();
        out.chunks(chunk).for_each(|chunk| capture.feed(chunk));
        told(&capture.finish(&LayerPath::from("app/Shop.exe")))
    };
    let header_at = 0x1200 + DEPS.len() as u64;
    for chunk in [1, 5000, 65_536] {
        assert_eq!(read(header_at, &MARK, chunk), ["Newtonsoft.Json 13.0.1", "Shop 1.0.0"], "{chunk}");
    }
    assert_eq!(read(header_at + 1, &MARK, 4096), ["Unsupported"]);
    assert!(read(0, &MARK, 4096).is_empty() && read(header_at, &MARK[1..], 4096).is_empty());
}

#[test]
fn a_manifest_far_from_the_end_of_a_large_bundle() {
    let file = Shape { before: 40 << 20, between: 40 << 20, ..PLAIN }.file();
    assert_eq!(told(&read(&file, 128 << 10)), ["Newtonsoft.Json 13.0.1", "Shop 1.0.0"]);
}

#[test]
fn what_cannot_be_read_is_a_gap() {
    for (shape, kind) in [
        (Shape { silent: true, ..PLAIN }, "Unread"),
        (Shape { silent: true, major: 1, ..PLAIN }, "Unread"),
        (Shape { major: 3, ..PLAIN }, "Unsupported"),
        (Shape { manifest: r#"{"targets":{},"runtimeTarget":{}}"#, ..PLAIN }, "Unread"),
        (Shape { manifest: r#"{"runtimeTarget":"#, ..PLAIN }, "Malformed"),
        (Shape { manifest: "compressed", ..PLAIN }, "Unread"),
    ] {
        assert_eq!(told(&read(&shape.file(), 4096)), [kind], "{} {}", shape.major, shape.manifest);
    }
    let large = format!(r#"{{"runtimeTarget":"{}"}}"#, "x".repeat(MAX_MANIFEST as usize));
    assert_eq!(told(&read(&Shape { manifest: &large, ..PLAIN }.file(), 65_536)), ["Limit"]);
}

#[test]
fn a_program_without_a_bundle_says_nothing() {
    let program_only = program(0);
    assert_eq!(read(&program_only, 4096), Facts::default());
    assert_eq!(read(&[&program_only[..], b"something behind it"].concat(), 4096), Facts::default());
    // The mark alone is somewhere behind the program.
    let mut other = program(0);
    let at = memchr::memmem::find(&other, &MARK).unwrap();
    other[at] ^= 1;
    assert_eq!(read(&[&other[..], &MARK, DEPS.as_bytes()].concat(), 4096), Facts::default());
    // A program that is not yet bundled says that its header is at 0.
    assert_eq!(read(&[&program_only[..], DEPS.as_bytes()].concat(), 4096), Facts::default());
}

#[test]
fn cut_or_damaged_anywhere() {
    let file = PLAIN.file();
    let start = program(0).len();
    for end in (start + 1..file.len()).step_by(7).chain(file.len() - 150..file.len()) {
        let told = told(&read(&file[..end], 4096));
        let header = told == ["Newtonsoft.Json 13.0.1", "Shop 1.0.0"] && end > file.len() - 80;
        assert!(told == ["Malformed"] || header, "{end} {told:?}");
    }
    let header_at = file.len() - 115;
    for at in header_at..file.len() {
        for byte in [0, 0xff, 0x80, file[at].wrapping_add(1)] {
            let mut damaged = file.clone();
            damaged[at] = byte;
            assert!(!told(&read(&damaged, 4096)).is_empty(), "{at}");
        }
    }
}

/// More beginnings of manifests than are believed.
#[test]
fn many_keys_are_kept_up_to_a_number() {
    let keys = br#"{"runtimeTarget""#.repeat(200_000);
    let file = [program(program(0).len() as u64 + 100), keys].concat();
    let facts = read(&file, 65_536);
    assert_eq!(facts.gaps.len(), 1, "{facts:?}");
}
