//! The floor: what nobody can do without who verifies a layer. Inflate, SHA-256 of the blob, SHA-256 of the tar.

use std::io::{self, Read};
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use nix::sys::resource::UsageWho;
use sha2::{Digest as _, Sha256};

use super::usage;

/// CPU time of the floor of a layer, on this thread; gzip, zstd or neither, by its first bytes.
///
/// # Errors
/// It does not inflate.
pub fn of(blob: &[u8]) -> io::Result<Duration> {
    let now = || usage::own(UsageWho::RUSAGE_THREAD);
    let start = now();
    let mut buffer = vec![0; 256 << 10];
    let mut decoder: Box<dyn Read> = match blob {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(blob)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::stream::read::Decoder::new(blob)?),
        plain => Box::new(plain),
    };
    let mut tar = Sha256::new();
    loop {
        match decoder.read(&mut buffer)? {
            0 => break,
            read => tar.update(&buffer[..read]),
        }
    }
    std::hint::black_box((tar.finalize(), Sha256::digest(blob)));
    Ok(now().saturating_sub(start))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn takes_longer_for_more() {
        let blob = |bytes: usize| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&vec![7; bytes]).unwrap();
            encoder.finish().unwrap()
        };
        let (small, large) = (of(&blob(1 << 10)).unwrap(), of(&blob(64 << 20)).unwrap());
        assert!(large > small, "{small:?} and {large:?}");
        assert!(of(&[0x1f, 0x8b, 1, 2, 3]).is_err(), "a damaged one");
    }
}
