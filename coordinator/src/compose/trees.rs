//! Directories that belong to a package whole, told from where its record is.

use lazaret::path::split;

/// The directory of which everything belongs to the package that `extractor` found at `path`; none where the record says
/// nothing about the files beside it.
pub(super) fn tree(extractor: &str, path: &[u8]) -> Option<Vec<u8>> {
    let (directory, name) = split(path);
    let above = |count: usize| (0..count).fold(directory, |directory, _| split(directory).0);
    let tree = match extractor {
        "npm" | "r-package" | "java-release" | "dotnet-deps" | "homebrew" | "flatpak" | "julia" | "go-distribution" => {
            directory
        }
        // Of a Nix store the directory itself is the record.
        "nix-store" => path,
        // The environment, and the application: `lib/APP-VERSION/ebin`, `snap/NAME/REVISION/meta`.
        "conda" | "otp-application" | "erlang-product" | "snap" => above(1),
        // `auto/Foo/Bar`, with the compiled part of the module.
        "perl-packlist" => directory,
        // `ROOT/releases/27/OTP_VERSION`.
        "erlang-otp" => above(2),
        "python" if name == b"PKG-INFO" && directory.ends_with(b".egg/EGG-INFO") => above(1),
        "sbom-installed" if name.starts_with(b".spdx-") => directory,
        "ruby-gem" => return gem(directory, name),
        _ => return None,
    };
    (!tree.is_empty()).then(|| tree.to_vec())
}

/// `HOME/gems/NAME-VERSION`, of which the specification is `HOME/specifications/NAME-VERSION.gemspec`.
fn gem(directory: &[u8], file: &[u8]) -> Option<Vec<u8>> {
    let home = directory.strip_suffix(b"specifications")?;
    let name = file.strip_suffix(b".gemspec")?;
    Some([home, b"gems/", name].concat())
}

/// The directory of the gem whose extension `path` is: `HOME/extensions/PLATFORM/ABI/NAME-VERSION/…` was built from it.
pub(super) fn gem_of_extension(path: &[u8]) -> Option<Vec<u8>> {
    let mark = b"/extensions/";
    let at = path.windows(mark.len()).position(|window| window == mark)?;
    let name = path.get(at + mark.len()..)?.split(|&b| b == b'/').nth(2)?;
    Some([path.get(..at)?, b"/gems/", name].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_owns_the_directory_of_its_record_where_that_is_its_own() {
        for (extractor, path, owned) in [
            ("npm", "app/node_modules/a/package.json", "app/node_modules/a"),
            ("python", "lib/a.dist-info/METADATA", ""),
            ("python", "lib/a-1-py3.egg/EGG-INFO/PKG-INFO", "lib/a-1-py3.egg"),
            ("npm", "package.json", ""),
            ("conda", "opt/conda/conda-meta/a-1-0.json", "opt/conda"),
            ("nix-store", "nix/store/x-a-1", "nix/store/x-a-1"),
            ("ruby-gem", "lib/ruby/specifications/a-1.gemspec", "lib/ruby/gems/a-1"),
            ("perl-packlist", "lib/perl5/auto/A/B/.packlist", "lib/perl5/auto/A/B"),
            ("erlang-otp", "usr/lib/erlang/releases/25/OTP_VERSION", "usr/lib/erlang"),
        ] {
            let found = tree(extractor, path.as_bytes()).unwrap_or_default();
            assert_eq!(String::from_utf8_lossy(&found), owned, "{path}");
        }
    }

    #[test]
    fn an_extension_belongs_to_its_gem() {
        let gem = gem_of_extension(b"lib/ruby/extensions/x86_64-linux/3.1.0/a-1/a.so").unwrap();
        assert_eq!(gem, b"lib/ruby/gems/a-1");
        assert_eq!(gem_of_extension(b"lib/ruby/extensions/x"), None);
    }
}
