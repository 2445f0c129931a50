//! Package notes as linkers write them, and as nobody should.

use super::super::ElfCapture;
use super::*;
use lazaret::inventory::Facts;
use lazaret::path::LayerPath;

const JSON: &str = r#"{"type":"deb","os":"ubuntu","name":"coreutils","version":"9.4-3ubuntu6","architecture":"amd64"}"#;

/// A shared object of one segment of notes and one that is loaded and holds them, in either class and byte order.
fn file(wide: bool, big: bool, align: u64, notes: &[u8]) -> Vec<u8> {
    let number = |out: &mut Vec<u8>, bytes: usize, value: u64| {
        let bytes = if bytes > 0 {
            bytes
        } else if wide {
            8
        } else {
            4
        };
        if big { out.extend(&value.to_be_bytes()[8 - bytes..]) } else { out.extend(&value.to_le_bytes()[..bytes]) }
    };
    let mut out = vec![0x7f, b'E', b'L', b'F', if wide { 2 } else { 1 }, if big { 2 } else { 1 }, 1];
    out.resize(16, 0);
    let (header, entry) = if wide { (64, 56) } else { (52, 32) };
    let fields = [(2, 3), (2, 62), (4, 1), (0, 0), (0, header), (0, 0), (4, 0), (2, header), (2, entry), (2, 2)];
    fields.iter().chain(&[(2, 0); 3]).for_each(|&(bytes, value)| number(&mut out, bytes, value));
    let (start, size) = (header + 2 * entry, notes.len() as u64);
    for kind in [4, 1] {
        let fields: &[(usize, u64)] = match wide {
            true => &[(4, kind), (4, 4), (0, start), (0, start), (0, start), (0, size), (0, size), (0, align)],
            false => &[(4, kind), (0, start), (0, start), (0, start), (0, size), (0, size), (4, 4), (0, align)],
        };
        fields.iter().for_each(|&(bytes, value)| number(&mut out, bytes, value));
    }
    out.extend(notes);
    out
}

fn note(big: bool, align: usize, owner: &[u8], kind: u32, contents: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for value in [owner.len() as u32, contents.len() as u32, kind] {
        out.extend(if big { value.to_be_bytes() } else { value.to_le_bytes() });
    }
    out.extend(owner);
    out.resize(out.len().next_multiple_of(align), 0);
    out.extend(contents);
    out.resize(out.len().next_multiple_of(align), 0);
    out
}

fn read_file(file: &[u8], chunk: usize) -> Facts {
    let mut capture = ElfCapture::default();
    capture.begin();
    file.chunks(chunk).for_each(|chunk| capture.feed(chunk));
    capture.finish(&LayerPath::from("usr/bin/x"))
}

fn of(contents: &[u8]) -> Facts {
    read_file(&file(true, false, 4, &note(false, 4, b"FDO\0", TYPE, contents)), 4096)
}

fn told(facts: &Facts) -> Vec<String> {
    let told = |package: &Package| {
        let Package { ecosystem, name, version, arch, qualifiers, .. } = package;
        let distro = qualifiers.first().map_or("-", |(_, distro)| distro);
        format!("{} {name} {version} {} {distro}", ecosystem.name(), arch.as_deref().unwrap_or("-"))
    };
    facts.packages.iter().map(told).collect()
}

#[test]
fn the_note_of_a_linker() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/executable-note/ld-2.40");
    let file = std::fs::read(path).unwrap();
    for chunk in [1, 511, file.len()] {
        let facts = read_file(&file, chunk);
        assert_eq!((told(&facts), facts.gaps), (vec!["rpm hello 2.12.1-4.fc40 x86_64 fedora-40".to_owned()], vec![]));
    }
    for end in 0..file.len() {
        let facts = read_file(&file[..end], 4096);
        // Less than a file header is no ELF file.
        assert!(end < 64 || !facts.gaps.is_empty(), "{end}");
        assert!(told(&facts).iter().all(|told| told == "rpm hello 2.12.1-4.fc40 x86_64 fedora-40"), "{end}");
    }
}

#[test]
fn every_class_byte_order_and_alignment() {
    for (wide, big) in [(false, false), (false, true), (true, false), (true, true)] {
        for align in [1, 4, 8] {
            let aligned = if align == 8 { 8 } else { 4 };
            let other = note(big, aligned, b"GNU\0", 3, &[7; 21]);
            let json = [JSON.as_bytes(), b"\0"].concat();
            let notes = [other, note(big, aligned, b"FDO\0", TYPE, &json)].concat();
            let facts = read_file(&file(wide, big, align, &notes), 4096);
            assert_eq!(told(&facts), ["deb coreutils 9.4-3ubuntu6 amd64 ubuntu"], "{wide} {big} {align}");
            assert_eq!(facts.gaps, []);
        }
    }
}

#[test]
fn what_is_no_package_note_says_nothing() {
    let json = JSON.as_bytes();
    for notes in [
        note(false, 4, b"FDO\0", 0x407c_0c0a, br#"[{"soname":["libx.so"]}]"#),
        note(false, 4, b"GNU\0", TYPE, json),
        note(false, 4, b"FDO", TYPE, json),
        vec![],
        vec![0; 11],
        vec![0; 4096],
        vec![0xff; 4096],
    ] {
        assert_eq!(read_file(&file(true, false, 4, &notes), 4096), Facts::default());
    }
}

#[test]
fn types_names_and_versions() {
    for (json, expected) in [
        (r#"{"type":"rpm","name":"a","version":"0-1.fc35.x86_64"}"#, "rpm a 0-1.fc35 x86_64 -"),
        (r#"{"type":"rpm","name":"a","version":"1-1.fc36.noarch","architecture":"noarch"}"#, "rpm a 1-1.fc36 noarch -"),
        (r#"{"type":"deb","name":"a","version":"1.x86_64"}"#, "deb a 1.x86_64 - -"),
        (r#"{"type":"apk","name":"a","version":"1-r0","architecture":""}"#, "apk a 1-r0 - -"),
        (r#"{"type":"alpm","name":"a","version":"1:2-3","os":"arch"}"#, "alpm a 1:2-3 - arch"),
        (r#"{"name":"é","version":"1","type":"rpm","os":"azl","osVersion":"3.0"}"#, "rpm é 1 - azl-3.0"),
        (
            r#"{"type":"rpm","name":"a","version":"1","osCpe":"cpe:2.3:o:redhat:enterprise_linux:9:*:*"}"#,
            "rpm a 1 - rhel-9",
        ),
        (r#"{"type":"rpm","name":"a","version":"1","osCpe":"cpe:/o:microsoft:azure_linux:3"}"#, "rpm a 1 - -"),
        (r#"{"type":"rpm","name":"a","version":"1","os":"two words","x":[{}]}"#, "rpm a 1 - -"),
    ] {
        let facts = of(json.as_bytes());
        assert_eq!((told(&facts), facts.gaps), (vec![expected.to_owned()], vec![]), "{json}");
    }
}

#[test]
fn what_cannot_be_understood_is_a_gap() {
    let long = format!(r#"{{"type":"rpm","name":"a","version":"{}"}}"#, "1".repeat(257));
    let deep = format!(r#"{{"type":"rpm","name":"a","version":"1","x":{}"#, "[".repeat(60_000));
    let other = format!(r#"{{"type":"{}\u202e","name":"a","version":"1"}}"#, "x".repeat(5000));
    for (contents, kind) in [
        (&b""[..], GapKind::Malformed),
        (b"\0\0", GapKind::Malformed),
        (b"{}", GapKind::Malformed),
        (b"\xff\xfe{\0}\0", GapKind::Malformed),
        (br#"{"type":"rpm","name":"","version":"1"}"#, GapKind::Malformed),
        (br#"{"type":"rpm","name":"a b","version":"1"}"#, GapKind::Malformed),
        (br#"{"type":"rpm","name":"a","version":"1\n"}"#, GapKind::Malformed),
        (br#"{"type":"rpm","name":"a","version":"1","architecture":"x y"}"#, GapKind::Malformed),
        (br#"{"type":"rpm","name":"a"}"#, GapKind::Malformed),
        (br#"{"type":"npm","name":"a","version":"1"}"#, GapKind::Unsupported),
        (br#"{"type":"","name":"a","version":"1"}"#, GapKind::Unsupported),
        (long.as_bytes(), GapKind::Malformed),
        (deep.as_bytes(), GapKind::Malformed),
        (other.as_bytes(), GapKind::Unsupported),
    ] {
        let facts = of(contents);
        let [gap] = &facts.gaps[..] else { panic!("{facts:?}") };
        assert_eq!((gap.kind, told(&facts).len()), (kind, 0));
        assert!(gap.reason.starts_with(PACKAGE_NOTE) && gap.reason.len() < 300, "{}", gap.reason);
    }
    for end in 0..JSON.len() {
        assert_eq!(of(&JSON.as_bytes()[..end]).gaps.len(), 1, "{end}");
    }
}

/// Notes without end, of which none is the one: gone through once.
#[test]
fn many_notes_take_time_in_proportion() {
    let notes = note(false, 4, b"GNU\0", 1, b"").repeat(1 << 20);
    let started = std::time::Instant::now();
    assert_eq!(read_file(&file(true, false, 4, &notes), 65_536), Facts::default());
    assert!(started.elapsed().as_secs() < 10);
}
