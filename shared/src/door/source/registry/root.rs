//! What a reference stands for: the bytes of a manifest or index, and the descriptor that they answer to.

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap};

use super::error::RegistryError;
use crate::digest::Digest;
use crate::image::Descriptor;
use crate::manifest::{Document, INDEX_TYPES, MANIFEST_TYPES, ManifestError};

/// A manifest or index, read once to see that it is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Media type (empty where neither registry nor document told), digest and size.
    pub descriptor: Descriptor,
    /// The JSON as it came, of the digest in `descriptor`: at most 4 MiB.
    pub bytes: Bytes,
}

impl Root {
    /// Takes an answer apart. `expected` is the digest that it was asked for by; `what` is for messages.
    pub(super) fn new(
        url: &reqwest::Url,
        headers: &HeaderMap,
        bytes: Bytes,
        what: &str,
        expected: Option<Digest>,
    ) -> Result<Self, RegistryError> {
        let digest = Digest::of(&bytes);
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        // A registry that names another digest than that of its own content is no better than one that sends another.
        let told = text("docker-content-digest").and_then(|text| text.parse().ok());
        if let Some(expected) = [expected, told].into_iter().flatten().find(|expected| *expected != digest) {
            return Err(RegistryError::Digest { what: what.to_owned(), expected, actual: digest });
        }
        let said = text(CONTENT_TYPE.as_str()).unwrap_or_default();
        let said = said.split(';').next().unwrap_or_default().trim();
        if said.starts_with("application/vnd.docker.distribution.manifest.v1+") {
            return Err(RegistryError::Schema1 { url: url.into() });
        }
        let media_type = INDEX_TYPES.into_iter().chain(MANIFEST_TYPES).find(|known| *known == said).unwrap_or_default();
        match Document::read(&bytes, media_type) {
            Ok(_) => {}
            Err(ManifestError::Version(1)) => return Err(RegistryError::Schema1 { url: url.into() }),
            Err(error) => {
                let reason = error.to_string().chars().take(256).collect::<String>();
                let reason = crate::text::visible(&reason).into_owned();
                return Err(RegistryError::Malformed { url: url.into(), reason });
            }
        }
        let descriptor = Descriptor { media_type: media_type.to_owned(), digest, size: bytes.len() as u64 };
        Ok(Self { descriptor, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &str)], json: &str, expected: Option<Digest>) -> Result<String, RegistryError> {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let url = "https://r.example/v2/a/manifests/x".parse().unwrap();
        Root::new(&url, &headers, Bytes::copy_from_slice(json.as_bytes()), "tag x", expected)
            .map(|root| root.descriptor.media_type)
    }

    #[test]
    fn header_and_document_agree_or_one_is_silent() {
        let index = r#"{"schemaVersion":2,"manifests":[]}"#;
        assert_eq!(read(&[("content-type", INDEX_TYPES[1])], index, None).unwrap(), INDEX_TYPES[1]);
        let parameter = format!("{}; charset=utf-8", INDEX_TYPES[0]);
        assert_eq!(read(&[("content-type", &parameter)], index, None).unwrap(), INDEX_TYPES[0]);
        assert_eq!(read(&[("content-type", "text/plain")], index, None).unwrap(), "");
        let lie = read(&[("content-type", MANIFEST_TYPES[0])], index, None);
        assert!(matches!(lie, Err(RegistryError::Malformed { .. })), "{lie:?}");
        assert!(matches!(read(&[], "<html>", None), Err(RegistryError::Malformed { .. })));
    }

    #[test]
    fn schema_1_is_named() {
        let v1 = "application/vnd.docker.distribution.manifest.v1+prettyjws";
        for (media_type, json) in [(v1, "{}"), ("text/plain", r#"{"schemaVersion":1,"fsLayers":[]}"#)] {
            let error = read(&[("content-type", media_type)], json, None).unwrap_err();
            assert!(matches!(error, RegistryError::Schema1 { .. }) && error.hint().is_some(), "{error}");
        }
    }

    #[test]
    fn other_content_is_refused() {
        let (index, other) = (r#"{"manifests":[]}"#, Digest::of(b"other"));
        assert!(matches!(read(&[], index, Some(other)), Err(RegistryError::Digest { .. })));
        let told = other.to_string();
        assert!(matches!(read(&[("docker-content-digest", &told)], index, None), Err(RegistryError::Digest { .. })));
    }
}
