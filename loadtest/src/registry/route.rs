//! The paths of the distribution specification (<https://github.com/opencontainers/distribution-spec>, "Endpoints"). A
//! repository's name has slashes in it, so that the end of a path says what it is.

use lazaret::digest::Digest;

/// What a path asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// Whether this is a registry.
    Version,
    /// The names of repositories.
    Catalogue,
    /// The tags of a repository.
    Tags(&'a str),
    /// A manifest by tag.
    ByTag(&'a str, &'a str),
    /// A manifest by digest.
    ByDigest(&'a str, Digest),
    /// A blob.
    Blob(&'a str, Digest),
}

impl<'a> Route<'a> {
    pub(super) fn of(path: &'a str) -> Option<Self> {
        let path = path.strip_prefix("/v2")?;
        match path {
            "" | "/" => return Some(Self::Version),
            "/_catalog" => return Some(Self::Catalogue),
            _ => {}
        }
        let path = path.strip_prefix('/')?;
        if let Some(repository) = path.strip_suffix("/tags/list") {
            return Some(Self::Tags(repository));
        }
        let (path, last) = path.rsplit_once('/')?;
        if let Some(repository) = path.strip_suffix("/blobs") {
            return last.parse().ok().map(|digest| Self::Blob(repository, digest));
        }
        let repository = path.strip_suffix("/manifests")?;
        if last.contains(':') {
            return last.parse().ok().map(|digest| Self::ByDigest(repository, digest));
        }
        Some(Self::ByTag(repository, last))
    }
}

/// The first byte that a `Range` header asks for, and the last one; `None` where it is no range of one piece.
pub(super) fn range(header: &str, size: u64) -> Option<std::ops::RangeInclusive<u64>> {
    let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
    let end = size.checked_sub(1)?;
    if first.is_empty() {
        let length: u64 = last.parse().ok()?;
        return Some(size.saturating_sub(length)..=end);
    }
    let last = if last.is_empty() { end } else { last.parse::<u64>().ok()?.min(end) };
    Some(first.parse().ok()?..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_apart_by_their_ends() {
        let digest = Digest::of(b"");
        assert_eq!(Route::of("/v2/"), Some(Route::Version));
        assert_eq!(Route::of("/v2/a/b/manifests/1.0"), Some(Route::ByTag("a/b", "1.0")));
        assert_eq!(Route::of(&format!("/v2/a/manifests/{digest}")), Some(Route::ByDigest("a", digest)));
        assert_eq!(Route::of(&format!("/v2/a/blobs/{digest}")), Some(Route::Blob("a", digest)));
        assert_eq!(Route::of("/v2/blobs/tags/list"), Some(Route::Tags("blobs")));
        for path in ["/", "/v1/", "/v2/a/blobs/sha256:1", "/v2/a", "/v2/a/manifests/md5:1"] {
            assert_eq!(Route::of(path), None, "{path}");
        }
    }

    #[test]
    fn ranges_end_with_the_blob() {
        assert_eq!(range("bytes=5-", 10), Some(5..=9));
        assert_eq!(range("bytes=5-100", 10), Some(5..=9));
        assert_eq!(range("bytes=0-0", 10), Some(0..=0));
        assert_eq!(range("bytes=-3", 10), Some(7..=9));
        assert_eq!(range("bytes=1-2,4-5", 10), None);
    }
}
