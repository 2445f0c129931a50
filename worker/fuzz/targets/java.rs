//! Java archives, their descriptors, and other zip files.

#![no_main]

use laws::family::Family;
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|input: &[u8]| -> Corpus { laws::kept(laws::file::check(Family::Java, input)) });
