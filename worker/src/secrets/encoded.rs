//! Tokens in base64, as manifests and logins hold them: how a token begins is looked for in each of the three ways in which
//! base64 (RFC 4648) writes it, and decoded is what stands there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::check::decode;
use super::form::MAX_REACH;
use super::rule::Rule;
use super::search::{Found, Work, judged};

/// How a keyword is written.
pub(super) struct Encoded {
    /// The characters that are the same whatever stands around the keyword.
    text: Vec<u8>,
    /// Characters before them in their group of four.
    lead: usize,
    /// Bytes before the keyword in what the group is decoded to.
    skip: usize,
    /// The rule that it is a keyword of.
    rule: u32,
}

impl Encoded {
    /// The ways to write `keyword` of the rule with a number, if its tokens are told by their form alone.
    pub(super) fn all<'k>(rule: &Rule, number: u32, keyword: &'k [u8]) -> impl Iterator<Item = Self> + use<'k> {
        const LEAST: usize = 16;
        let is_told = rule.leads && !rule.loose && !rule.generic && rule.reach < MAX_REACH / 2;
        let is_so = is_told && rule.glance.places() >= LEAST && rule.glance.may_begin(keyword);
        (0..3).filter(move |_| is_so).map(move |skip| {
            let text = STANDARD_NO_PAD.encode([&[0; 2][..skip], keyword].concat());
            let lead = (8 * skip).div_ceil(6);
            let text = text.as_bytes().get(lead..8 * (skip + keyword.len()) / 6).unwrap_or_default().to_vec();
            Self { text, lead, skip, rule: number }
        })
    }

    /// What the prefilter looks for.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The number of its rule.
    pub(super) fn rule(&self) -> u32 {
        self.rule
    }

    /// The token of `rule` that is written in `text` with these characters at a place.
    pub(super) fn found<'r>(&self, rule: &'r Rule, text: &[u8], at: usize, work: &mut Work) -> Option<Found<'r>> {
        let group = at.checked_sub(self.lead)?;
        if !text.get(at..)?.starts_with(&self.text) || !text.get(group..at)?.iter().all(is_base64) {
            return None;
        }
        // A look-behind at the beginning of a match sees the byte before.
        let before = group.checked_sub(4).filter(|&before| text[before..group].iter().all(is_base64));
        let skip = self.skip + if before.is_some() { 3 } else { 0 };
        let start = before.unwrap_or(group);
        let decoded = |bytes: usize| {
            let rest = text.get(start..)?;
            let rest = rest.get(..(skip + bytes).div_ceil(3) * 4).unwrap_or(rest);
            let size = rest.iter().position(|byte| !is_base64(byte)).unwrap_or(rest.len());
            decode(rest.get(..size - usize::from(size % 4 == 1))?)
        };
        if !rule.glance.begins(decoded(rule.glance.places())?.get(skip..)?) {
            return None;
        }
        let inside = decoded(rule.reach + 1)?;
        work.spend(inside.len())?;
        let captures =
            rule.regex()?.captures_at(&inside, skip).filter(|all| all.get(0).is_some_and(|m| m.start() == skip))?;
        let value = captures.name("secret").or(captures.get(0))?.range();
        let dismissed = judged(rule, inside.get(value.clone())?)?;
        let place = start + value.start / 3 * 4 + value.start % 3..start + (4 * value.end).div_ceil(3);
        Some(Found { rule, value: place, written: inside.get(value).map(<[u8]>::to_vec), dismissed })
    }
}

fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::super::rule::Rules;
    use super::super::search::Search;
    use super::super::template::Made;
    use super::*;

    #[test]
    fn tokens_are_found_wherever_they_stand_in_base64() {
        let token = Made::of("encoded").text("ghp_{alnum:30}{crc}");
        for before in ["", "a", "ab", "abc:", "ops:\n", "user:name:"] {
            for behind in ["", "\n", "@host", "\"}}"] {
                let inside = format!("{before}{token}{behind}");
                let alone = before.is_empty() || !before.ends_with(|c: char| c.is_ascii_alphanumeric());
                let text = format!("  token: {}\n", STANDARD.encode(&inside));
                let (found, cut) = Search::default().run(Rules::built_in(), text.as_bytes(), false);
                assert!(!cut);
                let told: Vec<_> = found.iter().map(|found| (&*found.rule.id, found.bytes(text.as_bytes()))).collect();
                let expected = [("github-pat", token.as_bytes())];
                assert_eq!(told, if alone { &expected[..] } else { &[] }, "{inside:?}");
                for found in &found {
                    let hidden = text.replace(&text[found.value.clone()], "");
                    assert!(!hidden.contains(&text[found.value.start + 2..found.value.start + 12]), "{hidden}");
                }
            }
        }
    }

    #[test]
    fn tokens_of_many_rules_are() {
        let tokens = [
            "AKIAY{base32:15}",
            "glpat-{base64url:20}",
            "xoxb-{digit:12}-{digit:12}-{alnum:24}",
            "npm_{alnum:30}{crc}",
        ];
        for template in tokens {
            let token = Made::of(template).text(template);
            let text = format!("data:\n  value: {}\n", STANDARD.encode(&token));
            let (found, _) = Search::default().run(Rules::built_in(), text.as_bytes(), false);
            assert!(found.iter().any(|found| found.bytes(text.as_bytes()) == token.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_text_of_nothing_but_beginnings_costs_a_bounded_time() {
        let text = STANDARD.encode("ghp_github_pat_").repeat(1 << 16);
        let start = std::time::Instant::now();
        Search::default().run(Rules::built_in(), text.as_bytes(), false);
        assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
    }
}
