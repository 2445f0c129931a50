//! .NET: what the `*.deps.json` beside an application or a shared framework says was shipped with it.

mod deps;

use std::collections::BTreeMap;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;
use lazaret::path::split;

use self::deps::Deps;
use super::{ClaimedFile, Content, Extractor};

/// The libraries that a .NET application, tool or shared framework brings along, by its dependency manifest
/// (<https://github.com/dotnet/sdk/blob/main/documentation/specs/runtime-configuration-file.md>).
///
/// Of the manifest's libraries those count of which the runtime target has files: code, native code or resources. What
/// has none was needed to compile, or is a package of dependencies only, or part of the framework that runs the
/// application and stands in the manifest of that.
pub(crate) static DOTNET_DEPS: Extractor = Extractor {
    name: "dotnet-deps",
    version: 2,
    claims: |path| path.strip_suffix(b".deps.json").is_some_and(|stem| !stem.is_empty() && !stem.ends_with(b"/")),
    // The largest of an SDK have half a megabyte.
    content: Content::Whole(16 << 20),
    companions: &[],
    yields: &[Ecosystem::NuGet],
    form: "`*.deps.json`, shared frameworks",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let mut facts = Facts::default();
    match read(file) {
        Ok((packages, doubt)) => {
            facts.packages = packages;
            facts.gaps.extend(doubt.map(|reason| file.gap(GapKind::Malformed, reason)));
        }
        Err(reason) => facts.gaps.push(file.gap(GapKind::Malformed, reason)),
    }
    facts
}

/// The packages, and what about some of them was not understood.
fn read(file: &ClaimedFile<'_>) -> Result<(Vec<Package>, Option<&'static str>), String> {
    let content = file.content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file.content);
    let deps: Deps<'_> = serde_json::from_slice(content).map_err(|error| format!("deps.json: {error}"))?;
    let target = deps.runtime_target.as_deref().ok_or("deps.json without a runtime target")?;
    let shipped = deps.targets.iter().find(|(name, _)| *name == target);
    let (_, shipped) = shipped.ok_or("deps.json without the target that it says is its own")?;
    let types: BTreeMap<&str, &str> = deps.libraries.iter().map(|(key, kind)| (key.as_ref(), kind.as_ref())).collect();
    let framework = Framework::of(file.path.as_bytes());

    let mut packages: Vec<Package> = framework.iter().map(|framework| framework.package(target)).collect();
    let mut doubt = None;
    for (key, has_files) in shipped {
        if !has_files {
            continue;
        }
        let library = match types.get(key.as_ref()) {
            Some(&kind) => library(key, kind),
            None => Err("deps.json ships a library that it does not describe"),
        };
        match library {
            Ok(Some(package)) if framework.as_ref().is_some_and(|framework| framework.is_in(&package.name)) => {}
            Ok(package) => packages.extend(package),
            Err(reason) => doubt = doubt.or(Some(reason)),
        }
    }
    packages.sort_unstable();
    packages.dedup();
    Ok((packages, doubt))
}

/// The package behind `NAME/VERSION`; none behind the types that are lone assemblies, whose package nobody knows.
fn library(key: &str, kind: &str) -> Result<Option<Package>, &'static str> {
    let local = match kind {
        "package" | "runtimepack" => false,
        "project" | "msbuildproject" => true,
        _ => return Ok(None),
    };
    let (name, version) = key.split_once('/').ok_or("deps.json with a library without a version")?;
    let name = if kind == "runtimepack" { name.strip_prefix("runtimepack.").unwrap_or(name) } else { name };
    if !is_word(name) || !is_word(version) {
        return Err("deps.json with an invalid name or version");
    }
    let mut package = Package::new(Ecosystem::NuGet, name, version);
    package.registry = local.then(|| "local".to_owned());
    Ok(Some(package))
}

/// A shared framework, by its place: `shared/Microsoft.NETCore.App/8.0.1/Microsoft.NETCore.App.deps.json`.
///
/// Its directory is what the host goes by. What its manifest calls it changed over the years, and up to 3.1 the version
/// there is that of a build (`3.1.23-servicing.22122.4`), which would be below the release.
struct Framework<'a> {
    name: &'a str,
    version: &'a str,
}

const FRAMEWORKS: [&str; 3] = ["Microsoft.NETCore.App", "Microsoft.AspNetCore.App", "Microsoft.WindowsDesktop.App"];

impl<'a> Framework<'a> {
    fn of(path: &'a [u8]) -> Option<Self> {
        let (directory, file) = split(path);
        let (above, version) = split(directory);
        let (shared, framework) = split(above);
        let name = FRAMEWORKS.into_iter().find(|name| name.as_bytes() == framework)?;
        let version = std::str::from_utf8(version).ok().filter(|version| is_word(version))?;
        (split(shared).1 == b"shared" && file.strip_suffix(b".deps.json") == Some(framework))
            .then_some(Self { name, version })
    }

    /// The package that advisories name: since 3.0 one for each platform, which is the end of the runtime target.
    fn package(&self, target: &str) -> Package {
        let is_old = matches!(self.version.split('.').next(), Some("1" | "2"));
        let platform = target.rsplit_once('/').map(|(_, platform)| platform).filter(|platform| is_word(platform));
        let name = match platform {
            Some(platform) if !is_old => format!("{}.Runtime.{platform}", self.name),
            _ => self.name.to_owned(),
        };
        Package::new(Ecosystem::NuGet, name, self.version)
    }

    /// Whether a package of its manifest is the framework itself: `NAME`, `NAME.Runtime.PLATFORM` or
    /// `runtime.PLATFORM.NAME`.
    fn is_in(&self, package: &str) -> bool {
        let behind = package.strip_prefix(self.name);
        behind.is_some_and(|rest| rest.is_empty() || rest.starts_with(".Runtime."))
            || package.starts_with("runtime.") && package.ends_with(&format!(".{}", self.name))
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 256 && !text.chars().any(|c| c == '/' || c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests;
