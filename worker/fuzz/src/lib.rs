//! What must hold of every input, whatever its bytes are. The fuzz targets call these; they panic where a law is broken.

pub mod executable;
pub mod facts;
pub mod family;
pub mod file;
pub mod layer;
pub mod malware;
mod memory;

use libfuzzer_sys::Corpus;

/// Whether the fuzzer may keep an input: one that means nothing to its target teaches it nothing.
pub fn kept(meaningful: Option<()>) -> Corpus {
    if meaningful.is_some() { Corpus::Keep } else { Corpus::Reject }
}

/// The path in the first line of an input, and what follows it.
fn path_and_rest(input: &[u8]) -> Option<(lazaret::path::LayerPath, &[u8])> {
    let end = input.iter().take(lazaret_worker::limits::Limits::PATH_BYTES).position(|&byte| byte == b'\n')?;
    let (path, rest) = input.split_at(end);
    let normal = lazaret::path::LayerPath::from_entry(path);
    // The walk hands on normal paths alone.
    (normal.as_bytes() == path && !normal.is_root()).then_some((normal, &rest[1..]))
}
