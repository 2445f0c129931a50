//! The form of a file of rules for names: which files are secrets by what they are called, and what their content has to say to that.

use serde::Deserialize;

use super::file::Severity;

/// A file of rules.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NameFile {
    /// The rules.
    pub(crate) rules: Vec<NameText>,
}

/// A rule as written. Bytes are told as a text, or as `hex:` with two digits for each byte and `..` for any.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NameText {
    /// Unique among all rules; kebab-case.
    pub(crate) id: String,
    /// What the file is.
    pub(crate) title: String,
    /// How bad it is to have it in an image.
    pub(crate) severity: Severity,
    /// The last components of its path, in each of which a `*` may stand for anything.
    pub(crate) paths: Vec<String>,
    /// It begins with one of these.
    #[serde(default)]
    pub(crate) begins: Vec<String>,
    /// One of these is in it.
    #[serde(default)]
    pub(crate) holds: Vec<String>,
    /// None of these is in it.
    #[serde(default)]
    pub(crate) lacks: Vec<String>,
    /// The group `secret` is a value in it, of which each is told; without a pattern the file is told.
    #[serde(default)]
    pub(crate) pattern: Option<String>,
    /// Where its owner makes it worthless.
    pub(crate) rotate: String,
    /// Files that are told: `path`, and in `content` a template of what is in it, or its bytes as `hex:`.
    pub(crate) examples: Vec<toml::Table>,
    /// Files that are not.
    pub(crate) counter_examples: Vec<toml::Table>,
}

/// The bytes that are told, and which of them count.
pub(crate) fn bytes(told: &str) -> Result<(Vec<u8>, Vec<u8>), String> {
    let Some(digits) = told.strip_prefix("hex:") else { return Ok((told.into(), vec![0xff; told.len()])) };
    let pairs = digits.as_bytes().chunks(2).map(|pair| match pair {
        b".." => Ok((0, 0)),
        _ => std::str::from_utf8(pair)
            .ok()
            .filter(|pair| pair.len() == 2)
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
            .map(|byte| (byte, 0xff))
            .ok_or_else(|| format!("{told} is no hex")),
    });
    pairs.collect::<Result<Vec<_>, _>>().map(|pairs| pairs.into_iter().unzip())
}

/// What is wrong with a rule that was read.
pub(crate) fn check(rule: &NameText) -> Result<(), String> {
    let kebab = |id: &str| id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if rule.id.is_empty() || rule.id.len() > 64 || !kebab(&rule.id) {
        return Err("an id has up to 64 lower-case letters, digits and hyphens".into());
    }
    if rule.paths.is_empty() || rule.examples.is_empty() || rule.counter_examples.is_empty() {
        return Err("it needs a path, an example and a counter-example".into());
    }
    let stars = |component: &str| component.is_empty() || component.matches('*').count() > 1;
    if rule.paths.iter().any(|path| path.split('/').any(stars)) {
        return Err("a component of a path is not empty and has one `*` at most".into());
    }
    if rule.title.len() > 128 || rule.rotate.len() > 256 {
        return Err("a title has up to 128 bytes, and where to revoke up to 256".into());
    }
    for told in rule.begins.iter().chain(&rule.holds).chain(&rule.lacks) {
        if !(1..=64).contains(&bytes(told)?.0.len()) {
            return Err(format!("{told} is nothing, or longer than 64 bytes"));
        }
    }
    if rule.holds.iter().chain(&rule.lacks).any(|told| told.starts_with("hex:") && told.contains('.')) {
        return Err("only how a file begins may leave bytes open".into());
    }
    let Some(pattern) = &rule.pattern else { return Ok(()) };
    let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
    let hir = parser.parse(pattern).map_err(|error| format!("its pattern does not compile: {error}"))?;
    match hir.properties().explicit_captures_len() == 1 && pattern.contains("(?<secret>") {
        true => Ok(()),
        false => Err("its pattern has one group, `secret`".into()),
    }
}
