//! Sparse files: which parts of a file the archive holds, the rest being zeros.

use super::TarError;

/// Pieces of data in a file, in order, each an offset in the file and a length; what lies between is zeros.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct SparseMap {
    pieces: Vec<(u64, u64)>,
    real_size: u64,
}

/// Most pieces that a map may have: a bound on its memory. An honest map of a 20 GiB file needs far fewer.
const MAX_PIECES: usize = 1 << 20;

impl SparseMap {
    /// A map out of pieces.
    ///
    /// # Errors
    /// [`TarError::Sparse`] unless the pieces are in order, do not overlap, lie inside `real_size` and hold as many bytes
    /// as the archive does (`stored`).
    pub fn new(pieces: Vec<(u64, u64)>, real_size: u64, stored: u64) -> Result<Self, TarError> {
        let mut end = 0_u64;
        let mut total = 0_u64;
        for &(offset, length) in &pieces {
            if offset < end {
                return Err(TarError::Sparse);
            }
            end = offset.checked_add(length).ok_or(TarError::Sparse)?;
            total += length;
        }
        let fits =
            end <= real_size && total == stored && i64::try_from(real_size).is_ok() && pieces.len() <= MAX_PIECES;
        if fits { Ok(Self { pieces, real_size }) } else { Err(TarError::Sparse) }
    }

    /// A map out of numbers that are offset and length in turn.
    ///
    /// # Errors
    /// As [`SparseMap::new`]; also if the numbers are odd in count.
    pub fn from_numbers(numbers: &[u64], real_size: u64, stored: u64) -> Result<Self, TarError> {
        let (pairs, rest) = numbers.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(TarError::Sparse);
        }
        Self::new(pairs.iter().map(|&[offset, length]| (offset, length)).collect(), real_size, stored)
    }

    /// Adds the pieces of one GNU block: 12 bytes of offset and 12 of length each, until an empty one.
    ///
    /// # Errors
    /// [`TarError::Number`] or, past the bound on pieces, [`TarError::Sparse`].
    pub fn read_gnu(block: &[u8], pieces: &mut Vec<(u64, u64)>) -> Result<(), TarError> {
        for piece in block.chunks_exact(24) {
            if piece[0] == 0 {
                break;
            }
            if pieces.len() == MAX_PIECES {
                return Err(TarError::Sparse);
            }
            pieces.push((super::header::number(&piece[..12])?, super::header::number(&piece[12..])?));
        }
        Ok(())
    }

    /// The size of the whole file.
    pub fn real_size(&self) -> u64 {
        self.real_size
    }

    /// The piece with index `piece`: how many zeros precede it, and its length. Past the last one: the zeros at the end.
    pub fn step(&self, piece: usize) -> Option<(u64, u64)> {
        let before =
            piece.checked_sub(1).and_then(|i| self.pieces.get(i)).map_or(0, |&(offset, length)| offset + length);
        match self.pieces.get(piece) {
            Some(&(offset, length)) => Some((offset - before, length)),
            None if piece == self.pieces.len() => Some((self.real_size - before, 0)),
            None => None,
        }
    }
}
