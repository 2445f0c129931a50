//! Manifests and indexes as they are written: OCI image specification (manifest.md, image-index.md) and Docker schema 2.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::digest::Digest;
use crate::image::{Descriptor, Platform, null_is_default};

/// The largest manifest or index that is read, in bytes; what the distribution specification asks registries to take.
pub const MAX_MANIFEST: u64 = 4 << 20;
/// The largest configuration that is read, in bytes.
pub const MAX_CONFIG: u64 = 8 << 20;

/// Media types of an index, OCI's first.
pub const INDEX_TYPES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
/// Media types of a manifest, OCI's first.
pub const MANIFEST_TYPES: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
/// Media types of an image's configuration, OCI's first.
pub const CONFIG_TYPES: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// What stands behind a digest that names no blob: one image, or a choice of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// One image.
    Manifest(Manifest),
    /// A choice of manifests, or of further indexes.
    Index(Index),
}

/// One image: its configuration and its layers, from the bottom up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The configuration.
    pub config: Descriptor,
    /// The layers, from the bottom up.
    pub layers: Vec<Descriptor>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
}

/// A choice of manifests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The choices, in the order in which they were written.
    pub manifests: Vec<IndexEntry>,
}

/// One choice of an index: a descriptor and what tells it from its neighbours.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IndexEntry {
    /// The media type; empty where none is written.
    #[serde(default)]
    pub media_type: String,
    /// The digest of the manifest or index.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// The platform that it is for.
    #[serde(default)]
    pub platform: Option<Platform>,
    /// Annotations, among them the tag in a layout.
    #[serde(default, deserialize_with = "null_is_default")]
    pub annotations: BTreeMap<String, String>,
}

impl IndexEntry {
    /// Where to fetch it.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor { media_type: self.media_type.clone(), digest: self.digest, size: self.size }
    }

    /// Whether this is what BuildKit puts beside an image to attest how it was built, and no image.
    pub fn is_attestation(&self) -> bool {
        self.annotations.contains_key("vnd.docker.reference.type")
            || self.platform.as_ref().is_some_and(|p| p.os == "unknown" && p.architecture == "unknown")
    }

    /// Whether the media type says that this is a further index.
    pub fn is_index(&self) -> bool {
        INDEX_TYPES.contains(&self.media_type.as_str())
    }
}

/// Why bytes are neither a manifest nor an index.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, or not of the shape that the specification gives.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// Both at once, which two readers may read as two different images (CVE-2021-41190).
    #[error("it has both `layers` and `manifests`")]
    Ambiguous,
    /// Neither.
    #[error("it has neither `layers` and `config` nor `manifests`")]
    Neither,
    /// Docker schema 1 or a version not known yet.
    #[error("it is of schema version {0}; only version 2 is read")]
    Version(u64),
    /// The media type says one thing and the content is another.
    #[error("it says that it is `{said}`, and is {is}")]
    MediaType {
        /// The media type.
        said: String,
        /// What it is.
        is: &'static str,
    },
    /// A Helm chart, a signature, a WebAssembly module, …
    #[error("it is no container image: its configuration is of type `{0}`")]
    Artifact(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    #[serde(default)]
    schema_version: Option<u64>,
    #[serde(default, deserialize_with = "null_is_default")]
    media_type: String,
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default, deserialize_with = "present")]
    layers: Option<Option<Vec<Descriptor>>>,
    #[serde(default, deserialize_with = "present")]
    manifests: Option<Option<Vec<IndexEntry>>>,
    #[serde(default, deserialize_with = "null_is_default")]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    fs_layers: Option<IgnoredAny>,
}

/// Tells a key that is `null` from one that is absent.
fn present<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(d).map(Some)
}

impl Document {
    /// Reads a manifest or an index. `media_type` is what the descriptor or the `Content-Type` said, empty where
    /// nothing was said; a type that is none of the known ones says nothing.
    pub fn read(bytes: &[u8], media_type: &str) -> Result<Self, ManifestError> {
        let written: Written = serde_json::from_slice(bytes)?;
        match written.schema_version {
            Some(2) | None if written.fs_layers.is_none() => {}
            version => return Err(ManifestError::Version(version.unwrap_or(1))),
        }
        let document = match (written.layers, written.manifests, written.config) {
            (Some(_), Some(_), _) | (None, Some(_), Some(_)) => return Err(ManifestError::Ambiguous),
            (None, Some(Some(manifests)), None) => Self::Index(Index { manifests }),
            (layers, None, Some(config)) => Self::Manifest(Manifest {
                config,
                layers: layers.flatten().unwrap_or_default(),
                annotations: written.annotations,
            }),
            _ => return Err(ManifestError::Neither),
        };
        for said in [media_type, &written.media_type] {
            document.agrees_with(said)?;
        }
        match &document {
            Self::Manifest(manifest) => manifest.is_image()?,
            Self::Index(_) => {}
        }
        Ok(document)
    }

    fn agrees_with(&self, said: &str) -> Result<(), ManifestError> {
        let (is, others) = match self {
            Self::Manifest(_) => ("a manifest", INDEX_TYPES),
            Self::Index(_) => ("an index", MANIFEST_TYPES),
        };
        if others.contains(&said) {
            return Err(ManifestError::MediaType { said: said.to_owned(), is });
        }
        Ok(())
    }
}

impl Manifest {
    fn is_image(&self) -> Result<(), ManifestError> {
        let kind = self.config.media_type.as_str();
        if kind.is_empty() || CONFIG_TYPES.contains(&kind) {
            return Ok(());
        }
        Err(ManifestError::Artifact(crate::text::visible(&kind.chars().take(200).collect::<String>()).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn read(text: &str) -> Result<Document, ManifestError> {
        Document::read(text.replace("DIGEST", DIGEST).as_bytes(), "")
    }

    #[test]
    fn tells_manifest_from_index() {
        let config = r#""config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"DIGEST","size":2}"#;
        let entry = r#"{"mediaType":"x","digest":"DIGEST","size":1}"#;
        assert!(matches!(read(&format!(r#"{{"schemaVersion":2,{config},"layers":[]}}"#)), Ok(Document::Manifest(_))));
        assert!(matches!(read(&format!(r#"{{{config},"layers":null}}"#)), Ok(Document::Manifest(_))));
        assert!(matches!(read(&format!(r#"{{"schemaVersion":2,"manifests":[{entry}]}}"#)), Ok(Document::Index(_))));
        for both in [r#""layers":[],"manifests":null"#, r#""manifests":[]"#] {
            assert!(matches!(read(&format!("{{{config},{both}}}")), Err(ManifestError::Ambiguous)), "{both}");
        }
        let lies = format!(r#"{{"mediaType":"{}",{config},"layers":[]}}"#, INDEX_TYPES[0]);
        assert!(matches!(read(&lies), Err(ManifestError::MediaType { .. })));
    }

    #[test]
    fn refuses_what_is_neither() {
        let deep = format!(r#"{{"manifests":{}{}}}"#, "[".repeat(200_000), "]".repeat(200_000));
        let ignored = format!(r#"{{"other":{}"#, "[".repeat(200_000));
        for text in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"schemaVersion":2,"manifests":null}"#,
            r#"{"schemaVersion":2,"manifests":[null]}"#,
            r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#,
            r#"{"schemaVersion":1,"fsLayers":[],"history":[]}"#,
            r#"{"schemaVersion":2,"manifests":[{"digest":"DIGEST","size":-1}]}"#,
            r#"{"schemaVersion":2,"manifests":[{"digest":"DIGEST","size":1.5}]}"#,
            r#"{"schemaVersion":2,"manifests":[{"digest":"DIGEST","size":18446744073709551616}]}"#,
            r#"{"schemaVersion":2,"manifests":[{"digest":"sha256:../../x","size":1}]}"#,
            deep.as_str(),
            ignored.as_str(),
        ] {
            assert!(read(text).is_err(), "{}", text.chars().take(80).collect::<String>());
        }
        let chart = r#"{"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"DIGEST","size":2}}"#;
        assert!(matches!(read(chart), Err(ManifestError::Artifact(_))));
    }
}
