//! Where Node's package managers took a package from, as all of their lockfiles write it.

/// What `Package::registry` says for the place `from`. A registry's tarball is the public package, whoever serves it.
pub(super) fn registry(from: &str) -> Option<&'static str> {
    let is = |starts: &[&str]| starts.iter().any(|start| from.starts_with(start));
    if is(&["file:", "link:", "portal:", "workspace:", "./", "../", "/"]) {
        Some("local")
    } else if is(&["git", "ssh:", "bitbucket:", "gist:", "https://codeload.github.com/", "https://github.com/"])
        || from.split_once('#').is_some_and(|(repository, _)| repository.ends_with(".git"))
    {
        Some("git")
    } else if is(&["http:", "https:"]) && !is_tarball_of_registry(from) {
        Some("registry")
    } else {
        None
    }
}

/// `…/NAME/-/NAME-VERSION.tgz`, as npm's registry and those like it serve packages; GitHub's has `…/download/NAME/…`.
fn is_tarball_of_registry(url: &str) -> bool {
    url.contains("/-/") || url.starts_with("https://npm.pkg.github.com/download/")
}

/// The two parts of `name@version`, where the name may have a scope.
pub(super) fn name_and_version(text: &str) -> Option<(&str, &str)> {
    let (at, _) = text.match_indices('@').find(|&(at, _)| at > 0)?;
    Some((&text[..at], &text[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart() {
        for (from, expected) in [
            ("https://registry.npmjs.org/a/-/a-1.0.0.tgz", None),
            ("https://registry.yarnpkg.com/@s/a/-/a-1.0.0.tgz#0123", None),
            ("https://npm.corp.example/repository/npm/a/-/a-1.0.0.tgz", None),
            ("", None),
            ("https://x.example/a.tgz", Some("registry")),
            ("git+ssh://git@github.com/a/b.git#0123", Some("git")),
            ("github:a/b", Some("git")),
            ("https://codeload.github.com/a/b/tar.gz/0123", Some("git")),
            ("https://x.example/a.git#0123", Some("git")),
            ("file:../a", Some("local")),
            ("../a", Some("local")),
        ] {
            assert_eq!(registry(from), expected, "{from}");
        }
    }

    #[test]
    fn a_scope_is_part_of_the_name() {
        assert_eq!(name_and_version("@s/a@1.0.0"), Some(("@s/a", "1.0.0")));
        assert_eq!(name_and_version("a@npm:b@1"), Some(("a", "npm:b@1")));
        assert_eq!(name_and_version("@s/a"), None);
        assert_eq!(name_and_version(""), None);
        assert_eq!(name_and_version("é@1"), Some(("é", "1")));
    }
}
