//! Go's build information: which toolchain made a program, and of which modules.

use lazaret::ecosystem::Ecosystem;
use lazaret::package::Package;

/// What the information starts with, at a multiple of 16 of the address space. The Go linker puts it near the start of
/// the writable data; another linker puts it anywhere in that.
///
/// Format: <https://pkg.go.dev/debug/buildinfo>, and its source. 14 bytes of this, the size of a pointer, flags; then two
/// pointers to strings (before Go 1.18), or the strings themselves behind byte 32, each with its length before it.
pub(super) const MAGIC: &[u8; 14] = b"\xff Go buildinf:";

/// Where the strings start that follow their lengths.
const STRINGS_AT: u64 = 32;

const BIG_ENDIAN: u8 = 1;
const INLINE: u8 = 2;

/// The list of modules lies between two markers of so many bytes.
const FRAME: usize = 16;

/// The longest name or version that is believed.
const MAX_NAME: usize = 256;

/// The longest list of modules that is read. The largest programs we know have 60 KB.
pub(super) const MAX_MODULES: u64 = 1 << 20;

/// The bytes of a program, as far as they were kept.
pub(super) trait Image {
    /// The bytes of the file from `start` on, `size` of them.
    fn bytes(&self, start: u64, size: u64) -> Option<&[u8]>;
    /// Where in the file the byte is that the loader maps at `address`.
    fn offset(&self, address: u64) -> Option<u64>;
}

/// What a program says about its making.
#[derive(Debug, PartialEq)]
pub(super) struct BuildInfo<'a> {
    /// The toolchain, as it calls itself: `go1.22.3`.
    toolchain: &'a str,
    /// Lines of fields that tabs separate; `None` where they could not be read.
    modules: Option<&'a str>,
}

/// The information at `at` of the file; `None` where there is none: programs that read it hold [`MAGIC`] too.
pub(super) fn read(image: &impl Image, at: u64) -> Option<BuildInfo<'_>> {
    let byte = |offset: u64| image.bytes(at.checked_add(offset)?, 1)?.first().copied();
    let (pointer_bytes, flags) = (byte(14)?, byte(15)?);
    let (toolchain, modules) = if flags & INLINE != 0 {
        let (toolchain, end) = counted(image, at.checked_add(STRINGS_AT)?, MAX_NAME as u64)?;
        (toolchain, counted(image, end, MAX_MODULES).map(|(modules, _)| modules))
    } else {
        let pointers = Pointers { bytes: pointer_bytes, big_endian: flags & BIG_ENDIAN != 0 };
        let string = |index: u64, longest| {
            let header = pointers.read(image, at.checked_add(16 + index * u64::from(pointer_bytes))?)?;
            let header = image.offset(header)?;
            let size = pointers.read(image, header.checked_add(pointer_bytes.into())?)?;
            if size == 0 {
                return Some(&[][..]);
            }
            let start = image.offset(pointers.read(image, header)?)?;
            image.bytes(start, Some(size).filter(|&size| size <= longest)?)
        };
        (string(0, MAX_NAME as u64)?, string(1, MAX_MODULES))
    };
    let toolchain = std::str::from_utf8(toolchain).ok()?;
    let known = toolchain.starts_with("go") || toolchain.starts_with("devel");
    let printable = toolchain.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    let modules = modules.and_then(|framed| std::str::from_utf8(unframed(framed)).ok());
    (known && printable).then_some(BuildInfo { toolchain, modules })
}

/// The string at `at` that has its length before it, and where it ends.
fn counted(image: &impl Image, at: u64, longest: u64) -> Option<(&[u8], u64)> {
    let mut size = 0u64;
    for index in 0..4 {
        let byte = *image.bytes(at.checked_add(index)?, 1)?.first()?;
        size |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let start = at + index + 1;
            let bytes = image.bytes(start, Some(size).filter(|&size| size <= longest)?)?;
            return Some((bytes, start + size));
        }
    }
    None
}

/// The list without the markers that let it be found in memory; nothing where it has none, as without modules.
fn unframed(framed: &[u8]) -> &[u8] {
    let end = framed.len().saturating_sub(FRAME);
    framed.get(FRAME..end).filter(|list| list.ends_with(b"\n")).unwrap_or_default()
}

struct Pointers {
    bytes: u8,
    big_endian: bool,
}

impl Pointers {
    fn read(&self, image: &impl Image, at: u64) -> Option<u64> {
        let bytes = image.bytes(at, self.bytes.into())?;
        match (self.bytes, self.big_endian) {
            (4, false) => Some(u32::from_le_bytes(bytes.try_into().ok()?).into()),
            (4, true) => Some(u32::from_be_bytes(bytes.try_into().ok()?).into()),
            (8, false) => Some(u64::from_le_bytes(bytes.try_into().ok()?)),
            (8, true) => Some(u64::from_be_bytes(bytes.try_into().ok()?)),
            _ => None,
        }
    }
}

impl BuildInfo<'_> {
    /// The standard library, the main module and the modules that it was built from, sorted, each once; or what is wrong
    /// with the list of modules, beside what was understood.
    pub(super) fn packages(&self) -> (Vec<Package>, Option<&'static str>) {
        let mut packages = vec![Package::new(Ecosystem::Golang, "stdlib", release(self.toolchain))];
        let flaw = match self.modules {
            Some(modules) => add_modules(modules, self.toolchain, &mut packages).err(),
            None => Some("Go program whose list of modules cannot be read"),
        };
        packages.sort_unstable();
        packages.dedup();
        (packages, flaw)
    }
}

fn add_modules(modules: &str, toolchain: &str, packages: &mut Vec<Package>) -> Result<(), &'static str> {
    let mut result = Ok(());
    let mut lines = modules.lines().peekable();
    while let Some(line) = lines.next() {
        let (key, rest) = line.split_once('\t').unwrap_or((line, ""));
        match key {
            // The go command is the toolchain, about which there are advisories of its own.
            "path" if rest == "cmd/go" => {
                packages.push(Package::new(Ecosystem::Golang, "toolchain", release(toolchain)))
            }
            "mod" | "dep" => {
                let replacement = lines.next_if(|line| line.starts_with("=>\t")).map(|line| &line[3..]);
                match module(rest, replacement) {
                    Some(package) => packages.push(package),
                    None => result = Err("Go program with a module of invalid name or version"),
                }
            }
            "path" | "build" | "" => {}
            _ => result = Err("Go program whose list of modules has lines of an unknown kind"),
        }
    }
    result
}

/// The module of a line, or the one that replaced it.
///
/// A directory that replaced it has no version and may hold anything: then it is the module by its name, from elsewhere
/// than the public registry. A module built from a working tree, `(devel)`, has no version either, and nothing else in
/// the program says which it is: the revision that may be there would order below every release.
fn module(line: &str, replacement: Option<&str>) -> Option<Package> {
    let (path, version) = path_and_version(line)?;
    let replacement = match replacement {
        Some(line) => Some(path_and_version(line)?),
        None => None,
    };
    match replacement {
        Some((other, "")) if is_directory(other) => {
            let registry = Some("local".to_owned());
            Some(Package { registry, ..Package::new(Ecosystem::Golang, path, version) })
        }
        Some((other, version)) => Some(Package::new(Ecosystem::Golang, other, version)),
        None => Some(Package::new(Ecosystem::Golang, path, version)),
    }
}

fn path_and_version(line: &str) -> Option<(&str, &str)> {
    let mut fields = line.split('\t');
    let (path, version) = (fields.next()?, fields.next().unwrap_or_default());
    let believed = |text: &str| text.len() <= MAX_NAME && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    let version = if version == "(devel)" { "" } else { version };
    (!path.is_empty() && believed(path) && believed(version)).then_some((path, version))
}

/// Go modules reference, "replace directive": a path to a directory starts with `./` or `../`, or with the root.
fn is_directory(path: &str) -> bool {
    path.starts_with(['/', '.']) || path.contains(['\\', ':'])
}

/// The toolchain's version as the Go vulnerability database writes it: `1.22.3` of `go1.22.3 X:boringcrypto`,
/// `1.21.0-rc.2` of `go1.21rc2`, `1.20` of `go1.20-custom`. A development version stays what it is, which is none that
/// could be ordered: `1.24-a3cd4e` of `devel go1.24-a3cd4e Tue Jan 7`.
fn release(toolchain: &str) -> String {
    let is_development = toolchain.contains("devel");
    let word = toolchain.strip_prefix("devel ").unwrap_or(toolchain).split(' ').next().unwrap_or_default();
    let text = word.strip_prefix("go").unwrap_or(word);
    if is_development {
        return text.to_owned();
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (numbers, suffix) = text.split_at(end);
    for kind in ["rc", "beta"] {
        let Some(number) = suffix.strip_prefix(kind) else { continue };
        let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        let patch = if numbers.matches('.').count() < 2 { ".0" } else { "" };
        return format!("{numbers}{patch}-{kind}.{}", &number[..end]);
    }
    numbers.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toolchains_as_advisories_write_them() {
        for (toolchain, expected) in [
            ("go1.22.3", "1.22.3"),
            ("go1.20", "1.20"),
            ("go1.21rc2", "1.21.0-rc.2"),
            ("go1.18beta1", "1.18.0-beta.1"),
            ("go1.9.2rc2", "1.9.2-rc.2"),
            ("go1.22.3 X:boringcrypto,nocoverageredesign", "1.22.3"),
            ("go1.21rc2 X:boringcrypto", "1.21.0-rc.2"),
            ("go1.17.8b7", "1.17.8"),
            ("go1.24.1-microsoft", "1.24.1"),
            ("go1.22.9 (Red Hat 1.22.9-2.el9_5)", "1.22.9"),
            ("devel go1.24-a3cd4e Tue Jan 7 10:00:00 2025 +0000", "1.24-a3cd4e"),
            ("go1.26-devel_8e6cd8 Tue Jan 7", "1.26-devel_8e6cd8"),
            ("devel +5c7a5ab Fri", "+5c7a5ab"),
            ("go", ""),
        ] {
            assert_eq!(release(toolchain), expected, "{toolchain}");
        }
    }

    fn listed(modules: &str) -> (Vec<String>, Option<&'static str>) {
        let (packages, flaw) = BuildInfo { toolchain: "go1.22.3", modules: Some(modules) }.packages();
        let shown = |p: Package| format!("{} {} {}", p.name, p.version, p.registry.as_deref().unwrap_or("-"));
        (packages.into_iter().map(shown).collect(), flaw)
    }

    #[test]
    fn modules_with_what_replaced_them() {
        let (packages, flaw) = listed(
            "path\texample.com/app/cmd/app\nmod\texample.com/app\t(devel)\t\n\
             dep\tgithub.com/Azure/go-autorest\tv14.2.0+incompatible\th1:x=\n\
             dep\tgithub.com/old/a\tv1.0.0\n=>\tgithub.com/new/a\tv1.2.3\th1:y=\n\
             dep\tgithub.com/old/b\tv0.0.0\n=>\t./b\t(devel)\t\n\
             dep\tgithub.com/old/c\tv0.1.0\n=>\t/src/c\t\n\
             dep\texample.com/workspace\t(devel)\t\n\
             build\t-compiler=gc\nbuild\tvcs.revision=0123\n",
        );
        assert_eq!(
            packages,
            [
                "example.com/app  -",
                "example.com/workspace  -",
                "github.com/Azure/go-autorest v14.2.0+incompatible -",
                "github.com/new/a v1.2.3 -",
                "github.com/old/b v0.0.0 local",
                "github.com/old/c v0.1.0 local",
                "stdlib 1.22.3 -",
            ]
        );
        assert_eq!(flaw, None);
        assert_eq!(listed("path\tcmd/go\nbuild\t-compiler=gc\n").0, ["stdlib 1.22.3 -", "toolchain 1.22.3 -"]);
        assert_eq!(listed("").0, ["stdlib 1.22.3 -"]);
    }

    #[test]
    fn what_is_no_module_is_told_beside_the_others() {
        let long = format!("dep\t{}\tv1\n", "a".repeat(257));
        for list in [
            "dep\t\tv1.0.0\n",
            "dep\n",
            "dep\ta b\tv1\n",
            "dep\ta\tv1\u{1}\n",
            &long,
            "dep\ta\tv1\n=>\t\tv1\n",
            "what\n",
        ] {
            let (packages, flaw) = listed(&format!("{list}dep\tz\tv1.0.0\n"));
            assert_eq!(packages, ["stdlib 1.22.3 -", "z v1.0.0 -"], "{list}");
            assert!(flaw.is_some(), "{list}");
        }
    }
}
