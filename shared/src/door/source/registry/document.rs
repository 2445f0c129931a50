//! Manifests and indexes as a registry hands them out: bytes that are what their digest says, and one media type.

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::RegistryError;
use super::shown_url::ShownUrl;
use crate::digest::Digest;

/// The most bytes of a manifest or index. The distribution specification asks registries to take 4 MiB.
pub(super) const LIMIT: u64 = 4 << 20;

/// A manifest or an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// One of the four of [`MEDIA_TYPES`].
    pub media_type: &'static str,
    /// The digest of `bytes`.
    pub digest: Digest,
    /// The JSON as it came: at most 4 MiB.
    pub bytes: Bytes,
}

/// What we can read: OCI image specification, media-types.md; Docker image manifest version 2, schema 2.
pub const MEDIA_TYPES: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

impl Document {
    /// Takes an answer apart. What the header says and what the document says about itself must not differ, nor may a
    /// document be index and manifest at once: two programs could see two images in it (CVE-2021-41190).
    pub(super) fn new(
        url: &reqwest::Url,
        headers: &HeaderMap,
        bytes: Bytes,
        expected: Option<Digest>,
    ) -> Result<Self, RegistryError> {
        let url = ShownUrl::from(url);
        let digest = Digest::of(&bytes);
        if let Some(expected) = expected.filter(|expected| *expected != digest) {
            return Err(RegistryError::Digest { url, expected, actual: digest });
        }
        let header = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let header = header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if header.starts_with("application/vnd.docker.distribution.manifest.v1+") {
            return Err(RegistryError::Schema1 { url });
        }
        let malformed = |reason: String| RegistryError::Malformed { url: url.clone(), reason };
        let shape: Shape = serde_json::from_slice(&bytes)
            .map_err(|error| malformed(format!("no manifest: malformed JSON at line {}", error.line())))?;
        if shape.schema_version == Some(1) {
            return Err(RegistryError::Schema1 { url });
        }
        let [oci_index, oci_manifest, ..] = MEDIA_TYPES;
        let own = match (&shape.media_type, shape.manifests.is_some(), shape.layers.is_some()) {
            (_, true, true) => return Err(malformed("it is an index and a manifest at once".into())),
            (Some(own), ..) => known(own).ok_or_else(|| {
                let own = crate::text::visible(&own.chars().take(100).collect::<String>()).into_owned();
                malformed(format!("`{own}` is not a container image"))
            })?,
            (None, true, false) => known(&header).unwrap_or(oci_index),
            (None, false, true) => known(&header).unwrap_or(oci_manifest),
            (None, false, false) => return Err(malformed("it has neither layers nor manifests".into())),
        };
        if is_index(own) != shape.manifests.is_some() || known(&header).is_some_and(|header| header != own) {
            return Err(malformed(format!("it is no {own}, though it is said to be one")));
        }
        Ok(Self { media_type: own, digest, bytes })
    }

    /// Whether it lists images rather than being one.
    pub fn is_index(&self) -> bool {
        is_index(self.media_type)
    }
}

fn is_index(media_type: &str) -> bool {
    media_type.contains(".index.") || media_type.contains(".list.")
}

fn known(media_type: &str) -> Option<&'static str> {
    MEDIA_TYPES.into_iter().find(|known| *known == media_type)
}

/// As much of a manifest as says what it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    schema_version: Option<u64>,
    media_type: Option<String>,
    manifests: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str, json: &str) -> Result<&'static str, RegistryError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, header.parse().unwrap());
        let url = "https://r.example/v2/a/manifests/x".parse().unwrap();
        Document::new(&url, &headers, Bytes::copy_from_slice(json.as_bytes()), None).map(|document| document.media_type)
    }

    #[test]
    fn header_and_document_agree_or_one_is_silent() {
        let [oci_index, oci_manifest, docker_list, docker_manifest] = MEDIA_TYPES;
        assert_eq!(read(oci_manifest, r#"{"layers":[]}"#).unwrap(), oci_manifest);
        assert_eq!(read(docker_list, r#"{"manifests":[]}"#).unwrap(), docker_list);
        assert_eq!(read("text/plain", r#"{"manifests":[]}"#).unwrap(), oci_index);
        let own = format!(r#"{{"mediaType":"{docker_manifest}","layers":[]}}"#);
        assert_eq!(read("application/json; charset=utf-8", &own).unwrap(), docker_manifest);
        assert_eq!(read(&format!("{docker_manifest}; charset=utf-8"), &own).unwrap(), docker_manifest);
        for (header, json) in [
            (oci_manifest, own.as_str()),
            (oci_index, r#"{"layers":[]}"#),
            (oci_manifest, r#"{"layers":[],"manifests":[]}"#),
            (oci_manifest, r#"{"mediaType":"application/vnd.cncf.helm.chart","layers":[]}"#),
            (oci_manifest, "{}"),
            (oci_manifest, "<html>"),
            (oci_manifest, r#"{"layers":[],"mediaType":"a","mediaType":"b"}"#),
        ] {
            assert!(matches!(read(header, json), Err(RegistryError::Malformed { .. })), "{header} {json}");
        }
    }

    #[test]
    fn schema_1_is_named() {
        let v1 = "application/vnd.docker.distribution.manifest.v1+prettyjws";
        assert!(matches!(read(v1, "{}"), Err(RegistryError::Schema1 { .. })));
        assert!(matches!(
            read("text/plain", r#"{"schemaVersion":1,"fsLayers":[]}"#),
            Err(RegistryError::Schema1 { .. })
        ));
    }
}
