//! A writer of tar layers, just enough of ustar for images that we make ourselves.

use std::io;

/// A tar archive in the making. Names are shorter than 100 bytes.
#[derive(Default)]
pub struct Tar(Vec<u8>);

impl Tar {
    /// Adds the directory `path` and those above it.
    #[must_use]
    pub fn directory(mut self, path: &str) -> Self {
        for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
            self.header(&format!("{}/", &path[..end]), b'5', 0o755, 0);
        }
        self
    }

    /// Adds the directory `path` alone.
    #[must_use]
    pub fn one_directory(mut self, path: &str) -> Self {
        self.header(&format!("{path}/"), b'5', 0o755, 0);
        self
    }

    /// Adds the file `path` with this content.
    #[must_use]
    pub fn file(mut self, path: &str, content: &(impl AsRef<[u8]> + ?Sized)) -> Self {
        let content = content.as_ref();
        self.header(path, b'0', 0o644, content.len());
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    /// Adds a whiteout: `path` of the layers below is gone.
    #[must_use]
    pub fn whiteout(self, path: &str) -> Self {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.file(&format!("{directory}/.wh.{name}"), "")
    }

    /// The archive, ended.
    pub fn finish(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }

    /// The archive, ended and gzipped.
    ///
    /// # Errors
    /// None in practice: it is written to memory.
    pub fn gzip(self) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let tar = self.finish();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        io::Write::write_all(&mut encoder, &tar)?;
        Ok((tar, encoder.finish()?))
    }

    fn header(&mut self, name: &str, kind: u8, mode: u32, size: usize) {
        let mut header = [0; 512];
        let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
        put(0, &name[..name.len().min(100)]);
        put(100, &format!("{mode:07o}"));
        put(108, "0000000");
        put(116, "0000000");
        put(124, &format!("{size:011o}"));
        put(136, "14524000000");
        put(148, "        ");
        put(257, "ustar");
        put(263, "00");
        header[156] = kind;
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0.extend_from_slice(&header);
    }
}
