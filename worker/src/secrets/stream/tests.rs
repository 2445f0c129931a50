//! Files in pieces of many sizes, and files that nobody should write.

use sha2::{Digest as _, Sha256};

use super::super::template::Made;
use super::*;

fn secrets(text: &[u8], pieces: impl Fn(usize) -> usize) -> Vec<(String, u64, u64)> {
    let mut stream = Stream::new(Rules::built_in());
    stream.begin(&LayerPath::from("a/b"), text.len() as u64, false);
    let mut rest = text;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(pieces(text.len() - rest.len()).clamp(1, rest.len()));
        stream.feed(now);
        rest = later;
    }
    let (found, cut) = stream.finish();
    assert!(!cut);
    found.iter().map(|secret| (secret.rule.clone(), secret.line, secret.column)).collect()
}

fn token(seed: usize) -> String {
    Made::of(&format!("stream {seed}")).text("ghp_{alnum:30}{crc}")
}

#[test]
fn a_file_in_pieces_is_the_file_at_once() {
    let mut text = Vec::new();
    let mut expected = Vec::new();
    for seed in 0..400 {
        text.extend_from_slice(format!("line {seed} of many\r\nGITHUB_TOKEN=").as_bytes());
        expected.push(("github-pat".to_owned(), 2 + 3 * seed as u64, 14));
        text.extend_from_slice(token(seed).as_bytes());
        text.extend_from_slice(b"\n");
        text.resize(text.len() + 7919, b'.');
        text.extend_from_slice(b"\n");
    }
    assert!(text.len() > 6 * WINDOW);
    assert_eq!(secrets(&text, |_| usize::MAX), expected);
    for size in [1 << 16, 65_521, 4093, WINDOW + 1] {
        assert_eq!(secrets(&text, |_| size), expected, "{size}");
    }
    assert_eq!(secrets(&text, |at| at % 4099 + 1), expected);
}

#[test]
fn a_secret_is_found_wherever_windows_end() {
    let end = WINDOW + BEHIND;
    for at in (end - 45..end + 5).chain(end + MAX_REACH - 45..end + MAX_REACH + 5) {
        let mut text = vec![b' '; at];
        text.extend_from_slice(token(at).as_bytes());
        text.resize(at + 3 * WINDOW, b' ');
        assert_eq!(secrets(&text, |_| 1 << 16), [("github-pat".to_owned(), 1, at as u64 + 1)], "{at}");
    }
}

#[test]
fn one_line_of_fifty_megabytes_is_no_trouble() {
    let mut text = b"var a=[];".repeat(50 << 17);
    let at = text.len() - 1000;
    text.splice(at..at, format!("'{}'", token(1)).into_bytes());
    assert_eq!(secrets(&text, |_| 1 << 18), [("github-pat".to_owned(), 1, at as u64 + 2)]);
}

#[test]
fn values_do_not_leave() {
    let text = format!("GITHUB_TOKEN={}\n", token(7));
    let mut stream = Stream::new(Rules::built_in());
    stream.begin(&LayerPath::from("a/b"), text.len() as u64, false);
    stream.feed(text.as_bytes());
    let (found, _) = stream.finish();
    let shown = format!("{found:?}");
    assert!(found.len() == 1 && !shown.contains(&token(7)[4..20]), "{shown}");
    assert_eq!(found[0].identity, Identity::Digest(Sha256::digest(token(7)).into()));
}

#[test]
fn a_text_of_nothing_but_beginnings_costs_a_bounded_time() {
    for beginning in ["ghp_", "twilio", "AccountKey=", "eyJhbGciOi", "postgres://a:", "-us1", "xoxb-1-"] {
        let text = beginning.repeat((4 << 20) / beginning.len());
        let start = std::time::Instant::now();
        let mut stream = Stream::new(Rules::built_in());
        stream.begin(&LayerPath::from("a/b"), text.len() as u64, true);
        stream.feed(text.as_bytes());
        stream.finish();
        assert!(start.elapsed().as_secs() < 60, "{beginning}: {:?}", start.elapsed());
    }
}
