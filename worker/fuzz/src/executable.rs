//! One executable, in one piece and cut. Input: its path, a line feed, a byte that says how it is cut, the file.

use lazaret::inventory::Facts;
use lazaret::package::Package;
use lazaret::path::LayerPath;
use lazaret_worker::executable::{ElfCapture, NAME, is_elf};
use lazaret_worker::signature::Signatures;

use crate::{facts, memory, path_and_rest};

/// What a capture may take (60 MiB, and 100 MiB for a packed program), and what it finds.
const MAX_MEMORY: usize = 256 << 20;

/// Tests the laws on an executable; nothing if the input is none.
pub fn check(input: &[u8]) -> Option<()> {
    let (path, rest) = path_and_rest(input)?;
    let (&cut, file) = rest.split_first()?;
    if !is_elf(file) {
        return None;
    }
    let (found, packages) = memory::within(MAX_MEMORY, || read(&path, std::iter::once(file)));
    facts::check(&found, NAME, &path);
    facts::check(&Facts { packages: packages.clone(), ..Facts::default() }, NAME, &path);
    assert!(read(&path, pieces(file, cut)) == (found, packages), "cut into pieces it says something else");
    Some(())
}

fn read<'f>(path: &LayerPath, pieces: impl Iterator<Item = &'f [u8]>) -> (Facts, Vec<Package>) {
    let mut capture = ElfCapture::default();
    let mut signatures = Signatures::default();
    capture.begin();
    signatures.begin(path);
    for piece in pieces {
        capture.feed(piece);
        signatures.feed(piece);
    }
    (capture.finish(path), signatures.finish())
}

/// `file` in pieces whose sizes follow from `seed`: few large ones, or many that are not alike.
fn pieces(file: &[u8], seed: u8) -> impl Iterator<Item = &[u8]> {
    let mut state = u32::from(seed) * 2_654_435_761 + 1;
    let longest = 1_usize << (4 + seed % 13);
    let mut rest = file;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let size = 1 + (state >> 8) as usize % longest;
        let (piece, later) = rest.split_at(size.min(rest.len()));
        rest = later;
        Some(piece)
    })
}
