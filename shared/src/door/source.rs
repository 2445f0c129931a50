//! The image source door: every place that images come from, and the one table of their schemes.

use std::fs::File;
use std::path::Path;

use tokio::runtime::Handle;

pub use self::archive::{Archive, Form};
pub use self::blob::{BlobReader, Exact};
pub use self::directory::DirectoryTar;
pub use self::docker_daemon::Endpoint;
pub use self::error::SourceError;
pub use self::oci_layout::OciLayout;
pub use self::recognise::reference;
pub use self::stream::{Streamed, StreamedArchive};
use crate::image::{Descriptor, Image, Platform, is_layer_media_type};
use crate::reference::{Reference, RegistryReference};

mod archive;
mod blob;
mod directory;
mod docker_archive;
mod docker_daemon;
mod error;
mod file;
#[cfg(test)]
mod fixture;
mod oci;
mod oci_layout;
mod recognise;
pub mod registry;
pub mod resolve;
mod stream;
mod tar;
#[cfg(test)]
mod tests;

/// An image reference, found.
pub enum Opened {
    /// Its layers can be opened in any order, and several at once.
    Random(Box<dyn ImageSource>),
    /// It goes by once.
    Stream(StreamedArchive),
    /// No image, but a directory to be looked at like one.
    Directory(DirectoryTar),
}

/// Opens a registry: that takes credentials and settings which only the caller has.
pub type OpenRegistry = dyn Fn(&RegistryReference) -> Result<Box<dyn ImageSource>, SourceError> + Send + Sync;

/// What opening a source may need from its surroundings.
pub struct SourceOptions {
    /// Runs what waits for the network; its own threads must not be the ones that call this door.
    pub runtime: Handle,
    /// Where the local engine may be; [`Endpoint::usual`] knows.
    pub engines: Vec<Endpoint>,
    /// How to open a registry; without it there are none.
    pub registry: Option<Box<OpenRegistry>>,
}

/// Finds what a reference means: the one table of schemes. A bare name is asked for in the local engine and then in
/// its registry; [`Image::source`] says where it was.
pub fn open(reference: &Reference, options: &SourceOptions) -> Result<Opened, SourceError> {
    let registry = |name: &RegistryReference| match &options.registry {
        Some(open) => open(name).map(Opened::Random),
        None => Err(SourceError::Unsupported(format!("docker://{name}"))),
    };
    let engine = |name| docker_daemon::open(name, &options.engines, &options.runtime).map(Opened::Stream);
    match reference {
        Reference::OciLayout(path, tag) => {
            OciLayout::open(path, tag.as_deref()).map(|layout| Opened::Random(Box::new(layout)))
        }
        Reference::OciArchive(path, tag) => archive_at(path, Some(Form::Oci), tag.clone()),
        Reference::DockerArchive(path, name) => archive_at(path, Some(Form::Docker), name.clone()),
        Reference::StandardInput => {
            StreamedArchive::new("standard input".into(), std::io::stdin(), None, None).map(Opened::Stream)
        }
        Reference::DockerDaemon(name) => engine(name),
        Reference::Registry(name) => registry(name),
        Reference::Path(path) if path.is_dir() && !path.join("oci-layout").exists() => {
            DirectoryTar::open(path).map(Opened::Directory)
        }
        Reference::Path(path) if path.is_dir() => {
            OciLayout::open(path, None).map(|layout| Opened::Random(Box::new(layout)))
        }
        Reference::Path(path) => archive_at(path, None, None),
        Reference::Name(name) => match engine(name) {
            Err(absent) if absent.is_absence() => registry(name),
            found => found,
        },
    }
}

/// An archive in a file: at random where that can be, as a stream where it is compressed or no file at all.
fn archive_at(path: &Path, form: Option<Form>, wanted: Option<String>) -> Result<Opened, SourceError> {
    let what = path.display().to_string();
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => SourceError::NoSuchPath { path: path.to_owned() },
        _ => SourceError::io(path.display().to_string(), error),
    };
    let file = File::open(path).map_err(failed)?;
    let kind = file.metadata().map_err(failed)?;
    if kind.is_dir() {
        let reason = "it is a directory; an OCI layout in a directory is written oci:PATH".into();
        return Err(SourceError::NotAnImage { what, reason });
    }
    if !kind.is_file() || recognise::is_compressed(&file).map_err(failed)? {
        return StreamedArchive::new(what, file, form, wanted).map(Opened::Stream);
    }
    Archive::open(what, file, form, wanted).map(|archive| Opened::Random(Box::new(archive)))
}

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
    fn blob(&self, blob: &Descriptor) -> Result<Box<dyn BlobReader>, SourceError>;

    /// Opens a layer's blob. The reader fails where the blob is shorter or longer than its descriptor says; any error
    /// of reading, and any here, makes that layer a failed layer. The digest is for the reader to verify.
    fn open_blob(&self, blob: &Descriptor) -> Result<Box<dyn BlobReader>, SourceError> {
        if !is_layer_media_type(&blob.media_type) {
            let media_type = shown(&blob.media_type);
            return Err(SourceError::LayerMediaType { digest: blob.digest, media_type });
        }
        Ok(Box::new(Exact::new(self.blob(blob)?, blob.digest, blob.size)))
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
