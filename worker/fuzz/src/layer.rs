//! A whole layer. Input: a byte of choices, then the blob.

use std::io::BufReader;

use lazaret::inventory::LayerInventory;
use lazaret_worker::analyze::{Analysis, analyze_unnamed};
use lazaret_worker::limits::Limits;
use lazaret_worker::ruleset::Ruleset;

use crate::{facts, memory};

/// Everything in memory at one time.
const MAX_MEMORY: usize = 512 << 20;

/// Sizes of the buffer through which the blob is read; none of them may matter.
const BUFFERS: [usize; 4] = [65_536, 4096, 511, 1];

/// Tests the laws on a layer; nothing if the input is empty.
pub fn check(input: &[u8]) -> Option<()> {
    let (&choices, blob) = input.split_first()?;
    // Otherwise hardly any change to a header would survive its checksum.
    let blob = if choices & 1 == 0 { blob.to_vec() } else { with_checksums(blob) };
    let whole = memory::within(MAX_MEMORY, || analyze(&blob, blob.len().max(1)));
    let buffer = BUFFERS[usize::from(choices >> 1) % BUFFERS.len()];
    let cut = analyze(&blob, buffer);
    match (whole, cut) {
        (Ok(whole), Ok(cut)) => {
            assert!(whole.inventory == cut.inventory, "through a buffer of {buffer} bytes it is another layer");
            check_inventory(&whole.inventory, blob.len());
        }
        (Err(_), Err(_)) => {}
        (whole, cut) => panic!("{:?}, but through a buffer of {buffer} bytes {:?}", whole.err(), cut.err()),
    }
    Some(())
}

fn analyze(blob: &[u8], buffer: usize) -> Result<Analysis, String> {
    let limits = Limits {
        uncompressed_bytes: 32 << 20,
        ratio_from: 4 << 20,
        entries: 20_000,
        hides: 2000,
        hides_bytes: 1 << 20,
        link_work: 64 << 20,
        evidence: 1000,
        facts_bytes: 16 << 20,
        pending_bytes: 16 << 20,
        ..Limits::default()
    };
    analyze_unnamed(BufReader::with_capacity(buffer, blob), &limits, Ruleset::built_in()).map_err(|failure| failure.to_string())
}

fn check_inventory(inventory: &LayerInventory, bytes: usize) {
    assert!(inventory.evidence.is_sorted_by(|a, b| a.path < b.path), "evidence is not sorted by path, each once");
    assert!(inventory.hides.is_sorted_by(|a, b| a < b), "hides are not sorted, each once");
    assert!(inventory.executables.is_sorted_by(|a, b| a.path < b.path), "executables are not sorted, each once");
    assert!(inventory.implied_directories.is_sorted_by(|a, b| a < b), "directories are not sorted, each once");
    assert!(inventory.gaps.is_sorted_by(|a, b| a < b), "gaps are not sorted, each once");
    for evidence in &inventory.evidence {
        facts::check(&evidence.facts, &evidence.extractor, &evidence.path);
        assert!(evidence.facts.files.is_empty(), "keys of files are left");
    }
    for owner in inventory.executables.iter().filter_map(|executable| executable.owner) {
        assert!((owner.evidence as usize) < inventory.evidence.len(), "an owner that is not there");
    }
    assert_eq!(inventory.compressed_bytes, bytes as u64);
}

/// `blob` with the right checksum in every block that is a tar header.
fn with_checksums(blob: &[u8]) -> Vec<u8> {
    let mut blob = blob.to_vec();
    for header in blob.chunks_exact_mut(512).filter(|block| block[257..].starts_with(b"ustar")) {
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    blob
}
