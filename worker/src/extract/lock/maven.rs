//! Java: the dependencies of a `pom.xml` (<https://maven.apache.org/pom.html>).

use std::collections::BTreeMap;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;

use super::found::{Found, read};
use super::place::is_named;
use super::xml::{self, Attributes, Elements};
use super::{ClaimedFile, Content, Extractor};

/// Dependencies whose version this file gives: literally, by its own properties, or by its own dependency management.
/// What a parent, an imported BOM or a profile gives is in other files or up to the build, and dependencies of
/// dependencies are in no pom; so a pom that leaves them out is as it should be, and no gap.
pub(crate) static MAVEN: Extractor = Extractor {
    name: "lock-maven",
    version: 1,
    claims: |path| is_named(path, &["pom.xml"]),
    content: Content::Whole(8 << 20),
    companions: &[],
    yields: &[Ecosystem::Maven],
    form: "`pom.xml`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        let mut pom = Pom::default();
        xml::read(text, &mut pom)?;
        pom.finish(found);
        Ok(())
    })
}

#[derive(Default)]
struct Pom {
    properties: BTreeMap<String, String>,
    open: Dependency,
    dependencies: Vec<Dependency>,
    managed: Vec<Dependency>,
}

#[derive(Default)]
struct Dependency {
    group: String,
    artifact: String,
    version: String,
}

const DEPENDENCY: &str = "project/dependencies/dependency";
const MANAGED: &str = "project/dependencyManagement/dependencies/dependency";

impl Elements for Pom {
    fn open(&mut self, path: &str, _: &Attributes<'_>) {
        if path == DEPENDENCY || path == MANAGED {
            self.open = Dependency::default();
        }
    }

    fn close(&mut self, path: &str, text: &str) {
        if path == DEPENDENCY {
            self.dependencies.push(std::mem::take(&mut self.open));
        } else if path == MANAGED {
            self.managed.push(std::mem::take(&mut self.open));
        } else if let Some(name) = path.strip_prefix("project/properties/") {
            self.properties.insert(name.to_owned(), text.to_owned());
        } else if let Some((of, member)) = path.rsplit_once('/') {
            let text = text.to_owned();
            match (of, member) {
                (DEPENDENCY | MANAGED, "groupId") => self.open.group = text,
                (DEPENDENCY | MANAGED, "artifactId") => self.open.artifact = text,
                (DEPENDENCY | MANAGED, "version") => self.open.version = text,
                ("project" | "project/parent", "groupId" | "artifactId" | "version") => {
                    self.properties.insert(path.replace('/', "."), text);
                }
                _ => {}
            }
        }
    }
}

impl Pom {
    fn finish(self, found: &mut Found) {
        let managed: BTreeMap<(String, String), &str> = self
            .managed
            .iter()
            .filter_map(|it| Some(((self.resolved(&it.group)?, self.resolved(&it.artifact)?), it.version.as_str())))
            .collect();
        for dependency in &self.dependencies {
            if dependency.group.is_empty() || dependency.artifact.is_empty() {
                found.invalid();
                continue;
            }
            let (Some(group), Some(artifact)) = (self.resolved(&dependency.group), self.resolved(&dependency.artifact))
            else {
                continue;
            };
            let name = format!("{group}:{artifact}");
            let version = match dependency.version.as_str() {
                "" => managed.get(&(group, artifact)).copied(),
                version => Some(version),
            };
            if let Some(version) = version.and_then(|version| self.resolved(version))
                && let Some(version) = literal(&version)
            {
                found.add(Ecosystem::Maven, name, version, None);
            }
        }
    }

    /// `text` with its properties filled in; `None` if another file has one of them.
    fn resolved(&self, text: &str) -> Option<String> {
        /// Properties name properties, to no depth that an honest pom needs.
        const MAX_LOOKUPS: usize = 32;
        const MAX_BYTES: usize = 1024;
        let mut text = text.to_owned();
        for _ in 0..MAX_LOOKUPS {
            let Some(start) = text.find("${") else { return Some(text) };
            let end = start + text.get(start..)?.find('}')?;
            let value = self.property(text.get(start + 2..end)?.trim())?;
            text.replace_range(start..=end, value);
            if text.len() > MAX_BYTES {
                return None;
            }
        }
        None
    }

    fn property(&self, name: &str) -> Option<&str> {
        let get = |name: &str| self.properties.get(name).map(String::as_str);
        // `pom.` and nothing are old names of `project.`.
        let own = match name.strip_prefix("project.").or_else(|| name.strip_prefix("pom.")).unwrap_or(name) {
            own @ ("groupId" | "version") => {
                get(&format!("project.{own}")).or_else(|| get(&format!("project.parent.{own}")))
            }
            "artifactId" => get("project.artifactId"),
            own @ ("parent.groupId" | "parent.version" | "parent.artifactId") => get(&format!("project.{own}")),
            _ => None,
        };
        get(name).or(own)
    }
}

/// The version that is meant, if it is one: `1.0` or `[1.0]`, no range and no name for whatever is newest.
fn literal(version: &str) -> Option<&str> {
    let version = version.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(version).trim();
    let is_one =
        !version.contains(['[', ']', '(', ')', ',', '$', '&', '@']) && version != "LATEST" && version != "RELEASE";
    is_one.then_some(version)
}

#[cfg(test)]
mod tests {
    use lazaret::path::LayerPath;

    use super::*;

    fn read(content: &str) -> Facts {
        let path = LayerPath::from("pom.xml");
        extract(&ClaimedFile { path: &path, content: content.as_bytes(), companions: &[] })
    }

    #[test]
    fn properties_that_never_end_are_no_version() {
        let dependency = |version: &str| {
            format!(
                "<dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId><version>{version}</version></dependency></dependencies>"
            )
        };
        for (properties, version) in [
            ("<a>${b}</a><b>${a}</b>".to_owned(), "${a}"),
            (format!("<a>{}</a>", "${b}".repeat(200)), "${a}"),
            (format!("<a>{}</a><b></b>", "${b}".repeat(200)), "${a}"),
            ("<a>x</a>".to_owned(), "${c}"),
            ("<a>x</a>".to_owned(), "${a"),
            (String::new(), "[1.0,2.0)"),
            (String::new(), "LATEST"),
        ] {
            let facts =
                read(&format!("<project><properties>{properties}</properties>{}</project>", dependency(version)));
            assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 0), "{version}");
        }
        let facts = read(&format!(
            "<project><properties><a>1.${{b}}</a><b>2</b></properties>{}</project>",
            dependency("[${a}]")
        ));
        assert_eq!(facts.packages[0].version, "1.2");
    }
}
