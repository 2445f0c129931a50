//! Every keyword is found wherever it stands, and nothing else is.

use super::*;

fn found(prefilter: &Prefilter, text: &[u8]) -> Vec<(u32, usize)> {
    let mut all = Vec::new();
    prefilter.scan(text, |keyword, at| all.push((keyword, at)));
    all.sort_unstable();
    // On a processor without wide vectors.
    let mut narrow = Vec::new();
    prefilter.loops(text, &mut |keyword, at| narrow.push((keyword, at)));
    narrow.sort_unstable();
    assert!(all == narrow, "{all:?} {narrow:?}");
    all
}

#[test]
fn every_keyword_is_found_at_every_place() {
    let keywords: [&[u8]; 6] = [b"ghp_", b"AKIA", b"xoxb-", b"-----BEGIN", b"secret_access_key", b"\"A3-"];
    let prefilter = Prefilter::new(&keywords);
    for (number, keyword) in (0..).zip(keywords) {
        for at in (0..70).chain(2 * PART - 20..2 * PART + 20).chain(4 * PART - 20..4 * PART + 20) {
            for behind in (0..40).chain([2 * PART]) {
                let text = [&vec![b'.'; at][..], keyword, &vec![b'~'; behind]].concat();
                assert_eq!(found(&prefilter, &text), [(number, at)], "{at} {behind}");
            }
        }
    }
}

#[test]
fn whatever_follows_or_precedes_and_in_any_case() {
    let prefilter = Prefilter::new(&[b"ghp_", b"xoxb-"]);
    for byte in 0..=255 {
        for at in [0, 1, 16, 17, 2 * PART - 1, 2 * PART] {
            let text = [&vec![byte; at][..], b"GHP_", &[byte], b"Xoxb-", &[byte]].concat();
            assert_eq!(found(&prefilter, &text), [(0, at), (1, at + 5)], "{byte} {at}");
        }
    }
}

#[test]
fn all_keywords_of_the_rules_are_found() {
    let keywords: Vec<Vec<u8>> = super::super::rule::Rules::built_in().texts();
    let keywords: Vec<&[u8]> = keywords.iter().map(Vec::as_slice).collect();
    let prefilter = Prefilter::new(&keywords);
    for (number, keyword) in (0..).zip(&keywords) {
        for at in [0, 1, 2 * PART - 2, 2 * PART - 1] {
            for behind in [&b""[..], b"x", b" ", b"\xff", &[b'Q'; 2 * PART]] {
                let text = [&vec![b'#'; at][..], keyword, behind].concat();
                assert!(found(&prefilter, &text).contains(&(number, at)), "{keyword:?} {at} {behind:?}");
            }
        }
    }
}

#[test]
fn short_texts_and_keywords_are_no_trouble() {
    for length in 0..24 {
        assert_eq!(found(&Prefilter::new(&[b"abcd", b"ab", b""]), &vec![0; length]), []);
    }
    assert_eq!(found(&Prefilter::new(&[]), b"anything at all, long enough"), []);
}

#[test]
fn frequent_grams_are_dear() {
    assert!(common().len() > 2000);
    let anchors = anchors(b"airtable", 0, &common(), &BySlot::new());
    assert!(anchors.iter().all(|(gram, _)| gram != b"able"), "{:?}", anchors.iter().map(|a| a.0).collect::<Vec<_>>());
}
