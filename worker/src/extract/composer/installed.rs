//! The few fields of Composer's `installed.json` that matter, read without building the rest.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// All installed packages.
pub(super) struct Installed<'a>(pub(super) Vec<Entry<'a>>);

/// One of them. Everything else about it is skipped unread.
#[derive(Default)]
pub(super) struct Entry<'a> {
    /// `name`, as its author spells it.
    pub(super) name: Option<Cow<'a, str>>,
    /// `version`, as its author spells it.
    pub(super) version: Option<Cow<'a, str>>,
    /// `license`: of several any may be chosen.
    pub(super) licence: Option<Cow<'a, str>>,
    /// The type of `dist`, an archive or directory.
    pub(super) dist: Option<Cow<'a, str>>,
    /// The type of `source`, a repository.
    pub(super) source: Option<Cow<'a, str>>,
    /// Whether it has a `notification-url`.
    pub(super) reports_installations: bool,
}

impl<'de> Deserialize<'de> for Installed<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InstalledVisitor)
    }
}

struct InstalledVisitor;

impl<'de> Visitor<'de> for InstalledVisitor {
    type Value = Installed<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of packages, or an object with one")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = seq.next_element()? {
            entries.push(entry);
        }
        Ok(Installed(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut packages = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key == "packages" {
                packages = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        packages.map(Installed).ok_or_else(|| Error::missing_field("packages"))
    }
}

impl<'de> Deserialize<'de> for Entry<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a package")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entry = Entry::default();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match key.as_ref() {
                "name" => entry.name = map.next_value_seed(Words::Itself)?,
                "version" => entry.version = map.next_value_seed(Words::Itself)?,
                "license" => entry.licence = map.next_value_seed(Words::List)?,
                "dist" => entry.dist = map.next_value_seed(Words::Type)?,
                "source" => entry.source = map.next_value_seed(Words::Type)?,
                "notification-url" => entry.reports_installations = map.next_value_seed(Words::Itself)?.is_some(),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(entry)
    }
}

/// Reads a text; `None` where a value has another type.
#[derive(Clone, Copy, PartialEq)]
enum Words {
    /// The value.
    Itself,
    /// The value, or those of a list, as a choice.
    List,
    /// The `type` of an object.
    Type,
}

/// Licences of a package that are kept.
const MAX_LICENCES: usize = 16;

impl<'de> DeserializeSeed<'de> for Words {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Words {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok((self != Self::Type).then_some(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok((self != Self::Type).then(|| Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut words = Vec::new();
        if self == Self::List {
            while words.len() < MAX_LICENCES
                && let Some(word) = seq.next_element_seed(Self::Itself)?
            {
                words.extend(word);
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok((!words.is_empty()).then(|| Cow::Owned(words.join(" OR "))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if self == Self::Type && key == "type" {
                found = map.next_value_seed(Self::Itself)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}
