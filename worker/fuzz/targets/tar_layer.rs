//! A whole layer: decompression, the walk over its tar, and every extractor behind it.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|input: &[u8]| -> Corpus { laws::kept(laws::layer::check(input)) });
