//! Layers made to cost more than they should: what is read, what is a gap, and that it ends.

use std::io::Write;

use lazaret::inventory::{GapKind, LayerInventory};

use crate::analyze::analyze_unnamed;
use crate::limits::Limits;

/// Entries of a tar, one after the other.
#[derive(Default)]
struct Tar(Vec<u8>);

impl Tar {
    fn entry(mut self, kind: u8, name: &str, link: &str, content: &[u8]) -> Self {
        let mut header = [0u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = kind;
        header[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|&b| u32::from(b)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0.extend_from_slice(&header);
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(b'0', name, "", content)
    }

    fn compressed(&self, limits: &Limits) -> LayerInventory {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&self.0).unwrap();
        analyze_unnamed(&gzip.finish().unwrap()[..], limits).unwrap().inventory
    }
}

fn packages(inventory: &LayerInventory) -> Vec<&str> {
    inventory.evidence.iter().flat_map(|evidence| &evidence.facts.packages).map(|p| p.name.as_str()).collect()
}

fn gaps(inventory: &LayerInventory) -> Vec<GapKind> {
    inventory.gaps.iter().map(|gap| gap.kind).collect()
}

#[test]
fn one_database_again_and_again_is_read_to_the_last() {
    let mut tar = Tar::default();
    for _ in 0..1000 {
        tar = tar.file("lib/apk/db/installed", b"P:first\nV:1\n\n");
    }
    tar = tar.file("lib/apk/db/installed", b"P:last\nV:1\n\n");
    let inventory = tar.compressed(&Limits::default());
    assert_eq!((packages(&inventory), gaps(&inventory)), (vec!["last"], vec![]));
    let impatient = Limits { ratio: 10, ratio_from: 64 << 10, ..Limits::default() };
    let inventory = tar.compressed(&impatient);
    assert_eq!((packages(&inventory), gaps(&inventory)), (vec!["first"], vec![GapKind::Limit]));
    assert_eq!(inventory.diff_id, None, "what was not read to its end has no digest");
}
