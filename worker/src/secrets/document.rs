//! Short texts that are settings themselves: environment, labels, commands, build steps.

use lazaret::exposure::Exposure;
use lazaret::path::LayerPath;

use super::mask::masked;
use super::search::Search;
use super::stream::{exposure, position};
use crate::ruleset::Ruleset;

/// What a text exposes, and the text with that masked.
pub struct Document {
    /// What was found, by place, as at the path that was given.
    pub exposures: Vec<Exposure>,
    /// The text without the values, known dummies included. Nothing is left of one that was not searched to its end.
    pub text: String,
    /// Whether it was not: a text can be made so that more in it looks like secrets than there is work for.
    pub is_cut: bool,
}

/// Searches `text`, which is known as `path`; nothing if nothing is in it.
pub fn document(rules: Ruleset, path: &LayerPath, text: &str) -> Option<Document> {
    let (found, is_cut) = Search::default().run(rules.secrets, text.as_bytes(), true);
    if found.is_empty() && !is_cut {
        return None;
    }
    let mut exposures = Vec::with_capacity(found.len());
    let mut hidden = String::with_capacity(text.len());
    let mut at = 0;
    for found in found {
        let before = text.get(at..found.value.start).unwrap_or_default();
        let (line, column) = position(text.as_bytes().get(..found.value.start).unwrap_or_default());
        let exposure = exposure(path, &found, found.bytes(text.as_bytes()), line, column);
        hidden.push_str(before);
        hidden.push_str(&exposure.masked);
        at = found.value.end;
        exposures.push(exposure);
    }
    hidden.push_str(text.get(at..).unwrap_or_default());
    if is_cut {
        hidden = masked(&[]);
    }
    Some(Document { exposures, text: hidden, is_cut })
}

#[cfg(test)]
mod tests {
    use super::super::template::Made;
    use super::*;

    #[test]
    fn values_are_masked_and_told() {
        let token = Made::of("document").text("ghp_{alnum:30}{crc}");
        let text = format!("RUN |1 TOKEN={token} /bin/sh -c\nmake — {token};");
        let found = document(Ruleset::built_in(), &"history[2]".into(), &text).expect("two");
        let masked = format!("gh****{}", &token[38..]);
        assert_eq!(found.text, format!("RUN |1 TOKEN={masked} /bin/sh -c\nmake — {masked};"));
        let places: Vec<_> = found.exposures.iter().map(|found| (found.line, found.column)).collect();
        assert_eq!(places, [(1, 14), (2, 10)]);
        assert!(document(Ruleset::built_in(), &"x".into(), "PATH=/usr/bin").is_none());
    }

    #[test]
    fn of_a_text_that_takes_too_much_work_nothing_is_left() {
        let token = Made::of("work").text("ghp_{alnum:30}{crc}");
        // A setting of 200 bytes begins every six, and none has a digit.
        let text = format!("{} {token}", "token:".repeat(1 << 16));
        let found = document(Ruleset::built_in(), &"history[0]".into(), &text).expect("it is cut");
        assert!(found.is_cut);
        assert_eq!(found.text, "****");
    }
}
