//! Private keys between their BEGIN and END lines: whether one is there at all, and whether it takes a passphrase.
//!
//! Formats: PEM (RFC 7468) around PKCS #1, SEC 1 and PKCS #8 (RFC 5958), the older encryption of RFC 1421, OpenSSH's
//! `PROTOCOL.key`, and the armour of OpenPGP (RFC 9580, section 6). The lines may be those of a JSON string, or of a program that
//! joins strings.

use base64::Engine as _;

use super::check::decode;

/// What keeps a key from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    None,
    Passphrase,
}

const OPENSSH: &[u8] = b"openssh-key-v1\0";
/// The object identifiers of PKCS #5 v2's PBES2, of its PBES1, and of PKCS #12's encryption, as they begin in DER.
const ENCRYPTIONS: [&[u8]; 2] = [&[42, 134, 72, 134, 247, 13, 1, 5], &[42, 134, 72, 134, 247, 13, 1, 12]];

/// What protects the key between the lines; nothing if there is none.
pub(super) fn read(body: &[u8]) -> Option<Protection> {
    let der = inside(body)?;
    if memchr::memmem::find(body, b"ENCRYPTED").is_some() {
        // RFC 1421: what is inside is noise.
        return (der.len() >= 32).then_some(Protection::Passphrase);
    }
    if let Some(openssh) = der.strip_prefix(OPENSSH) {
        return Some(match string(openssh)? {
            b"none" => Protection::None,
            _ => Protection::Passphrase,
        });
    }
    let content = sequence(&der)?;
    let is_encrypted = content.first() == Some(&0x30)
        && sequence(content).is_some_and(|algorithm| {
            algorithm.get(2..).is_some_and(|id| ENCRYPTIONS.iter().any(|encryption| id.starts_with(encryption)))
        });
    Some(if is_encrypted { Protection::Passphrase } else { Protection::None })
}

/// Whether base64 holds a PEM file with a key that anybody can use.
pub(super) fn in_base64(value: &[u8]) -> bool {
    // It may have been cut out of base64 that began one or two bytes before.
    let aligned = [0, 1, 2, 3].into_iter().filter_map(|skip| {
        let end = skip + (value.len().checked_sub(skip)? & !3);
        decode(value.get(skip..end)?)
    });
    aligned
        .filter_map(|text| {
            let start = memchr::memmem::find(&text, b"PRIVATE KEY-----")? + 16;
            let end = memchr::memmem::find(&text, b"-----END")?;
            read(text.get(start..end)?)
        })
        .any(|protection| protection == Protection::None)
}

/// Whether the armour holds a secret key: the first packet has tag 5.
pub(super) fn is_pgp(body: &[u8]) -> bool {
    inside(body).is_some_and(|packets| packets.len() > 32 && matches!(packets.first(), Some(0x94..=0x97 | 0xc5)))
}

/// The bytes that the lines are base64 of.
pub(super) fn inside(body: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(body.len());
    for line in unescaped(body).split(|&b| b == b'\n') {
        // Headers, and the checksum that ends the armour of OpenPGP.
        if line.contains(&b':') || line.first() == Some(&b'=') && line.len() == 5 {
            continue;
        }
        text.extend(line.iter().filter(|b| !b.is_ascii_whitespace()));
    }
    base64::engine::general_purpose::STANDARD.decode(&text).ok().filter(|bytes| !bytes.is_empty())
}

/// The lines as they were before a program or a JSON string held them: escapes are ends of lines, and so is all that joins two
/// strings.
fn unescaped(body: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(body.len());
    let mut bytes = body.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                while bytes.next_if_eq(&b'\\').is_some() {}
                bytes.next_if(|b| matches!(b, b'n' | b'r' | b't'));
                text.push(b'\n');
            }
            b'"' | b'\'' => {
                // To the quotation mark that opens the next string.
                while bytes.next_if(|b| b.is_ascii_whitespace() || matches!(b, b'+' | b',' | b'.')).is_some() {}
                bytes.next_if(|b| matches!(b, b'"' | b'\''));
                text.push(b'\n');
            }
            b'\r' => {}
            _ => text.push(byte),
        }
    }
    text
}

/// The content of a DER sequence that is all there.
fn sequence(der: &[u8]) -> Option<&[u8]> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, content) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (length, content) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |length, &byte| length << 8 | usize::from(byte)), content)
        }
        _ => return None,
    };
    (tag == 0x30 && length >= 16).then(|| content.get(..length)).flatten()
}

/// A string of SSH: four bytes of length, then so many.
fn string(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.get(..u32::from_be_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    use super::super::template::Made;
    use super::*;

    fn body(template: &str) -> String {
        let text = Made::of("key").text(template);
        let start = text.find("-----").expect("a line") + 5;
        let start = start + text[start..].find("-----").expect("its end") + 5;
        text[start..text.find("-----END").expect("the last")].to_owned()
    }

    #[test]
    fn keys_are_told_by_what_is_in_them() {
        assert_eq!(read(body("{key}").as_bytes()), Some(Protection::None));
        assert_eq!(read(body("{key-escaped}").as_bytes()), Some(Protection::None));
        assert_eq!(read(body("{key-encrypted}").as_bytes()), Some(Protection::Passphrase));
        assert!(is_pgp(body("{key-pgp}").as_bytes()) && !is_pgp(body("{key}").as_bytes()));
        assert_eq!(read(b"\nno base64 at all!\n"), None);
        assert_eq!(read(b"\n\n"), None);
    }

    #[test]
    fn however_the_lines_are_written_the_key_is_the_same() {
        let plain = body("{key}");
        let key = inside(plain.as_bytes()).expect("a key");
        let quoted = plain.trim().replace('\n', "\" +\n    \"");
        for written in [
            plain.replace('\n', "\\n"),
            plain.replace('\n', "\r\n"),
            plain.replace('\n', "\\\\n"),
            format!("\"{quoted}\""),
        ] {
            assert_eq!(inside(written.as_bytes()).as_ref(), Some(&key), "{written}");
        }
        let old = format!("\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n{plain}");
        assert_eq!((read(old.as_bytes()), inside(old.as_bytes())), (Some(Protection::Passphrase), Some(key)));
    }

    #[test]
    fn openssh_says_whether_it_is_encrypted() {
        for (cipher, expected) in [("none", Protection::None), ("aes256-ctr", Protection::Passphrase)] {
            let mut key = OPENSSH.to_vec();
            key.extend((cipher.len() as u32).to_be_bytes());
            key.extend(cipher.as_bytes());
            key.extend([7; 64]);
            let text = base64::engine::general_purpose::STANDARD.encode(key);
            assert_eq!(read(text.as_bytes()), Some(expected), "{cipher}");
        }
    }
}
