//! Executables are told by their bytes, not by their names: here they are caught while the tar streams by.

use std::io::BufRead;

use lazaret::inventory::{Facts, Gap, GapKind};
use lazaret::path::LayerPath;

use super::body::Body;
pub(super) use crate::executable::NAME;
use crate::executable::pe::{PeCapture, is_pe};
use crate::executable::{ElfCapture, is_elf};
use crate::signature::Signatures;
use crate::tar::{Chunk, TarError};

/// Zeros of one sparse executable that are gone through: holes may claim to be larger than any disk, and be many.
const MAX_ZEROS: u64 = 64 << 20;

/// Reads executables; its buffers serve one after the other.
#[derive(Default)]
pub(super) struct Reader {
    capture: ElfCapture,
    windows: PeCapture,
    signatures: Signatures,
}

/// Which kind of executable a file begins as.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Elf,
    /// One of Windows, as which an assembly of .NET begins.
    Pe,
}

/// What a file turned out to be.
#[derive(Default)]
pub(super) struct Seen {
    /// Whether it is an executable of either kind.
    pub(super) is_executable: bool,
    /// Whether it is one that runs or is linked to: a program or shared object.
    pub(super) is_program: bool,
    /// What it yielded, if anything.
    pub(super) facts: Option<Facts>,
}

impl Reader {
    /// Reads the entry if it starts like an executable; of any other only the first bytes.
    pub(super) fn read<R: BufRead>(&mut self, body: &mut Body<'_, R>, path: &LayerPath) -> Result<Seen, TarError> {
        let Some(kind) = self.begin(body, path)? else { return Ok(Seen::default()) };
        let is_elf = kind == Kind::Elf;
        let mut zeros_left = MAX_ZEROS;
        while let Some(chunk) = body.chunk()? {
            match chunk {
                Chunk::Data(data) => {
                    self.feed(kind, data);
                    let used = data.len();
                    body.consume(used);
                }
                Chunk::Zeros(zeros) => match zeros_left.checked_sub(zeros) {
                    Some(left) => {
                        zeros_left = left;
                        self.feed_zeros(kind, zeros);
                    }
                    None => {
                        let reason = "executable with holes of more than 64 MiB".into();
                        let gap = Gap { kind: GapKind::Limit, path: path.clone(), reason };
                        let facts = Some(Facts { gaps: vec![gap], ..Facts::default() });
                        return Ok(Seen { is_executable: true, is_program: is_elf, facts });
                    }
                },
            }
        }
        if kind == Kind::Pe {
            let facts = self.windows.finish(path);
            let facts = (facts != Facts::default()).then_some(facts);
            return Ok(Seen { is_executable: true, is_program: false, facts });
        }
        let mut facts = self.capture.finish(path);
        facts.packages.extend(self.signatures.finish());
        facts.packages.sort_unstable();
        facts.packages.dedup();
        let is_program = self.capture.is_program();
        Ok(Seen { is_executable: true, is_program, facts: (facts != Facts::default()).then_some(facts) })
    }

    /// Takes the first bytes, however the stream is cut, and hands them on if they are an executable's.
    fn begin<R: BufRead>(&mut self, body: &mut Body<'_, R>, path: &LayerPath) -> Result<Option<Kind>, TarError> {
        let mut first = [0; 4];
        let mut filled = 0;
        while filled < first.len() {
            let Some(Chunk::Data(data)) = body.chunk()? else { return Ok(None) };
            let used = data.len().min(first.len() - filled);
            first[filled..filled + used].copy_from_slice(&data[..used]);
            body.consume(used);
            filled += used;
        }
        let kind = if is_elf(&first) {
            self.capture.begin();
            self.signatures.begin(path);
            Kind::Elf
        } else if is_pe(&first) {
            self.windows.begin();
            Kind::Pe
        } else {
            return Ok(None);
        };
        self.feed(kind, &first);
        Ok(Some(kind))
    }

    fn feed(&mut self, kind: Kind, bytes: &[u8]) {
        match kind {
            Kind::Elf => {
                self.capture.feed(bytes);
                self.signatures.feed(bytes);
            }
            Kind::Pe => self.windows.feed(bytes),
        }
    }

    fn feed_zeros(&mut self, kind: Kind, mut zeros: u64) {
        const ZEROS: [u8; 4096] = [0; 4096];
        while zeros > 0 {
            let part = zeros.min(ZEROS.len() as u64);
            self.feed(kind, &ZEROS[..part as usize]);
            zeros -= part;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;
    use crate::malware;
    use crate::secrets::{File, Rules};
    use crate::tar::{Entries, Entry};

    /// A tar of one file with these bytes.
    fn archive(content: &[u8]) -> Vec<u8> {
        sparse_archive(content, &[])
    }

    /// The same in GNU tar's old sparse format, where there are `pieces`: offset in the file and size of each.
    fn sparse_archive(content: &[u8], pieces: &[(u64, u64)]) -> Vec<u8> {
        let mut header = [0u8; 512];
        let mut number =
            |at: usize, value: u64| header[at..at + 12].copy_from_slice(format!("{value:011o} ").as_bytes());
        number(124, content.len() as u64);
        for (index, &(offset, size)) in pieces.iter().enumerate() {
            number(386 + 24 * index, offset);
            number(398 + 24 * index, size);
            number(483, offset + size);
        }
        header[..1].copy_from_slice(b"x");
        header[100..108].copy_from_slice(b"0000755\0");
        header[148..156].fill(b' ');
        header[156] = if pieces.is_empty() { b'0' } else { b'S' };
        header[257..265].copy_from_slice(b"ustar  \0");
        let sum: u32 = header.iter().map(|&b| u32::from(b)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let padding = vec![0; content.len().next_multiple_of(512) - content.len() + 1024];
        [&header[..], content, &padding].concat()
    }

    fn read(tar: &[u8], buffer: usize) -> Seen {
        read_at("x", tar, buffer)
    }

    fn read_at(path: &str, tar: &[u8], buffer: usize) -> Seen {
        let mut entries = Entries::new(BufReader::with_capacity(buffer, tar));
        let mut entry = Entry::default();
        assert!(entries.next(&mut entry).unwrap());
        let path = LayerPath::from(path);
        let mut file = File::begin(Rules::built_in(), malware::Engine::built_in(), &path, entry.size, entry.mode);
        let seen = Reader::default().read(&mut Body::new(&mut entries, &entry, &mut file), &path).unwrap();
        assert!(!entries.next(&mut entry).unwrap());
        seen
    }

    #[test]
    fn holes_are_gone_through_up_to_their_limit_in_sum() {
        const MIB: u64 = 1 << 20;
        let content = [&b"\x7fELF"[..], &[0; 1532]].concat();
        for (second, third, gap) in [(MIB, 2 * MIB, false), (40 * MIB, 80 * MIB, true), (MIB, 7 << 30, true)] {
            let seen = read(&sparse_archive(&content, &[(0, 512), (second, 512), (third, 512)]), 8192);
            let gaps: Vec<_> = seen.facts.into_iter().flat_map(|facts| facts.gaps).map(|gap| gap.kind).collect();
            assert_eq!(gaps, if gap { vec![GapKind::Limit] } else { vec![] }, "{second} {third}");
            assert!(seen.is_executable);
        }
        assert!(!read(&sparse_archive(b"\x7fELF", &[(512, 4)]), 8192).is_executable, "a hole first");
    }

    #[test]
    fn tells_executables_however_the_stream_is_cut() {
        for (content, expected) in [
            (&b"\x7fELF and no more"[..], true),
            (b"\x7fELF", true),
            (b"\x7fEL", false),
            (b"MZ and no more", true),
            (b"MZ", false),
            (b"#!/bin/sh\n", false),
            (b"", false),
        ] {
            let tar = archive(content);
            for buffer in [1, 3, 511, 8192] {
                let seen = read(&tar, buffer);
                assert_eq!((seen.is_executable, seen.facts), (expected, None), "{content:?} {buffer}");
            }
        }
    }

    #[test]
    fn known_names_are_searched_for_what_they_are() {
        let text = b"\0memcached 1.6.18\0";
        let program = [&b"\x7fELF"[..], &[0; 9000], text].concat();
        for (path, content, expected) in [
            ("usr/bin/memcached", &program[..], &["1.6.18"][..]),
            ("usr/bin/other", &program, &[]),
            ("usr/bin/memcached", &[b"#!/bin/sh\n", &text[..]].concat(), &[]),
        ] {
            for buffer in [1, 3, 8192] {
                let facts = read_at(path, &archive(content), buffer).facts.unwrap_or_default();
                let versions: Vec<_> = facts.packages.iter().map(|package| package.version.as_str()).collect();
                assert_eq!(versions, expected, "{path} {buffer}");
            }
        }
    }
}
