//! Files that are opened without trusting what they are: never a device, a FIFO or a link out of where they should be.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::SourceError;

/// How much of a blob is read at once.
pub(super) const BUFFER: usize = 256 << 10;

/// Opens a regular file and says how long it is; `None` where there is nothing. The last part of the path may not be a
/// link, and a FIFO is refused without waiting for its writer.
pub(super) fn open_regular(path: &Path) -> Result<Option<(File, u64)>, SourceError> {
    let refused = || SourceError::NotARegularFile { path: path.to_owned() };
    let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW).open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if matches!(error.raw_os_error(), Some(libc::ELOOP | libc::EMLINK | libc::ENXIO)) => {
            return Err(refused());
        }
        Err(error) => return Err(SourceError::io(path.display().to_string(), error)),
    };
    let metadata = file.metadata().map_err(|error| SourceError::io(path.display().to_string(), error))?;
    if metadata.is_file() { Ok(Some((file, metadata.len()))) } else { Err(refused()) }
}

/// Reads a small document whole; `size` is how long it says that it is.
pub(super) fn read_capped(reader: impl Read, size: u64, limit: u64, what: &str) -> Result<Vec<u8>, SourceError> {
    if size > limit {
        return Err(SourceError::TooLarge { what: what.to_owned(), size, limit });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    reader.take(limit + 1).read_to_end(&mut bytes).map_err(|error| SourceError::io(what, error))?;
    let size = bytes.len() as u64;
    if size > limit { Err(SourceError::TooLarge { what: what.to_owned(), size, limit }) } else { Ok(bytes) }
}
