//! Texts with made-up secrets in them, from the templates of the rules' examples: so that no file of this repository holds
//! anything that looks like a real one.
//!
//! `{CLASS:N}` stands for N characters of a class, `{uuid}`, `{jwt}` and `{crc}` (the checksum that GitHub's tokens end with) for
//! what they say, `{b64:TEMPLATE}` for base64; `{{` and `}}` are braces.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Characters that look random and are the same at every run.
pub struct Made {
    state: blake3::OutputReader,
}

impl Made {
    /// The characters of a seed.
    pub fn of(seed: &str) -> Self {
        Self { state: blake3::Hasher::new().update(seed.as_bytes()).finalize_xof() }
    }

    fn pick(&mut self, alphabet: &[u8]) -> char {
        let mut word = [0; 4];
        self.state.fill(&mut word);
        char::from(alphabet[u32::from_le_bytes(word) as usize % alphabet.len()])
    }

    fn some(&mut self, class: &str, count: usize) -> String {
        let digits = "0123456789";
        let alphabet = match class {
            "digit" => digits.to_owned(),
            "hex" => format!("{digits}abcdef"),
            "HEX" => format!("{digits}ABCDEF"),
            "lower" => LOWER.into(),
            "upper" => UPPER.into(),
            "alnum" => format!("{digits}{UPPER}{LOWER}"),
            "lowernum" => format!("{digits}{LOWER}"),
            "uppernum" => format!("{digits}{UPPER}"),
            "base64" => format!("{digits}{UPPER}{LOWER}+/"),
            "base64url" => format!("{digits}{UPPER}{LOWER}-_"),
            "base32" => format!("{UPPER}234567"),
            "base58" => format!("{digits}{UPPER}{LOWER}").replace(['0', 'O', 'I', 'l'], ""),
            "word" => format!("{digits}{UPPER}{LOWER}_"),
            class => panic!("no class of characters: {class}"),
        };
        (0..count).map(|_| self.pick(alphabet.as_bytes())).collect()
    }

    /// The text of a template.
    pub fn text(&mut self, template: &str) -> String {
        let mut text = String::new();
        let mut rest = template;
        while let Some(at) = rest.find(['{', '}']) {
            text.push_str(&rest[..at]);
            let here = &rest[at..];
            if here.starts_with("{{") || here.starts_with("}}") {
                text.push_str(&here[..1]);
                rest = &here[2..];
                continue;
            }
            let size = closing(here);
            let made = self.made(&here[1..size], &text);
            text.push_str(&made);
            rest = &here[size + 1..];
        }
        text + rest
    }

    fn made(&mut self, what: &str, before: &str) -> String {
        match what.split_once(':') {
            Some(("b64", template)) => STANDARD.encode(self.text(template)),
            Some((class, count)) => self.some(class, count.parse().expect("a count")),
            None if what == "uuid" => {
                let hex = self.some("hex", 30);
                format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..])
            }
            None if what == "crc" => {
                let body = before.rsplit('_').next().unwrap_or_default();
                let alphabet = format!("0123456789{UPPER}{LOWER}");
                let mut rest = crc32fast::hash(body.as_bytes());
                let mut digits = [0; 6];
                for digit in digits.iter_mut().rev() {
                    *digit = alphabet.as_bytes()[(rest % 62) as usize];
                    rest /= 62;
                }
                String::from_utf8_lossy(&digits).into_owned()
            }
            None if what.starts_with("key") => self.key(what),
            None if what == "jwt" => {
                let part = |json: String| URL_SAFE_NO_PAD.encode(json);
                let header = part(r#"{"alg":"HS256","typ":"JWT"}"#.into());
                let payload = part(format!(r#"{{"sub":"{}","iat":1700000000}}"#, self.some("digit", 12)));
                format!("{header}.{payload}.{}", self.some("base64url", 43))
            }
            None => panic!("nothing is called {what}"),
        }
    }

    /// A key that nobody uses: its structure is that of a real one, its numbers are not.
    fn key(&mut self, what: &str) -> String {
        let mut bytes = [0; 96];
        self.state.fill(&mut bytes);
        let lines = |der: &[u8]| {
            let text = STANDARD.encode(der);
            let lines = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned());
            lines.collect::<Vec<_>>().join("\n")
        };
        let pem = |kind: &str, body: String| format!("-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n");
        // PKCS #8 begins with its version, a number.
        let plain = pem("PRIVATE KEY", lines(&[&[0x30, 99, 2, 1, 0], &bytes[..]].concat()));
        match what {
            "key" => plain,
            "key-escaped" => plain.replace('\n', "\\n"),
            "key-base64" => STANDARD.encode(plain),
            "key-encrypted" => pem(
                "ENCRYPTED PRIVATE KEY",
                lines(&[&[0x30, 96, 0x30, 20, 6, 9, 42, 134, 72, 134, 247, 13, 1, 5, 13], &bytes[..83]].concat()),
            ),
            "key-pgp" => {
                pem("PGP PRIVATE KEY BLOCK", format!("\n{}\n=abcd", lines(&[&[0x95, 0, 96], &bytes[..]].concat())))
            }
            what => panic!("nothing is called {what}"),
        }
    }
}

/// Where the brace that opens `text` is closed.
fn closing(text: &str) -> usize {
    let mut depth = 0;
    let end = text.char_indices().find(|(_, c)| {
        depth += i32::from(*c == '{') - i32::from(*c == '}');
        depth == 0
    });
    end.expect("a brace that is closed").0
}
