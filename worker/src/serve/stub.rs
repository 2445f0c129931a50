//! An analysis that is none, for load tests of everything around it.

use std::io::BufRead;
use std::thread;
use std::time::Duration;

use lazaret::image::Descriptor;
use lazaret::inventory::LayerInventory;
use lazaret::rules::RulesObject;

use super::analyse::{Analyse, Analysed, Failed};
use crate::sandbox::Level;

/// Takes a fixed time and finds nothing, in a layer that unpacks to itself: the diff ID is the digest of the blob, as it is
/// for a layer that is not compressed. The blob is not fetched. Whoever starts it has to say that nonsense is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Stub {
    /// How long it takes.
    pub pause: Duration,
}

impl Analyse for Stub {
    fn analyse(&self, _: &mut dyn BufRead, named: &Descriptor, _: Option<&RulesObject>) -> Result<Analysed, Failed> {
        thread::sleep(self.pause);
        let inventory = LayerInventory {
            diff_id: Some(named.digest),
            compressed_bytes: named.size,
            uncompressed_bytes: named.size,
            ..LayerInventory::default()
        };
        Ok(Analysed { inventory, cpu_micros: 0 })
    }

    fn level(&self) -> Level {
        Level::None
    }

    fn protection(&self) -> &str {
        "stub: layers are not looked at"
    }

    fn reads_blobs(&self) -> bool {
        false
    }
}
