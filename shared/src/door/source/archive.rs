//! `oci-archive:` and `docker-archive:` in an uncompressed file: indexed once, then read at many places at the same time.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, OnceLock};

use super::docker_archive::{self, Layers, Measured, Saved};
use super::file::{BUFFER, read_capped};
use super::oci::{self, Documents, blob_name};
use super::tar::{Headers, Kind, Skip, normal};
use super::{BlobReader, ImageSource, PlatformChoice, SourceError};
use crate::digest::Digest;
use crate::image::{Descriptor, Image};

/// How many links may follow one another.
const MAX_LINKS: usize = 16;

/// What an archive is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// An OCI layout.
    Oci,
    /// What `docker save` writes, by its `manifest.json`.
    Docker,
    /// The same, as the local engine hands it out.
    Engine,
}

impl Form {
    /// What [`Image::source`] says.
    pub fn name(self) -> &'static str {
        match self {
            Self::Oci => "oci-archive",
            Self::Docker => "docker-archive",
            Self::Engine => "docker-daemon",
        }
    }

    /// What an archive is by the names in it; `docker save` of today writes both forms, and only the OCI layout in it
    /// knows the digest of a manifest.
    pub(super) fn recognised(has: impl Fn(&str) -> bool) -> Option<Self> {
        if has("index.json") && has("oci-layout") {
            Some(Self::Oci)
        } else if has("manifest.json") {
            Some(Self::Docker)
        } else {
            None
        }
    }
}

/// An image archive in a file that can be read at any place.
pub struct Archive {
    what: String,
    form: Form,
    wanted: Option<String>,
    file: Arc<File>,
    entries: HashMap<String, Item>,
    /// Where the layers of the image of a `docker save` archive are.
    saved: OnceLock<HashMap<Digest, String>>,
}

/// Where an entry is.
enum Item {
    Content { at: u64, size: u64 },
    Link(String),
}

impl Archive {
    /// Indexes `file`, called `what` in messages, as `form`, or as what it is recognised to be.
    pub fn open(what: String, file: File, form: Option<Form>, wanted: Option<String>) -> Result<Self, SourceError> {
        let about = |error| about(&what, error);
        let entries = index(&file).map_err(about)?;
        let form = form.or_else(|| Form::recognised(|name| entries.contains_key(name))).ok_or_else(|| {
            let reason = "the archive has neither oci-layout and index.json nor manifest.json".into();
            SourceError::NotAnImage { what: what.clone(), reason }
        })?;
        Ok(Self { what, form, wanted, file: Arc::new(file), entries, saved: OnceLock::new() })
    }

    fn window(&self, name: &str) -> Option<(String, Window, u64)> {
        let mut name = normal(name.as_bytes(), "")?;
        for _ in 0..MAX_LINKS {
            match self.entries.get(&name)? {
                Item::Link(target) => name = target.clone(),
                &Item::Content { at, size } => {
                    return Some((name, Window { file: Arc::clone(&self.file), at, left: size }, size));
                }
            }
        }
        None
    }

    fn saved(&self) -> Result<Saved, SourceError> {
        docker_archive::image(self.form.name(), &self.what, self, self.wanted.as_deref())
    }
}

/// Puts the archive's name where the reader of headers could not know it.
pub(super) fn about(what: &str, error: SourceError) -> SourceError {
    match error {
        SourceError::Malformed { reason, .. } => SourceError::Malformed { what: format!("archive {what}"), reason },
        other => other,
    }
}

/// Reads every header once; the contents are sought over.
fn index(file: &File) -> Result<HashMap<String, Item>, SourceError> {
    let length = file.metadata().map_err(|error| SourceError::io("the archive", error))?.len();
    let window = Window {
        file: Arc::new(file.try_clone().map_err(|e| SourceError::io("the archive", e))?),
        at: 0,
        left: length,
    };
    let mut headers = Headers::new(Seeking { reader: BufReader::with_capacity(4096, window) });
    let mut entries = HashMap::new();
    while let Some(entry) = headers.next()? {
        let at = headers.reader().at();
        let item = match entry.kind {
            Kind::File if at.saturating_add(entry.size) > length => {
                return Err(SourceError::malformed("the archive", "it is cut off"));
            }
            Kind::File => Item::Content { at, size: entry.size },
            Kind::Link(target) => Item::Link(target),
            Kind::Other => continue,
        };
        if !entry.name.is_empty() && entries.insert(entry.name.clone(), item).is_some() {
            return Err(docker_archive::twice(&entry.name));
        }
    }
    Ok(entries)
}

/// A part of the file, read without moving anybody's position.
struct Window {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Read for Window {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let usable = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let read = self.file.read_at(into.get_mut(..usable).unwrap_or_default(), self.at)?;
        self.at += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

struct Seeking {
    reader: BufReader<Window>,
}

impl Seeking {
    fn at(&self) -> u64 {
        self.reader.get_ref().at - self.reader.buffer().len() as u64
    }
}

impl Read for Seeking {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.reader.read(into)
    }
}

impl Skip for Seeking {
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let buffered = self.reader.buffer().len();
        match usize::try_from(bytes) {
            Ok(bytes) if bytes <= buffered => io::BufRead::consume(&mut self.reader, bytes),
            _ => {
                io::BufRead::consume(&mut self.reader, buffered);
                let window = self.reader.get_mut();
                let rest = bytes - buffered as u64;
                window.left = window.left.checked_sub(rest).ok_or(io::ErrorKind::UnexpectedEof)?;
                window.at += rest;
            }
        }
        Ok(())
    }
}

impl Documents for Archive {
    fn document(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let Some((_, window, size)) = self.window(name) else { return Ok(None) };
        read_capped(window, size, limit, name).map(Some)
    }
}

impl Layers for Archive {
    fn layer(&self, name: &str) -> Result<Option<Measured>, SourceError> {
        let Some((entry, window, size)) = self.window(name) else { return Ok(None) };
        let mut reader = BufReader::with_capacity(BUFFER, window);
        let digest = docker_archive::digest_of_entry(&entry, &mut reader)
            .map_err(|error| SourceError::io(self.what.clone(), error))?;
        Ok(Some(Measured { entry, size, digest }))
    }
}

impl ImageSource for Archive {
    fn name(&self) -> &'static str {
        self.form.name()
    }

    fn images(&self, choice: &PlatformChoice) -> Result<Vec<Image>, SourceError> {
        match self.form {
            Form::Oci => oci::images(self.name(), &self.what, self, self.wanted.as_deref(), choice),
            Form::Docker | Form::Engine => {
                let saved = self.saved()?;
                let _ = self.saved.set(saved.entries);
                docker_archive::chosen(saved.image, choice).map(|image| vec![image])
            }
        }
    }

    fn blob(&self, blob: &Descriptor) -> Result<Box<dyn BlobReader>, SourceError> {
        let digest = blob.digest;
        let missing = || SourceError::BlobMissing { digest };
        let name = match self.form {
            Form::Oci => blob_name(&digest),
            Form::Docker | Form::Engine => {
                let entries = match self.saved.get() {
                    Some(entries) => entries,
                    None => {
                        let saved = self.saved()?.entries;
                        self.saved.get_or_init(|| saved)
                    }
                };
                entries.get(&digest).cloned().ok_or_else(missing)?
            }
        };
        let (_, window, found) = self.window(&name).ok_or_else(missing)?;
        let expected = blob.size;
        if found != expected {
            return Err(SourceError::SizeMismatch { digest, expected, found });
        }
        Ok(Box::new(BufReader::with_capacity(BUFFER, window)))
    }
}
