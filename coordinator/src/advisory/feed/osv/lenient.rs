//! Forgiving building blocks for serde: a value of the wrong type is as good as absent.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A string, borrowed where the JSON allows; anything that is no string reads as the empty one.
#[derive(Debug, Default)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

/// The fields that are looked for in `ecosystem_specific` and `database_specific`, which may be anything.
#[derive(Debug, Default)]
pub(super) struct Specific<'a> {
    /// `severity` (GitHub and others), `urgency` (Debian) or `ubuntu_priority`, in that order.
    pub(super) severity: Option<Cow<'a, str>>,
}

/// A list, or the one element of a list without its brackets; null is the empty list.
pub(super) fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_any(ListVisitor(PhantomData))
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E: Error>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
        Ok(vec![T::deserialize(serde::de::value::MapAccessDeserializer::new(map))?])
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_unit<E>(self) -> Result<Text<'de>, E> {
                Ok(Text::default())
            }

            fn visit_bool<E>(self, _: bool) -> Result<Text<'de>, E> {
                Ok(Text::default())
            }

            // Some writers leave a version such as 5 without its quotes.
            fn visit_u64<E>(self, number: u64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Text<'de>, E> {
                Ok(Text::default())
            }

            fn visit_f64<E>(self, _: f64) -> Result<Text<'de>, E> {
                Ok(Text::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Text<'de>, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text<'de>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text::default())
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Specific<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SpecificVisitor;
        impl<'de> Visitor<'de> for SpecificVisitor {
            type Value = Specific<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Specific<'de>, A::Error> {
                const FIELDS: [&str; 3] = ["severity", "urgency", "ubuntu_priority"];
                let mut found: [Option<Cow<'de, str>>; 3] = [None, None, None];
                while let Some(Text(key)) = map.next_key()? {
                    match FIELDS.iter().zip(&mut found).find(|(field, _)| **field == key) {
                        Some((_, slot)) => {
                            let Text(value) = map.next_value()?;
                            *slot = Some(value).filter(|value| !value.is_empty());
                        }
                        None => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(Specific { severity: found.into_iter().flatten().next() })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Specific<'de>, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Specific::default())
            }

            fn visit_unit<E>(self) -> Result<Specific<'de>, E> {
                Ok(Specific::default())
            }

            fn visit_str<E>(self, _: &str) -> Result<Specific<'de>, E> {
                Ok(Specific::default())
            }

            fn visit_bool<E>(self, _: bool) -> Result<Specific<'de>, E> {
                Ok(Specific::default())
            }

            fn visit_u64<E>(self, _: u64) -> Result<Specific<'de>, E> {
                Ok(Specific::default())
            }

            fn visit_i64<E>(self, _: i64) -> Result<Specific<'de>, E> {
                Ok(Specific::default())
            }

            fn visit_f64<E>(self, _: f64) -> Result<Specific<'de>, E> {
                Ok(Specific::default())
            }
        }
        deserializer.deserialize_any(SpecificVisitor)
    }
}
