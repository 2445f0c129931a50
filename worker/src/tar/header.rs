//! One 512-byte tar header: POSIX ustar, the GNU dialect and the old format before both.
//!
//! Where the dialects differ this follows Go's `archive/tar`, because containerd, Docker, podman and buildkit all read
//! layers with it: what they would put into the file system is what we must see.

use super::TarError;

/// The size of a header and the unit of padding.
pub const BLOCK: usize = 512;

/// A header whose checksum is right.
pub struct Header<'a>(&'a [u8; BLOCK]);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Old,
    Ustar,
    Gnu,
}

impl<'a> Header<'a> {
    /// Reads `block`, which must not be all zeros.
    ///
    /// # Errors
    /// [`TarError::Checksum`]: this is no tar header.
    pub fn new(block: &'a [u8; BLOCK]) -> Result<Self, TarError> {
        let stated = octal(&block[148..156]).ok_or(TarError::Checksum)?;
        let sum = |byte: fn(u8) -> i64| -> i64 {
            let all: i64 = block.iter().map(|&b| byte(b)).sum();
            let field: i64 = block[148..156].iter().map(|&b| byte(b)).sum();
            all - field + 8 * i64::from(b' ')
        };
        // Some old writers summed signed bytes; every reader takes both.
        let stated = i64::try_from(stated).map_err(|_| TarError::Checksum)?;
        if stated != sum(i64::from) && stated != sum(|b| i64::from(b.cast_signed())) {
            return Err(TarError::Checksum);
        }
        Ok(Self(block))
    }

    fn dialect(&self) -> Dialect {
        match &self.0[257..265] {
            b"ustar\x0000" => Dialect::Ustar,
            b"ustar  \0" => Dialect::Gnu,
            magic if magic.starts_with(b"ustar\0") => Dialect::Ustar,
            _ => Dialect::Old,
        }
    }

    /// The name, with the ustar prefix before it.
    pub fn name(&self, name: &mut Vec<u8>) {
        name.clear();
        if self.dialect() == Dialect::Ustar {
            let prefix = until_nul(&self.0[345..500]);
            if !prefix.is_empty() {
                name.extend_from_slice(prefix);
                name.push(b'/');
            }
        }
        name.extend_from_slice(until_nul(&self.0[..100]));
    }

    /// The target of a link.
    pub fn link_name(&self) -> &'a [u8] {
        until_nul(&self.0[157..257])
    }

    /// The type flag.
    pub fn kind(&self) -> u8 {
        self.0[156]
    }

    /// Permission bits.
    ///
    /// # Errors
    /// [`TarError::Number`]: the field is no number.
    pub fn mode(&self) -> Result<u32, TarError> {
        // Only the permission bits mean anything; some writers put the whole st_mode here.
        number(&self.0[100..108]).map(|mode| (mode & 0o7777) as u32)
    }

    /// Bytes of data that follow.
    ///
    /// # Errors
    /// [`TarError::Number`]: the field is no number, or a negative one.
    pub fn size(&self) -> Result<u64, TarError> {
        number(&self.0[124..136])
    }

    /// The four first pieces of an old GNU sparse file, whether more follow, and the size of the whole file.
    ///
    /// # Errors
    /// [`TarError::Number`], or [`TarError::Sparse`] outside the GNU dialect.
    pub fn gnu_sparse(&self) -> Result<(&'a [u8], bool, u64), TarError> {
        if self.dialect() != Dialect::Gnu {
            return Err(TarError::Sparse);
        }
        Ok((&self.0[386..482], self.0[482] != 0, number(&self.0[483..495])?))
    }
}

fn until_nul(field: &[u8]) -> &[u8] {
    &field[..memchr::memchr(0, field).unwrap_or(field.len())]
}

/// A numeric field: octal digits, or base 256 where the first bit is set (GNU and star).
pub(super) fn number(field: &[u8]) -> Result<u64, TarError> {
    match field.first() {
        Some(&first) if first & 0x80 != 0 => {
            if first & 0x40 != 0 {
                return Err(TarError::Number);
            }
            let (high, low) = field.split_at(field.len().saturating_sub(8));
            let high_clear = high.iter().enumerate().all(|(i, &b)| b & if i == 0 { 0x7f } else { 0xff } == 0);
            let mut value = 0_u64;
            for (i, &b) in low.iter().enumerate() {
                let b = if high.is_empty() && i == 0 { b & 0x7f } else { b };
                value = value << 8 | u64::from(b);
            }
            if high_clear && i64::try_from(value).is_ok() { Ok(value) } else { Err(TarError::Number) }
        }
        _ => octal(field).ok_or(TarError::Number),
    }
}

/// Octal digits between spaces and NULs; an empty field is zero.
fn octal(field: &[u8]) -> Option<u64> {
    let start = field.iter().position(|b| !matches!(b, b' ' | 0)).unwrap_or(field.len());
    let field = &field[start..];
    let end = field.iter().position(|b| matches!(b, b' ' | 0)).unwrap_or(field.len());
    if !field[end..].iter().all(|b| matches!(b, b' ' | 0)) && end == 0 {
        return None;
    }
    field[..end].iter().try_fold(0_u64, |value, &digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_every_dialect() {
        assert_eq!(number(b"0000644\0").ok(), Some(0o644));
        assert_eq!(number(b"   644 \0").ok(), Some(0o644));
        assert_eq!(number(b"\0\0\0\0\0\0\0\0").ok(), Some(0));
        assert_eq!(number(b"\x80\0\0\0\0\0\0\0\0\0\x01\0").ok(), Some(256));
        assert_eq!(number(b"\x80\0\0\0\x40\0\0\0\0\0\0\0").ok(), Some(1 << 62));
        for bad in [&b"12x45670"[..], b"\xff\xff\xff\xff\xff\xff\xff\xff", b"\x80\0\0\x01\0\0\0\0\0\0\0\0", b"99999999"]
        {
            assert!(number(bad).is_err(), "{bad:?}");
        }
    }
}
