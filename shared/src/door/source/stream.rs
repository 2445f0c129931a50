//! An archive that can be read only once: standard input, a compressed file, an engine. Nothing of it is kept on disk.
//!
//! Where the manifest comes last, nobody knows which entries are layers until all have gone by. So every entry that is
//! no small document is handed to the analysis as it streams, and what belongs to the chosen images is picked afterwards.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};

use super::archive::{Form, about};
use super::docker_archive::{self, Hashing, Layers, Measured, is_compressed};
use super::file::BUFFER;
use super::oci::{self, Documents, blob_name};
use super::tar::{Headers, Kind, Skip, normal};
use super::{PlatformChoice, SourceError, shown};
use crate::digest::Digest;
use crate::image::{Image, is_layer_media_type};
use crate::manifest::MAX_CONFIG;

/// How many bytes of documents are kept.
const MAX_KEPT: u64 = 64 << 20;
/// An entry below this is kept whatever it is: no tar is so small, and a compressed one is still analysed if it must be.
const SMALL: u64 = 512;
/// How many links may follow one another.
const MAX_LINKS: usize = 16;

/// An archive that can be read only once.
pub struct StreamedArchive {
    what: String,
    form: Option<Form>,
    wanted: Option<String>,
    reader: Box<dyn BufRead + Send>,
}

/// What came out of an archive.
#[derive(Debug)]
pub struct Streamed<T> {
    /// The images chosen.
    pub images: Vec<Image>,
    /// For each blob of these images what the analysis made of it, or why there was nothing to analyse. It was called
    /// by the digest that the archive claims: the analysis must verify it.
    pub layers: HashMap<Digest, Result<T, SourceError>>,
}

impl StreamedArchive {
    /// `reader`, called `what` in messages, as `form`, or as what it turns out to be. It may be compressed with gzip or
    /// zstd.
    pub fn new(
        what: String,
        reader: impl Read + Send + 'static,
        form: Option<Form>,
        wanted: Option<String>,
    ) -> Result<Self, SourceError> {
        let failed = |error| SourceError::io(what.clone(), error);
        let mut reader = BufReader::with_capacity(BUFFER, reader);
        let start = reader.fill_buf().map_err(failed)?;
        let reader: Box<dyn BufRead + Send> = if !is_compressed(start) {
            Box::new(reader)
        } else if start.starts_with(&[0x1f]) {
            Box::new(BufReader::with_capacity(BUFFER, flate2::bufread::MultiGzDecoder::new(reader)))
        } else {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(reader).map_err(failed)?;
            decoder.window_log_max(27).map_err(failed)?;
            Box::new(BufReader::with_capacity(BUFFER, decoder))
        };
        Ok(Self { what, form, wanted, reader })
    }

    /// Reads the archive to its end. `analyse` gets each entry that may be a layer, by its name in the archive, raw and
    /// maybe compressed; what it leaves unread is left out. A reader that fails has failed for the whole archive, and
    /// then so does this.
    pub fn read<T>(
        self,
        choice: &PlatformChoice,
        analyse: &mut dyn FnMut(&str, &mut dyn BufRead) -> T,
    ) -> Result<Streamed<T>, SourceError> {
        let Self { what, form, wanted, reader } = self;
        let mut seen = Seen { what, kept: HashMap::new(), analysed: HashMap::new(), links: HashMap::new() };
        let mut headers = Headers::new(Streaming(reader));
        seen.read(&mut headers, analyse).map_err(|error| about(&seen.what, error))?;
        seen.finish(form, wanted.as_deref(), choice, analyse)
    }
}

/// What has gone by.
struct Seen<T> {
    what: String,
    kept: HashMap<String, Vec<u8>>,
    analysed: HashMap<String, Analysed<T>>,
    links: HashMap<String, String>,
}

struct Analysed<T> {
    made: T,
    size: u64,
    digest: Option<Digest>,
}

impl<T> Seen<T> {
    fn read(
        &mut self,
        headers: &mut Headers<Streaming>,
        analyse: &mut dyn FnMut(&str, &mut dyn BufRead) -> T,
    ) -> Result<(), SourceError> {
        let mut budget = MAX_KEPT;
        while let Some(entry) = headers.next()? {
            let (name, size) = (entry.name, entry.size);
            if name.is_empty() || entry.kind == Kind::Other {
                continue;
            }
            if self.kept.contains_key(&name) || self.analysed.contains_key(&name) || self.links.contains_key(&name) {
                return Err(docker_archive::twice(&name));
            }
            if let Kind::Link(target) = entry.kind {
                self.links.insert(name, target);
                continue;
            }
            let failed = |error| SourceError::io(shown(&name), error);
            let mut content = headers.content();
            let start = content.fill_buf().map_err(failed)?;
            let document = size <= SMALL || (size <= MAX_CONFIG && matches!(start.first(), Some(b'{' | b'[')));
            if document && size <= budget {
                budget -= size;
                let mut bytes = Vec::new();
                content.read_to_end(&mut bytes).map_err(failed)?;
                self.kept.insert(name, bytes);
                continue;
            }
            let analysed = analysed(&name, size, &mut content, analyse).map_err(failed)?;
            self.analysed.insert(name, analysed);
        }
        // Whatever follows the end mark must at least be readable: a compressed archive may be cut there.
        io::copy(headers.reader_mut(), &mut io::sink()).map_err(|error| SourceError::io(self.what.clone(), error))?;
        Ok(())
    }

    fn finish(
        mut self,
        form: Option<Form>,
        wanted: Option<&str>,
        choice: &PlatformChoice,
        analyse: &mut dyn FnMut(&str, &mut dyn BufRead) -> T,
    ) -> Result<Streamed<T>, SourceError> {
        let form = form.or_else(|| Form::recognised(|name| self.resolved(name).is_some())).ok_or_else(|| {
            let reason = "the archive has neither oci-layout and index.json nor manifest.json".into();
            SourceError::NotAnImage { what: self.what.clone(), reason }
        })?;
        let (images, entries) = match form {
            Form::Oci => (oci::images(form.name(), &self.what, &self, wanted, choice)?, None),
            Form::Docker | Form::Engine => {
                let saved = docker_archive::image(form.name(), &self.what, &self, wanted)?;
                (vec![docker_archive::chosen(saved.image, choice)?], Some(saved.entries))
            }
        };
        let mut layers = HashMap::new();
        for layer in images.iter().flat_map(|image| &image.layers) {
            let digest = layer.blob.digest;
            if layers.contains_key(&digest) {
                continue;
            }
            let made = if is_layer_media_type(&layer.blob.media_type) {
                let name =
                    entries.as_ref().map_or_else(|| Some(blob_name(&digest)), |names| names.get(&digest).cloned());
                self.take(name, digest, layer.blob.size, analyse)
            } else {
                Err(SourceError::LayerMediaType { digest, media_type: shown(&layer.blob.media_type) })
            };
            layers.insert(digest, made);
        }
        Ok(Streamed { images, layers })
    }

    /// What the analysis made of an entry, which is asked for once only.
    fn take(
        &mut self,
        name: Option<String>,
        digest: Digest,
        expected: u64,
        analyse: &mut dyn FnMut(&str, &mut dyn BufRead) -> T,
    ) -> Result<T, SourceError> {
        let missing = || SourceError::BlobMissing { digest };
        let name = name.and_then(|name| self.resolved(&name)).ok_or_else(missing)?;
        let sized = |found| match found == expected {
            true => Ok(()),
            false => Err(SourceError::SizeMismatch { digest, expected, found }),
        };
        if let Some(bytes) = self.kept.get(&name) {
            sized(bytes.len() as u64)?;
            return Ok(analyse(&name, &mut bytes.as_slice()));
        }
        let analysed = self.analysed.remove(&name).ok_or_else(missing)?;
        sized(analysed.size)?;
        Ok(analysed.made)
    }

    /// The entry behind a name, links followed.
    fn resolved(&self, name: &str) -> Option<String> {
        let mut name = normal(name.as_bytes(), "")?;
        for _ in 0..MAX_LINKS {
            match self.links.get(&name) {
                Some(target) => name = target.clone(),
                None => return (self.kept.contains_key(&name) || self.analysed.contains_key(&name)).then_some(name),
            }
        }
        None
    }
}

/// Analyses one entry, and hashes it where its digest will be needed and is not known otherwise.
fn analysed<T>(
    name: &str,
    size: u64,
    content: &mut dyn BufRead,
    analyse: &mut dyn FnMut(&str, &mut dyn BufRead) -> T,
) -> io::Result<Analysed<T>> {
    if name.starts_with("blobs/sha256/") || !is_compressed(content.fill_buf()?) {
        let digest = docker_archive::digest_of_entry(name, &mut io::empty())?;
        return Ok(Analysed { made: analyse(name, content), size, digest });
    }
    let mut hashing = Hashing::new(content);
    let made = analyse(name, &mut hashing);
    hashing.drain()?;
    Ok(Analysed { made, size, digest: Some(hashing.digest()) })
}

impl<T> Documents for Seen<T> {
    fn document(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let Some(name) = self.resolved(name) else { return Ok(None) };
        match (self.kept.get(&name), self.analysed.get(&name)) {
            (Some(bytes), _) if bytes.len() as u64 <= limit => Ok(Some(bytes.clone())),
            (Some(bytes), _) => Err(SourceError::TooLarge { what: name, size: bytes.len() as u64, limit }),
            (None, Some(analysed)) if analysed.size > limit => {
                Err(SourceError::TooLarge { what: name, size: analysed.size, limit })
            }
            _ => Err(SourceError::malformed(shown(&name), "it is no JSON, or the documents here are too many to keep")),
        }
    }
}

impl<T> Layers for Seen<T> {
    fn layer(&self, name: &str) -> Result<Option<Measured>, SourceError> {
        let Some(entry) = self.resolved(name) else { return Ok(None) };
        let (size, digest) = match (self.kept.get(&entry), self.analysed.get(&entry)) {
            (Some(bytes), _) => {
                let digest = docker_archive::digest_of_entry(&entry, &mut bytes.as_slice());
                (bytes.len() as u64, digest.map_err(|error| SourceError::io(self.what.clone(), error))?)
            }
            (None, Some(analysed)) => (analysed.size, analysed.digest),
            (None, None) => return Ok(None),
        };
        Ok(Some(Measured { entry, size, digest }))
    }
}

/// A stream, of which bytes are left out by reading them.
struct Streaming(Box<dyn BufRead + Send>);

impl Read for Streaming {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl BufRead for Streaming {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

impl Skip for Streaming {
    fn skip(&mut self, mut bytes: u64) -> io::Result<()> {
        while bytes > 0 {
            let filled = self.fill_buf()?.len();
            if filled == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let step = usize::try_from(bytes).unwrap_or(usize::MAX).min(filled);
            self.consume(step);
            bytes -= step as u64;
        }
        Ok(())
    }
}
