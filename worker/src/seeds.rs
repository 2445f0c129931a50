//! Inputs from which the fuzz targets start: the golden cases, and what the tests build. `worker/fuzz/run` has them written.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use crate::extract::{EXTRACTORS, golden, rpm_samples};
use crate::{executable, malware, signature};

/// Larger ones are cut by the fuzzer anyway.
const MAX_BYTES: usize = 64 << 10;

#[test]
fn seeds() {
    let Some(directory) = std::env::var_os("LAZARET_SEEDS") else { return };
    let directory = Path::new(&directory);
    let files = claimed_files();
    write(&directory.join("files"), files.iter().map(|file| file.input()));
    let executables = executables();
    let names = ["usr/bin/x", "usr/bin/redis-server", "usr/lib/libcrypto.so.3", "usr/bin/memcached"];
    assert!(names[1..].iter().all(|name| signature::is_known(name.as_bytes())));
    let inputs = executables.iter().zip(names.iter().cycle()).zip(0..=u8::MAX);
    write(
        &directory.join("executables"),
        inputs.map(|((file, name), cut)| [name.as_bytes(), b"\n", &[cut], file].concat()),
    );
    let planted = malware::tests::planted::files();
    write(&directory.join("malware"), planted.map(|(path, bytes)| [path.as_bytes(), b"\n", &bytes].concat()));
    write(&directory.join("layers"), layers(&files, &executables).into_iter());
}

fn write(directory: &Path, inputs: impl Iterator<Item = Vec<u8>>) {
    fs::create_dir_all(directory).unwrap();
    for (number, input) in inputs.filter(|input| input.len() <= 2 * MAX_BYTES).enumerate() {
        fs::write(directory.join(format!("{number:05}")), input).unwrap();
    }
}

/// A file that an extractor claims, with the companion that it wants.
struct Claimed {
    path: String,
    content: Vec<u8>,
    companion: Option<(&'static str, Vec<u8>)>,
}

impl Claimed {
    /// As `worker/fuzz/src/file.rs` reads it.
    fn input(&self) -> Vec<u8> {
        let mut input = [self.path.as_bytes(), b"\n"].concat();
        if let Some((_, companion)) = &self.companion {
            input.extend_from_slice(&u32::try_from(companion.len()).unwrap().to_le_bytes()[..3]);
            input.extend_from_slice(companion);
        }
        input.extend_from_slice(&self.content);
        input
    }
}

fn claimed_files() -> Vec<Claimed> {
    let mut found = Vec::new();
    for extractor in EXTRACTORS {
        let files = golden::files_of(extractor);
        for (path, content) in files.iter().filter(|(path, _)| (extractor.claims)(path.as_bytes())) {
            let beside = |name: &str| {
                let path = Path::new(path).with_file_name(name);
                files.iter().find(|(other, _)| Path::new(other) == path).map(|(_, content)| content.clone())
            };
            let companion = extractor.companions.first().map(|&name| (name, beside(name).unwrap_or_default()));
            found.push(Claimed { path: path.clone(), content: content.clone(), companion });
        }
    }
    for (path, content, log) in rpm_samples() {
        let companion = log.map(|log| ("rpmdb.sqlite-wal", log));
        found.push(Claimed { path: path.into(), content, companion });
    }
    found
}

fn executables() -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/executable");
    let mut found: Vec<_> = golden::files(&directory).into_iter().map(|file| fs::read(file).unwrap()).collect();
    found.extend(executable::tests::samples());
    found
}

/// The first byte of each is read by `worker/fuzz/src/layer.rs`.
fn layers(files: &[Claimed], executables: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut tars = Vec::new();
    for few in files.chunks(8) {
        let mut tar = Vec::new();
        for file in few {
            entry(&mut tar, b'0', &file.path, "", &file.content);
            if let Some((name, content)) = &file.companion {
                let path = Path::new(&file.path).with_file_name(name);
                entry(&mut tar, b'0', path.to_str().unwrap(), "", content);
            }
        }
        tars.push(tar);
    }
    for executable in executables {
        let mut tar = Vec::new();
        entry(&mut tar, b'0', "usr/bin/redis-server", "", executable);
        entry(&mut tar, b'1', "usr/bin/redis-sentinel", "usr/bin/redis-server", b"");
        entry(&mut tar, b'0', "var/lib/dpkg/info/redis.list", "", b"/usr\n/usr/bin\n/usr/bin/redis-server\n");
        tars.push(tar);
    }
    tars.push(odd_entries());
    let compressed: Vec<_> = tars.iter().step_by(16).flat_map(|tar| [gzip(tar), zstd(tar)]).collect();
    let inputs = tars.into_iter().chain(compressed);
    inputs.zip((0..8).cycle()).map(|(blob, choices)| [&[choices | 1], &blob[..]].concat()).collect()
}

/// Links, whiteouts, directories, and headers that speak of the next one.
fn odd_entries() -> Vec<u8> {
    const APK: &[u8] = b"P:a\nV:1-r0\n\n";
    let mut tar = Vec::new();
    for (kind, name, link, content) in [
        (b'g', "pax_global_header", "", &b"52 comment=0123456789012345678901234567890123456789\n"[..]),
        (b'5', "usr/", "", b""),
        (b'2', "lib", "usr/lib", b""),
        (b'5', "usr/lib/apk/db", "", b""),
        (b'0', "lib/apk/db/installed", "", APK),
        (b'1', "usr/lib/apk/db/copy", "lib/apk/db/installed", b""),
        (b'2', "a", "b/../a", b""),
        (b'0', "a/c", "", b"x"),
        (b'x', "PaxHeaders/x", "", b"28 path=lib/apk/db/installed\n12 size=12\n"),
        (b'0', "short", "", APK),
        (b'L', "././@LongLink", "", b"usr/share/python/site-packages/six-1.0.dist-info/METADATA\0"),
        (b'0', "short", "", b"Metadata-Version: 2.1\nName: six\nVersion: 1.0\n\n"),
        (b'K', "././@LongLink", "", b"usr/lib/apk/db/installed\0"),
        (b'2', "long", "x", b""),
        (b'0', "etc/.wh.passwd", "", b""),
        (b'0', "opt/.wh..wh..opq", "", b""),
        (b'0', "opt/.wh.d/x", "", b"x"),
        (b'5', "opt/d", "", b""),
        (b'0', "opt/d", "", b"x"),
        (b'3', "dev/null", "", b""),
        (b'6', "var/lib/dpkg/status", "", b""),
        (b'x', "PaxHeaders/sparse", "", b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n28 GNU.sparse.name=usr/x.jar\n29 GNU.sparse.realsize=1024\n"),
        (b'0', "GNUSparseFile.0/x", "", b"1\n0\n4\nPK\x05\x06"),
    ] {
        entry(&mut tar, kind, name, link, content);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

fn entry(tar: &mut Vec<u8>, kind: u8, name: &str, link: &str, content: &[u8]) {
    let mut header = [0u8; 512];
    let name = &name.as_bytes()[..name.len().min(100)];
    header[..name.len()].copy_from_slice(name);
    header[100..108].copy_from_slice(b"0000755\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
    header[148..156].fill(b' ');
    header[156] = kind;
    header[157..157 + link.len()].copy_from_slice(link.as_bytes());
    header[257..265].copy_from_slice(if matches!(kind, b'L' | b'K') { b"ustar  \0" } else { b"ustar\x0000" });
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend_from_slice(&header);
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}
