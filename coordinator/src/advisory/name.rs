//! Package names as their ecosystem compares them.

use std::borrow::Cow;

/// `name` in the one spelling under which `ecosystem` (OSV's name, with or without a release suffix) keeps it.
///
/// PyPI: PEP 503 (<https://peps.python.org/pep-0503/#normalized-names>). Everybody else compares byte for byte.
pub fn normalise<'a>(ecosystem: &str, name: &'a str) -> Cow<'a, str> {
    if base(ecosystem) != "PyPI" || name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        return Cow::Borrowed(name);
    }
    let mut normal = String::with_capacity(name.len());
    let mut separators = false;
    for letter in name.chars() {
        if matches!(letter, '-' | '_' | '.') {
            separators = true;
            continue;
        }
        if std::mem::take(&mut separators) {
            normal.push('-');
        }
        normal.push(letter.to_ascii_lowercase());
    }
    if separators {
        normal.push('-');
    }
    Cow::Owned(normal)
}

/// The name of an ecosystem without its release suffix: `Debian` of `Debian:12`.
pub fn base(ecosystem: &str) -> &str {
    ecosystem.split_once(':').map_or(ecosystem, |(base, _)| base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises_python_names_only() {
        assert_eq!(normalise("PyPI", "Django_Rest..Framework"), "django-rest-framework");
        assert_eq!(normalise("PyPI", "a-"), "a-");
        assert_eq!(normalise("npm", "JSONStream"), "JSONStream");
        assert_eq!(normalise("Debian:12", "libstdc++6"), "libstdc++6");
        assert_eq!(base("Ubuntu:Pro:22.04:LTS"), "Ubuntu");
    }
}
