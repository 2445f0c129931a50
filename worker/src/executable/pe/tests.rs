//! Assemblies as compilers shape them, and damaged ones.

use super::*;

/// A block of a version resource; `text` is its value, with the zero behind it.
fn block(key: &str, text: Option<&str>, value: &[u8], children: &[Vec<u8>]) -> Vec<u8> {
    let utf16 = |text: &str| text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let mut out = vec![0; 6];
    out.extend(utf16(key));
    out.resize(out.len().next_multiple_of(4), 0);
    let value_size = match text {
        Some(text) => {
            out.extend(utf16(text));
            text.encode_utf16().count() + 1
        }
        None => {
            out.extend(value);
            value.len()
        }
    };
    for child in children {
        out.resize(out.len().next_multiple_of(4), 0);
        out.extend(child);
    }
    let size = out.len() as u16;
    out[..2].copy_from_slice(&size.to_le_bytes());
    out[2..4].copy_from_slice(&(value_size as u16).to_le_bytes());
    out[4..6].copy_from_slice(&u16::from(text.is_some() || value.is_empty()).to_le_bytes());
    out
}

fn version_info(strings: &[(&str, &str)]) -> Vec<u8> {
    let strings: Vec<_> = strings.iter().map(|(key, value)| block(key, Some(value), b"", &[])).collect();
    let table = block("000004b0", None, b"", &strings);
    let translation = block("Translation", None, &[0, 0, 0xb0, 4], &[]);
    let children = [block("VarFileInfo", None, b"", &[translation]), block("StringFileInfo", None, b"", &[table])];
    block("VS_VERSION_INFO", None, &[0xbd; 52], &children)
}

const RESOURCES_AT: u32 = 0x4000;

/// The tree of resources with an icon and this version resource.
fn resources(info: &[u8]) -> Vec<u8> {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let directory = |count: u32| words(&[0, 0, 0, count << 16]);
    let sub = 0x8000_0000;
    [
        directory(2),
        words(&[3, sub | 80, 16, sub | 32]),
        directory(1),
        words(&[1, sub | 56]),
        directory(1),
        words(&[0, 104]),
        directory(1),
        words(&[1, sub | 56]),
        words(&[RESOURCES_AT + 120, info.len() as u32, 0, 0]),
        info.to_vec(),
    ]
    .concat()
}

/// A program of the class, managed or not, with these resources.
fn file(wide: bool, managed: bool, resources: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 0x80];
    out[..2].copy_from_slice(b"MZ");
    out[0x3c] = 0x80;
    out.extend(b"PE\0\0");
    let optional: u16 = if wide { 240 } else { 224 };
    for value in [0x14c, 2, 0, 0, 0, 0, 0, 0, optional, 0x2102] {
        out.extend(u16::to_le_bytes(value));
    }
    let start = out.len();
    out.extend(u16::to_le_bytes(if wide { 0x20b } else { 0x10b }));
    let directories_at = start + if wide { 112 } else { 96 };
    out.resize(directories_at - 4, 0);
    out.extend(16u32.to_le_bytes());
    for index in 0..16 {
        let (address, size) = match index {
            2 if !resources.is_empty() => (RESOURCES_AT, resources.len() as u32),
            14 if managed => (0x2008, 72),
            _ => (0, 0),
        };
        out.extend(u32::to_le_bytes(address));
        out.extend(u32::to_le_bytes(size));
    }
    let text = vec![0x90u8; 0x1800];
    let at = 0x400u32;
    for (name, address, size, place) in [
        (b".text\0\0\0", 0x2000, text.len() as u32, at),
        (b".rsrc\0\0\0", RESOURCES_AT, resources.len() as u32, at + text.len() as u32),
    ] {
        out.extend(name);
        for value in [size, address, size, place, 0, 0, 0, 0x4000_0040] {
            out.extend(u32::to_le_bytes(value));
        }
    }
    out.resize(at as usize, 0);
    [out, text, resources.to_vec()].concat()
}

fn read_at(path: &str, file: &[u8], chunk: usize) -> Facts {
    let mut capture = PeCapture::default();
    for _ in 0..2 {
        capture.begin();
        file.chunks(chunk).for_each(|chunk| capture.feed(chunk));
        let facts = capture.finish(&LayerPath::from(path));
        if chunk == 1 {
            return facts;
        }
    }
    capture.begin();
    file.chunks(chunk).for_each(|chunk| capture.feed(chunk));
    capture.finish(&LayerPath::from(path))
}

fn told(facts: &Facts) -> Vec<String> {
    let told = |package: &Package| format!("{} {} {}", package.ecosystem.name(), package.name, package.version);
    facts.packages.iter().map(told).chain(facts.gaps.iter().map(|gap| format!("{:?}", gap.kind))).collect()
}

const NEWTONSOFT: &[(&str, &str)] = &[
    ("CompanyName", "Newtonsoft"),
    ("FileVersion", "13.0.3.27908"),
    ("InternalName", "Newtonsoft.Json.dll"),
    ("OriginalFilename", "Newtonsoft.Json.dll"),
    ("ProductName", "Json.NET"),
    ("ProductVersion", "13.0.3+0a2e291c0d9c0c7675d445703e51750363a549ef"),
    ("Assembly Version", "13.0.0.0"),
];

fn assembly(strings: &[(&str, &str)]) -> Vec<u8> {
    file(false, true, &resources(&version_info(strings)))
}

#[test]
fn an_assembly_is_the_package_that_its_resources_name() {
    for wide in [false, true] {
        let file = file(wide, true, &resources(&version_info(NEWTONSOFT)));
        for chunk in [1, 511, 4096, file.len()] {
            assert_eq!(told(&read_at("app/Newtonsoft.Json.dll", &file, chunk)), ["nuget Newtonsoft.Json 13.0.3"]);
        }
    }
}

#[test]
fn what_is_no_assembly_says_nothing() {
    let resources = resources(&version_info(NEWTONSOFT));
    for file in [file(false, false, &resources), file(true, false, &[]), b"MZ".to_vec(), b"MZ of words\n".repeat(900)] {
        assert_eq!(read_at("usr/lib/x.dll", &file, 4096), Facts::default());
    }
    let managed = file(false, true, &resources);
    for path in ["app/de/Shop.resources.dll", "packs/X.Ref/8.0.1/ref/net8.0/X.dll", "sdk/8.0.100/ref/mscorlib.dll"] {
        assert_eq!(read_at(path, &managed, 4096), Facts::default(), "{path}");
    }
    assert_eq!(read_at("ref/a/b/Newtonsoft.Json.dll", &managed, 4096).packages.len(), 1);
}

#[test]
fn versions_and_names() {
    for (product, file_version, expected) in [
        ("8.0.0-rc.1.23419.4+92959931a3", "8.0.23.41904", "8.0.0-rc.1.23419.4"),
        ("4.6.1055.0 built by: NETFXREL2", "4.6.1055.0", "4.6.1055.0"),
        ("", "4.0.30319.1", "4.0.30319.1"),
        ("Mono Common Language Infrastructure", "4.6.57.0", "4.6.57.0"),
        ("1.0.0", "1.0.0.0", "1.0.0"),
        ("0.0.0.0", "0.0.0.0", ""),
        ("0.0.0-alpha.1", "0.0.0.0", "0.0.0-alpha.1"),
        ("8,0,123,1 @Commit: 1", "8", ""),
        ("1.2.3.4.5", "1..2", ""),
        ("1.2-", "1.2-\u{e9}", ""),
        ("99999999999.1", "1.", ""),
    ] {
        let file =
            assembly(&[("ProductVersion", product), ("FileVersion", file_version), ("OriginalFilename", "A.exe")]);
        let expected = if expected.is_empty() { "Unread".to_owned() } else { format!("nuget A {expected}") };
        assert_eq!(told(&read_at("app/B.dll", &file, 4096)), [expected], "{product} {file_version}");
    }
    for (original, path, name) in [
        ("A.B.DLL", "x/c.dll", "nuget A.B 1.2"),
        ("", "x/C.dll", "nuget C 1.2"),
        ("setup", "x/C.Exe", "nuget C 1.2"),
        ("", "x/C", "nuget C 1.2"),
        (".dll", "x/C.dll", "Malformed"),
        ("A B.dll", "x/C.dll", "Malformed"),
        ("A\u{202e}.dll", "x/C.dll", "Malformed"),
    ] {
        let file = assembly(&[("ProductVersion", "1.2"), ("OriginalFilename", original)]);
        assert_eq!(told(&read_at(path, &file, 4096)), [name], "{original} {path}");
    }
    assert_eq!(told(&read_at("C.dll", &file(false, true, &[]), 4096)), ["Unread"], "no resources");
    assert_eq!(told(&read_at("C.dll", &assembly(&[]), 4096)), ["Unread"], "no strings");
}

#[test]
fn cut_or_damaged_anywhere() {
    let whole = assembly(NEWTONSOFT);
    for end in 0..whole.len() {
        let told = told(&read_at("a.dll", &whole[..end], 4096));
        // Of headers that are cut little or nothing can be told.
        assert!(told == ["Malformed"] || end < 0x400 && (told.is_empty() || told == ["Unread"]), "{end} {told:?}");
    }
    for at in (0..0x400).chain(0x1c00..whole.len()) {
        for byte in [0, 0xff, whole[at] ^ 1, whole[at].wrapping_add(0x40)] {
            let mut damaged = whole.clone();
            damaged[at] = byte;
            assert!(told(&read_at("a.dll", &damaged, 8192)).len() <= 1, "{at}");
        }
    }
}

#[test]
fn trees_and_blocks_without_end() {
    // Directories that lead to themselves, and as many entries as the format has room for.
    let mut circle = vec![0u8; 256];
    circle[14] = 0xff;
    circle[16..24].copy_from_slice(&[16, 0, 0, 0, 0, 0, 0, 0x80]);
    assert_eq!(told(&read_at("a.dll", &file(false, true, &circle), 4096)), ["Unread"]);
    // Blocks of no size, and of all there is.
    let many: Vec<(&str, &str)> = (0..2000).map(|_| ("ProductVersion", "x")).collect();
    assert_eq!(told(&read_at("a.dll", &assembly(&many[..900]), 4096)), ["Unread"]);
    for fill in [0u8, 0xff] {
        let info = [version_info(&[])[..0x60].to_vec(), vec![fill; 60_000]].concat();
        assert_eq!(told(&read_at("a.dll", &file(false, true, &resources(&info)), 4096)), ["Unread"]);
    }
    let large = file(false, true, &vec![0; MAX_RESOURCES + 1]);
    assert_eq!(told(&read_at("a.dll", &large, 1 << 20)), ["Limit"]);
}

#[test]
fn known_by_the_ending() {
    for (path, may) in [
        ("a/b.dll", true),
        ("B.EXE", true),
        ("a.so", false),
        ("dll", false),
        (".dll", true),
        ("a.dll/b", false),
        ("", false),
    ] {
        assert_eq!(may_be_assembly(path.as_bytes()), may, "{path}");
    }
}
