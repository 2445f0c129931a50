//! Which kind of document a file is; the entries are read by the module of its format.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

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
    #[serde(rename = "@context", default)]
    context: Context,
    /// What Syft's own documents have, together.
    #[serde(default)]
    artifacts: Option<IgnoredAny>,
    #[serde(default)]
    schema: Option<IgnoredAny>,
}

/// The context of linked data: an address, or a list with addresses and other things in it.
#[derive(Default)]
struct Context {
    is_spdx_3: bool,
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
        match head.spdx_version.as_deref() {
            Some(version) if version.starts_with("SPDX-2.") => Ok(Self::Read(spdx::read(content)?)),
            Some(_) => Ok(Self::Unsupported("this version of SPDX".to_owned())),
            None if head.context.is_spdx_3 => Ok(Self::Unsupported("SPDX 3".to_owned())),
            None if head.artifacts.is_some() && head.schema.is_some() => {
                Ok(Self::Unsupported("a bill of materials in Syft's own form".to_owned()))
            }
            None => Ok(Self::Other),
        }
    }
}

impl<'de> Deserialize<'de> for Context {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContextVisitor)
    }
}

struct ContextVisitor;

impl<'de> Visitor<'de> for ContextVisitor {
    type Value = Context;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a context")
    }

    fn visit_str<E>(self, address: &str) -> Result<Context, E> {
        Ok(Context { is_spdx_3: address.starts_with("https://spdx.org/rdf/3") })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Context, A::Error> {
        let mut context = Context::default();
        while let Some(item) = items.next_element::<Context>()? {
            context.is_spdx_3 |= item.is_spdx_3;
        }
        Ok(context)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Context, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Context::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Context, E> {
        Ok(Context::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Context, E> {
        Ok(Context::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Context, E> {
        Ok(Context::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Context, E> {
        Ok(Context::default())
    }

    fn visit_unit<E>(self) -> Result<Context, E> {
        Ok(Context::default())
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
