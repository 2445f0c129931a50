//! Which kind of document a file is; the entries are read by the module of its format.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use super::found::Found;
use super::{cyclonedx, spdx};

/// A file that may be a bill of materials.
pub(super) enum Document {
    /// It is one.
    Read(Found),
    /// It is one of a version that is not read.
    Unsupported(String),
    /// It is something else.
    Other,
}

/// What tells the formats apart.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "bomFormat", default)]
    bom_format: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "spdxVersion", default)]
    spdx_version: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "@context", default)]
    context: Option<Cow<'a, str>>,
}

impl Document {
    /// Reads JSON. Where it is whole but no object with the keys of a format, it is something else of the same name.
    pub(super) fn read(content: &[u8]) -> serde_json::Result<Self> {
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let head: Head<'_> = match serde_json::from_slice(content) {
            Ok(head) => head,
            Err(error) if error.is_data() => {
                serde_json::from_slice::<serde::de::IgnoredAny>(content)?;
                return Ok(Self::Other);
            }
            Err(error) => return Err(error),
        };
        if head.bom_format.as_deref() == Some("CycloneDX") {
            return Ok(Self::Read(cyclonedx::read(content)?));
        }
        let is_three = head.context.as_deref().is_some_and(|context| context.starts_with("https://spdx.org/rdf/3"));
        match head.spdx_version.as_deref() {
            Some(version) if version.starts_with("SPDX-2.") => Ok(Self::Read(spdx::read(content)?)),
            Some(_) => Ok(Self::Unsupported("this version of SPDX".to_owned())),
            None if is_three => Ok(Self::Unsupported("SPDX 3".to_owned())),
            None => Ok(Self::Other),
        }
    }
}

/// Hands `each` the items of a list, or of nothing where it is null, without keeping any.
pub(super) fn items<'de, D, T, F>(deserializer: D, each: F) -> Result<(), D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
    F: FnMut(T),
{
    deserializer.deserialize_option(Items { each, item: PhantomData })
}

struct Items<T, F> {
    each: F,
    item: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>, F: FnMut(T)> Visitor<'de> for Items<T, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element::<T>()? {
            (self.each)(item);
        }
        Ok(())
    }
}
