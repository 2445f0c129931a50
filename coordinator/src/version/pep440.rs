//! Python's order: PEP 440, as the `packaging` library reads and compares it.

use std::cmp::Ordering;

use super::number::{Number, ordered, take_digits, take_while};

/// A Python version (PEP 440, now the *Version specifiers* page of packaging.python.org), every spelling that is
/// normalised included: `v1.0-ALPHA.1` is `1.0a1`. The fields stand in the order in which they decide.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version<'a> {
    epoch: Number<'a>,
    release: Release<'a>,
    phase: Phase,
    serial: Number<'a>,
    post: Option<Number<'a>>,
    dev: Dev<'a>,
    local: Option<Local<'a>>,
}

impl<'a> Version<'a> {
    /// Reads `text`, ASCII white space around it apart.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let (epoch, rest) = match text.split_once('!') {
            Some((epoch, rest)) if is_number(epoch) => (Number(epoch), rest),
            Some(_) => return Err("its epoch is not a number"),
            None => (Number(""), text),
        };
        let (release, rest) = take_release(rest).ok_or("it does not begin with a number")?;
        let (pre, rest) = take_labelled(rest, PRE_RELEASES);
        let (post, rest) = take_post(rest);
        let (dev, rest) = take_labelled(rest, DEVELOPMENT);
        let local = match rest.strip_prefix('+') {
            Some(local) if local.split(SEPARATORS).all(is_segment) => Some(Local(local)),
            Some(_) => return Err("its local version is malformed"),
            None if rest.is_empty() => None,
            None => return Err("it has a character where none may be"),
        };
        let (phase, serial) = match pre {
            Some(pre) => pre,
            None if post.is_none() && dev.is_some() => (Phase::DevelopmentOnly, Number("")),
            None => (Phase::Final, Number("")),
        };
        let dev = dev.map_or(Dev::Released, |(_, number)| Dev::Snapshot(number));
        Ok(Self { epoch, release, phase, serial, post: post.map(|(_, number)| number), dev, local })
    }
}

/// Dotted numbers; zeros at the end do not count.
#[derive(Clone, Copy, Debug)]
struct Release<'a>(&'a str);

impl Ord for Release<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut a, mut b) = (self.0.split('.').map(Number), other.0.split('.').map(Number));
        loop {
            let order = match (a.next(), b.next()) {
                (None, None) => return Ordering::Equal,
                (x, y) => x.unwrap_or(Number("")).cmp(&y.unwrap_or(Number(""))),
            };
            if order.is_ne() {
                return order;
            }
        }
    }
}

ordered!(Release);

/// Where a version stands among those of its release. A bare `1.0.dev1` is below every pre-release of 1.0.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Phase {
    DevelopmentOnly,
    Alpha,
    Beta,
    Candidate,
    Final,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Dev<'a> {
    Snapshot(Number<'a>),
    Released,
}

/// What follows the plus sign: segments without regard to case, words below numbers.
#[derive(Clone, Copy, Debug)]
struct Local<'a>(&'a str);

impl Ord for Local<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.split(SEPARATORS).map(Segment::from).cmp(other.0.split(SEPARATORS).map(Segment::from))
    }
}

ordered!(Local);

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Segment<'a> {
    Word(Caseless<'a>),
    Number(Number<'a>),
}

impl<'a> From<&'a str> for Segment<'a> {
    fn from(text: &'a str) -> Self {
        match take_digits(text) {
            (number, "") => Self::Number(number),
            _ => Self::Word(Caseless(text)),
        }
    }
}

/// A word, ordered as if it were written in small letters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caseless<'a>(pub(super) &'a str);

impl Ord for Caseless<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(other.0.bytes().map(|byte| byte.to_ascii_lowercase()))
    }
}

ordered!(Caseless);

const SEPARATORS: [char; 3] = ['-', '_', '.'];

/// What may stand before the number of a part, a longer word before the one it begins with.
type Labels<T> = [(&'static str, T)];

const PRE_RELEASES: &Labels<Phase> = &[
    ("alpha", Phase::Alpha),
    ("a", Phase::Alpha),
    ("beta", Phase::Beta),
    ("b", Phase::Beta),
    ("rc", Phase::Candidate),
    ("c", Phase::Candidate),
    ("preview", Phase::Candidate),
    ("pre", Phase::Candidate),
];
const POST_RELEASES: &Labels<()> = &[("post", ()), ("rev", ()), ("r", ())];
const DEVELOPMENT: &Labels<()> = &[("dev", ())];

/// A part such as `-beta.2`: separators are optional and so is the number, which is 0 then.
fn take_labelled<'a, T: Copy>(text: &'a str, labels: &Labels<T>) -> (Option<(T, Number<'a>)>, &'a str) {
    let body = text.strip_prefix(SEPARATORS).unwrap_or(text);
    for (label, meaning) in labels {
        if let Some((word, rest)) = body.split_at_checked(label.len())
            && word.eq_ignore_ascii_case(label)
        {
            let (number, rest) = take_digits(rest.strip_prefix(SEPARATORS).unwrap_or(rest));
            return (Some((*meaning, number)), rest);
        }
    }
    (None, text)
}

/// A post-release, which may also be a hyphen and a number: `1.0-1` is `1.0.post1`.
fn take_post(text: &str) -> (Option<((), Number<'_>)>, &str) {
    match text.strip_prefix('-').map(take_digits) {
        Some((number, rest)) if !number.0.is_empty() => (Some(((), number)), rest),
        _ => take_labelled(text, POST_RELEASES),
    }
}

/// The longest run of dotted numbers that `text` begins with.
fn take_release(text: &str) -> Option<(Release<'_>, &str)> {
    let (run, _) = take_while(text, |byte| byte.is_ascii_digit() || byte == b'.');
    let whole = run.find("..").map_or(run, |end| run.split_at(end).0);
    let release = whole.strip_suffix('.').unwrap_or(whole);
    let starts_well = release.starts_with(|c: char| c.is_ascii_digit());
    starts_well.then(|| (Release(release), text.strip_prefix(release).unwrap_or("")))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_segment(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
