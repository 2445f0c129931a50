//! Where the package managers of operating systems keep their databases.

use lazaret::path::LayerPath;

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
    b"usr/lib/opkg",
    b"usr/lib/opkg/info",
    b"var/lib/opkg",
    b"var/lib/opkg/info",
];

/// Databases that have a directory of its own for each package: pacman's and Portage's.
const TREES: &[&[u8]] = &[b"var/lib/pacman/local", b"var/db/pkg"];

/// Whether databases are looked for in this directory.
pub(super) fn is_directory(path: &LayerPath) -> bool {
    DIRECTORIES.contains(&path.as_bytes()) || TREES.contains(&path.as_bytes())
}

/// The directories in which databases are looked for.
pub(super) fn directories() -> impl Iterator<Item = LayerPath> {
    DIRECTORIES.iter().chain(TREES).map(|path| LayerPath::from_entry(path))
}

/// Whether evidence at this path is a database: a file in such a directory that is no list of one package's files. Chisel
/// writes its manifest to wherever it is told.
pub(super) fn is_database(path: &LayerPath) -> bool {
    let is_list = path.as_bytes().ends_with(b".md5sums") || path.as_bytes().ends_with(b".list");
    DIRECTORIES.contains(&path.parent()) && path.parent() != b"var/lib/dpkg/info" && !is_list
        || TREES.iter().any(|tree| path.is_below(tree))
        || path.file_name() == b"manifest.wall"
}

/// Whether the extractor looks at files whatever they are called, so that a link to a file of which it has nothing says no
/// more than that there is nothing.
pub(super) fn reads_any_file(extractor: &str) -> bool {
    extractor == "executable"
}

/// Whether the name of a file makes nothing of it for the extractor, as others have it as well: a link of that name that leads
/// to a directory, to nothing, or to a file of another name says no more than that there is nothing.
pub(super) fn name_proves_nothing(extractor: &str) -> bool {
    let names = [
        "java-release",
        "go-distribution",
        "python-egg",
        "r-package",
        "sbom",
        "sbom-xml",
        "wordpress-plugin",
        "wordpress-theme",
    ];
    extractor.starts_with("lock-") || names.contains(&extractor)
}

/// Whether the extractor reads lists of the files of one OS package each, which are named after it.
pub(super) fn lists_files(extractor: &str) -> bool {
    matches!(extractor, "dpkg-file-list" | "dpkg-checksums" | "alpm-files" | "opkg-file-list")
}

/// Whether the extractor's evidence is a directory, so that there may be evidence below it too.
pub(super) fn reads_directories(extractor: &str) -> bool {
    extractor == "nix-store"
}
