//! What one layer contains: evidence, what it hides, exposures, gaps. Immutable, and a function of the layer's bytes and
//! our extractors alone.

use bincode::{Decode, Encode};

use crate::digest::Digest;
use crate::distro::OsRelease;
use crate::exposure::{Exposure, IdentityKey};
use crate::files::Files;
use crate::package::Package;
use crate::path::{LayerPath, split};
use crate::text::from_bytes;

/// Everything that analysis learned about one layer. Sorted, so that equal layers give equal bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct LayerInventory {
    /// The SHA-256 of the uncompressed tar, as computed; `None` when a limit stopped the walk before its end.
    pub diff_id: Option<Digest>,
    /// Bytes of the blob.
    pub compressed_bytes: u64,
    /// Bytes of the uncompressed tar that were seen.
    pub uncompressed_bytes: u64,
    /// Entries of the tar that were seen.
    pub entries: u64,
    /// Files that an extractor claimed, by path; at most one for each path and extractor.
    pub evidence: Vec<Evidence>,
    /// Programs and shared objects, by path. Each hides what lower layers have at and below its path.
    pub executables: Vec<Executable>,
    /// What the layer hides of the layers below it, by path.
    pub hides: Vec<Hide>,
    /// Directories that entries were written into without an entry of their own in this layer, by path: where a lower
    /// layer has a symbolic link at such a path, a runtime writes through it.
    pub implied_directories: Vec<LayerPath>,
    /// A path that is two kinds of file in this layer, such as a link and then a directory: the first, if there is any.
    /// Where entries also went through a link of a lower layer, their order would matter, which is not remembered.
    pub two_kinds: Option<LayerPath>,
    /// Secrets and the like that the layer ships, sorted.
    pub exposures: Vec<Exposure>,
    /// Which files it has.
    pub files: Files,
    /// What the whole layer could not tell, such as a limit that was reached.
    pub gaps: Vec<Gap>,
}

impl LayerInventory {
    /// About how many bytes it takes in memory.
    pub fn weight(&self) -> usize {
        let evidence =
            |found: &Evidence| found.path.as_bytes().len() + found.extractor.len() + 48 + found.facts.weight();
        let hide = |hide: &Hide| {
            let target = if let HideKind::Symlink(target) = &hide.kind { target.len() } else { 0 };
            size_of::<Hide>() + hide.path.as_bytes().len() + target
        };
        let implied = |path: &LayerPath| size_of::<LayerPath>() + path.as_bytes().len();
        let executable = |found: &Executable| size_of::<Executable>() + found.path.as_bytes().len();
        self.evidence.iter().map(evidence).sum::<usize>()
            + self.executables.iter().map(executable).sum::<usize>()
            + self.hides.iter().map(hide).sum::<usize>()
            + self.implied_directories.iter().map(implied).sum::<usize>()
            + self.exposures.iter().map(Exposure::weight).sum::<usize>()
            + self.files.weight()
    }

    /// Makes of the digests of secrets' values what may be kept: whoever has those can try passwords.
    pub fn seal(&mut self, key: Option<&IdentityKey>) {
        for exposure in &mut self.exposures {
            exposure.identity = exposure.identity.sealed(key);
        }
    }

    /// Whether the layer has evidence or an executable at `path`.
    pub fn has_file(&self, path: &LayerPath) -> bool {
        self.evidence.binary_search_by(|found| found.path.cmp(path)).is_ok()
            || self.executables.binary_search_by(|found| found.path.cmp(path)).is_ok()
    }
}

/// A program or shared object: an ELF file that is executable or dynamic.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Executable {
    /// Where it is.
    pub path: LayerPath,
    /// Its size; 0 for one more hard link to another.
    pub bytes: u64,
    /// Whose it is; none where nothing in this layer says.
    pub owner: Option<Owner>,
}

/// Where a layer says whose an executable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Owner {
    /// The index in `evidence` of the file that says it: a package's list of files, a database, or the executable itself where
    /// that tells what it is made of.
    pub evidence: u32,
    /// The index of the package in there; of no meaning where the file is a list of one package.
    pub package: u32,
}

/// A file that an extractor claimed and what it yielded, even if nothing: it replaces what a lower layer had there.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Evidence {
    /// Where the file is.
    pub path: LayerPath,
    /// The name of the extractor.
    pub extractor: String,
    /// What it found.
    pub facts: Facts,
}

/// What one claimed file yielded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Facts {
    /// The packages it lists, sorted.
    pub packages: Vec<Package>,
    /// It declares them without saying that they are installed, as a lockfile does.
    pub declared: bool,
    /// Files that one of its packages owns and that other extractors would claim: path, and index into `packages`.
    /// A dpkg file list names its package in `owner` instead.
    pub owned: Vec<(LayerPath, u32)>,
    /// The name of the OS package (`name`, or `name:arch`) that owns `owned`, where this file is a list of one package's files.
    pub owner: Option<String>,
    /// Keys of all the files that its packages own, with the index of the package as in `owned`. The walk looks the layer's
    /// executables up among them and keeps the answers; in an inventory this is empty.
    pub files: Vec<(u64, u32)>,
    /// The distribution it names.
    pub os_release: Option<Box<OsRelease>>,
    /// What it was recognised as, although nothing reads it yet.
    pub recognised: Option<Recognised>,
    /// What in it could not be read or understood.
    pub gaps: Vec<Gap>,
    /// The file is a link: what its target yields, this one does too.
    pub link: Option<Link>,
}

impl Facts {
    /// About how many bytes they take in memory: what a limit on them counts.
    pub fn weight(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let package = |package: &Package| {
            let Package { name, version, arch, source, licence, module, vendor, registry, .. } = package;
            let source = source.as_ref().map_or(0, |source| source.name.len() + source.version.len());
            let Package { qualifiers, cpe, inside, .. } = package;
            let qualifier = |(key, value): &(String, String)| 2 * size_of::<String>() + key.len() + value.len();
            let texts: usize = [arch, licence, module, vendor, registry, cpe, inside].into_iter().map(text).sum();
            let texts = texts + qualifiers.iter().map(qualifier).sum::<usize>();
            size_of::<Package>() + name.len() + version.len() + source + texts
        };
        let owned = |(path, _): &(LayerPath, u32)| size_of::<LayerPath>() + path.as_bytes().len();
        let gap = |gap: &Gap| size_of::<Gap>() + gap.path.as_bytes().len() + gap.reason.len();
        let link = match &self.link {
            Some(Link::Hard(target)) => target.as_bytes().len(),
            Some(Link::Symbolic(target)) => target.len(),
            None => 0,
        };
        let lists = self.packages.iter().map(package).sum::<usize>()
            + self.owned.iter().map(owned).sum::<usize>()
            + self.gaps.iter().map(gap).sum::<usize>();
        size_of::<Self>() + text(&self.owner) + link + lists + size_of_val(self.files.as_slice())
    }
}

/// The package whose files the list at `path` names: dpkg and opkg name the list after it, with an ending; pacman the
/// directory, with version and release behind hyphens.
pub fn list_owner(path: &LayerPath) -> String {
    let (directory, name) = (split(path.parent()).1, path.file_name());
    let (name, mark, marks) = if name == b"files" { (directory, b'-', 2) } else { (name, b'.', 1) };
    let end = name.iter().enumerate().rev().filter(|&(_, &byte)| byte == mark).nth(marks - 1);
    from_bytes(&name[..end.map_or(name.len(), |(at, _)| at)]).into_owned()
}

/// A link at a claimed path, whose bytes are elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Link {
    /// A hard link to a file of a lower layer, as that layer left it.
    Hard(LayerPath),
    /// A symbolic link, resolved in the finished image. The target, as written.
    Symbolic(Vec<u8>),
}

/// A form of software that we can tell but do not read yet; counted in the coverage, so that no zero is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[non_exhaustive]
pub enum Recognised {
    /// A Go program without build information that can be read.
    GoBinary,
    /// A program or library with code of Rust that does not list its crates.
    RustBinary,
}

/// With this begin the reasons of gaps about the note in which an executable names the OS package that it is from: of an
/// executable that an OS package owns nobody needs that note.
pub const PACKAGE_NOTE: &str = "package note";

/// With this begin the reasons of gaps about an assembly of .NET, of which a manifest beside it may say what it is.
pub const ASSEMBLY: &str = "assembly of .NET";

/// How a layer hides what lies below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Hide {
    /// The path that is hidden.
    pub path: LayerPath,
    /// In which way.
    pub kind: HideKind,
}

/// The ways of hiding. OCI image specification, layer.md, "Whiteouts" and "Changeset over existing files".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum HideKind {
    /// `.wh.NAME`: the path and everything below it is gone.
    Whiteout,
    /// `.wh..wh..opq`: everything below the path is gone, the directory itself stays.
    Opaque,
    /// A symbolic link stands here now; whatever was at the path or below it is gone. The target, as written.
    Symlink(Vec<u8>),
    /// Another non-directory stands here now: what was below is gone, and so is evidence at the very path unless this
    /// layer has its own.
    Shadow,
    /// A directory stands here now: a file or link that was at the very path is gone.
    Directory,
}

/// Something we could not read, understand or cover.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Gap {
    /// Which kind of ignorance.
    pub kind: GapKind,
    /// The file it is about; the root for the whole layer or image.
    pub path: LayerPath,
    /// What happened, in words for a person. No time, no memory address, nothing that differs between two runs.
    pub reason: String,
}

/// Kinds of gaps; the names are part of the report.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum GapKind {
    /// A byte, entry or depth limit was reached.
    Limit,
    /// A file that should have been understood was malformed.
    Malformed,
    /// A format, or a version of one, that we do not support.
    Unsupported,
    /// A link that leads to bytes which were not kept.
    UnresolvedLink,
    /// Runtimes disagree about what this layer means.
    Ambiguous,
    /// Recognised, but no extractor reads it yet.
    Unread,
    /// A version that the scheme of its ecosystem cannot parse.
    Version,
    /// No advisories for this distribution or ecosystem.
    Advisories,
    /// The distribution is not known.
    Distro,
    /// A file of the directory that is scanned could not be read.
    Unreadable,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_its_package_or_its_directory_does() {
        for (path, owner) in [
            ("var/lib/dpkg/info/libc6:amd64.list", "libc6:amd64"),
            ("var/lib/dpkg/info/python3.11.list", "python3.11"),
            ("var/lib/dpkg/status.d/base.md5sums", "base"),
            ("var/lib/pacman/local/python-six-1.16.0-9/files", "python-six"),
            ("var/lib/pacman/local/odd/files", "odd"),
            ("files", ""),
        ] {
            assert_eq!(list_owner(&path.into()), owner, "{path}");
        }
    }
}
