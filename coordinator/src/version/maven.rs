//! Maven's order: versions as `ComparableVersion` of maven-artifact 3.9 compares them.

use std::cmp::Ordering;

use super::number::{Number, ordered, take_digits, take_while};

/// A Maven version (<https://maven.apache.org/pom.html#version-order-specification>), in the order of the
/// `org.apache.maven.artifact.versioning.ComparableVersion` that Maven 3.9 has; 3.8 and 4 differ from it in qualifiers
/// behind a dot and in numbers behind qualifiers.
///
/// That order is no total one: `1.x-1` < `1-rc` < `1` < `1.x-1`. Two versions are compared as Maven compares these two, and
/// whoever has more of them must not sort them by it. What it says is transitive as long as no qualifier stands between
/// a dot and another separator.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a> {
    text: &'a str,
    /// How many tokens there are to the last item that counts: zeros and `ga` at the end do not.
    tokens: usize,
}

impl<'a> Version<'a> {
    /// Reads `text`. Maven itself compares anything; refused is what cannot be in a repository: bytes that are not printable
    /// ASCII, and a text without a letter or digit.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it has a space or a character outside printable ASCII");
        }
        if !text.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
            return Err("it has no letter and no digit");
        }
        let mut tokens = 0;
        for (index, token) in Raw::new(text).enumerate() {
            if matches!(token, Token::Item(item) if !item.is_null()) {
                tokens = index + 1;
            }
        }
        Ok(Self { text, tokens })
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut ours, mut theirs) = (Tokens::new(self), Tokens::new(other));
        loop {
            let order = match (ours.next(), theirs.next()) {
                (None, None) => return Ordering::Equal,
                // A list stands between words and numbers, whatever is in it.
                (Some(Token::List), Some(Token::List)) => Ordering::Equal,
                (Some(Token::Item(a)), Some(Token::Item(b))) => a.cmp(&b),
                (Some(Token::List), Some(Token::Item(Item::Word(_))))
                | (Some(Token::Item(Item::Number(_))), Some(Token::List)) => Ordering::Greater,
                (Some(Token::List), Some(Token::Item(Item::Number(_))))
                | (Some(Token::Item(Item::Word(_))), Some(Token::List)) => Ordering::Less,
                // All that one has more, lists in lists included, is compared with nothing.
                (Some(token), None) => token.against_nothing(),
                (None, Some(token)) => token.against_nothing().reverse(),
            };
            if order.is_ne() {
                return order;
            }
        }
    }
}

ordered!(Version);

/// What a version is made of. A list ends with the version: after one has begun, the list around it has no more items.
#[derive(Clone, Copy, Debug)]
enum Token<'a> {
    /// The beginning of a list, which is the last item of the list around it.
    List,
    Item(Item<'a>),
}

impl Token<'_> {
    fn against_nothing(self) -> Ordering {
        match self {
            Self::List => Ordering::Equal,
            Self::Item(Item::Number(number)) => number.cmp(&Number("")),
            Self::Item(Item::Word(word)) => word.cmp(&Word::RELEASE),
        }
    }
}

/// Words sort below numbers.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Item<'a> {
    Word(Word<'a>),
    Number(Number<'a>),
}

impl Item<'_> {
    /// Whether it does not count at the end of a list: 0, and what means a release.
    fn is_null(self) -> bool {
        Token::Item(self).against_nothing().is_eq()
    }
}

/// A qualifier: the known ones in their order, then the others in that of their lower-case letters.
#[derive(Clone, Copy, Debug)]
struct Word<'a> {
    rank: usize,
    /// Of an unknown one.
    text: &'a str,
}

const QUALIFIERS: [&[&str]; 7] =
    [&["alpha"], &["beta"], &["milestone"], &["rc", "cr"], &["snapshot"], &["ga", "final", "release"], &["sp"]];

impl<'a> Word<'a> {
    const RELEASE: Self = Self { rank: 5, text: "" };

    /// `a`, `b` and `m` are short for qualifiers where a digit follows at once.
    fn new(text: &'a str, before_digit: bool) -> Self {
        let short = ["a", "b", "m"].iter().position(|short| before_digit && text.eq_ignore_ascii_case(short));
        let known = |names: &&[&str]| names.iter().any(|name| text.eq_ignore_ascii_case(name));
        match short.or_else(|| QUALIFIERS.iter().position(known)) {
            Some(rank) => Self { rank, text: "" },
            None => Self { rank: QUALIFIERS.len(), text },
        }
    }
}

impl Ord for Word<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (ours, theirs) = (self.text.bytes(), other.text.bytes());
        let lower = |byte: u8| byte.to_ascii_lowercase();
        self.rank.cmp(&other.rank).then_with(|| ours.map(lower).cmp(theirs.map(lower)))
    }
}

ordered!(Word);

/// The tokens as they are written, null ones included. `-` begins a list, and so does a change between digits and letters.
#[derive(Clone, Copy, Debug)]
struct Raw<'a> {
    rest: &'a str,
    /// The list that is being read has no items yet.
    is_empty: bool,
    /// The next token is a list.
    begins_list: bool,
}

impl<'a> Raw<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text, is_empty: true, begins_list: false }
    }

    /// Takes the separator that `rest` begins with, if it does.
    fn after_item(&mut self, rest: &'a str) {
        self.is_empty = false;
        self.begins_list = !rest.is_empty() && !rest.starts_with('.');
        self.rest = rest.strip_prefix(['.', '-']).unwrap_or(rest);
    }
}

impl<'a> Iterator for Raw<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if self.begins_list {
            (self.begins_list, self.is_empty) = (false, true);
            return Some(Token::List);
        }
        match self.rest.bytes().next()? {
            // Nothing between two separators is 0.
            b'.' | b'-' | b'0'..=b'9' => {
                let (number, rest) = take_digits(self.rest);
                self.after_item(rest);
                Some(Token::Item(Item::Number(number)))
            }
            _ => {
                let (word, rest) =
                    take_while(self.rest, |byte| !(matches!(byte, b'.' | b'-') || byte.is_ascii_digit()));
                let before_digit = rest.starts_with(|c: char| c.is_ascii_digit());
                // At the end or before a digit, `.x` is `-x`.
                if (before_digit || rest.is_empty()) && !self.is_empty {
                    self.is_empty = true;
                    return Some(Token::List);
                }
                self.after_item(rest);
                Some(Token::Item(Item::Word(Word::new(word, before_digit))))
            }
        }
    }
}

/// The tokens that count: of null items only those that another item of their list follows.
struct Tokens<'a> {
    raw: Raw<'a>,
    /// Tokens up to the last that counts.
    left: usize,
    /// Null items at hand that count.
    kept: usize,
}

impl<'a> Tokens<'a> {
    fn new(version: &Version<'a>) -> Self {
        Self { raw: Raw::new(version.text), left: version.tokens, kept: 0 }
    }

    /// Looks from a null item, just taken, to the end of the nulls; each is looked at once. Whether they count.
    fn keeps_nulls(&mut self) -> bool {
        let (mut ahead, mut nulls) = (self.raw, 0);
        loop {
            let behind = ahead;
            match ahead.next() {
                Some(Token::Item(item)) if item.is_null() => nulls += 1,
                Some(Token::Item(_)) => {
                    self.kept = nulls;
                    return true;
                }
                Some(Token::List) | None => {
                    self.raw = behind;
                    self.left = self.left.saturating_sub(nulls);
                    return false;
                }
            }
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            self.left = self.left.checked_sub(1)?;
            let token = self.raw.next()?;
            match token {
                Token::Item(item) if item.is_null() => {
                    if let Some(kept) = self.kept.checked_sub(1) {
                        self.kept = kept;
                        return Some(token);
                    }
                    if self.keeps_nulls() {
                        return Some(token);
                    }
                }
                token => return Some(token),
            }
        }
    }
}
