//! Go's build information: synthetic, packed, and in programs that the Go on this machine builds.

use std::path::Path;
use std::process::Command;

use super::*;

fn varint(mut value: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

fn framed(modules: &str) -> Vec<u8> {
    if modules.is_empty() { Vec::new() } else { [&[b'<'; 16], modules.as_bytes(), &[b'>'; 16]].concat() }
}

/// Build information with the strings inside.
fn inline(toolchain: &str, modules: &str) -> Vec<u8> {
    let modules = framed(modules);
    let start = [&buildinfo::MAGIC[..], &[8, 2], &[0; 16]].concat();
    [start, varint(toolchain.len()), toolchain.into(), varint(modules.len()), modules].concat()
}

const MODULES: &str = "path\tx.org/app\nmod\tx.org/app\tv1.2.3\t\ndep\tx.org/lib\tv0.4.0\th1:=\n";

/// An address at a multiple of 16 in the writable half of the code, of which an address is an offset.
fn writable(file: &[u8]) -> usize {
    (memmem::find(file, b"codecode").unwrap() + 41_000).next_multiple_of(16)
}

fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

/// A program that lists its modules in its writable data.
pub(super) fn program(shape: Shape) -> Vec<u8> {
    let mut file = shape.file(".rodata", b"nothing");
    let at = writable(&file);
    put(&mut file, at, &inline("go1.22.3", MODULES));
    file
}

fn names(facts: &Facts) -> Vec<String> {
    facts.packages.iter().map(|package| format!("{} {}", package.name, package.version)).collect()
}

const EXPECTED: [&str; 3] = ["stdlib 1.22.3", "x.org/app v1.2.3", "x.org/lib v0.4.0"];

#[test]
fn inline_strings_in_every_layout_and_chunking() {
    let mut capture = ElfCapture::default();
    for shape in shapes() {
        let file = program(shape);
        for chunk in [1, 13, 511, 4096, 65_536, file.len()] {
            let facts = read(&mut capture, &file, chunk);
            assert_eq!(names(&facts), EXPECTED, "{shape:?} {chunk}");
            assert!(facts.gaps.is_empty() && facts.recognised.is_none(), "{shape:?} {chunk} {facts:?}");
        }
    }
}

#[test]
fn pointers_to_strings_in_every_layout() {
    let mut capture = ElfCapture::default();
    for shape in shapes() {
        let strings = [&b"go1.17.13"[..], &framed(MODULES)].concat();
        let mut file = shape.file(".rodata", &strings);
        let at = writable(&file);
        let strings_at = if shape.layout == Layout::Behind {
            let constants = memmem::find(&file, b"constants").unwrap();
            put(&mut file, constants, &strings);
            constants
        } else {
            memmem::find(&file, &strings).unwrap()
        };
        let bytes = if shape.wide { 8 } else { 4 };
        let start = [&buildinfo::MAGIC[..], &[bytes, u8::from(shape.big_endian)]].concat();
        put(&mut file, at, &start);
        let (first, second) = (at as u64 + 64, at as u64 + 96);
        put(&mut file, at + 16, &shape.record(&[(0, first), (0, second)]));
        put(&mut file, at + 64, &shape.record(&[(0, strings_at as u64), (0, 9)]));
        put(&mut file, at + 96, &shape.record(&[(0, strings_at as u64 + 9), (0, strings.len() as u64 - 9)]));
        for chunk in [1, 4096, file.len()] {
            let facts = read(&mut capture, &file, chunk);
            assert_eq!(names(&facts), ["stdlib 1.17.13", EXPECTED[1], EXPECTED[2]], "{shape:?} {chunk}");
        }
    }
}

#[test]
fn a_mark_by_chance_does_not_hide_the_true_one() {
    let mut file = PLAIN.file(".rodata", b"nothing");
    let at = writable(&file);
    put(&mut file, at, buildinfo::MAGIC);
    put(&mut file, at + 40, &inline("go1.1", ""));
    put(&mut file, at + 160, &inline("go1.22.3", MODULES));
    let facts = read(&mut ElfCapture::default(), &file, 4096);
    assert_eq!(names(&facts), EXPECTED);
}

#[test]
fn without_section_headers_too() {
    let mut file = PLAIN.file(".rodata", b"nothing");
    let at = writable(&file);
    put(&mut file, at, &inline("go1.22.3", MODULES));
    file[40..48].fill(0);
    assert_eq!(names(&read(&mut ElfCapture::default(), &file, 4096)), EXPECTED);
    put(&mut file, at + 32, b"\x02??");
    assert_eq!(read(&mut ElfCapture::default(), &file, 4096).recognised, Some(Recognised::GoBinary));
}

#[test]
fn what_cannot_be_read_is_told() {
    let with = |info: &[u8]| {
        let mut file = PLAIN.file(".go.buildinfo", b"elsewhere");
        let at = writable(&file);
        put(&mut file, at, info);
        read(&mut ElfCapture::default(), &file, 4096)
    };
    // Nothing is known of it but that it is a Go program.
    for toolchain in ["", "unknown", "go1.22\u{1}", &"go".repeat(129)] {
        let facts = with(&inline(toolchain, MODULES));
        assert_eq!(facts.recognised, Some(Recognised::GoBinary), "{toolchain}");
        assert!(facts.packages.is_empty());
    }
    // The toolchain is known, but not the modules.
    let mut cut = inline("go1.22.3", "");
    cut.pop();
    cut.extend([0xff, 0xff, 0xff, 0x7f]);
    let facts = with(&cut);
    assert_eq!(names(&facts), ["stdlib 1.22.3"]);
    assert!(facts.gaps.len() == 1 && facts.gaps[0].reason.contains("cannot be read"), "{facts:?}");
    // There are none.
    let facts = with(&inline("go1.22.3", ""));
    assert_eq!(names(&facts), ["stdlib 1.22.3"]);
    assert_eq!(facts.gaps, []);
}

#[test]
fn every_cut_is_told_or_yields_the_same() {
    let file = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/executable/plain")).unwrap();
    let mut capture = ElfCapture::default();
    let whole = names(&read(&mut capture, &file, 4096));
    for end in 0..file.len() {
        let facts = read(&mut capture, &file[..end], 4096);
        assert!(names(&facts).iter().all(|name| whole.contains(name)), "{end}");
        // Less than a file header is no ELF file.
        assert!(!facts.gaps.is_empty() || end < 64, "{end}");
    }
}

#[test]
fn packed_programs_yield_what_they_held() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/executable");
    let mut capture = ElfCapture::default();
    let mut cases: Vec<_> = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let file = std::fs::read(&case).unwrap();
        for chunk in [1, 4096, file.len()] {
            let facts = read(&mut capture, &file, chunk);
            assert_eq!(
                names(&facts),
                [
                    "time 0.1.43",
                    "example.com/shop v1.4.0",
                    "github.com/gorilla/mux v1.8.0",
                    "golang.org/x/net v0.17.0",
                    "gopkg.in/yaml.v3 v3.0.1",
                    "stdlib 1.22.3",
                ],
                "{}",
                case.display()
            );
            assert!(facts.gaps.is_empty() && facts.recognised.is_none());
        }
        if file != std::fs::read(directory.join("plain")).unwrap() {
            let facts = read(&mut capture, &file[..file.len() / 3], 4096);
            assert!(facts.gaps.len() == 1 && facts.gaps[0].reason.starts_with("packed by UPX, damaged"), "{facts:?}");
        }
    }
}

#[test]
fn a_packed_program_that_is_too_large_is_a_gap() {
    let file = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/executable/upx-3.96-nrv2e")).unwrap();
    let large = [file, vec![0; upx::MAX_FILE]].concat();
    let mut capture = ElfCapture::default();
    let facts = read(&mut capture, &large, 64 << 10);
    assert!(facts.gaps.len() == 1 && facts.gaps[0].kind == GapKind::Limit, "{facts:?}");
    assert_eq!(capture.packed.capacity(), 0);
}

/// A module with a vendored dependency, one replaced by another module and one by a directory.
fn write_module(directory: &Path) {
    let put = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put(
        "go.mod",
        "module example.com/app\n\ngo 1.21\n\nrequire (\n\texample.com/dep v1.2.3\n\texample.com/old v1.0.0\n\t\
         example.com/near v0.0.0\n)\n\nreplace example.com/old => example.com/new v1.5.0\n\n\
         replace example.com/near => ./near\n",
    );
    put("near/go.mod", "module example.com/near\n");
    put(
        "vendor/modules.txt",
        "# example.com/dep v1.2.3\n## explicit\nexample.com/dep\n# example.com/old v1.0.0 => example.com/new v1.5.0\n\
         ## explicit\nexample.com/old\n# example.com/near v0.0.0 => ./near\n## explicit\nexample.com/near\n\
         # example.com/old => example.com/new v1.5.0\n# example.com/near => ./near\n",
    );
    for name in ["dep", "old", "near"] {
        put(&format!("vendor/example.com/{name}/x.go"), &format!("package {name}\n\nfunc X() int {{ return 1 }}\n"));
    }
    let main = "import (\n\t\"example.com/dep\"\n\t\"example.com/near\"\n\t\"example.com/old\"\n)\n\n\
                func main() { println(dep.X() + near.X() + old.X()) }\n";
    put("main.go", &format!("package main\n\n{main}"));
    put("cgo/main.go", &format!("package main\n\nimport \"C\"\n\n{main}"));
}

/// What `go version -m` lists, as packages.
fn listed_by_go(program: &Path) -> Vec<String> {
    let output = Command::new("go").args(["version", "-m"]).arg(program).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    let toolchain = lines.next().unwrap().rsplit(": go").next().unwrap();
    let mut found = vec![format!("stdlib {}", toolchain.split(' ').next().unwrap())];
    let mut kept = String::new();
    for line in lines {
        let fields: Vec<&str> = line.trim_start_matches('\t').split('\t').collect();
        let version = |text: &str| text.replace("(devel)", "");
        match fields[..] {
            ["mod" | "dep", name, text, ..] => {
                kept = format!("{name} {}", version(text));
                found.push(kept.clone());
            }
            ["=>", name, text, ..] if !name.starts_with('.') => {
                found.retain(|package| *package != kept);
                found.push(format!("{name} {}", version(text)));
            }
            _ => {}
        }
    }
    found.sort();
    found
}

/// A way to build a program.
struct Build {
    name: &'static str,
    arguments: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
}

/// Half of the ways, with `LAZARET_FULL=1` all of them.
#[test]
#[expect(clippy::print_stderr, reason = "a skip must be seen")]
fn as_go_version_tells_of_programs_that_go_builds() {
    if !Command::new("go").arg("version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: no go on this machine, to build programs and compare with `go version -m`");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    write_module(directory.path());
    let full = std::env::var_os("LAZARET_FULL").is_some();
    let mut shapes = vec![
        Build { name: "plain", arguments: &[], environment: &[] },
        Build { name: "stripped", arguments: &["-ldflags=-s -w", "-trimpath"], environment: &[] },
        Build { name: "cgo", arguments: &["-ldflags=-linkmode=external"], environment: &[("CGO_ENABLED", "1")] },
        Build { name: "386", arguments: &[], environment: &[("GOARCH", "386"), ("CGO_ENABLED", "0")] },
    ];
    if full {
        let cgo_pie = &["-buildmode=pie", "-ldflags=-linkmode=external -s -w"];
        shapes.extend([
            Build { name: "pie", arguments: &["-buildmode=pie"], environment: &[("CGO_ENABLED", "0")] },
            Build { name: "cgo pie", arguments: cgo_pie, environment: &[("CGO_ENABLED", "1")] },
            Build { name: "arm64", arguments: &[], environment: &[("GOARCH", "arm64"), ("CGO_ENABLED", "0")] },
            Build { name: "s390x", arguments: &[], environment: &[("GOARCH", "s390x"), ("CGO_ENABLED", "0")] },
        ]);
    }
    let mut capture = ElfCapture::default();
    for Build { name, arguments, environment } in shapes {
        let program = directory.path().join("program");
        let package = if name.starts_with("cgo") { "./cgo" } else { "." };
        let built = Command::new("go")
            .current_dir(directory.path())
            .args(["build", "-mod=vendor", "-buildvcs=false", "-o"])
            .arg(&program)
            .args(arguments)
            .arg(package)
            .env("GOFLAGS", "")
            .env("GOTOOLCHAIN", "local")
            .env("GOWORK", "off")
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        if !built.status.success() && name.starts_with("cgo") {
            eprintln!("SKIPPED: {name}: {}", String::from_utf8_lossy(&built.stderr));
            continue;
        }
        assert!(built.status.success(), "{name}: {}", String::from_utf8_lossy(&built.stderr));
        let facts = read(&mut capture, &std::fs::read(&program).unwrap(), 128 << 10);
        let mut found = names(&facts);
        found.sort();
        assert_eq!(found, listed_by_go(&program), "{name}");
        assert_eq!(facts.gaps, [], "{name}");
        let local: Vec<_> = facts.packages.iter().filter(|package| package.registry.is_some()).collect();
        assert!(local.len() == 1 && local[0].name == "example.com/near", "{name}");
        // Without the names of symbols, where this machine's strip knows the format.
        let _ = Command::new("strip").arg(&program).output();
        let stripped = read(&mut capture, &std::fs::read(&program).unwrap(), 4096);
        assert_eq!(stripped, facts, "{name}");
    }
}
