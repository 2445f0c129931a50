//! The path of an entry in a layer: bytes, relative to the root of the image, normalised.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;

use bincode::{Decode, Encode};

/// A path inside an image: no leading or trailing slash, no empty, `.` or `..` component. The root is the empty path.
///
/// Linux file names are bytes, so this is too; [`fmt::Display`] shows bytes that are no UTF-8 as `\xNN`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
pub struct LayerPath(Vec<u8>);

impl LayerPath {
    /// The root directory.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// `name` as a tar entry writes it, resolved lexically as a runtime resolves it inside the root: `..` never climbs
    /// above the root. Symbolic links are the caller's affair.
    pub fn from_entry(name: &[u8]) -> Self {
        if is_normal(name) {
            return Self(name.to_vec());
        }
        let mut path = Self(Vec::with_capacity(name.len()));
        path.extend(name);
        path
    }

    /// Appends the components of `name`, resolving `.` and `..` as it goes.
    pub fn extend(&mut self, name: &[u8]) {
        for component in name.split(|&b| b == b'/') {
            match component {
                b"" | b"." => {}
                b".." => self.pop(),
                _ => self.push(component),
            }
        }
    }

    /// Appends one component, which must hold no slash.
    pub fn push(&mut self, component: &[u8]) {
        if !self.0.is_empty() {
            self.0.push(b'/');
        }
        self.0.extend_from_slice(component);
    }

    /// Drops the last component; the root stays the root.
    pub fn pop(&mut self) {
        let end = self.0.iter().rposition(|&b| b == b'/').unwrap_or(0);
        self.0.truncate(end);
    }

    /// The entry called `name` of the archive at this path, written `ARCHIVE!/NAME` as in the URLs of Java archives.
    pub fn inside(&self, name: &str) -> Self {
        let inner = Self::from(name);
        let mut path = Vec::with_capacity(self.0.len() + 2 + inner.0.len());
        path.extend_from_slice(&self.0);
        path.extend_from_slice(b"!/");
        path.extend_from_slice(&inner.0);
        Self(path)
    }

    /// The bytes of the path.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the root directory.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The last component; empty for the root.
    pub fn file_name(&self) -> &[u8] {
        split(&self.0).1
    }

    /// The directory that holds this entry; the root's is the root.
    pub fn parent(&self) -> &[u8] {
        split(&self.0).0
    }

    /// Whether this path lies strictly below `directory`. Everything but the root lies below the root.
    pub fn is_below(&self, directory: &[u8]) -> bool {
        is_below(&self.0, directory)
    }
}

/// Whether `path` lies strictly below `directory`, both normalised.
pub fn is_below(path: &[u8], directory: &[u8]) -> bool {
    if directory.is_empty() {
        return !path.is_empty();
    }
    path.len() > directory.len() && path.starts_with(directory) && path[directory.len()] == b'/'
}

/// The keys of `map` strictly below `directory`, in order.
pub fn keys_below<V>(map: &BTreeMap<LayerPath, V>, directory: &LayerPath) -> Vec<LayerPath> {
    if map.is_empty() {
        return Vec::new();
    }
    let mut first = Vec::with_capacity(directory.as_bytes().len() + 1);
    first.extend_from_slice(directory.as_bytes());
    if !directory.is_root() {
        first.push(b'/');
    }
    map.range::<[u8], _>((Bound::Included(first.as_slice()), Bound::Unbounded))
        .map(|(path, _)| path)
        .skip_while(|path| path.is_root())
        .take_while(|path| path.is_below(directory.as_bytes()))
        .cloned()
        .collect()
}

/// Directory and last component of a normalised path.
pub fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&b| b == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

fn is_normal(name: &[u8]) -> bool {
    name.split(|&b| b == b'/').all(|c| !matches!(c, b"" | b"." | b".."))
}

/// A map by path can be asked with bytes; order and hash are those of the bytes.
impl std::borrow::Borrow<[u8]> for LayerPath {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for LayerPath {
    fn from(name: &str) -> Self {
        Self::from_entry(name.as_bytes())
    }
}

impl fmt::Display for LayerPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::text::from_bytes(&self.0))
    }
}

impl fmt::Debug for LayerPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", crate::text::from_bytes(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises_inside_the_root() {
        for (name, path) in [
            ("./etc/passwd", "etc/passwd"),
            ("/etc//passwd/", "etc/passwd"),
            ("../../etc", "etc"),
            ("a/./b/../c", "a/c"),
            ("./", ""),
            ("..", ""),
            ("", ""),
        ] {
            assert_eq!(LayerPath::from(name).to_string(), path, "{name}");
        }
    }

    #[test]
    fn what_an_archive_holds_cannot_climb_out_of_it() {
        let inside = |name: &str| LayerPath::from("lib/a.war").inside(name).to_string();
        assert_eq!(inside("WEB-INF/lib/b.jar"), "lib/a.war!/WEB-INF/lib/b.jar");
        assert_eq!(inside("../../etc/passwd"), "lib/a.war!/etc/passwd");
    }

    #[test]
    fn below_means_below_a_directory() {
        let path = LayerPath::from("usr/lib/x");
        assert!(path.is_below(b"usr") && path.is_below(b"usr/lib") && path.is_below(b""));
        assert!(!path.is_below(b"us") && !path.is_below(b"usr/lib/x"));
        assert_eq!((path.parent(), path.file_name()), (&b"usr/lib"[..], &b"x"[..]));
    }
}
