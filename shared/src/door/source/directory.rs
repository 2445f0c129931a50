//! A directory that stands for an image: a root file system, or a source tree, read as the tar of one layer.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::SourceError;
use crate::path::LayerPath;

const BLOCK: usize = 512;
/// Names that fit into a header; longer ones go before it (GNU tar's `L` and `K`).
const MAX_NAME: usize = 100;
/// File systems that the kernel makes up: what they show are no files, and some never end.
const KERNEL: [&str; 12] = [
    "proc",
    "sysfs",
    "devtmpfs",
    "devpts",
    "cgroup",
    "cgroup2",
    "debugfs",
    "tracefs",
    "securityfs",
    "bpf",
    "mqueue",
    "configfs",
];

/// Reads a directory as an uncompressed tar, without owners and times, its entries sorted: the same files give the same bytes.
/// Symbolic links are entries, and not followed; mounts of the kernel's own file systems are left out.
pub struct DirectoryTar {
    root: PathBuf,
    /// Directories that are gone through, the innermost last: what is left of each, in order.
    open: Vec<VecDeque<PathBuf>>,
    kernel_mounts: Vec<PathBuf>,
    /// Headers on their way out.
    block: Vec<u8>,
    given: usize,
    file: Option<(File, LayerPath)>,
    content: u64,
    padding: u64,
    ended: bool,
    unread: Vec<(LayerPath, String)>,
}

impl DirectoryTar {
    /// The directory at `path`.
    ///
    /// # Errors
    /// It is none, or cannot be listed.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => SourceError::NoSuchPath { path: path.to_owned() },
            _ => SourceError::io(path.display().to_string(), error),
        };
        let root = path.canonicalize().map_err(failed)?;
        let entries = listed(&root).map_err(failed)?;
        if entries.is_empty() {
            let reason = "the directory is empty".into();
            return Err(SourceError::NotAnImage { what: path.display().to_string(), reason });
        }
        Ok(Self {
            open: vec![entries],
            kernel_mounts: kernel_mounts(&fs::read("/proc/self/mounts").unwrap_or_default()),
            root,
            // No name comes first, lest one that begins like something compressed be taken for it.
            block: header(b"./", b'5', 0o755, 0, b"").to_vec(),
            given: 0,
            file: None,
            content: 0,
            padding: 0,
            ended: false,
            unread: Vec::new(),
        })
    }

    /// What could not be read, and why; whole once the tar has been read to its end.
    pub fn unread(&self) -> &[(LayerPath, String)] {
        &self.unread
    }

    fn not_read(&mut self, path: &Path, reason: impl Into<String>) {
        let path = self.name(path);
        self.unread.push((path, reason.into()));
    }

    fn name(&self, path: &Path) -> LayerPath {
        LayerPath::from_entry(path.strip_prefix(&self.root).unwrap_or(path).as_os_str().as_bytes())
    }

    /// Puts the header of the next entry into `block`, or the end of the archive.
    fn advance(&mut self) {
        self.block.clear();
        self.given = 0;
        while let Some(directory) = self.open.last_mut() {
            let Some(path) = directory.pop_front() else {
                self.open.pop();
                continue;
            };
            match fs::symlink_metadata(&path) {
                Ok(metadata) => self.entry(&path, &metadata),
                // It went away since its directory was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => self.not_read(&path, error.to_string()),
            }
            if !self.block.is_empty() {
                return;
            }
        }
        self.block.resize(2 * BLOCK, 0);
        self.ended = true;
    }

    fn entry(&mut self, path: &Path, metadata: &Metadata) {
        let name = self.name(path);
        let kind = metadata.file_type();
        let mode = metadata.mode() & 0o7777;
        if kind.is_dir() {
            if self.kernel_mounts.iter().any(|mount| mount == path) {
                return;
            }
            match listed(path) {
                Ok(entries) => self.open.push(entries),
                Err(error) => self.not_read(path, error.to_string()),
            }
            self.header(&name, b'5', mode, 0, b"");
        } else if kind.is_symlink() {
            match fs::read_link(path) {
                Ok(target) => self.header(&name, b'2', mode, 0, target.as_os_str().as_bytes()),
                Err(error) => self.not_read(path, error.to_string()),
            }
        } else if kind.is_file() {
            // Whatever has taken its place meanwhile is neither followed nor waited for.
            let opened = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path);
            match opened.and_then(|file| Ok((file.metadata()?, file))) {
                Ok((metadata, file)) if metadata.is_file() => {
                    self.content = metadata.len();
                    self.padding = metadata.len().wrapping_neg() % BLOCK as u64;
                    self.header(&name, b'0', mode, metadata.len(), b"");
                    self.file = Some((file, name));
                }
                Ok(_) => self.not_read(path, "it changed while it was read"),
                Err(error) => {
                    self.not_read(path, error.to_string());
                    // That a file is here counts all the same.
                    self.header(&name, b'0', mode, 0, b"");
                }
            }
        } else if kind.is_fifo() || kind.is_char_device() || kind.is_block_device() {
            self.header(&name, b'6', mode, 0, b"");
        }
    }

    fn header(&mut self, name: &LayerPath, kind: u8, mode: u32, size: u64, link: &[u8]) {
        for (kind, text) in [(b'L', name.as_bytes()), (b'K', link)] {
            if text.len() > MAX_NAME {
                self.block.extend_from_slice(&header(b"././@LongLink", kind, 0, text.len() as u64 + 1, b""));
                self.block.extend_from_slice(text);
                self.block.push(0);
                self.block.resize(self.block.len().next_multiple_of(BLOCK), 0);
            }
        }
        self.block.extend_from_slice(&header(name.as_bytes(), kind, mode, size, link));
    }
}

impl Read for DirectoryTar {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            let waiting = self.block.get(self.given..).unwrap_or_default();
            if !waiting.is_empty() {
                let n = waiting.len().min(into.len());
                into[..n].copy_from_slice(&waiting[..n]);
                self.given += n;
                return Ok(n);
            }
            if self.content > 0 {
                let room = into.len().min(usize::try_from(self.content).unwrap_or(usize::MAX));
                let read = match &mut self.file {
                    Some((file, _)) => file.read(&mut into[..room]),
                    None => Ok(0),
                };
                let n = match read {
                    Ok(n) if n > 0 => n,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    // The size has been told already: what is missing is filled up.
                    ended => {
                        if let Some((_, name)) = self.file.take() {
                            let reason = ended.err().map_or("it changed while it was read".into(), |e| e.to_string());
                            self.unread.push((name, reason));
                        }
                        into[..room].fill(0);
                        room
                    }
                };
                self.content -= n as u64;
                return Ok(n);
            }
            self.file = None;
            if self.padding > 0 {
                let n = into.len().min(self.padding as usize);
                into[..n].fill(0);
                self.padding -= n as u64;
                return Ok(n);
            }
            if self.ended {
                return Ok(0);
            }
            self.advance();
        }
    }
}

/// The entries of a directory, sorted.
fn listed(directory: &Path) -> io::Result<VecDeque<PathBuf>> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    entries.sort_unstable();
    Ok(entries.into())
}

/// Where the kernel's own file systems are mounted, of a `/proc/self/mounts` (fstab(5): white space in octal).
fn kernel_mounts(mounts: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for line in mounts.split(|&b| b == b'\n') {
        let mut fields = line.split(|&b| b == b' ');
        if let (Some(_), Some(place), Some(kind)) = (fields.next(), fields.next(), fields.next())
            && KERNEL.iter().any(|kernel| kernel.as_bytes() == kind)
        {
            found.push(PathBuf::from(OsStr::from_bytes(place)));
        }
    }
    found
}

/// A header of GNU tar, of which only what an analysis looks at is set.
fn header(name: &[u8], kind: u8, mode: u32, size: u64, link: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &name[..name.len().min(MAX_NAME)]);
    put(100, format!("{mode:07o}").as_bytes());
    put(108, b"0000000\x000000000\x00");
    if size < 1 << 33 {
        put(124, format!("{size:011o}").as_bytes());
    } else {
        // Larger numbers are binary, big-endian, with the top bit set.
        put(124, &[0x80, 0, 0, 0]);
        put(128, &size.to_be_bytes());
    }
    put(136, b"00000000000");
    put(148, b"        ");
    put(156, &[kind]);
    put(157, &link[..link.len().min(MAX_NAME)]);
    put(257, b"ustar  \0");
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::{Command, Stdio};

    use super::*;

    fn tar(path: &Path) -> (Vec<u8>, Vec<String>) {
        let mut reader = DirectoryTar::open(path).unwrap();
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        (bytes, reader.unread().iter().map(|(path, reason)| format!("{path}: {reason}")).collect())
    }

    /// What tar(1) lists.
    fn names(bytes: &[u8]) -> Vec<String> {
        let mut tar = Command::new("tar").arg("t").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        io::Write::write_all(&mut tar.stdin.take().unwrap(), bytes).unwrap();
        let listed = tar.wait_with_output().unwrap();
        assert!(listed.status.success());
        String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn reads_as_a_tar_whatever_the_names() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path();
        let long = "d".repeat(90);
        fs::create_dir_all(root.join(&long).join(&long)).unwrap();
        fs::write(root.join(&long).join(&long).join("file"), vec![7; 1000]).unwrap();
        fs::write(root.join("b"), b"").unwrap();
        symlink("/etc/passwd", root.join("a")).unwrap();
        symlink("x".repeat(300), root.join("c")).unwrap();
        let (bytes, unread) = tar(root);
        let expected = [
            "./".into(),
            "a".into(),
            "b".into(),
            "c".into(),
            long.clone(),
            format!("{long}/{long}"),
            format!("{long}/{long}/file"),
        ];
        assert_eq!((names(&bytes), unread), (expected.to_vec(), vec![]));
        assert_eq!(bytes.len() % BLOCK, 0);
        assert_eq!(tar(root).0, bytes, "the same files give the same bytes");
    }

    #[test]
    fn a_file_that_shrinks_is_filled_up_and_told() {
        let scratch = tempfile::tempdir().unwrap();
        fs::write(scratch.path().join("log"), vec![1; 5000]).unwrap();
        let mut reader = DirectoryTar::open(scratch.path()).unwrap();
        let mut bytes = vec![0; 2 * BLOCK + 100];
        reader.read_exact(&mut bytes).unwrap();
        fs::write(scratch.path().join("log"), b"").unwrap();
        reader.read_to_end(&mut bytes).unwrap();
        assert_eq!(names(&bytes), ["./", "log"]);
        assert_eq!(reader.unread(), [("log".into(), "it changed while it was read".to_owned())]);
    }

    #[test]
    fn the_kernels_own_file_systems_are_known_by_their_mounts() {
        let mounts =
            b"proc /proc proc rw 0 0\n/dev/sda / ext4 rw 0 0\ntmpfs /dev/shm tmpfs rw 0 0\nsysfs /sys sysfs ro 0 0\n";
        assert_eq!(kernel_mounts(mounts), ["/proc", "/sys"].map(PathBuf::from));
    }

    #[test]
    fn what_is_no_directory_is_refused() {
        assert!(matches!(DirectoryTar::open(Path::new("/nowhere")), Err(SourceError::NoSuchPath { .. })));
        assert!(DirectoryTar::open(Path::new("/etc/passwd")).is_err());
    }
}
