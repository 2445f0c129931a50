//! What is looked for: the inside of every value, in every writing that some output may have it in, and its hash.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use sha2::{Digest as _, Sha256};

use super::Canary;

/// How zstd begins a frame (RFC 8878, section 3.1.1).
const FRAME: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// What is unpacked of one frame.
const MAX_UNPACKED: usize = 256 << 20;

/// What must not be seen.
pub struct Needles {
    all: Vec<(String, memchr::memmem::Finder<'static>)>,
}

impl Needles {
    /// Those of `canaries`.
    pub fn of(canaries: &[Canary]) -> Self {
        let mut all = Vec::new();
        for canary in canaries {
            let mut add = |writing: &str, bytes: &[u8]| {
                let name = format!("{} as {writing}", canary.rule);
                all.push((name, memchr::memmem::Finder::new(bytes).into_owned()));
            };
            let inside = inside(&canary.value);
            add("text", inside.as_bytes());
            add("text backwards", inside.chars().rev().collect::<String>().as_bytes());
            add("hexadecimal digits", hex(inside.as_bytes()).as_bytes());
            add("upper-case hexadecimal digits", hex(inside.as_bytes()).to_uppercase().as_bytes());
            let wide: Vec<u8> = inside.encode_utf16().flat_map(u16::to_le_bytes).collect();
            add("UTF-16", &wide);
            add("a part of a URL", percent(inside).as_bytes());
            add("lower-case text", inside.to_lowercase().as_bytes());
            for before in 0..3 {
                // Wherever in the three bytes of a group it begins, what is all its own is the same.
                let shifted = [&[0; 3][..before], inside.as_bytes()].concat();
                for engine in [&STANDARD, &URL_SAFE] {
                    let encoded = engine.encode(&shifted);
                    let own = encoded.get((before * 8).div_ceil(6)..encoded.len() - 4).expect("long enough");
                    add("base64", own.as_bytes());
                }
            }
            // As it stands and without the space around it; of keys what is between the lines too.
            let body: String =
                canary.value.lines().filter(|line| !line.contains('-') && !line.starts_with('=')).collect();
            for value in [canary.value.as_str(), canary.value.trim(), &body] {
                // The hash of nothing is everywhere.
                if !value.is_empty() {
                    add_hash(&mut add, value.as_bytes());
                }
            }
            if let Some(decoded) = STANDARD.decode(&body).ok().filter(|decoded| !decoded.is_empty()) {
                add_hash(&mut add, &decoded);
            }
        }
        Self { all }
    }

    /// Which of them are in `bytes`, packed or not.
    pub fn in_bytes(&self, bytes: &[u8]) -> Vec<String> {
        let mut found: Vec<String> =
            self.all.iter().filter(|(_, finder)| finder.find(bytes).is_some()).map(|(name, _)| name.clone()).collect();
        for at in memchr::memmem::find_iter(bytes, &FRAME) {
            if let Ok(unpacked) = zstd::bulk::decompress(&bytes[at..], MAX_UNPACKED).or_else(|_| streamed(&bytes[at..]))
            {
                found.extend(self.in_bytes(&unpacked).into_iter().map(|name| format!("{name}, packed")));
            }
        }
        found
    }

    /// Fails if any of them is in `bytes`, which are those of `place`.
    ///
    /// # Panics
    /// One of them is.
    pub fn assert_none(&self, place: &str, bytes: &[u8]) {
        let found = self.in_bytes(bytes);
        assert!(found.is_empty(), "{place}: {found:?}");
    }
}

/// One frame, whatever follows it.
fn streamed(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut unpacked = Vec::new();
    zstd::stream::read::Decoder::new(bytes)?.single_frame().take(MAX_UNPACKED as u64).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

fn add_hash(add: &mut impl FnMut(&str, &[u8]), value: &[u8]) {
    let hash = Sha256::digest(value);
    add("SHA-256", &hash);
    add("SHA-256 in hexadecimal digits", hex(&hash).as_bytes());
    add("SHA-256 in base64", STANDARD.encode(hash).trim_end_matches('=').as_bytes());
}

/// The middle of a value: of its longest line the part that no mask shows and no format has.
fn inside(value: &str) -> &str {
    let line = value.split(['\n', '\\']).max_by_key(|line| line.len()).expect("a line");
    let third = line.len() / 3;
    let cut = if third < 8 { 3 } else { third };
    line.get(cut..line.len() - cut).expect("ASCII")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The text with everything but letters and digits as the URL standard writes it.
fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut url, byte| {
        let _ = match byte.is_ascii_alphanumeric() {
            true => write!(url, "{}", char::from(byte)),
            false => write!(url, "%{byte:02X}"),
        };
        url
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_writing_is_found() {
        let canaries = super::super::all("needles");
        let needles = Needles::of(&canaries);
        needles.assert_none("nothing", b"nothing at all");
        for canary in &canaries {
            let value = canary.value.as_bytes();
            let packed = zstd::bulk::compress(value, 1).unwrap();
            let writings = [
                value.to_vec(),
                hex(value).into_bytes(),
                STANDARD.encode(value).into_bytes(),
                STANDARD.encode([b"x", value].concat()).into_bytes(),
                URL_SAFE.encode([b"ab", value].concat()).into_bytes(),
                Sha256::digest(value).to_vec(),
                hex(&Sha256::digest(value)).into_bytes(),
                [b"LZRT and so on", &packed[..], b"more"].concat(),
            ];
            for (number, bytes) in writings.iter().enumerate() {
                let found = needles.in_bytes(bytes);
                assert!(found.iter().any(|name| name.starts_with(canary.rule)), "{number} of {canary:?}: {found:?}");
            }
        }
    }
}
