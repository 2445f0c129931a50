//! CycloneDX: components, which may be nested; each may have a package URL.
//!
//! <https://cyclonedx.org/docs/1.6/json/>. The component that the document is about (`metadata.component`) is the image or
//! application itself and not taken for one of its packages.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::Deserializer;

use super::super::licence;
use super::document::items;
use super::found::{Entry, Found};

/// Licences that are kept of one component.
const MAX_LICENCES: usize = 8;

/// Reads the components.
pub(super) fn read(content: &[u8]) -> serde_json::Result<Found> {
    Ok(serde_json::from_slice::<Bom>(content)?.components.0)
}

#[derive(Deserialize)]
struct Bom {
    #[serde(default)]
    components: Components,
}

#[derive(Default)]
struct Components(Found);

impl<'de> Deserialize<'de> for Components {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut found = Found::default();
        items(deserializer, |component: Component<'de>| {
            // What is known not to be part of the product.
            if component.scope.as_deref() == Some("excluded") {
                return;
            }
            if let Some(purl) = component.purl.as_deref().filter(|purl| !purl.is_empty()) {
                found.entry(Entry {
                    purl,
                    version: component.version.as_deref(),
                    cpe: component.cpe.as_deref(),
                    licence: component.licenses.0,
                });
            }
            found.extend(component.components.0);
        })?;
        Ok(Self(found))
    }
}

#[derive(Deserialize)]
struct Component<'a> {
    #[serde(borrow, default)]
    purl: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    cpe: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    scope: Option<Cow<'a, str>>,
    #[serde(default)]
    licenses: Licences,
    #[serde(default)]
    components: Components,
}

#[derive(Default)]
struct Licences(Option<String>);

impl<'de> Deserialize<'de> for Licences {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut named: Vec<String> = Vec::new();
        items(deserializer, |choice: Choice<'de>| {
            let one = choice.license.and_then(|licence| licence.id.or(licence.name));
            let name = choice.expression.or(one);
            if named.len() < MAX_LICENCES {
                named.extend(name.as_deref().and_then(licence::declared));
            }
        })?;
        Ok(Self(licence::declared(&named.join(", "))))
    }
}

/// An expression, or one licence.
#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    expression: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    license: Option<Licence<'a>>,
}

#[derive(Deserialize)]
struct Licence<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
}
