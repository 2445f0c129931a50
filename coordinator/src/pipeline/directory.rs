//! A directory in an image's place: a root file system or a source tree, looked at as one layer and kept nowhere.

use std::collections::BTreeMap;
use std::io::BufReader;

use lazaret::door::source::DirectoryTar;
use lazaret::image::{Descriptor, Image, ImageConfig, Layer, Platform};
use lazaret::inventory::{Gap, GapKind};

use super::{Composed, Inventoried, Progress};
use crate::inventory::ImageInventory;
use crate::local::{self, Searching};

const BUFFER: usize = 256 << 10;

/// What is in a directory, which has the digest of its files as a tar. What could not be read is a gap. Blocks while it reads.
///
/// # Errors
/// It cannot be read as a tar.
pub fn directory(
    tar: DirectoryTar,
    searching: &Searching,
    progress: &Progress,
) -> Result<(Image, Inventoried), String> {
    let mut reader = BufReader::with_capacity(BUFFER, tar);
    let analysed = local::analyze_unnamed(&mut reader, searching, &progress.bytes_done);
    let analysis = analysed.map_err(|failure| failure.to_string())?;
    let totals = analysis.totals;
    let mut inventory = analysis.inventory;
    inventory.gaps.extend(reader.get_ref().unread().iter().map(|(path, reason)| Gap {
        kind: GapKind::Unreadable,
        path: path.clone(),
        reason: format!("cannot be read: {reason}"),
    }));
    let composed = Composed::of(std::iter::once(Some(Ok(&inventory))));
    let blob = Descriptor { media_type: String::new(), digest: totals.blob, size: totals.compressed_bytes };
    let image = Image {
        source: "directory",
        digest: totals.blob,
        platform: Platform::host(),
        config: ImageConfig::default(),
        annotations: BTreeMap::new(),
        layers: vec![Layer { blob, diff_id: totals.diff_id.unwrap_or(totals.blob) }],
    };
    let inventory = ImageInventory::new(&image, composed.contents, searching);
    Ok((image, Inventoried { inventory, failed: composed.failed }))
}
