//! Executables: what an ELF file says of itself, packed or not, and the signatures.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|input: &[u8]| -> Corpus { laws::kept(laws::executable::check(input)) });
