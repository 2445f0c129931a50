//! SPDX 2: packages, each with references to what others call it, of which one kind is a package URL.
//!
//! <https://spdx.github.io/spdx-spec/v2.3/package-information/>, fields 7.3, 7.13, 7.15 and 7.21.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::Deserializer;

use super::super::licence;
use super::document::items;
use super::found::{Entry, Found};

/// Reads the packages.
pub(super) fn read(content: &[u8]) -> serde_json::Result<Found> {
    Ok(serde_json::from_slice::<Document>(content)?.packages.0)
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    packages: Packages,
}

#[derive(Default)]
struct Packages(Found);

impl<'de> Deserialize<'de> for Packages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut found = Found::default();
        items(deserializer, |package: Package<'de>| {
            if let Some(purl) = package.references.purl.as_deref() {
                let licences = [&package.concluded, &package.declared].into_iter().flatten();
                found.entry(Entry {
                    purl,
                    version: package.version.as_deref(),
                    cpe: package.references.cpe.as_deref(),
                    licence: licences.filter(|licence| is_stated(licence)).find_map(|text| licence::declared(text)),
                });
            }
        })?;
        Ok(Self(found))
    }
}

/// Whether a licence field says more than that nobody says.
fn is_stated(licence: &str) -> bool {
    !matches!(licence, "NOASSERTION" | "NONE")
}

#[derive(Deserialize)]
struct Package<'a> {
    #[serde(borrow, rename = "versionInfo", default)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "licenseConcluded", default)]
    concluded: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "licenseDeclared", default)]
    declared: Option<Cow<'a, str>>,
    #[serde(rename = "externalRefs", default)]
    references: References,
}

/// The first reference of each kind.
#[derive(Default)]
struct References {
    purl: Option<String>,
    cpe: Option<String>,
}

impl<'de> Deserialize<'de> for References {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut references = Self::default();
        items(deserializer, |reference: Reference<'de>| {
            let place = match reference.kind.as_ref() {
                "purl" => &mut references.purl,
                "cpe23Type" => &mut references.cpe,
                _ => return,
            };
            if place.is_none() {
                *place = Some(reference.locator.into_owned());
            }
        })?;
        Ok(references)
    }
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow, rename = "referenceType", default)]
    kind: Cow<'a, str>,
    #[serde(borrow, rename = "referenceLocator", default)]
    locator: Cow<'a, str>,
}
