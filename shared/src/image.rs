//! Images: manifest, configuration, platform, and the layers they pin.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// One image for one platform, pinned by the digest of its manifest. From here on nothing is called by tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Where it was found, as a reader would say it: `oci`, `registry`, `docker-daemon`, …
    pub source: &'static str,
    /// The digest of the manifest; for an archive of `docker save`, which has none of its own, that of its configuration.
    pub digest: Digest,
    /// The platform it is for.
    pub platform: Platform,
    /// Its configuration.
    pub config: ImageConfig,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// Its layers, from the bottom up.
    pub layers: Vec<Layer>,
}

/// One layer as an image names it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Layer {
    /// How to fetch it, with its compressed size.
    pub blob: Descriptor,
    /// What it unpacks to, as the configuration claims.
    pub diff_id: Digest,
}

/// A reference to a blob. OCI image specification, descriptor.md.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The media type; empty where the source has none.
    #[serde(default)]
    pub media_type: String,
    /// The digest of the content.
    pub digest: Digest,
    /// The size of the content in bytes.
    pub size: u64,
}

/// Operating system and architecture, written `os/architecture[/variant]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`, `windows`, …
    #[serde(default)]
    pub os: String,
    /// `amd64`, `arm64`, … (the names of Go).
    #[serde(default)]
    pub architecture: String,
    /// `v7`, `v8`, …, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl Platform {
    /// Linux on the architecture that this program was built for.
    pub fn host() -> Self {
        let architecture = if cfg!(target_arch = "aarch64") {
            "arm64"
        } else if cfg!(target_arch = "riscv64") {
            "riscv64"
        } else if cfg!(target_arch = "s390x") {
            "s390x"
        } else if cfg!(target_arch = "powerpc64") {
            "ppc64le"
        } else {
            "amd64"
        };
        Self { os: "linux".into(), architecture: architecture.into(), variant: None }
    }

    /// Whether an image for `self` serves a wish for `wanted`; a wish without a variant takes any, and `v8` of arm64,
    /// being the only one, may be left out on either side.
    pub fn serves(&self, wanted: &Self) -> bool {
        let variant = |p: &Self| p.variant.clone().filter(|v| !(p.architecture == "arm64" && v == "v8"));
        self.os == wanted.os
            && self.architecture == wanted.architecture
            && (variant(wanted).is_none() || variant(self) == variant(wanted))
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
}

/// A text that is no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed platform `{0}`: expected os/architecture or os/architecture/variant, such as linux/arm64")]
pub struct PlatformError(String);

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let mut parts = text.split('/');
        let mut next = || parts.next().filter(|part| !part.is_empty() && part.len() <= 64).map(str::to_owned);
        match (next(), next(), next(), parts.next()) {
            (Some(os), Some(architecture), variant, None)
                if text.split('/').count() == 2 + usize::from(variant.is_some()) =>
            {
                Ok(Self { os, architecture, variant })
            }
            _ => Err(PlatformError(text.chars().take(100).collect())),
        }
    }
}

/// The parts of an image's configuration that a scan needs. OCI image specification, config.md.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Deserialize)]
pub struct ImageConfig {
    /// Architecture, as the builder wrote it.
    #[serde(default)]
    pub architecture: String,
    /// Operating system.
    #[serde(default)]
    pub os: String,
    /// Variant of the architecture.
    #[serde(default)]
    pub variant: Option<String>,
    /// What a container would run with.
    #[serde(default, deserialize_with = "null_is_default")]
    pub config: RunConfig,
    /// What the layers unpack to.
    pub rootfs: RootFs,
    /// The instructions that built it, from the first to the last.
    #[serde(default, deserialize_with = "null_is_default")]
    pub history: Vec<History>,
}

/// The run-time part of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RunConfig {
    /// The environment, each variable as `NAME=VALUE`.
    #[serde(default, deserialize_with = "null_is_default")]
    pub env: Vec<String>,
    /// What is run, if the user says nothing else.
    #[serde(default, deserialize_with = "null_is_default")]
    pub entrypoint: Vec<String>,
    /// Its arguments.
    #[serde(default, deserialize_with = "null_is_default")]
    pub cmd: Vec<String>,
    /// Labels.
    #[serde(default, deserialize_with = "null_is_default")]
    pub labels: BTreeMap<String, String>,
}

/// The list of what the layers unpack to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Deserialize)]
pub struct RootFs {
    /// The diff ID of each layer, from the bottom up.
    pub diff_ids: Vec<Digest>,
}

/// One step of the build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Deserialize)]
pub struct History {
    /// The instruction, in the words of the builder.
    #[serde(default, deserialize_with = "null_is_default")]
    pub created_by: String,
    /// Whether the step made no layer.
    #[serde(default, deserialize_with = "null_is_default")]
    pub empty_layer: bool,
}

pub(crate) fn null_is_default<'de, D: serde::Deserializer<'de>, T: Default + Deserialize<'de>>(
    d: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(d)?.unwrap_or_default())
}

impl ImageConfig {
    /// The instruction that made each layer, from the bottom up; `None` where the history does not account for it. A
    /// history whose layer-making steps are not as many as the layers says nothing reliable about any of them.
    pub fn instructions(&self) -> Vec<Option<&str>> {
        let steps: Vec<_> = self.history.iter().filter(|step| !step.empty_layer).collect();
        let layers = self.rootfs.diff_ids.len();
        if steps.len() != layers {
            return vec![None; layers];
        }
        steps.iter().map(|step| Some(step.created_by.as_str()).filter(|text| !text.is_empty())).collect()
    }
}

/// Tells the layers of a manifest from attachments: whether a media type is a file system layer that we may read. An
/// encrypted one is none: without its key it is noise.
pub fn is_layer_media_type(media_type: &str) -> bool {
    if media_type.contains("+encrypted") {
        return false;
    }
    let base = media_type.split(['+', ';']).next().unwrap_or_default();
    matches!(
        base,
        "" | "application/vnd.oci.image.layer.v1.tar"
            | "application/vnd.oci.image.layer.nondistributable.v1.tar"
            | "application/vnd.docker.image.rootfs.diff.tar"
            | "application/vnd.docker.image.rootfs.diff.tar.gzip"
            | "application/vnd.docker.image.rootfs.diff.tar.zstd"
            | "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
            | "application/vnd.docker.image.rootfs.foreign.diff.tar"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_read_and_match() {
        let platform = |text: &str| text.parse::<Platform>().unwrap();
        assert_eq!(platform("linux/arm/v7").to_string(), "linux/arm/v7");
        assert!(platform("linux/arm64/v8").serves(&platform("linux/arm64")));
        assert!(platform("linux/arm64").serves(&platform("linux/arm64/v8")));
        assert!(!platform("linux/arm/v6").serves(&platform("linux/arm/v7")));
        for text in ["", "linux", "linux/", "/amd64", "a/b/c/d", "a/b/"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }

    #[test]
    fn instructions_skip_empty_steps() {
        let config: ImageConfig = serde_json::from_str(
            r#"{"rootfs":{"diff_ids":["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]},
                "config":null,"history":[{"created_by":"ADD x"},{"created_by":"CMD y","empty_layer":true}]}"#,
        )
        .unwrap();
        assert_eq!(config.instructions(), [Some("ADD x")]);
    }
}
