//! Hostile twins: every golden file of every extractor cut, damaged, swollen, nested and in another encoding. What they yield
//! must be gaps or facts in proportion to the file; a panic fails the test.

use std::time::{Duration, Instant};

use lazaret::inventory::Facts;
use lazaret::path::LayerPath;

use super::{ClaimedFile, Content, EXTRACTORS, Extractor, golden};

/// Bytes in memory that facts may take for each byte of a file: one entry of a list is at least a few bytes long, and a
/// package with all its fields a few hundred.
const WEIGHT_PER_BYTE: usize = 200;

fn run(extractor: &Extractor, path: &LayerPath, content: &[u8]) -> Facts {
    let beside: Vec<(&str, &[u8])> = extractor.companions.iter().map(|&name| (name, content)).collect();
    let began = Instant::now();
    let facts = (extractor.extract)(&ClaimedFile { path, content, companions: &beside });
    let limit = WEIGHT_PER_BYTE * content.len() * (1 + beside.len()) + (64 << 10);
    assert!(facts.weight() <= limit, "{} {path}: {} bytes of {}", extractor.name, facts.weight(), content.len());
    assert!(began.elapsed() < Duration::from_secs(20), "{} {path}: {:?}", extractor.name, began.elapsed());
    facts
}

/// The golden files of the extractor, by their paths.
fn files(extractor: &Extractor) -> Vec<(LayerPath, Vec<u8>)> {
    let files = golden::files_of(extractor).into_iter();
    let files = files.filter(|(path, _)| (extractor.claims)(path.as_bytes()));
    files.map(|(path, content)| (LayerPath::from(path.as_str()), content)).collect()
}

/// Every extractor that reads content, with each of its golden files.
fn each(mut twin: impl FnMut(&Extractor, &LayerPath, &[u8])) {
    for extractor in EXTRACTORS.iter().filter(|extractor| extractor.content != Content::NameOnly) {
        for (path, content) in files(extractor) {
            twin(extractor, &path, &content);
        }
    }
}

#[test]
fn cut_anywhere() {
    each(|extractor, path, content| {
        let step = (content.len() / 300).max(1);
        for end in (0..content.len()).step_by(step) {
            run(extractor, path, &content[..end]);
            run(extractor, path, &content[end..]);
        }
    });
}

#[test]
fn damaged_anywhere() {
    each(|extractor, path, content| {
        let step = (content.len() / 200).max(1);
        let mut damaged = content.to_vec();
        for at in (0..content.len()).step_by(step) {
            for byte in [0, 0xff, b'\n', b'"', b'[', b'{', b'-', content[at] ^ 0x20, content[at].wrapping_add(1)] {
                damaged[at] = byte;
                run(extractor, path, &damaged);
            }
            damaged[at] = content[at];
        }
    });
}

#[test]
fn in_another_encoding() {
    each(|extractor, path, content| {
        let wide = |order: fn(u16) -> [u8; 2]| content.iter().flat_map(|&byte| order(byte.into())).collect::<Vec<u8>>();
        run(extractor, path, &[&b"\xff\xfe"[..], &wide(u16::to_le_bytes)].concat());
        run(extractor, path, &[&b"\xfe\xff"[..], &wide(u16::to_be_bytes)].concat());
        run(extractor, path, &content.iter().map(|&byte| byte | 0x80).collect::<Vec<u8>>());
        run(extractor, path, &[&b"\xef\xbb\xbf"[..], content].concat());
        run(
            extractor,
            path,
            &content.iter().flat_map(|&b| if b == b'\n' { vec![b'\r', b'\n'] } else { vec![b] }).collect::<Vec<u8>>(),
        );
    });
}

#[test]
fn swollen() {
    each(|extractor, path, content| {
        if content.is_empty() {
            return;
        }
        run(extractor, path, &content.repeat((256 << 10) / content.len() + 1));
        let half = content.len() / 2;
        for filling in [
            " ", "\n", "a", "0", "\0", "\"", "[", "(", "{\"a\":", "- ", "a.", "=1\n", "\\", "<a>", "\u{202e}", "'",
            "1,",
        ] {
            let filling = filling.repeat((128 << 10) / filling.len());
            run(extractor, path, &[&content[..half], filling.as_bytes(), &content[half..]].concat());
        }
    });
}

#[test]
fn nothing_and_noise() {
    let noise: Vec<u8> = (0..1u32 << 16).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    each(|extractor, path, _| {
        for content in [
            &b""[..],
            b"\0",
            b"\n",
            b"{}",
            b"[]",
            b"null",
            b"\xff\xff\xff\xff",
            &noise,
            &[0; 1 << 16],
            &[0xff; 1 << 16],
        ] {
            run(extractor, path, content);
        }
    });
}
