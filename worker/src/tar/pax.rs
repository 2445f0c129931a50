//! PAX extended headers: records that override fields of the header that follows.

use super::TarError;

/// The overrides that matter to a walk.
#[derive(Debug, Default)]
pub struct Overrides {
    /// The name of the entry.
    pub path: Option<Vec<u8>>,
    /// The target of the link.
    pub link_path: Option<Vec<u8>>,
    /// Bytes of data that follow.
    pub size: Option<u64>,
    /// What GNU tar says about a sparse file.
    pub sparse: GnuSparse,
    /// Its extended attributes, a line `NAME=VALUE` for each: star's `SCHILY.xattr.*`, which everybody writes, with values as
    /// they are, and libarchive's `LIBARCHIVE.xattr.*`, with values in base64.
    pub attributes: Vec<u8>,
}

/// The `GNU.sparse.*` records of formats 0.0, 0.1 and 1.0 (GNU tar manual, "Storing Sparse Files").
#[derive(Debug, Default)]
pub struct GnuSparse {
    /// Major version; 1 where the map precedes the data.
    pub major: Option<u64>,
    /// The name of the file, which the header disguises.
    pub name: Option<Vec<u8>>,
    /// The size of the whole file.
    pub real_size: Option<u64>,
    /// Offsets and lengths, in turn, as format 0.0 or 0.1 lists them.
    pub map: Vec<u64>,
    /// Whether a map was given at all.
    pub has_map: bool,
}

impl Overrides {
    /// Whether nothing is overridden.
    pub fn is_empty(&self) -> bool {
        self.path.is_none() && self.link_path.is_none() && self.size.is_none() && !self.sparse.is_present()
    }

    /// Reads the records of one extended header.
    ///
    /// # Errors
    /// [`TarError::Pax`]: POSIX (pax, "pax Extended Header") asks for `LENGTH KEY=VALUE\n`, the length counting itself.
    /// A reader that skips a bad record sees other names than one that stops, so this stops, as Go does.
    pub fn read(mut records: &[u8]) -> Result<Self, TarError> {
        let mut overrides = Self::default();
        while !records.is_empty() {
            let space = records.iter().take(20).position(|&b| b == b' ').ok_or(TarError::Pax)?;
            let length = decimal(&records[..space]).and_then(|n| usize::try_from(n).ok()).ok_or(TarError::Pax)?;
            if length <= space + 1 || length > records.len() || records[length - 1] != b'\n' {
                return Err(TarError::Pax);
            }
            let record = &records[space + 1..length - 1];
            let equals = memchr::memchr(b'=', record).ok_or(TarError::Pax)?;
            overrides.set(&record[..equals], &record[equals + 1..])?;
            records = &records[length..];
        }
        Ok(overrides)
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), TarError> {
        let text = || if value.contains(&0) { Err(TarError::Pax) } else { Ok(value.to_vec()) };
        let number = || decimal(value).ok_or(TarError::Pax);
        match key {
            b"path" => self.path = Some(text()?).filter(|path| !path.is_empty()),
            b"linkpath" => self.link_path = Some(text()?).filter(|path| !path.is_empty()),
            b"size" => self.size = Some(number()?),
            b"GNU.sparse.major" => self.sparse.major = Some(number()?),
            b"GNU.sparse.name" => self.sparse.name = Some(text()?),
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => self.sparse.real_size = Some(number()?),
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                self.sparse.has_map = true;
                self.sparse.map.push(number()?);
            }
            b"GNU.sparse.map" => {
                self.sparse.has_map = true;
                self.sparse.map = value
                    .split(|&b| b == b',')
                    .filter(|number| !number.is_empty())
                    .map(|number| decimal(number).ok_or(TarError::Pax))
                    .collect::<Result<_, _>>()?;
            }
            _ => {
                for prefix in [&b"SCHILY.xattr."[..], b"LIBARCHIVE.xattr."] {
                    if let Some(name) = key.strip_prefix(prefix) {
                        self.attributes.extend_from_slice(&[name, b"=", value, b"\n"].concat());
                    }
                }
            }
        }
        Ok(())
    }
}

impl GnuSparse {
    /// Whether the records make the file a sparse one.
    pub fn is_present(&self) -> bool {
        self.has_map || self.major == Some(1)
    }
}

/// Decimal digits, and nothing else.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, &digit| match digit {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_records() {
        let overrides = Overrides::read(b"12 path=abc\n11 size=42\n20 linkpath=a=b=c=\xff\n").unwrap();
        assert_eq!(overrides.path.as_deref(), Some(&b"abc"[..]));
        assert_eq!(overrides.size, Some(42));
        assert_eq!(overrides.link_path.as_deref(), Some(&b"a=b=c=\xff"[..]));
    }

    #[test]
    fn keeps_extended_attributes() {
        let records = b"31 SCHILY.xattr.user.a=\x01 b=c\nd\n32 LIBARCHIVE.xattr.user.e=QUJD\n12 path=abc\n";
        let overrides = Overrides::read(&records[..]).unwrap();
        assert_eq!(overrides.attributes, b"user.a=\x01 b=c\nd\nuser.e=QUJD\n");
    }

    #[test]
    fn refuses_bad_records() {
        for bad in [
            &b"13 path=abc\n"[..],
            b"11 path=abc\n",
            b"x path=abc\n",
            b"12 path abc\n",
            b"0 \n",
            b"99999999999999999999999 a=b\n",
            b"12 path=a\0c\n",
            b"12",
        ] {
            assert!(Overrides::read(bad).is_err(), "{bad:?}");
        }
    }
}
