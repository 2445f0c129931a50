//! Which rules know a file by its name, found by one look-up: nearly every file is known to none.
//!
//! A pattern is a name, or one whose `*` stands for nothing or for a version (`libssl.so.3`, `python3.11`, `gcc-12`): parts
//! that start with a digit, or anything about a library (`liblua5.4-c++.so.0.0.0`).

use std::collections::HashMap;
use std::sync::OnceLock;

use super::rules::{GROUPS, Rule};

/// A rule by its place among all of them.
pub(super) type Index = usize;

/// Every rule, and by the start of the names in its patterns which ones to ask.
pub(super) struct Names {
    pub(super) rules: Vec<&'static Rule>,
    by_start: HashMap<&'static [u8], Vec<Index>>,
}

/// The one table. It takes about 50 µs, so the zygote makes it before there are children.
pub(super) fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(Names::new)
}

impl Names {
    fn new() -> Self {
        let rules: Vec<&'static Rule> = GROUPS.iter().copied().flatten().collect();
        let mut by_start: HashMap<&'static [u8], Vec<Index>> = HashMap::new();
        for (index, rule) in rules.iter().enumerate() {
            for file in rule.files {
                let known = by_start.entry(start(file.as_bytes())).or_default();
                if known.last() != Some(&index) {
                    known.push(index);
                }
            }
        }
        Self { rules, by_start }
    }

    /// The rules that know a file of this name.
    pub(super) fn knowing<'n>(&'n self, name: &'n [u8]) -> impl Iterator<Item = Index> + 'n {
        let asked = self.by_start.get(start(name)).map_or(&[][..], Vec::as_slice).iter().copied();
        asked.filter(move |&index| {
            self.rules.get(index).is_some_and(|rule| rule.files.iter().any(|file| fits(file.as_bytes(), name)))
        })
    }
}

/// What a name and the patterns that fit it have in common: all before the first digit, dot or `*`, but for dashes at its
/// end. The whole of a name that starts with a digit.
fn start(name: &[u8]) -> &[u8] {
    let end = name.iter().position(|&byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'*')).unwrap_or(name.len());
    let end = name[..end].iter().rposition(|byte| !matches!(byte, b'-' | b'_')).map_or(0, |last| last + 1);
    if end == 0 { name } else { &name[..end] }
}

fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let Some(start) = pattern.strip_suffix(b"*") else { return pattern == name };
    let is_part = |part: &[u8]| part.first().is_none_or(u8::is_ascii_digit);
    name.strip_prefix(start).is_some_and(|rest| {
        rest.first().is_none_or(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
            && (start.starts_with(b"lib") && memchr::memmem::find(rest, b".so").is_some()
                || rest.split(|byte| matches!(byte, b'.' | b'-' | b'_')).all(is_part))
    })
}

/// The digits of a version in a file's name, from the first one on: `3.11` of `libpython3.11.so.1.0`.
pub(super) fn digits(name: &[u8]) -> &[u8] {
    let from = name.iter().position(u8::is_ascii_digit).unwrap_or(name.len());
    let digits = &name[from..];
    let to = digits.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.').unwrap_or(digits.len());
    let digits = &digits[..to];
    digits.strip_suffix(b".").unwrap_or(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn products(name: &str) -> Vec<&'static str> {
        let names = names();
        names.knowing(name.as_bytes()).map(|index| names.rules[index].name).collect()
    }

    #[test]
    fn names_lead_to_products() {
        for (name, expected) in [
            ("redis-server", &["redis"][..]),
            ("mysqld", &["mysql", "mariadb", "percona-server"]),
            ("python3.11", &["python"]),
            ("python3.7m", &["python"]),
            ("python", &["python"]),
            ("libpython3.11.so.1.0", &["python"]),
            ("libpython3.so", &["python"]),
            ("php-fpm8.2", &["php"]),
            ("libcrypto.so.1.1", &["openssl", "libressl"]),
            ("libruby-3.1.so.3.1.2", &["ruby"]),
            ("libMagickCore-6.Q16.so.6.0.0", &["imagemagick"]),
            ("librustc_driver-4c3beb7552356b6f.so", &["rust"]),
            ("x86_64-linux-gnu-gcc-12", &["gcc"]),
            ("libssh2.so.1.0.1", &["libssh2", "libssh"]),
            ("libc.so.6", &["glibc"]),
            ("libc-2.31.so", &["glibc"]),
            ("libc.so", &["glibc", "musl"]),
            ("ld-musl-x86_64.so.1", &["musl"]),
            ("7zz", &["7-zip"]),
            ("h2o", &["h2o"]),
            ("[", &["busybox"]),
            ("python3-config", &[]),
            ("python3.11-config", &[]),
            ("pythonic", &[]),
            ("redis-server.service", &[]),
            ("redis-server.conf", &[]),
            ("curl.h", &[]),
            ("php.ini", &[]),
            ("node_modules", &[]),
            ("libnode", &["node"]),
            ("libkrb5.so.3.3", &["krb5"]),
            ("libkrb5support.so.0", &[]),
            ("openssl.so", &[]),
            ("python.so", &[]),
            ("", &[]),
            ("-", &[]),
            ("*", &[]),
            ("12", &[]),
        ] {
            assert_eq!(products(name), expected, "{name}");
        }
    }

    #[test]
    fn digits_of_a_name() {
        for (name, expected) in
            [("libpython3.11.so.1.0", "3.11"), ("python3.7m", "3.7"), ("python", ""), ("python3.", "3"), ("", "")]
        {
            assert_eq!(digits(name.as_bytes()), expected.as_bytes(), "{name}");
        }
    }
}
