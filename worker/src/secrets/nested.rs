//! Files that hold files: what is in archives, in compressed files and in wide characters is searched as it streams by, level by
//! level, with a bound on the levels and on the bytes of all of them. What looks for malware gets the same bytes.

use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;

use flate2::write::{MultiGzDecoder, ZlibDecoder};
use lazaret::exposure::{Exposure, ExposureKind};
use lazaret::path::LayerPath;

use super::names::{self, Kept};
use super::rule::Rules;
use super::settings::is_settings;
use super::stream::Stream;
use crate::malware::{self, Shortfall, Subject, Whole};

mod tar;
mod wide;
mod zip;

/// Archives in archives that are opened.
const MAX_DEPTH: u8 = 4;
/// Bytes that one file may unpack to, on all levels together.
const MAX_UNPACKED: u64 = 1 << 30;
/// The bytes that tell what a file is: a header of tar.
const HEAD: usize = 512;

/// What is searched: a file of a layer or of an archive, with what it holds.
pub(crate) struct File {
    path: LayerPath,
    text: Stream,
    /// What a user looks for in it, which is in its bytes as they are.
    whole: Whole,
    mode: u32,
    /// Whether its own bytes are text or may hold some. Those of compressed files inside others are noise.
    is_text: bool,
    depth: u8,
    room: Rc<Room>,
    head: Vec<u8>,
    /// Bytes that are still to come, as far as the size was known.
    size: u64,
    inner: Inner,
    /// What has come, if it is called like a secret.
    named: Option<Box<Kept>>,
}

/// What is left of the bounds, for a file with everything in it.
struct Room {
    bytes: Cell<u64>,
    found: Cell<Vec<Exposure>>,
    cut: Cell<bool>,
    /// Whether something was left unopened for its depth or size.
    limited: Cell<bool>,
    /// What could not be looked at for malware.
    malware: Cell<Shortfall>,
}

enum Inner {
    /// Its first bytes have not come.
    Undecided,
    /// It holds nothing but itself, or what it holds could not be read any further.
    None,
    Gzip(Box<MultiGzDecoder<Sink>>),
    Zlib(Box<ZlibDecoder<Sink>>),
    Tar(Box<tar::Reader>),
    Zip(Box<zip::Reader>),
    Wide(Box<wide::Reader>),
}

impl File {
    /// Begins the file of a layer at `path`, of `size` bytes and with this mode.
    pub(crate) fn begin(
        rules: &'static Rules,
        engine: &'static malware::Engine,
        path: &LayerPath,
        size: u64,
        mode: u32,
    ) -> Self {
        let room = Room {
            bytes: Cell::new(MAX_UNPACKED),
            found: Cell::default(),
            cut: Cell::new(false),
            limited: Cell::new(false),
            malware: Cell::default(),
        };
        let mut file = Self::new(Stream::new(rules), engine, path.clone(), size, 0, Rc::new(room));
        (file.mode, file.text.mode, file.text.has_sight) = (mode, mode, engine.has_built_in());
        file
    }

    fn new(
        mut text: Stream,
        engine: &'static malware::Engine,
        path: LayerPath,
        size: u64,
        depth: u8,
        room: Rc<Room>,
    ) -> Self {
        text.begin(&path, size, is_settings(path.as_bytes()));
        let whole = Whole::begin(engine, size);
        let named = names::begin(path.as_bytes());
        Self {
            path,
            text,
            whole,
            mode: 0,
            is_text: true,
            depth,
            room,
            head: Vec::new(),
            size,
            inner: Inner::Undecided,
            named,
        }
    }

    /// A file called `name` in this one.
    fn child(&self, name: &[u8], size: u64) -> Self {
        let path = self.path.inside(&lazaret::text::from_bytes(name));
        Self::new(self.text.another(), self.whole.engine(), path, size, self.depth + 1, Rc::clone(&self.room))
    }

    /// Takes the next bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.whole.feed(Subject { path: &self.path, mode: self.mode }, bytes);
        if let Some(named) = &mut self.named {
            named.feed(bytes);
        }
        let mut fed = Inner::None;
        std::mem::swap(&mut fed, &mut self.inner);
        self.inner = match fed {
            Inner::Undecided if self.head.is_empty() && bytes.len() >= HEAD => self.decided(bytes),
            Inner::Undecided => {
                let wanted = HEAD.min(usize::try_from(self.size).unwrap_or(HEAD));
                self.head.extend_from_slice(bytes);
                match self.head.len() < wanted {
                    true => Inner::Undecided,
                    false => {
                        self.decide();
                        return;
                    }
                }
            }
            inner => self.forward(inner, bytes),
        };
        if self.is_text && !matches!(self.inner, Inner::Undecided) {
            self.text.feed(bytes);
        }
    }

    /// Begins with the first bytes, which came in pieces.
    fn decide(&mut self) {
        let head = std::mem::take(&mut self.head);
        self.inner = self.decided(&head);
        if self.is_text {
            self.text.feed(&head);
        }
    }

    /// Tells by the first bytes what the file holds, and hands them on.
    fn decided(&mut self, head: &[u8]) -> Inner {
        let Some(kind) = kind(head, &self.path) else { return Inner::None };
        if self.depth == MAX_DEPTH {
            self.room.limited.set(true);
            return Inner::None;
        }
        let inner = match kind {
            Kind::Gzip => Inner::Gzip(Box::new(MultiGzDecoder::new(Sink::new(self.unnamed())))),
            Kind::Zlib => Inner::Zlib(Box::new(ZlibDecoder::new(Sink::new(self.unnamed())))),
            Kind::Tar => Inner::Tar(Box::default()),
            Kind::Zip => Inner::Zip(Box::default()),
            Kind::Wide(order) => Inner::Wide(Box::new(wide::Reader::new(order, self.again()))),
        };
        // At the first level a file that only begins like one is searched as it is.
        self.is_text = self.depth == 0 && !matches!(kind, Kind::Wide(_));
        self.forward(inner, head)
    }

    /// The one file in a compressed file, which has no name of its own.
    fn unnamed(&self) -> Self {
        let (text, path, room) = (self.text.another(), self.path.clone(), Rc::clone(&self.room));
        let mut file = Self::new(text, self.whole.engine(), path, u64::MAX, self.depth + 1, room);
        let name = self.path.as_bytes();
        let name = name.strip_suffix(b".gz").unwrap_or(name);
        file.text.begin(&self.path, u64::MAX, is_settings(name));
        file.named = names::begin(name);
        file
    }

    /// The same file in narrow characters.
    fn again(&self) -> Self {
        let (text, path, room) = (self.text.another(), self.path.clone(), Rc::clone(&self.room));
        Self { named: None, ..Self::new(text, self.whole.engine(), path, u64::MAX, MAX_DEPTH, room) }
    }

    fn forward(&mut self, inner: Inner, bytes: &[u8]) -> Inner {
        let taken = match inner {
            Inner::Undecided | Inner::None => return inner,
            Inner::Gzip(mut decoder) => decoder.write_all(bytes).map(|()| Inner::Gzip(decoder)),
            Inner::Zlib(mut decoder) => decoder.write_all(bytes).map(|()| Inner::Zlib(decoder)),
            Inner::Tar(mut reader) => reader.feed(self, bytes).map(|()| Inner::Tar(reader)),
            Inner::Zip(mut reader) => reader.feed(self, bytes).map(|()| Inner::Zip(reader)),
            Inner::Wide(mut reader) => {
                reader.feed(bytes);
                Ok(Inner::Wide(reader))
            }
        };
        // What cannot be unpacked is no archive, or a broken one, of which nobody can read more than was read.
        taken.unwrap_or(Inner::None)
    }

    /// Takes bytes that were unpacked; an error once there were too many.
    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.room.bytes.get().checked_sub(bytes.len() as u64) {
            Some(left) => self.room.bytes.set(left),
            None => {
                self.room.limited.set(true);
                return Err(io::ErrorKind::FileTooLarge.into());
            }
        }
        self.feed(bytes);
        Ok(())
    }

    /// Ends the file and all that it holds.
    fn close(mut self) {
        if matches!(self.inner, Inner::Undecided) {
            self.decide();
        }
        match self.inner {
            Inner::Undecided | Inner::None => {}
            Inner::Gzip(mut decoder) => {
                let _ = decoder.try_finish();
                decoder.get_mut().close();
            }
            Inner::Zlib(mut decoder) => {
                let _ = decoder.try_finish();
                decoder.get_mut().close();
            }
            Inner::Tar(reader) => reader.close(),
            Inner::Zip(reader) => reader.close(),
            Inner::Wide(reader) => reader.close(),
        }
        let (mut found, cut) = self.text.finish();
        let (listed, shortfall) = self.whole.finish(Subject { path: &self.path, mode: self.mode });
        found.extend(listed);
        let shortfall = Shortfall { crowded: self.text.is_crowded, ..shortfall };
        self.room.malware.set(self.room.malware.get().and(shortfall));
        let mut all = self.room.found.take();
        // What an archive does not compress its own bytes have too.
        let same = |inside: &Exposure, own: &Exposure| match own.kind {
            ExposureKind::Malware => inside.rule == own.rule,
            _ => inside.identity == own.identity,
        };
        found.retain(|own| !all.iter().any(|inside| same(inside, own) && is_in(&inside.path, &own.path)));
        if let Some(named) = self.named {
            let told = named.finish(&self.path, &found);
            found.extend(told);
        }
        all.extend(found);
        self.room.found.set(all);
        self.room.cut.set(self.room.cut.get() | cut);
    }

    /// Ends the file of the layer: what was found in it, whether that is not all, and whether something was left unopened.
    pub(crate) fn finish(self) -> Outcome {
        let room = Rc::clone(&self.room);
        self.close();
        Outcome {
            found: room.found.take(),
            cut: room.cut.get(),
            limited: room.limited.get(),
            malware: room.malware.get(),
        }
    }
}

/// What became of a file.
pub(crate) struct Outcome {
    /// What was found in it.
    pub(crate) found: Vec<Exposure>,
    /// There was more than is told.
    pub(crate) cut: bool,
    /// An archive in it was left unopened, or not unpacked to its end, at a limit.
    pub(crate) limited: bool,
    /// What could not be looked at for malware.
    pub(crate) malware: Shortfall,
}

/// Whether a path leads into the archive at another.
fn is_in(path: &LayerPath, archive: &LayerPath) -> bool {
    path.as_bytes().strip_prefix(archive.as_bytes()).is_some_and(|rest| rest.starts_with(b"!/"))
}

/// Where a decoder writes.
struct Sink {
    file: Option<Box<File>>,
}

impl Sink {
    fn new(file: File) -> Self {
        Self { file: Some(Box::new(file)) }
    }

    fn close(&mut self) {
        if let Some(file) = self.file.take() {
            file.close();
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(file) = &mut self.file {
            file.take(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Gzip,
    Zlib,
    Tar,
    Zip,
    Wide(wide::Order),
}

fn kind(head: &[u8], path: &LayerPath) -> Option<Kind> {
    // RFC 1952; RFC 1950, where git keeps its objects; APPNOTE.TXT 4.3.7; POSIX.1 pax, "ustar Interchange Format".
    match head {
        [0x1f, 0x8b, 8, ..] => Some(Kind::Gzip),
        [0x78, 0x01 | 0x9c | 0xda, ..] if memchr::memmem::find(path.as_bytes(), b".git/objects/").is_some() => {
            Some(Kind::Zlib)
        }
        [b'P', b'K', 3, 4, ..] => Some(Kind::Zip),
        _ if head.get(257..262) == Some(b"ustar") => Some(Kind::Tar),
        _ => wide::order(head).map(Kind::Wide),
    }
}

#[cfg(test)]
mod tests;
