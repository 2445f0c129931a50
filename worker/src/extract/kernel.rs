//! Linux kernels: which one a bootable image holds.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;
use lazaret::path::split;

use super::{ClaimedFile, Content, Extractor};

/// Kernels where boot loaders and `kernel-install` have them: `boot/vmlinuz-RELEASE` and `lib/modules/RELEASE/vmlinuz`.
///
/// Format: `Documentation/arch/x86/boot.rst` of the kernel, "The Real-Mode Kernel Header". `kernel_version` leads to the
/// release (`uname -r`), who built it, and `uname -v`.
pub(crate) static KERNEL: Extractor = Extractor {
    name: "linux-kernel",
    version: 1,
    claims,
    // With everything built in they have 20 MB.
    content: Content::Whole(64 << 20),
    companions: &[],
    yields: &[Ecosystem::Generic],
    form: "Linux kernels",
    extract,
};

/// The longest release that is believed; `uname -r` has room for 64 bytes.
const MAX_RELEASE: usize = 64;

/// The longest text with release, builder and version.
const MAX_TEXT: usize = 512;

/// Marks of kernels that stay at one release and take repairs from later ones: what NVD says of that release is mostly
/// wrong about them. Red Hat's kin, Amazon, Oracle, SUSE, Ubuntu.
const BACKPORTING: [&str; 5] = [".el", ".amzn", "uek", "geeko@", "-Ubuntu"];

fn claims(path: &[u8]) -> bool {
    let (directory, name) = split(path);
    if !name.starts_with(b"vmlinuz") {
        return false;
    }
    if matches!(name.get(7), None | Some(b'-')) && split(directory).1 == b"boot" {
        return true;
    }
    let modules = split(directory).0;
    name.len() == 7 && (modules == b"lib/modules" || modules.ends_with(b"/lib/modules"))
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let gap = |kind, reason: &str| Facts { gaps: vec![file.gap(kind, reason)], ..Facts::default() };
    if file.content.get(0x202..0x206) != Some(b"HdrS") {
        return gap(GapKind::Unsupported, "a kernel that is no bzImage: its version is not read");
    }
    let Some((text, release)) = text(file.content).and_then(|text| Some((text, release(text)?))) else {
        return gap(GapKind::Malformed, "a kernel without a version");
    };
    let mut package = Package::new(Ecosystem::Generic, "linux-kernel", release);
    package.cpe =
        upstream(text, release).map(|version| format!("cpe:2.3:o:linux:linux_kernel:{version}:*:*:*:*:*:*:*"));
    Facts { packages: vec![package], ..Facts::default() }
}

/// `6.12.95+deb12-cloud-amd64 (builder@host) #1 SMP PREEMPT_DYNAMIC Debian 6.12.95-1 (2026-03-01)`.
fn text(content: &[u8]) -> Option<&str> {
    let offset: [u8; 2] = content.get(0x20e..0x210)?.try_into().ok()?;
    let start = usize::from(u16::from_le_bytes(offset)) + 0x200;
    let bytes = content.get(start..)?;
    let end = memchr::memchr(0, bytes.get(..bytes.len().min(MAX_TEXT))?)?;
    // An offset of 0 means that there is none; it leads to the header itself then, which is no text.
    std::str::from_utf8(&bytes[..end]).ok().filter(|text| text.chars().all(|c| !c.is_control()))
}

fn release(text: &str) -> Option<&str> {
    text.split(' ').next().filter(|release| is_release(release))
}

/// Whether `text` may be what a kernel calls itself.
pub(super) fn is_release(text: &str) -> bool {
    let sound = text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(|b| b.is_ascii_graphic());
    sound && text.len() <= MAX_RELEASE
}

/// The release of kernel.org that it was built from, if that can be told: Debian says it in words where the kernel's own
/// name stays at `6.1.0`, which others leave at that.
fn upstream<'t>(text: &'t str, release: &'t str) -> Option<&'t str> {
    if let Some((_, version)) = text.split_once(" Debian ") {
        return numbers(version);
    }
    if BACKPORTING.iter().any(|mark| text.contains(mark)) {
        return None;
    }
    let version = numbers(release)?;
    match version.strip_suffix(".0") {
        // NVD has `6.7` where the kernel calls itself `6.7.0`.
        Some(first) if first.contains('.') => (version == release).then_some(first),
        _ => Some(version),
    }
}

/// The numbers that `text` starts with, two or three of them.
fn numbers(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let numbers = text[..end].trim_end_matches('.');
    let (count, all) = numbers.split('.').fold((0, true), |(count, all), part| (count + 1, all && !part.is_empty()));
    (all && (2..=3).contains(&count)).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use lazaret::path::LayerPath;

    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&KERNEL);
    }

    #[test]
    fn claims_kernels_where_they_are_booted_from() {
        for path in [
            "boot/vmlinuz-6.1.0-9-amd64",
            "boot/vmlinuz",
            "srv/root/boot/vmlinuz-lts",
            "usr/lib/modules/6.9.5-arch1/vmlinuz",
        ] {
            assert!(claims(path.as_bytes()), "{path}");
        }
        for path in [
            "usr/local/go/src/debug/pe/testdata/vmlinuz-4.15.0-47-generic",
            "boot/vmlinuz-6.1/x",
            "boot/vmlinuzx",
            "boot/initrd.img",
            "xboot/vmlinuz",
            "vmlinuz",
            "usr/lib/modules/vmlinuz",
            "usr/xlib/modules/6.9/vmlinuz",
            "usr/lib/modules/6.9/vmlinuz-6.9",
            "",
        ] {
            assert!(!claims(path.as_bytes()), "{path}");
        }
    }

    fn image(text: &str) -> Vec<u8> {
        let mut image = vec![0; 0x400];
        image[0x1fe..0x200].copy_from_slice(&[0x55, 0xaa]);
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x20e..0x210].copy_from_slice(&0x100u16.to_le_bytes());
        image[0x300..0x300 + text.len()].copy_from_slice(text.as_bytes());
        image
    }

    fn found(content: &[u8]) -> Facts {
        let path = LayerPath::from("boot/vmlinuz");
        extract(&ClaimedFile { path: &path, content, companions: &[] })
    }

    #[test]
    fn the_cpe_names_what_kernel_org_released_or_nothing() {
        for (text, release, upstream) in [
            (
                "6.1.0-9-amd64 (debian-kernel@lists.debian.org) #1 SMP Debian 6.1.27-1 (2023-05-08)",
                "6.1.0-9-amd64",
                "6.1.27",
            ),
            ("6.6.32-0-lts (buildozer@build) #1-Alpine SMP", "6.6.32-0-lts", "6.6.32"),
            ("6.9.5-arch1-1 (linux@archlinux) #1 SMP", "6.9.5-arch1-1", "6.9.5"),
            ("6.7.0 (me@here) #1", "6.7.0", "6.7"),
            ("5.15.0-72-generic (buildd@lcy02) #79-Ubuntu SMP", "5.15.0-72-generic", ""),
            ("5.14.0-427.el9.x86_64 (mockbuild@x86-64) #1 SMP", "5.14.0-427.el9.x86_64", ""),
            ("5.14.21-150400.24.63-default (geeko@buildhost) #1 SMP", "5.14.21-150400.24.63-default", ""),
            ("6.10.0-rc3 (me@here) #1", "6.10.0-rc3", ""),
            ("6.x (me@here) #1", "6.x", ""),
        ] {
            let package = &found(&image(text)).packages[0];
            let cpe = package.cpe.as_deref().and_then(|cpe| cpe.split(':').nth(5)).unwrap_or_default();
            assert_eq!((package.version.as_str(), cpe), (release, upstream), "{text}");
        }
    }

    #[test]
    fn what_is_cut_or_damaged_is_a_gap() {
        let whole = image("6.6.32-0-lts (buildozer@build) #1-Alpine SMP");
        for end in 0..whole.len() {
            let facts = found(&whole[..end]);
            assert!(facts.packages.len() + facts.gaps.len() == 1, "{end}");
            assert!(facts.packages.is_empty() || end > 0x300 + 44, "{end}");
        }
        for text in ["", "lts (me)", &"6".repeat(65), "6.1\u{1}", " 6.1"] {
            assert_eq!(found(&image(text)).gaps.len(), 1, "{text}");
        }
        let mut image = whole;
        for offset in [0u16, 1, 0xffff] {
            image[0x20e..0x210].copy_from_slice(&offset.to_le_bytes());
            assert_eq!(found(&image).gaps.len(), 1, "{offset}");
        }
    }
}
