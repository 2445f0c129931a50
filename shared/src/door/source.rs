//! The image source door: every place that images come from, and the one table of their schemes.

pub use self::blob::{BlobReader, Exact};
pub use self::error::SourceError;
use crate::image::{Image, Layer, Platform, is_layer_media_type};

mod blob;
mod error;
pub mod registry;
pub mod resolve;

/// A place where one image reference has been found.
///
/// Every method blocks and may be called from several threads at once, from a rayon thread too, but never from within
/// an async task (`spawn_blocking` is for that): a source that needs an async runtime holds a handle to one.
pub trait ImageSource: Send + Sync {
    /// What [`Image::source`] says: `oci`, `docker-archive`, `registry`, …
    fn name(&self) -> &'static str;

    /// The images behind the reference, pinned by digest, manifest and configuration verified; never empty. With
    /// [`PlatformChoice::All`] one for each platform, otherwise exactly one. [`resolve::images`] does the choosing.
    fn images(&self, choice: &PlatformChoice) -> Result<Vec<Image>, SourceError>;

    /// The raw content of a blob. Neither its length nor its digest need be verified: [`ImageSource::open_blob`] does
    /// the one and whoever reads it the other.
    fn blob(&self, layer: &Layer) -> Result<Box<dyn BlobReader>, SourceError>;

    /// Opens a layer's blob. The reader fails where the blob is shorter or longer than its descriptor says; any error
    /// of reading, and any here, makes that layer a failed layer. The digest is for the reader to verify.
    fn open_blob(&self, layer: &Layer) -> Result<Box<dyn BlobReader>, SourceError> {
        let Layer { blob, .. } = layer;
        if !is_layer_media_type(&blob.media_type) {
            let media_type = shown(&blob.media_type);
            return Err(SourceError::LayerMediaType { digest: blob.digest, media_type });
        }
        Ok(Box::new(Exact::new(self.blob(layer)?, blob.digest, blob.size)))
    }
}

/// Which of the images behind an index is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PlatformChoice {
    /// Linux on this machine's architecture; where there is only one image, that one whatever it is for.
    #[default]
    Host,
    /// This platform or an error.
    Exactly(Platform),
    /// Every platform.
    All,
}

impl PlatformChoice {
    /// The one platform wanted, or none for all.
    pub fn wanted(&self) -> Option<Platform> {
        match self {
            Self::Host => Some(Platform::host()),
            Self::Exactly(platform) => Some(platform.clone()),
            Self::All => None,
        }
    }
}

/// `text` from an image cut and made safe for a message.
fn shown(text: &str) -> String {
    crate::text::visible(&text.chars().take(200).collect::<String>()).into_owned()
}
