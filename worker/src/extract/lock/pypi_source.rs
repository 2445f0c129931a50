//! What an address says of where a Python package is from.

/// The hosts of PyPI's pages and files, today's and yesterday's.
const PUBLIC: [&str; 3] = ["files.pythonhosted.org", "pypi.org", "pypi.python.org"];

/// What `Package::registry` says for what was taken from `url` and no index: what lies on PyPI's own hosts is the public
/// package.
pub(super) fn registry(url: &str) -> Option<&'static str> {
    let host = url.split_once("://").and_then(|(_, rest)| rest.split('/').next()).unwrap_or_default();
    let is_public = PUBLIC.iter().any(|public| public.eq_ignore_ascii_case(host));
    (!is_public).then_some("registry")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_index_are_public() {
        for (url, expected) in [
            ("https://files.pythonhosted.org/packages/ab/six-1.16.0-py2.py3-none-any.whl", None),
            ("https://pypi.org/packages/source/s/six/six-1.16.0.tar.gz", None),
            ("https://x.example/six-1.16.0.tar.gz", Some("registry")),
            ("https://files.pythonhosted.org.x.example/a.whl", Some("registry")),
            ("https://x.example/files.pythonhosted.org/a.whl", Some("registry")),
            ("", Some("registry")),
        ] {
            assert_eq!(registry(url), expected, "{url}");
        }
    }
}
