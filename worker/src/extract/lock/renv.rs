//! R: `renv.lock` (<https://rstudio.github.io/renv/articles/lockfile.html>).

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use serde::Deserialize;
use serde::de::MapAccess;

use super::found::{Found, read};
use super::json::{self, Members, Text, each, skip};
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE};

/// Every package of the lock.
pub(crate) static RENV: Extractor = Extractor {
    name: "lock-renv",
    version: 1,
    claims: |path| is_named(path, &["renv.lock"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Cran],
    form: "`renv.lock`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| json::read(text, &mut Lock(found)))
}

struct Lock<'m>(&'m mut Found);

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Entry<'a> {
    #[serde(borrow)]
    package: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    source: Text<'a>,
    #[serde(borrow)]
    repository: Text<'a>,
}

impl<'de> Members<'de> for Lock<'_> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if key != "Packages" {
            return skip(map);
        }
        map.next_value_seed(each(|key: &str, entry: Entry<'de>| {
            let registry = match entry.source.get() {
                Some("Repository" | "CRAN") | None => match entry.repository.get() {
                    // Posit's mirrors of CRAN, under the names they had.
                    None | Some("CRAN" | "RSPM" | "P3M" | "PPM") => None,
                    Some(_) => Some("registry"),
                },
                Some("Bioconductor") => Some("registry"),
                Some("GitHub" | "GitLab" | "Bitbucket" | "Git" | "git" | "git2r" | "xgit") => Some("git"),
                Some(_) => Some("local"),
            };
            self.0.add(Ecosystem::Cran, entry.package.get().unwrap_or(key), entry.version.or_empty(), registry);
        }))
    }
}
