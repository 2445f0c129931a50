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
    url.contains("/-/") || url.starts_with("https://npm.pkg.github.com/download/") || is_of_mirror(url)
}

/// `…/NAME/download/NAME-VERSION.tgz`, with a scope before both names where there is one, and anything behind a question
/// mark: cnpm's mirrors, Taobao's among them, long served and told so.
fn is_of_mirror(url: &str) -> bool {
    let address = url.split(['?', '#']).next().unwrap_or_default();
    let Some((above, file)) = address.rsplit_once("/download/") else { return false };
    let name = above.rsplit('/').next().unwrap_or_default();
    version_in_file(file, name).is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
}

/// The version in `…/NAME-VERSION.tgz`, an archive of the package `name`, of which the scope does not count.
fn version_in_file<'u>(url: &'u str, name: &str) -> Option<&'u str> {
    let address = url.split(['?', '#']).next()?;
    let stem = address.rsplit('/').next()?.strip_suffix(".tgz")?;
    let bare = name.rsplit('/').next()?;
    stem.strip_prefix(bare)?.strip_prefix('-').filter(|version| !version.is_empty())
}

/// What a place that stands where a version should says of the version of `name`: that in the name of its archive, or the
/// commit of a repository.
pub(super) fn version_at<'p>(place: &'p str, name: &str) -> Option<&'p str> {
    match registry(place) {
        Some("local") => None,
        Some("git") => place.rsplit_once('#').map(|(_, commit)| commit),
        _ => version_in_file(place, name),
    }
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
            ("https://registry.npm.taobao.org/a/download/a-1.0.0.tgz", None),
            (
                "https://registry.npm.taobao.org/@s/a/download/@s/a-1.0.0.tgz?cache=0&other_urls=x%2Fdownload%2Fb#574b",
                None,
            ),
            ("https://registry.nlark.com/@s/a/download/a-1.0.0.tgz?cache=0", None),
            ("https://registry.npmmirror.com/a/-/a-1.0.0.tgz", None),
            ("https://x.example/a/download/b-1.0.0.tgz", Some("registry")),
            ("https://x.example/a/download/a-latest.tgz", Some("registry")),
            ("https://x.example/download/a.tgz", Some("registry")),
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
    fn a_place_may_tell_the_version() {
        for (place, name, version) in [
            ("https://registry.npmjs.org/@s/a/-/a-1.2.3.tgz", "@s/a", Some("1.2.3")),
            ("https://x.example/a-1.2.3.tgz?x=/b", "a", Some("1.2.3")),
            ("git+ssh://git@github.com/x/a.git#0123", "a", Some("0123")),
            ("github:x/a#0123", "a", Some("0123")),
            ("github:x/a", "a", None),
            ("file:../a-1.2.3.tgz", "a", None),
            ("https://x.example/b-1.2.3.tgz", "a", None),
            ("https://x.example/a-.tgz", "a", None),
        ] {
            assert_eq!(version_at(place, name), version, "{place}");
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
