//! Erlang and Elixir terms as mix and rebar3 write them, token by token: enough to find tuples and the strings in them.

use super::found::Unreadable;

/// A token. Commas, colons, arrows and the marks of binaries say nothing that the order does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `{`, `[` or `%{`.
    Open,
    /// What closes one of these.
    Close,
    /// `"text"`, as written between the quotes.
    Text(&'a str),
    /// An atom, a number or a key, without colons.
    Word(&'a str),
}

/// The tokens, each with how many brackets are open around it. An error where a bracket or string is left open.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = Result<(usize, Token<'_>), Unreadable>> {
    let mut rest = Some(text);
    let (mut depth, mut is_empty) = (0_usize, true);
    std::iter::from_fn(move || {
        let text = skip_blank(rest?);
        if text.is_empty() {
            rest = None;
            return (depth > 0 || is_empty).then(|| Err(cut_off()));
        }
        is_empty = false;
        let found = token(text).and_then(|(token, after)| {
            let at = if token == Token::Close { depth.checked_sub(1)? } else { depth };
            depth = if token == Token::Open { depth + 1 } else { at };
            Some((at, token, after))
        });
        rest = found.map(|(_, _, after)| after);
        Some(found.map(|(at, token, _)| (at, token)).ok_or_else(cut_off))
    })
}

fn cut_off() -> Unreadable {
    Unreadable::malformed("cut off, or not the terms of a lockfile")
}

fn skip_blank(mut text: &str) -> &str {
    loop {
        text = text.trim_start_matches(|c: char| c.is_whitespace() || ",.:=<>%|".contains(c));
        if !text.starts_with('#') {
            return text;
        }
        text = text.split_once('\n').map_or("", |(_, after)| after);
    }
}

fn token(text: &str) -> Option<(Token<'_>, &str)> {
    let bytes = text.as_bytes();
    match bytes.first()? {
        b'{' | b'[' => Some((Token::Open, &text[1..])),
        b'}' | b']' => Some((Token::Close, &text[1..])),
        &quote @ (b'"' | b'\'') => {
            let mut at = 1;
            while *bytes.get(at)? != quote {
                at += if bytes.get(at) == Some(&b'\\') { 2 } else { 1 };
            }
            Some((Token::Text(text.get(1..at)?), text.get(at + 1..)?))
        }
        _ => {
            let end = text.find(|c: char| !(c.is_alphanumeric() || "_@-+/?!~.".contains(c)))?;
            (end > 0).then(|| (Token::Word(&text[..end]), &text[end..]))
        }
    }
}
