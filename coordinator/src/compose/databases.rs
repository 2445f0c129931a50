//! Where the package managers of operating systems keep their databases.

use lazaret::path::LayerPath;
use lazaret::text::from_bytes;

/// Directories of databases that extractors read, sorted by package manager.
const DIRECTORIES: &[&[u8]] = &[
    b"lib/apk/db",
    b"usr/lib/apk/db",
    b"var/lib/dpkg",
    b"var/lib/dpkg/status.d",
    b"var/lib/dpkg/info",
    b"var/lib/rpm",
    b"usr/lib/sysimage/rpm",
    b"usr/share/rpm",
    b"var/lib/rpmmanifest",
];

/// Whether databases are looked for in this directory.
pub(super) fn is_directory(path: &LayerPath) -> bool {
    DIRECTORIES.contains(&path.as_bytes())
}

/// The directories in which databases are looked for.
pub(super) fn directories() -> impl Iterator<Item = LayerPath> {
    DIRECTORIES.iter().map(|path| LayerPath::from_entry(path))
}

/// Whether evidence at this path is a database: a file in such a directory that is no list of one package's files.
pub(super) fn is_database(path: &LayerPath) -> bool {
    DIRECTORIES.contains(&path.parent())
        && path.parent() != b"var/lib/dpkg/info"
        && !path.as_bytes().ends_with(b".md5sums")
}

/// Whether the extractor looks at files whatever they are called, so that a link to a file of which it has nothing says no
/// more than that there is nothing.
pub(super) fn reads_any_file(extractor: &str) -> bool {
    extractor == "executable"
}

/// The package whose files the list at `path` names: what its name is without the ending.
pub(super) fn owner_by_name(path: &LayerPath) -> String {
    let name = path.file_name();
    let end = name.iter().rposition(|&byte| byte == b'.').unwrap_or(name.len());
    from_bytes(&name[..end]).into_owned()
}
