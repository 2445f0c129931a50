//! What a bare text means: a path that is there, or a name.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::docker_archive;
use crate::reference::{Reference, ReferenceError};

/// Reads a reference as [`Reference`] does, but takes a bare text that is an image on this disk for its path. A
/// directory counts only if it is an OCI layout: beside the sources of `app` in `app/`, `app` is still a name.
pub fn reference(text: &str) -> Result<Reference, ReferenceError> {
    let path = Path::new(text);
    if text != "-" && (path.is_file() || path.join("oci-layout").is_file() && path.join("index.json").is_file()) {
        return Ok(Reference::Path(path.to_owned()));
    }
    text.parse()
}

/// Whether a file begins like something compressed. Its position stays where it is.
pub(super) fn is_compressed(file: &File) -> io::Result<bool> {
    let mut start = [0; 4];
    let read = file.read_at(&mut start, 0)?;
    Ok(docker_archive::is_compressed(start.get(..read).unwrap_or_default()))
}
