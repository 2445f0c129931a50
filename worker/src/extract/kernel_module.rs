//! Modules of Linux kernels: whose kernel they are for, and what was added to it from elsewhere.

use std::io::Read;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;
use lazaret::path::split;

use super::kernel::is_release;
use super::word::word;
use super::{ClaimedFile, Content, Extractor, licence};
use crate::executable::section_of;

/// The modules of a kernel, by the list of what is built into it: `lib/modules/RELEASE/modules.builtin` (`Documentation/kbuild/
/// kbuild.rst` of the kernel), which every installation of modules has, and which belongs to the package that they are of.
///
/// The name of the directory is `uname -r`, and the package that of the kernel itself. What release of kernel.org it was
/// built from stands in the kernel alone.
pub(crate) static KERNEL_MODULES: Extractor = Extractor {
    name: "kernel-modules",
    version: 1,
    claims: |path| {
        path.strip_suffix(b"/modules.builtin").and_then(release_and_below).is_some_and(|(_, below)| below.is_empty())
    },
    content: Content::NameOnly,
    companions: &[],
    yields: &[Ecosystem::Generic],
    form: "kernel modules",
    extract: modules,
};

/// A module that is no part of the kernel that it is for: below `lib/modules/RELEASE`, but not in `kernel`, as DKMS, akmods and
/// drivers of vendors install them. Its section `.modinfo` has lines of `KEY=VALUE`, with zeros between (`include/linux/module.h`).
pub(crate) static KERNEL_MODULE: Extractor = Extractor {
    name: "kernel-module",
    version: 1,
    claims: is_added,
    content: Content::Whole(128 << 20),
    companions: &[],
    yields: &[Ecosystem::Generic],
    form: "modules from elsewhere",
    extract: added,
};

/// The most that a compressed module may inflate to; the largest known, with a whole graphics driver in it, has 100 MB.
const MAX_MODULE: u64 = 160 << 20;

/// Lines of a `.modinfo` that are looked at: one for each alias of a device, of which some drivers have thousands.
const MAX_LINES: usize = 65_536;

/// What is left of a path below `lib/modules/RELEASE`, without the slash, and the release.
fn release_and_below(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let mark = b"lib/modules/";
    let at = memchr::memmem::find(path, mark)?;
    let sound = at == 0 || path.get(at - 1) == Some(&b'/');
    let inside = path.get(at + mark.len()..).filter(|_| sound)?;
    let end = memchr::memchr(b'/', inside).unwrap_or(inside.len());
    let (release, below) = inside.split_at(end);
    Some((release, below.strip_prefix(b"/").unwrap_or(below)))
}

/// The name of a module's file, and how it is compressed.
fn stem(name: &[u8]) -> Option<(&[u8], Compression)> {
    [
        (&b".ko"[..], Compression::None),
        (b".ko.gz", Compression::Gzip),
        (b".ko.zst", Compression::Zstd),
        (b".ko.xz", Compression::Xz),
    ]
    .into_iter()
    .find_map(|(ending, compression)| Some((name.strip_suffix(ending)?, compression)))
}

#[derive(Clone, Copy)]
enum Compression {
    None,
    Gzip,
    Zstd,
    Xz,
}

fn is_added(path: &[u8]) -> bool {
    let name = split(path).1;
    let ending = [&b".ko"[..], b".ko.xz", b".ko.zst", b".ko.gz"].iter().any(|ending| name.ends_with(ending));
    ending
        && release_and_below(path).is_some_and(|(_, below)| {
            let first = below.split(|&b| b == b'/').next().unwrap_or_default();
            // `build` and `source` lead to the sources that modules are built with.
            !below.is_empty() && !matches!(first, b"kernel" | b"build" | b"source" | b"vdso")
        })
}

fn modules(file: &ClaimedFile<'_>) -> Facts {
    let release = release_and_below(file.path.as_bytes()).and_then(|(release, _)| word(release));
    match release.filter(|release| is_release(release)) {
        Some(release) => {
            Facts { packages: vec![Package::new(Ecosystem::Generic, "linux-kernel", release)], ..Facts::default() }
        }
        None => {
            let gap =
                file.gap(GapKind::Malformed, "modules of a kernel in a directory that is called after no release");
            Facts { gaps: vec![gap], ..Facts::default() }
        }
    }
}

fn added(file: &ClaimedFile<'_>) -> Facts {
    match read(file) {
        Ok(package) => Facts { packages: package.into_iter().collect(), ..Facts::default() },
        Err((kind, reason)) => Facts { gaps: vec![file.gap(kind, reason)], ..Facts::default() },
    }
}

fn read(file: &ClaimedFile<'_>) -> Result<Option<Package>, (GapKind, String)> {
    let flaw = |kind, what: &str| (kind, format!("kernel module {what}"));
    let (name, compression) =
        stem(file.path.file_name()).ok_or_else(|| flaw(GapKind::Malformed, "with another name than they have"))?;
    let inflated = match compression {
        Compression::None => None,
        Compression::Gzip => Some(inflated(flate2::bufread::MultiGzDecoder::new(file.content))?),
        Compression::Zstd => {
            let decoder = zstd::Decoder::with_buffer(file.content);
            Some(inflated(decoder.map_err(|_| flaw(GapKind::Malformed, "that cannot be inflated"))?)?)
        }
        Compression::Xz => return Err(flaw(GapKind::Unsupported, "compressed by xz, which is not read")),
    };
    let module = inflated.as_deref().unwrap_or(file.content);
    let info = section_of(module, b".modinfo")?;
    let info = info.ok_or_else(|| flaw(GapKind::Malformed, "without a description of itself"))?;
    let lines = || info.split(|&b| b == 0).take(MAX_LINES);
    let field = |key: &[u8]| lines().find_map(|line| line.strip_prefix(key));
    if field(b"intree=").is_some() {
        // A part of the kernel that somebody put into another place.
        return Ok(None);
    }
    let version = field(b"version=").and_then(|version| word(version.trim_ascii()));
    let version = version.ok_or_else(|| flaw(GapKind::Unread, "from elsewhere that does not say its version"))?;
    // The kernel's names of modules have `_` for any hyphen of the file's.
    let of_file = || word(name).map(|name| name.replace('-', "_"));
    let name = field(b"name=").and_then(word).map(str::to_owned).or_else(of_file);
    let name = name.ok_or_else(|| flaw(GapKind::Malformed, "with an invalid name"))?;
    let mut package = Package::new(Ecosystem::Generic, name, version);
    let licence = field(b"license=").and_then(|licence| std::str::from_utf8(licence).ok());
    package.licence = licence.and_then(licence::declared);
    Ok(Some(package))
}

fn inflated(reader: impl Read) -> Result<Vec<u8>, (GapKind, String)> {
    let mut bytes = Vec::new();
    match reader.take(MAX_MODULE + 1).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() as u64 > MAX_MODULE => {
            Err((GapKind::Limit, format!("kernel module larger than {} MiB", MAX_MODULE >> 20)))
        }
        Ok(_) => Ok(bytes),
        Err(_) => Err((GapKind::Malformed, "kernel module that cannot be inflated".into())),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use lazaret::path::LayerPath;

    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&KERNEL_MODULES);
        golden::check(&KERNEL_MODULE);
    }

    #[test]
    fn claims_the_list_and_what_was_added() {
        for path in ["lib/modules/6.1.0-9-amd64/modules.builtin", "srv/usr/lib/modules/6.9.5/modules.builtin"] {
            assert!((KERNEL_MODULES.claims)(path.as_bytes()), "{path}");
        }
        for path in [
            "modules.builtin",
            "lib/modules/modules.builtin/x",
            "lib/modules/6.1/kernel/modules.builtin",
            "xlib/modules/6.1/modules.builtin",
            "lib/modules/6.1/modules.builtin.bin",
            "",
        ] {
            assert!(!(KERNEL_MODULES.claims)(path.as_bytes()), "{path}");
        }
        for path in [
            "lib/modules/6.1.0/extra/a.ko",
            "usr/lib/modules/6.1.0/updates/dkms/a.ko.xz",
            "lib/modules/6.1.0/a.ko.zst",
            "lib/modules/6.1.0/misc/a.ko.gz",
        ] {
            assert!((KERNEL_MODULE.claims)(path.as_bytes()), "{path}");
        }
        for path in [
            "lib/modules/6.1.0/kernel/fs/ext4.ko",
            "lib/modules/6.1.0/build/x.ko",
            "lib/modules/a.ko",
            "opt/a.ko",
            "lib/modules/6.1.0/extra/a.ko.bz2",
            "lib/modules/6.1.0/extra/a.ko/b",
            "",
        ] {
            assert!(!(KERNEL_MODULE.claims)(path.as_bytes()), "{path}");
        }
    }

    fn told(path: &str, content: &[u8]) -> String {
        let path = LayerPath::from(path);
        let file = ClaimedFile { path: &path, content, companions: &[] };
        let extractor = super::super::claim(path.as_bytes()).unwrap();
        let facts = (extractor.extract)(&file);
        let packages = facts.packages.iter().map(|package| format!("{} {}", package.name, package.version));
        packages.chain(facts.gaps.iter().map(|gap| format!("{:?}", gap.kind))).collect::<Vec<_>>().join(" ")
    }

    /// An object file with this `.modinfo`.
    fn module(info: &[u8]) -> Vec<u8> {
        let names = b"\0.modinfo\0.shstrtab\0";
        let mut out = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
        out.resize(16, 0);
        let number = |out: &mut Vec<u8>, fields: &[(usize, u64)]| {
            fields.iter().for_each(|&(bytes, value)| out.extend(&value.to_le_bytes()[..bytes]));
        };
        let table = 64 + (info.len() + names.len()) as u64;
        number(&mut out, &[(2, 1), (2, 62), (4, 1), (8, 0), (8, 0), (8, table), (4, 0), (2, 64), (2, 0), (2, 0)]);
        number(&mut out, &[(2, 64), (2, 3), (2, 2)]);
        out.extend(info);
        out.extend(names);
        let sections = [(0, 0, 0, 0), (1, 1, 64, info.len()), (10, 3, 64 + info.len(), names.len())];
        for (name, kind, start, size) in sections {
            number(&mut out, &[(4, name), (4, kind), (8, 0), (8, 0), (8, start as u64), (8, size as u64)]);
            number(&mut out, &[(4, 0), (4, 0), (8, 1), (8, 0)]);
        }
        out
    }

    const INFO: &[u8] = b"version=2.2.4-1\0license=CDDL\0alias=devname:zfs\0\0vermagic=6.1.0 SMP \0name=zfs\0";

    #[test]
    fn a_module_from_elsewhere_says_what_it_is() {
        let path = "lib/modules/6.1.0/updates/dkms/x-y.ko";
        for (info, expected) in [
            (INFO, "zfs 2.2.4-1"),
            (b"version= 550.54 \0", "x_y 550.54"),
            (b"intree=Y\0version=1\0", ""),
            (b"srcversion=AA\0name=a\0", "Unread"),
            (b"version=1 2\0name=a\0", "Unread"),
            (b"version=1\0name=a b\0", "x_y 1"),
            (b"", "Unread"),
        ] {
            assert_eq!(told(path, &module(info)), expected, "{info:?}");
        }
        assert_eq!(told("lib/modules/6.1.0/extra/a b.ko", &module(b"version=1\0")), "Malformed");
        assert_eq!(told(path, b"no module"), "Malformed");
        assert_eq!(told(path, b""), "Malformed");
    }

    #[test]
    fn compressed_modules() {
        let module = module(INFO);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&module).unwrap();
        let gzip = gzip.finish().unwrap();
        let zst = zstd::encode_all(&module[..], 1).unwrap();
        let path = |ending: &str| format!("lib/modules/6.1.0/extra/zfs.ko.{ending}");
        assert_eq!(told(&path("gz"), &gzip), "zfs 2.2.4-1");
        assert_eq!(told(&path("zst"), &zst), "zfs 2.2.4-1");
        assert_eq!(told(&path("xz"), &zst), "Unsupported");
        for end in 0..gzip.len() {
            assert_eq!(told(&path("gz"), &gzip[..end]), "Malformed", "{end}");
        }
        for end in 0..zst.len() {
            assert_eq!(told(&path("zst"), &zst[..end]), "Malformed", "{end}");
        }
        let bomb = zstd::encode_all(std::io::repeat(0).take(MAX_MODULE + 1), 1).unwrap();
        assert_eq!(told(&path("zst"), &bomb), "Limit");
    }

    #[test]
    fn cut_or_damaged_anywhere() {
        let whole = module(INFO);
        for end in 0..whole.len() {
            assert_eq!(told("lib/modules/6.1.0/extra/a.ko", &whole[..end]), "Malformed", "{end}");
        }
        for at in 0..whole.len() {
            for byte in [0, 0xff, whole[at] ^ 0x10] {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                told("lib/modules/6.1.0/extra/a.ko", &damaged);
            }
        }
    }

    #[test]
    fn a_directory_is_called_after_the_release() {
        let told = |release: &str| told(&format!("lib/modules/{release}/modules.builtin"), b"");
        assert_eq!(told("6.1.0-9-amd64"), "linux-kernel 6.1.0-9-amd64");
        let long = format!("6.{}", "1".repeat(63));
        for release in ["extra", "lts 6", &long] {
            assert_eq!(told(release), "Malformed", "{release}");
        }
    }
}
