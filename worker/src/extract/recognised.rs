//! What is recognised by its path but not read yet: counted, so that a report without these packages says so.

use lazaret::inventory::{Facts, Recognised};
use lazaret::path::split;

use super::{ClaimedFile, Content, Extractor};

/// Java archives, wherever they are: `.jar`, `.war`, `.ear`, `.par`.
pub(crate) static JAVA_ARCHIVE: Extractor =
    by_name("java-archive", is_java_archive, |_| recognised(Recognised::JavaArchive));

/// Installed Ruby gems: `specifications/NAME-VERSION.gemspec` of a gem home, and Ruby's own in `specifications/default`.
pub(crate) static RUBY_GEM: Extractor = by_name("ruby-gem", is_gem_specification, |_| recognised(Recognised::RubyGem));

/// Composer's record of what it installed: `vendor/composer/installed.json`.
pub(crate) static PHP_COMPOSER: Extractor = by_name(
    "php-composer",
    |path| ends_with(path, b"vendor/composer/installed.json"),
    |_| recognised(Recognised::PhpComposer),
);

/// The dependencies of a .NET application: `APP.deps.json`.
pub(crate) static DOTNET_DEPS: Extractor = by_name(
    "dotnet-deps",
    |path| has_suffix(path, b".deps.json") && !path.ends_with(b"/.deps.json"),
    |_| recognised(Recognised::DotNetDeps),
);

/// conda's record of an installed package: `conda-meta/NAME-VERSION-BUILD.json`.
pub(crate) static CONDA: Extractor = by_name("conda", is_conda_record, |_| recognised(Recognised::Conda));

/// pacman's record of an installed package: `var/lib/pacman/local/NAME-VERSION-RELEASE/desc`.
pub(crate) static PACMAN: Extractor = by_name("pacman", is_pacman_record, |_| recognised(Recognised::Pacman));

const fn by_name(name: &'static str, claims: fn(&[u8]) -> bool, extract: fn(&ClaimedFile<'_>) -> Facts) -> Extractor {
    Extractor { name, version: 1, claims, content: Content::NameOnly, companions: &[], extract }
}

fn recognised(form: Recognised) -> Facts {
    Facts { recognised: Some(form), ..Facts::default() }
}

// Each looks at the end of the path first: that alone turns nearly every path away.

fn is_java_archive(path: &[u8]) -> bool {
    path.split_last_chunk::<4>().is_some_and(|(stem, suffix)| {
        [b".jar", b".war", b".ear", b".par"].iter().any(|archive| suffix.eq_ignore_ascii_case(*archive))
            && stem.last().is_some_and(|&b| b != b'/')
    })
}

fn is_gem_specification(path: &[u8]) -> bool {
    path.ends_with(b".gemspec") && {
        let (directory, file) = split(path);
        let home = directory.strip_suffix(b"/default").unwrap_or(directory);
        has_suffix(file, b".gemspec") && ends_with(home, b"specifications")
    }
}

fn is_conda_record(path: &[u8]) -> bool {
    path.ends_with(b".json") && {
        let (directory, file) = split(path);
        has_suffix(file, b".json") && ends_with(directory, b"conda-meta")
    }
}

fn is_pacman_record(path: &[u8]) -> bool {
    let record = path.strip_suffix(b"/desc").and_then(|directory| directory.strip_prefix(b"var/lib/pacman/local/"));
    record.is_some_and(|record| !record.is_empty() && !record.contains(&b'/'))
}

/// Whether `name` is something and then `suffix`.
fn has_suffix(name: &[u8], suffix: &[u8]) -> bool {
    name.strip_suffix(suffix).is_some_and(|stem| !stem.is_empty())
}

/// Whether the last components of `path` are those of `tail`.
fn ends_with(path: &[u8], tail: &[u8]) -> bool {
    path.strip_suffix(tail).is_some_and(|above| above.is_empty() || above.ends_with(b"/"))
}

#[cfg(test)]
mod tests {
    use lazaret::path::LayerPath;

    use super::*;

    const ALL: [&Extractor; 6] = [&JAVA_ARCHIVE, &RUBY_GEM, &PHP_COMPOSER, &DOTNET_DEPS, &CONDA, &PACMAN];

    fn forms(path: &str) -> Vec<Recognised> {
        let path = LayerPath::from(path);
        let file = ClaimedFile { path: &path, content: b"", companions: &[] };
        let claiming = ALL.into_iter().filter(|extractor| (extractor.claims)(path.as_bytes()));
        claiming.filter_map(|extractor| (extractor.extract)(&file).recognised).collect()
    }

    #[test]
    fn each_form_by_its_path() {
        for (path, form) in [
            ("app/lib/log4j-core-2.14.1.jar", Recognised::JavaArchive),
            ("opt/APP.WAR", Recognised::JavaArchive),
            ("x.ear", Recognised::JavaArchive),
            ("x.par", Recognised::JavaArchive),
            ("usr/lib/ruby/gems/3.1.0/specifications/rake-13.0.6.gemspec", Recognised::RubyGem),
            ("usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.1.gemspec", Recognised::RubyGem),
            ("var/www/vendor/composer/installed.json", Recognised::PhpComposer),
            ("vendor/composer/installed.json", Recognised::PhpComposer),
            ("app/Shop.Web.deps.json", Recognised::DotNetDeps),
            ("opt/conda/conda-meta/numpy-1.26.0-py311h64a7726_0.json", Recognised::Conda),
            ("var/lib/pacman/local/bash-5.2.015-1/desc", Recognised::Pacman),
        ] {
            assert_eq!(forms(path), [form], "{path}");
        }
    }

    #[test]
    fn nothing_beside_it() {
        for path in [
            "jar",
            ".jar",
            "a/.war",
            "a.jar/b",
            "a.jarx",
            "gems/rake-13.0.6/rake.gemspec",
            "other/default/json.gemspec",
            "specifications/.gemspec",
            "myspecifications/x.gemspec",
            "composer/installed.json",
            "xvendor/composer/installed.json",
            "vendor/composer/installed.json.bak",
            "deps.json",
            ".deps.json",
            "conda-meta/history",
            "xconda-meta/a.json",
            "var/lib/pacman/local/ALPM_DB_VERSION",
            "var/lib/pacman/local/desc",
            "var/lib/pacman/local/a/b/desc",
            "opt/var/lib/pacman/local/a/desc",
            "",
        ] {
            assert_eq!(forms(path), [], "{path}");
        }
    }
}
