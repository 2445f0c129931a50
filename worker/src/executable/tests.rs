//! Synthetic ELF files of every class, byte order and layout, and the corpus' real one.

use std::io::Write as _;

use proptest::prelude::*;

use super::*;

mod go;

/// An ELF file as the tests want it.
#[derive(Clone, Copy, Debug)]
struct Shape {
    wide: bool,
    big_endian: bool,
    layout: Layout,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Layout {
    /// Crate list behind all segments, section headers last: today's linkers.
    Behind,
    /// Crate list inside the read-only segment.
    Loaded,
    /// Crate list inside the only, executable segment.
    LoadedWithCode,
    /// Section headers right behind the program headers: Go's linker.
    UpFront,
    /// The count of sections and the index of their names in section 0.
    Extended,
}

const LAYOUTS: [Layout; 5] =
    [Layout::Behind, Layout::Loaded, Layout::LoadedWithCode, Layout::UpFront, Layout::Extended];

fn shapes() -> impl Iterator<Item = Shape> {
    let layouts = LAYOUTS.into_iter();
    layouts.flat_map(|layout| {
        [(false, false), (false, true), (true, false), (true, true)].map(|(wide, big_endian)| Shape {
            wide,
            big_endian,
            layout,
        })
    })
}

impl Shape {
    fn number(&self, out: &mut Vec<u8>, bytes: usize, value: u64) {
        if self.big_endian {
            out.extend_from_slice(&value.to_be_bytes()[8 - bytes..]);
        } else {
            out.extend_from_slice(&value.to_le_bytes()[..bytes]);
        }
    }

    /// `fields` of 2, 4 or (0) as many bytes as an address has.
    fn record(&self, fields: &[(usize, u64)]) -> Vec<u8> {
        let mut out = Vec::new();
        for &(bytes, value) in fields {
            self.number(&mut out, if bytes == 0 { if self.wide { 8 } else { 4 } } else { bytes }, value);
        }
        out
    }

    fn segment(&self, flags: u64, start: u64, size: u64) -> Vec<u8> {
        if self.wide {
            self.record(&[(4, 1), (4, flags), (0, start), (0, start), (0, start), (0, size), (0, size), (0, 1)])
        } else {
            self.record(&[(4, 1), (0, start), (0, start), (0, start), (0, size), (0, size), (4, flags), (0, 1)])
        }
    }

    fn section(&self, name: u64, kind: u64, start: u64, size: u64, link: u64) -> Vec<u8> {
        self.record(&[(4, name), (4, kind), (0, 0), (0, 0), (0, start), (0, size), (4, link), (4, 0), (0, 1), (0, 0)])
    }

    /// A file with sections "", `name` (holding `list`) and `.shstrtab`.
    fn file(&self, name: &str, list: &[u8]) -> Vec<u8> {
        let (header_bytes, segment_bytes, section_bytes) = if self.wide { (64, 56, 64) } else { (52, 32, 40) };
        let names = format!("\0{name}\0.shstrtab\0");
        let up_front = if self.layout == Layout::UpFront { 3 * section_bytes } else { 0 };
        let data_at = header_bytes + 3 * segment_bytes + up_front;
        let constants = [b"constants".repeat(1000), if self.layout == Layout::Behind { vec![] } else { list.to_vec() }];
        let constants = constants.concat();
        let text = b"code".repeat(20_000);
        let text_at = data_at + constants.len() as u64;
        let behind = text_at + text.len() as u64;
        let (list_at, names_at) = match self.layout {
            Layout::Behind => (behind, behind + list.len() as u64),
            _ => (data_at + 9000, behind),
        };
        let table_at = if up_front > 0 { header_bytes + 3 * segment_bytes } else { names_at + names.len() as u64 };

        let mut out =
            vec![0x7f, b'E', b'L', b'F', if self.wide { 2 } else { 1 }, if self.big_endian { 2 } else { 1 }, 1];
        out.resize(16, 0);
        let (count, index) = if self.layout == Layout::Extended { (0, 0xffff) } else { (3, 2) };
        out.extend(self.record(&[(2, 3), (2, 62), (4, 1), (0, 0), (0, header_bytes), (0, table_at), (4, 0)]));
        out.extend(self.record(&[
            (2, header_bytes),
            (2, segment_bytes),
            (2, 3),
            (2, section_bytes),
            (2, count),
            (2, index),
        ]));
        let together = self.layout == Layout::LoadedWithCode;
        out.extend(self.segment(if together { 5 } else { 4 }, data_at, constants.len() as u64));
        out.extend(self.segment(5, text_at, text.len() as u64 / 2));
        out.extend(self.segment(6, text_at + text.len() as u64 / 2, text.len() as u64 / 2));
        let first = if self.layout == Layout::Extended { (3, 2) } else { (0, 0) };
        let table = [
            self.section(0, 0, 0, first.0, first.1),
            self.section(1, 1, list_at, list.len() as u64, 0),
            self.section(2 + name.len() as u64, 3, names_at, names.len() as u64, 0),
        ]
        .concat();
        if up_front > 0 {
            out.extend(&table);
        }
        out.extend(constants);
        out.extend(text);
        if self.layout == Layout::Behind {
            out.extend(list);
        }
        out.extend(names.as_bytes());
        if up_front == 0 {
            out.extend(table);
        }
        out
    }
}

fn list() -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(br#"{"packages":[{"name":"time","version":"0.1.43","source":"crates.io"}]}"#).unwrap();
    encoder.finish().unwrap()
}

/// Programs of every shape, with a crate list and with Go's build information.
pub(crate) fn samples() -> Vec<Vec<u8>> {
    let crates = shapes().map(|shape| shape.file(".dep-v0", &list()));
    crates.chain(shapes().map(go::program)).collect()
}

fn read(capture: &mut ElfCapture, file: &[u8], chunk: usize) -> Facts {
    capture.begin();
    file.chunks(chunk).for_each(|chunk| capture.feed(chunk));
    capture.finish(&LayerPath::from("usr/bin/x"))
}

fn gaps(file: &[u8]) -> Vec<(GapKind, String)> {
    let facts = read(&mut ElfCapture::default(), file, 64 << 10);
    assert!(facts.packages.is_empty() && facts.recognised.is_none());
    facts.gaps.into_iter().map(|gap| (gap.kind, gap.reason)).collect()
}

#[test]
fn finds_the_crate_list_in_every_layout_and_chunking() {
    let mut capture = ElfCapture::default();
    for shape in shapes() {
        let file = shape.file(".dep-v0", &list());
        for chunk in [1, 511, 4096, 65_536, file.len()] {
            let facts = read(&mut capture, &file, chunk);
            let found: Vec<_> = facts.packages.iter().map(|p| (p.name.as_str(), p.version.as_str())).collect();
            assert_eq!(found, [("time", "0.1.43")], "{shape:?} {chunk} {:?}", facts.gaps);
            assert!(facts.gaps.is_empty() && facts.recognised.is_none());
        }
    }
}

#[test]
fn recognises_go_and_rust_and_says_nothing_of_other_programs() {
    let mut capture = ElfCapture::default();
    for shape in shapes() {
        let facts = read(&mut capture, &shape.file(".go.buildinfo", b"\xff Go buildinf:"), 4096);
        assert_eq!(facts.recognised, Some(Recognised::GoBinary), "{shape:?}");
        for name in [".dep-v1", ".dep-v", ".rodata", ".go.buildinfo2", ".comment"] {
            assert_eq!(read(&mut capture, &shape.file(name, b"anything"), 4096), Facts::default());
        }
        let facts = read(&mut capture, &shape.file(".comment", b"GCC: 12\0rustc version 1.85.0 (4d91de4e4)\0"), 4096);
        assert_eq!(facts.recognised, Some(Recognised::RustBinary), "{shape:?}");
    }
}

const PLAIN: Shape = Shape { wide: true, big_endian: false, layout: Layout::Behind };

fn patched(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = PLAIN.file(".dep-v0", &list());
    file[at..at + bytes.len()].copy_from_slice(bytes);
    file
}

#[test]
fn what_the_kernel_would_not_run_is_no_gap() {
    assert!(gaps(b"\x7fELF").is_empty());
    assert!(gaps(b"").is_empty());
    assert!(gaps(&patched(3, b"X")).is_empty(), "magic");
    assert!(gaps(&patched(4, &[9])).is_empty(), "class");
    assert!(gaps(&patched(5, &[9])).is_empty(), "byte order");
    assert!(gaps(&patched(16, &[1, 0])).is_empty(), "object file");
    assert!(gaps(&patched(40, &[0; 8])).is_empty(), "no section headers");
    assert!(gaps(&patched(62, &[0; 2])).is_empty(), "no section names");
}

#[test]
fn unreadable_sections_are_gaps() {
    let whole = PLAIN.file(".dep-v0", &list());
    for (file, kind, what) in [
        (whole[..whole.len() - 1].to_vec(), GapKind::Malformed, "beyond its end"),
        (whole[..9000].to_vec(), GapKind::Malformed, "not where it says"),
        (patched(40, &[0xff; 8]), GapKind::Malformed, "not where it says"),
        (patched(58, &[3, 0]), GapKind::Malformed, "not where it says"),
        (patched(60, &[0xff; 2]), GapKind::Malformed, "beyond its end"),
        (patched(62, &[9, 0]), GapKind::Malformed, "names are missing"),
        (PLAIN.file(".dep-v0", b"no zlib"), GapKind::Malformed, "inflated"),
        (PLAIN.file(".dep-v0", b""), GapKind::Malformed, "inflated"),
    ] {
        let found = gaps(&file);
        assert!(found.len() == 1 && found[0].0 == kind && found[0].1.contains(what), "{found:?}, not {what}");
    }
    // Section 0 claims more sections than any file has.
    let shape = Shape { layout: Layout::Extended, ..PLAIN };
    let mut file = shape.file(".dep-v0", &list());
    let size_of_first = file.len() - 3 * 64 + 32;
    file[size_of_first..size_of_first + 8].fill(0xff);
    assert!(gaps(&file)[0].1.contains("too many"));
}

#[test]
fn a_list_that_was_not_kept_is_a_gap() {
    // The section headers end the file, the list and the names lie further before that than the window reaches.
    let near = PLAIN.file(".dep-v0", &list());
    let mut far = [&near[..], &vec![0; 40 << 20], &near[near.len() - 3 * 64..]].concat();
    let table_at = far.len() as u64 - 3 * 64;
    far[40..48].copy_from_slice(&table_at.to_le_bytes());
    let found = gaps(&far);
    assert!(found.len() == 1 && found[0].0 == GapKind::Limit && found[0].1.contains("section names"), "{found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn damaged_headers_never_panic(
        shape in 0usize..20,
        damage in proptest::collection::vec((0usize..2000, any::<u8>()), 1..6),
        from_end in any::<bool>(),
        cut in 0usize..400,
        chunk in 1usize..5000,
    ) {
        let shape = shapes().nth(shape).unwrap();
        let mut file = shape.file(".dep-v0", &list());
        let size = file.len();
        for (at, byte) in damage {
            let at = if from_end { size - 1 - at % 400 } else { at % 300 };
            file[at] = byte;
        }
        file.truncate(size - cut / 2);
        let facts = read(&mut ElfCapture::default(), &file, chunk);
        prop_assert!(facts.packages.len() <= 1 && facts.gaps.len() <= 1);
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "a skip must be seen")]
fn the_real_program_of_the_corpus() {
    let Some(corpus) = std::env::var_os("LAZARET_CORPUS").map(std::path::PathBuf::from) else {
        eprintln!("SKIPPED: LAZARET_CORPUS is not set");
        return;
    };
    let file = std::fs::read(corpus.join("bin/demo-auditable")).unwrap();
    let truth: serde_json::Value =
        serde_json::from_slice(&std::fs::read(corpus.join("truth/rust-binaries.json")).unwrap()).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let mut expected: Vec<(String, String)> = truth["packages"]["cargo_auditable"]["/usr/local/bin/demo-auditable"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (text(&package["name"]), text(&package["version"])))
        .collect();
    expected.sort();
    let facts = read(&mut ElfCapture::default(), &file, 128 << 10);
    let found: Vec<_> = facts.packages.into_iter().map(|package| (package.name, package.version)).collect();
    assert_eq!(found, expected);
    assert_eq!(facts.gaps, []);
}
