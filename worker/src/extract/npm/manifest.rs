//! The few fields of a `package.json` that matter, read without building the rest.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The fields that are read; of a repeated one the last, as in JavaScript. Everything else is skipped unread.
#[derive(Default)]
pub(super) struct Manifest<'a> {
    /// `name`, if the key is there.
    pub(super) name: Option<Text<'a>>,
    /// `version`, if the key is there.
    pub(super) version: Option<Text<'a>>,
    /// `license`, or else the deprecated `licenses`.
    pub(super) licence: Option<Cow<'a, str>>,
}

/// A value: its text, or `None` where it has another type. `null` reads as the empty text, false as that is in JavaScript.
pub(super) struct Text<'a>(pub(super) Option<Cow<'a, str>>);

impl<'de> Deserialize<'de> for Manifest<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ManifestVisitor)
    }
}

struct ManifestVisitor;

impl<'de> Visitor<'de> for ManifestVisitor {
    type Value = Manifest<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut manifest = Manifest::default();
        let mut licences = None;
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Name => manifest.name = Some(map.next_value_seed(STRING)?),
                Key::Version => manifest.version = Some(map.next_value_seed(STRING)?),
                Key::Licence => manifest.licence = map.next_value_seed(LICENCE)?.0,
                Key::Licences => licences = map.next_value_seed(LICENCE)?.0,
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        manifest.licence = manifest.licence.or(licences);
        Ok(manifest)
    }
}

enum Key {
    Name,
    Version,
    Licence,
    Licences,
    Other,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Key, E> {
        Ok(match key {
            "name" => Key::Name,
            "version" => Key::Version,
            "license" => Key::Licence,
            "licenses" => Key::Licences,
            _ => Key::Other,
        })
    }
}

/// A string and nothing else.
const STRING: TextSeed = TextSeed { levels: 0 };

/// A licence: a string, an object whose `type` is one, or an array of either.
const LICENCE: TextSeed = TextSeed { levels: 2 };

/// Texts of a list that are kept: a licence is cut long before.
const MAX_TEXTS: usize = 16;

/// Reads a text out of at most so many levels of arrays and `type` fields; what lies deeper is skipped.
#[derive(Clone, Copy)]
struct TextSeed {
    levels: u8,
}

impl TextSeed {
    fn inner(self) -> Option<Self> {
        self.levels.checked_sub(1).map(|levels| Self { levels })
    }
}

impl<'de> DeserializeSeed<'de> for TextSeed {
    type Value = Text<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Text<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TextSeed {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Text(None))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Text(None))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Text(None))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Text(None))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Borrowed(""))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        if let Some(inner) = self.inner() {
            while texts.len() < MAX_TEXTS
                && let Some(Text(text)) = seq.next_element_seed(inner)?
            {
                texts.extend(text);
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text((!texts.is_empty()).then(|| Cow::Owned(texts.join(", ")))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match self.inner() {
                Some(inner) if key == "type" => found = map.next_value_seed(inner)?.0,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Text(found))
    }
}
