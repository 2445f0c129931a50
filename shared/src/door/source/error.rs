//! Why an image could not be opened, resolved or read.

use std::io;
use std::path::PathBuf;

use crate::digest::Digest;
use crate::image::Platform;

/// Why an image, or one of its blobs, could not be had. Texts from outside are escaped before they get in here.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Nothing there.
    #[error("{}: no such file or directory", path.display())]
    NoSuchPath {
        /// What was asked for.
        path: PathBuf,
    },
    /// The operating system refused, or the medium failed.
    #[error("cannot read {what}: {error}")]
    Io {
        /// The file, socket or stream.
        what: String,
        /// The reason.
        #[source]
        error: io::Error,
    },
    /// Neither a layout nor an archive.
    #[error("{what} is no image: {reason}")]
    NotAnImage {
        /// The path, or `standard input`.
        what: String,
        /// What is missing.
        reason: String,
    },
    /// A FIFO, device, directory or symbolic link where a blob should be.
    #[error("{}: not a regular file inside the image layout", path.display())]
    NotARegularFile {
        /// The path of the blob.
        path: PathBuf,
    },
    /// No image of that tag, name or digest.
    #[error("no image `{wanted}` in {what}{}", listed("; it holds", there))]
    NoSuchImage {
        /// The path or archive.
        what: String,
        /// What was asked for.
        wanted: String,
        /// The tags that there are.
        there: Vec<String>,
    },
    /// Several images and no word which one.
    #[error("{what} holds several images{}", listed(":", there))]
    SeveralImages {
        /// The path or archive.
        what: String,
        /// The tags that there are.
        there: Vec<String>,
    },
    /// No image for the platform wanted.
    #[error("no image for platform {wanted}{}", listed("; there is", &there.iter().map(Platform::to_string).collect::<Vec<_>>()))]
    NoSuchPlatform {
        /// The platform wanted.
        wanted: Platform,
        /// The platforms that there are.
        there: Vec<Platform>,
    },
    /// A manifest, index, configuration or archive that breaks its specification.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// What, with its digest or name.
        what: String,
        /// In which way.
        reason: String,
    },
    /// More than may be read into memory.
    #[error("{what} is too large: {size} bytes, the limit is {limit}")]
    TooLarge {
        /// What, with its digest or name.
        what: String,
        /// Its size in bytes, or how much of it had come.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The content is not what its digest says.
    #[error("{what} does not match its digest: expected {expected}, found {found}")]
    DigestMismatch {
        /// What.
        what: String,
        /// The digest by which it was asked for.
        expected: Digest,
        /// The digest of what came.
        found: Digest,
    },
    /// The content is shorter or longer than its descriptor says.
    #[error("blob {digest} has {found} bytes, its descriptor says {expected}")]
    SizeMismatch {
        /// The blob.
        digest: Digest,
        /// The size in its descriptor.
        expected: u64,
        /// The size found; one more than expected where reading stopped there.
        found: u64,
    },
    /// The blob is not in the source.
    #[error("blob {digest} is missing")]
    BlobMissing {
        /// The blob.
        digest: Digest,
    },
    /// The layer is of a kind that is no file system, or that only a key opens.
    #[error("layer {digest} is of media type `{media_type}`, which is no readable file system layer")]
    LayerMediaType {
        /// The blob.
        digest: Digest,
        /// Its media type, escaped.
        media_type: String,
    },
    /// The local engine does not have the image; the next place may.
    #[error("{name} is not in the local engine")]
    NotInEngine {
        /// The image asked for.
        name: String,
    },
    /// No local engine answers; the next place may.
    #[error("no local container engine{}", listed("; tried", tried))]
    NoEngine {
        /// The sockets and addresses that were tried, each with the reason.
        tried: Vec<String>,
    },
    /// A registry or an engine refused or failed.
    #[error("{reference}: {reason}")]
    Remote {
        /// The image or blob asked for, without credentials.
        reference: String,
        /// What happened.
        reason: String,
        /// What a person may do about it.
        hint: Option<String>,
        /// Whether the same question may be answered later.
        transient: bool,
    },
    /// A transport that this program was not given the means to open.
    #[error("{0} cannot be read here")]
    Unsupported(String),
}

impl SourceError {
    /// Whether the same question may be answered later. This alone decides about another attempt.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Remote { transient, .. } => *transient,
            Self::Io { error, .. } => matches!(
                error.kind(),
                io::ErrorKind::Interrupted
                    | io::ErrorKind::TimedOut
                    | io::ErrorKind::WouldBlock
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
            ),
            _ => false,
        }
    }

    /// Whether the image is simply not here, so that the next place may be asked.
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::NotInEngine { .. } | Self::NoEngine { .. })
    }

    /// What a person may do about it.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Remote { hint, .. } => return hint.clone(),
            Self::NoSuchPath { .. } => "check the path; an image in a registry is written docker://NAME",
            Self::NotAnImage { .. } => {
                "an image on disk is an OCI layout (directory or tar) or what `docker save` or `podman save` writes"
            }
            Self::NoSuchImage { .. } | Self::SeveralImages { .. } => {
                "name one: oci:PATH:TAG, oci-archive:PATH:TAG or docker-archive:PATH:NAME"
            }
            Self::NoSuchPlatform { .. } => "choose one with --platform, or take all with --all-platforms",
            Self::DigestMismatch { .. } | Self::SizeMismatch { .. } | Self::BlobMissing { .. } => {
                "the copy is damaged or incomplete; fetch or save the image again"
            }
            Self::NoEngine { .. } => {
                "is docker or podman running? For podman: systemctl --user start podman.socket; else set DOCKER_HOST"
            }
            Self::NotInEngine { .. } => "docker://NAME asks the registry instead",
            _ => return None,
        };
        Some(text.to_owned())
    }

    /// The error as a reader of a blob hands it on; [`SourceError::of_read`] gets it back.
    pub fn into_io(self) -> io::Error {
        let kind = match &self {
            Self::Io { error, .. } => error.kind(),
            Self::SizeMismatch { .. } => io::ErrorKind::UnexpectedEof,
            Self::BlobMissing { .. } => io::ErrorKind::NotFound,
            _ => io::ErrorKind::InvalidData,
        };
        io::Error::new(kind, self)
    }

    /// The source's own error inside an error of reading, where there is one.
    pub fn of_read(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    pub(super) fn io(what: impl Into<String>, error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(error) => Self::Io { what: what.into(), error },
        }
    }

    pub(super) fn malformed(what: impl Into<String>, reason: impl ToString) -> Self {
        let reason: String = reason.to_string().chars().take(500).collect();
        Self::Malformed { what: what.into(), reason: crate::text::visible(&reason).into_owned() }
    }
}

/// The first of many, so that an archive of 10,000 images does not fill the terminal.
fn listed(introduction: &str, items: &[String]) -> String {
    const SHOWN: usize = 20;
    if items.is_empty() {
        return String::new();
    }
    let shown: Vec<String> = items.iter().take(SHOWN).map(|item| super::shown(item)).collect();
    let more = items.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{introduction} {}{rest}", shown.join(", "))
}
