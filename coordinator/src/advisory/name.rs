//! Package names as their ecosystem compares them.

use std::borrow::Cow;

/// `name` in the one spelling under which `ecosystem` (OSV's name, with or without a release suffix) keeps it.
///
/// PyPI: PEP 503 (<https://peps.python.org/pep-0503/#normalized-names>). NuGet and Packagist: without regard to case
/// (<https://learn.microsoft.com/nuget/consume-packages/finding-and-choosing-packages>, `Newtonsoft.Json` is
/// `newtonsoft.json`; Composer keeps its packages under the name in small letters). Everybody else compares byte for byte.
pub fn normalise<'a>(ecosystem: &str, name: &'a str) -> Cow<'a, str> {
    match base(ecosystem) {
        "PyPI" => python(name),
        // Published names are ASCII.
        "NuGet" | "Packagist" if name.bytes().any(|byte| byte.is_ascii_uppercase()) => name.to_ascii_lowercase().into(),
        _ => Cow::Borrowed(name),
    }
}

fn python(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
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
    fn normalises_what_its_ecosystem_does() {
        assert_eq!(normalise("PyPI", "Django_Rest..Framework"), "django-rest-framework");
        assert_eq!(normalise("PyPI", "a-"), "a-");
        assert_eq!(normalise("npm", "JSONStream"), "JSONStream");
        assert_eq!(normalise("NuGet", "Newtonsoft.Json"), "newtonsoft.json");
        assert_eq!(normalise("Packagist:https://packages.drupal.org/8", "Drupal/Core"), "drupal/core");
        assert_eq!(normalise("RubyGems", "RedCloth"), "RedCloth");
        assert_eq!(normalise("Debian:12", "libstdc++6"), "libstdc++6");
        assert_eq!(base("Ubuntu:Pro:22.04:LTS"), "Ubuntu");
    }
}
