//! The fields of a conda record that are read; what else it holds is skipped where it lies.

use std::borrow::Cow;
use std::fmt;

use lazaret::path::LayerPath;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::is_claimed;

/// Bytes of paths that are kept for each byte of the record: the environment stands in front of each.
const PATH_BYTES_PER_BYTE: usize = 16;

/// A record.
#[derive(Default)]
pub(super) struct Record<'a> {
    pub(super) name: Option<Cow<'a, str>>,
    pub(super) version: Option<Cow<'a, str>>,
    pub(super) build: Option<Cow<'a, str>>,
    pub(super) channel: Option<Cow<'a, str>>,
    pub(super) subdir: Option<Cow<'a, str>>,
    pub(super) licence: Option<Cow<'a, str>>,
    /// Those of its files that other extractors claim.
    pub(super) owned: Vec<LayerPath>,
    /// There were more of these than are kept.
    pub(super) too_many_files: bool,
}

impl<'a> Record<'a> {
    /// Reads the record of a package in `environment`, of which files are named from there.
    pub(super) fn read(content: &'a [u8], environment: &[u8]) -> serde_json::Result<Self> {
        let mut json = serde_json::Deserializer::from_slice(content);
        let budget = content.len().saturating_mul(PATH_BYTES_PER_BYTE);
        let record = Fields { environment, budget }.deserialize(&mut json)?;
        json.end()?;
        Ok(record)
    }
}

struct Fields<'e> {
    environment: &'e [u8],
    budget: usize,
}

impl<'a> DeserializeSeed<'a> for Fields<'_> {
    type Value = Record<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Record<'a>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Fields<'_> {
    type Value = Record<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<Record<'a>, A::Error> {
        let mut record = Record::default();
        while let Some(Text(key)) = map.next_key::<Text<'a>>()? {
            match key.as_ref() {
                "name" => record.name = text(&mut map)?,
                "version" => record.version = text(&mut map)?,
                // Early records call it `build` too, late ones of mamba `build_string`.
                "build" | "build_string" => record.build = text(&mut map)?,
                "channel" => record.channel = text(&mut map)?,
                "subdir" => record.subdir = text(&mut map)?,
                "license" => record.licence = text(&mut map)?,
                "files" => map.next_value_seed(Files { fields: &mut self, record: &mut record })?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(record)
    }
}

/// A string that is borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A string or null.
fn text<'a, A: MapAccess<'a>>(map: &mut A) -> Result<Option<Cow<'a, str>>, A::Error> {
    Ok(map.next_value::<Option<Text<'a>>>()?.map(|Text(text)| text))
}

struct Files<'f, 'e, 'r, 'a> {
    fields: &'f mut Fields<'e>,
    record: &'r mut Record<'a>,
}

impl<'a> DeserializeSeed<'a> for Files<'_, '_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'a> Visitor<'a> for Files<'_, '_, '_, 'a> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of files")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut files: A) -> Result<(), A::Error> {
        let environment = self.fields.environment;
        let mut path = Vec::new();
        while let Some(Text(name)) = files.next_element::<Text<'a>>()? {
            // Only claims of fixed places look further than the file's own name and the directories above it, and no
            // environment is at the root; so most names are turned away before the path is put together.
            if !is_claimed(name.as_bytes()) {
                continue;
            }
            path.clear();
            path.extend_from_slice(environment);
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(name.as_bytes());
            match self.fields.budget.checked_sub(path.len()) {
                Some(left) => self.fields.budget = left,
                None => {
                    self.record.too_many_files = true;
                    continue;
                }
            }
            if is_claimed(&path) {
                self.record.owned.push(LayerPath::from_entry(&path));
            }
        }
        Ok(())
    }
}
