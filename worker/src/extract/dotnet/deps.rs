//! The few fields of a `deps.json` that matter, read without building the rest.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

/// A dependency manifest. Everything else in it is skipped unread.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Deps<'a> {
    /// The name of the target that was built.
    #[serde(borrow, default, deserialize_with = "name_of_target")]
    pub(super) runtime_target: Option<Cow<'a, str>>,
    /// For each target the keys of its libraries, and whether it has files of them.
    #[serde(borrow, deserialize_with = "targets")]
    pub(super) targets: Pairs<'a, Pairs<'a, bool>>,
    /// The keys and types of all libraries.
    #[serde(borrow, deserialize_with = "libraries")]
    pub(super) libraries: Pairs<'a, Cow<'a, str>>,
}

/// An object's keys and values in the order of the file, repeated ones included.
pub(super) type Pairs<'a, T> = Vec<(Cow<'a, str>, T)>;

/// A string, borrowed where the file has it without escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn name_of_target<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'de, str>>, D::Error> {
    #[derive(Deserialize)]
    struct Target<'a> {
        #[serde(borrow)]
        name: Cow<'a, str>,
    }
    Ok(Some(Target::deserialize(deserializer)?.name))
}

fn targets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pairs<'de, Pairs<'de, bool>>, D::Error> {
    deserializer.deserialize_map(Object(Object(Library)))
}

fn libraries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pairs<'de, Cow<'de, str>>, D::Error> {
    deserializer.deserialize_map(Object(Type))
}

/// Reads an object whose values a seed reads.
#[derive(Clone, Copy)]
struct Object<S>(S);

impl<'de, S: DeserializeSeed<'de> + Copy> Visitor<'de> for Object<S> {
    type Value = Pairs<'de, S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(Text(key)) = map.next_key()? {
            pairs.push((key, map.next_value_seed(self.0)?));
        }
        Ok(pairs)
    }
}

impl<'de, S: DeserializeSeed<'de> + Copy> DeserializeSeed<'de> for Object<S> {
    type Value = Pairs<'de, S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// Reads the `type` of a library; the empty text where it has none.
#[derive(Clone, Copy)]
struct Type;

impl<'de> DeserializeSeed<'de> for Type {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        #[derive(Deserialize)]
        struct Library<'a> {
            #[serde(borrow, default)]
            r#type: Cow<'a, str>,
        }
        Ok(Library::deserialize(deserializer)?.r#type)
    }
}

/// Reads a library of a target: whether it has files there.
#[derive(Clone, Copy)]
struct Library;

impl<'de> DeserializeSeed<'de> for Library {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Library {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut has_files = false;
        while let Some(Text(key)) = map.next_key()? {
            if matches!(key.as_ref(), "runtime" | "native" | "runtimeTargets" | "resources") {
                has_files |= map.next_value_seed(Files)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(has_files)
    }
}

/// Reads an object whose keys are files: whether there is one that is not the placeholder `_._`, with which a package
/// says that it has nothing for a framework.
struct Files;

impl<'de> DeserializeSeed<'de> for Files {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Files {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of files")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(Text(path)) = map.next_key()? {
            found |= path != "_._" && !path.ends_with("/_._");
            map.next_value::<IgnoredAny>()?;
        }
        Ok(found)
    }
}
