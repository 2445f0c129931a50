//! Alpine's order: what apk-tools 3 does with `number{.number}[letter]{_suffix[number]}[~hash][-rN]`.

use std::cmp::Ordering;

use super::number::{Number, ordered, take_digits, take_while};

/// A valid apk version (apk-tools 3, `apk-package(5)`), ordered as `apk version -t` orders it.
///
/// The parts are compared from the left. The first number, numbers of suffixes and the revision compare by value; every
/// further dotted number compares as a fraction would as soon as one of the two has a leading zero (`1.07` < `1.6`).
#[derive(Clone, Copy, Debug)]
pub struct Version<'a>(&'a str);

impl<'a> Version<'a> {
    /// Reads `text`; the error is the reason why apk would refuse it. Takes nothing but a look: the text is kept.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let mut tokens = Tokens::new(text);
        while tokens.step()? != Token::End {}
        Ok(Self(text))
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        Tokens::new(self.0).cmp(Tokens::new(other.0))
    }
}

ordered!(Version);

/// One part of a version. Where two versions differ in the *kind* of their next part, the order of the kinds decides:
/// only a pre-release suffix is below the end, so that `1.0_rc1` < `1.0` < `1.0-r0` < `1.0_p1` < `1.0a` < `1.0.0`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Token<'a> {
    /// `_alpha`, `_beta`, `_pre`, `_rc`, by rank.
    PreRelease(usize),
    End,
    Revision(Number<'a>),
    Hash(&'a str),
    SuffixNumber(Number<'a>),
    /// `_cvs`, `_svn`, `_git`, `_hg`, `_p`, by rank.
    PostRelease(usize),
    Letter(u8),
    Component(Component<'a>),
    First(Number<'a>),
}

/// A dotted number behind the first.
#[derive(Clone, Copy, Debug)]
struct Component<'a>(&'a str);

impl Ord for Component<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.0.starts_with('0') || other.0.starts_with('0') {
            self.0.cmp(other.0)
        } else {
            Number(self.0).cmp(&Number(other.0))
        }
    }
}

ordered!(Component);

const PRE_RELEASES: [&str; 4] = ["alpha", "beta", "pre", "rc"];
const POST_RELEASES: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];

/// How far into the grammar we are; a part may only follow the ones above it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Stage {
    Start,
    Number,
    Letter,
    Suffix,
    SuffixNumber,
    Hash,
    Revision,
    Done,
}

struct Tokens<'a> {
    rest: &'a str,
    stage: Stage,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text, stage: Stage::Start }
    }

    /// The next part; [`Token::End`] comes once, as the last.
    fn step(&mut self) -> Result<Token<'a>, &'static str> {
        let mut after = self.rest.chars();
        let first = after.next();
        let after = after.as_str();
        let (token, stage, rest) = match first {
            _ if self.stage == Stage::Start => {
                let (number, rest) = number(self.rest, "it does not begin with a digit")?;
                (Token::First(number), Stage::Number, rest)
            }
            None => (Token::End, Stage::Done, ""),
            Some('.') if self.stage == Stage::Number => {
                let (number, rest) = number(after, "a dot is not followed by a digit")?;
                (Token::Component(Component(number.0)), Stage::Number, rest)
            }
            Some(letter @ 'a'..='z') if self.stage == Stage::Number => {
                (Token::Letter(letter as u8), Stage::Letter, after)
            }
            Some('_') if self.stage <= Stage::SuffixNumber => {
                let (name, rest) = take_while(after, |byte| byte.is_ascii_lowercase());
                (suffix(name).ok_or("it has an unknown suffix")?, Stage::Suffix, rest)
            }
            Some('0'..='9') if self.stage == Stage::Suffix => {
                let (number, rest) = take_digits(self.rest);
                (Token::SuffixNumber(number), Stage::SuffixNumber, rest)
            }
            Some('~') if self.stage < Stage::Hash => {
                let (hash, rest) = take_while(after, |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                if hash.is_empty() {
                    return Err("a tilde is not followed by a commit hash");
                }
                (Token::Hash(hash), Stage::Hash, rest)
            }
            Some('-') if self.stage < Stage::Revision => {
                let digits = after.strip_prefix('r').ok_or("a hyphen does not begin a revision")?;
                let (number, rest) = number(digits, "its revision has no number")?;
                (Token::Revision(number), Stage::Revision, rest)
            }
            Some(_) => return Err("it has a character where none may be"),
        };
        (self.stage, self.rest) = (stage, rest);
        Ok(token)
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if self.stage == Stage::Done { None } else { self.step().ok() }
    }
}

fn number<'a>(text: &'a str, missing: &'static str) -> Result<(Number<'a>, &'a str), &'static str> {
    match take_digits(text) {
        (Number(""), _) => Err(missing),
        found => Ok(found),
    }
}

fn suffix(name: &str) -> Option<Token<'static>> {
    let rank = |names: &[&str]| names.iter().position(|known| *known == name);
    rank(&PRE_RELEASES).map(Token::PreRelease).or_else(|| rank(&POST_RELEASES).map(Token::PostRelease))
}
