//! What the place of a file says about it: extractors claim by path, and a path may lead elsewhere than its layer knew.

use lazaret::path::{LayerPath, split};

use super::databases;

/// Directory names that make a package's record of a file below them.
const MARKERS: &[&[u8]] = &[
    b"node_modules",
    b"nodejs",
    b"EGG-INFO",
    b"specifications",
    b"bundler",
    b"composer",
    b"conda-meta",
    b"library",
    b"site-library",
    b"META-INF",
    b"Cellar",
    b"meta",
    b"snap",
    b"sbom",
    b"wp-includes",
    b"wp-content",
    b"releases",
    b"ebin",
    b"go",
    b".meta",
    b"luarocks",
    b"package.conf.d",
    b"package.db",
    b"pkgdb",
    b".opam-switch",
    b"hosted",
    b".build",
    b".yarn",
    b"corepack",
    b"boot",
    b"modules",
    b"auto",
    b"requirements",
];
const MARKER_SUFFIXES: &[&[u8]] = &[b".dist-info", b".egg-info", b".egg"];
/// No claim looks at more directories above a file than this, but for those of fixed places, and Conan's.
const SEEN_ABOVE: usize = 4;

/// Whether the extractor that claimed `from` would claim the same file at `to`.
pub(super) fn claims_alike(extractor: &str, from: &LayerPath, to: &LayerPath) -> bool {
    let seen = match extractor {
        "os-release" => return is_os_release(to),
        // What an executable says is told by its bytes, what to look for in it by its name.
        "executable" | "java-archive" => 1,
        // In a directory of frameworks its directories say more than the file.
        "dotnet-deps" if below(from, 4, b"shared/") != below(to, 4, b"shared/") => return false,
        "dotnet-deps" => 1,
        "conda" | "php-composer" | "erlang-product" | "go-distribution" => 2,
        // In a checkout of Bundler's, or one directory below.
        "ruby-gem" if [4, 5].iter().any(|&seen| below(from, seen, b"bundler/") != below(to, seen, b"bundler/")) => {
            return false;
        }
        "python" | "python-record" | "ruby-gem" | "erlang-otp" => 3,
        "npm" if below(from, 5, b"corepack/") != below(to, 5, b"corepack/") => return false,
        // Of Debian's directories the name above says more than their own.
        "npm" if below(from, 4, b"nodejs/").is_some() => 5,
        "npm" => 4,
        "maven-descriptor" => 5,
        // Or the directory `requirements`.
        "lock-requirements" if is_requirements(from) && is_requirements(to) => return true,
        "lock-requirements" => 2,
        // The name of the file alone. That none is claimed inside a dependency keeps noise away, and means nothing more.
        name if name.starts_with("lock-") => 1,
        "java-release" | "chisel" | "sbom" | "sbom-xml" => 2,
        "snap" | "snap-manifest" => 2,
        "wordpress" => 2,
        // `lib/modules/RELEASE`, and below it anything.
        "kernel-module" => 8,
        "linux-kernel" | "kernel-modules" | "homebrew" | "wordpress-plugin" | "wordpress-theme" => 4,
        // Of fixed places, or of places that stand for what is there.
        "alpm-desc" | "alpm-files" | "portage-contents" | "portage-licence" => 6,
        "nix-store" | "nix-database" | "bitnami-components" => 6,
        "sbom-installed" | "flatpak" => 7,
        "hex-metadata" | "perl-local" => 1,
        // What is below `auto`, however deep, is the module's name.
        "perl-packlist" if below_auto(from) != below_auto(to) => return false,
        "perl-packlist" => 2,
        "ghc-package" | "swift" | "conan-cache" | "python-egg" => 2,
        "cpan" | "otp-application" => 3,
        "r-package" | "luarocks" | "opam" | "pub-cache" | "julia" | "yarn-cache" => 4,
        "conan" => 8,
        _ if databases::is_directory(&LayerPath::from_entry(from.parent())) => {
            return databases::is_directory(&LayerPath::from_entry(to.parent())) && tail(from, 2) == tail(to, 2);
        }
        _ => SEEN_ABOVE + 1,
    };
    tail(from, seen) == tail(to, seen)
}

/// Whether files that a layer wrote into `from`, and that are at `to` in truth, may be claimed there although they were
/// not where the layer thought they were. `is_written` tells whether the layer wrote into a directory or at a path.
pub(super) fn may_gain(from: &LayerPath, to: &LayerPath, is_written: impl Fn(&LayerPath) -> bool) -> bool {
    let below = |place: &LayerPath| {
        (place == to || to.is_root() || place.is_below(to.as_bytes())).then(|| {
            let mut below = from.clone();
            below.extend(&place.as_bytes()[to.as_bytes().len()..]);
            below
        })
    };
    let gains_database = databases::directories()
        .filter_map(|place| below(&place))
        .any(|here| !databases::is_directory(&here) && (here == *from || is_written(&here)));
    let gains_release = [&b"etc/os-release"[..], b"usr/lib/os-release"]
        .into_iter()
        .filter_map(|place| below(&LayerPath::from_entry(place)))
        .any(|here| !is_os_release(&here) && is_written(&here));
    let marked = marked_tail(to);
    gains_database || gains_release || !marked.is_empty() && !ends_with(from.as_bytes(), marked)
}

fn is_os_release(path: &LayerPath) -> bool {
    matches!(path.as_bytes(), b"etc/os-release" | b"usr/lib/os-release")
}

/// Whether the file's own name makes it requirements of Python.
fn is_requirements(path: &LayerPath) -> bool {
    let name = path.file_name();
    name.windows(b"requirements".len()).any(|part| part == b"requirements")
}

/// The last `count` components.
fn tail(path: &LayerPath, count: usize) -> &[u8] {
    let bytes = path.as_bytes();
    match count {
        0 => b"",
        _ => memchr_slashes(bytes).nth(count - 1).map_or(bytes, |at| &bytes[at + 1..]),
    }
}

/// The last `count` components if they begin with `directory`.
fn below<'a>(path: &'a LayerPath, count: usize, directory: &[u8]) -> Option<&'a [u8]> {
    Some(tail(path, count)).filter(|tail| tail.starts_with(directory))
}

/// What lies below the last directory called `auto`.
fn below_auto(path: &LayerPath) -> Option<&[u8]> {
    let mark = b"/auto/";
    let bytes = path.as_bytes();
    let at = bytes.windows(mark.len()).rposition(|window| window == mark).map(|at| at + mark.len());
    bytes.get(at.or_else(|| bytes.starts_with(b"auto/").then_some(5))?..)
}

/// From the first of the last components that makes records of files below it.
fn marked_tail(path: &LayerPath) -> &[u8] {
    let mut marked: &[u8] = b"";
    let mut above = path.as_bytes();
    for _ in 0..SEEN_ABOVE {
        let (parent, name) = split(above);
        if MARKERS.contains(&name) || MARKER_SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
            marked = &path.as_bytes()[above.len() - name.len()..];
        }
        above = parent;
    }
    marked
}

fn memchr_slashes(bytes: &[u8]) -> impl Iterator<Item = usize> {
    bytes.iter().enumerate().rev().filter(|&(_, &byte)| byte == b'/').map(|(at, _)| at)
}

/// Whether the last components of `path` are those of `tail`.
fn ends_with(path: &[u8], tail: &[u8]) -> bool {
    path.strip_suffix(tail).is_some_and(|above| above.is_empty() || above.ends_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_merged_usr_moves_is_claimed_alike() {
        for (extractor, from, to, alike) in [
            ("apk-installed", "lib/apk/db/installed", "usr/lib/apk/db/installed", true),
            ("apk-installed", "lib/apk/db/installed", "opt/apk/db/installed", false),
            ("dpkg-status-d", "var/lib/dpkg/status.d/a", "var/lib/dpkg/info/a", false),
            ("python", "lib/python3/x.dist-info/METADATA", "usr/lib/python3/x.dist-info/METADATA", true),
            ("npm", "app/node_modules/y/package.json", "a/b/package.json", false),
            ("npm", "opt/node_modules/@s/y/package.json", "app/node_modules/@s/y/package.json", true),
            ("java-archive", "lib/b.jar", "usr/lib/b.jar", true),
            ("dotnet-deps", "lib/x.deps.json", "usr/lib/x.deps.json", true),
            (
                "dotnet-deps",
                "fx/Microsoft.NETCore.App/8.0.1/M.deps.json",
                "shared/Microsoft.NETCore.App/8.0.1/M.deps.json",
                false,
            ),
            ("php-composer", "web/composer/installed.json", "app/composer/installed.json", true),
            ("ruby-gem", "lib/specifications/a-1.gemspec", "usr/lib/specifications/a-1.gemspec", true),
            ("ruby-gem", "lib/bundler/gems/a-1/a.gemspec", "usr/lib/bundler/gems/a-1/a.gemspec", true),
            ("ruby-gem", "gems/a-1/b/a.gemspec", "bundler/gems/a-1/b/a.gemspec", false),
            ("opam", "x/.opam-switch/packages/a.1/opam", "y/.opam-switch/packages/a.1/opam", true),
            ("opam", "x/.opam-switch/packages/a.1/opam", "x/repo/packages/a.1/opam", false),
            ("npm", "share/nodejs/@s/y/package.json", "usr/share/nodejs/@s/y/package.json", true),
            ("npm", "usr/share/nodejs/@s/y/package.json", "srv/nodejs/@s/y/package.json", false),
            ("npm", "usr/share/nodejs/y/package.json", "srv/nodejs/y/package.json", false),
            ("npm", "usr/lib/nodejs/@s/y/package.json", "srv/nodejs/@s/y/package.json", false),
            ("npm", "c/corepack/v1/pnpm/9.1.0/package.json", "c/other/v1/pnpm/9.1.0/package.json", false),
            ("maven-descriptor", "a/META-INF/maven/g/a/pom.properties", "b/META-INF/maven/g/a/pom.properties", true),
            ("maven-descriptor", "a/META-INF/maven/g/a/pom.properties", "a/maven/g/a/pom.properties", false),
            ("os-release", "etc/os-release", "usr/lib/os-release", true),
            ("perl-packlist", "lib/perl5/auto/A/B/.packlist", "usr/lib/perl5/auto/A/B/.packlist", true),
            ("perl-packlist", "lib/perl5/auto/A/B/.packlist", "lib/perl5/auto/C/B/.packlist", false),
            ("perl-packlist", "auto/A/.packlist", "x/A/.packlist", false),
            ("perl-local", "lib/perllocal.pod", "usr/lib/perl5/perllocal.pod", true),
            ("lock-cargo", "app/Cargo.lock", "srv/other/Cargo.lock", true),
            ("lock-requirements", "app/requirements-dev.txt", "srv/x/requirements-dev.txt", true),
            ("lock-requirements", "app/requirements/base.txt", "srv/requirements/base.txt", true),
            ("lock-requirements", "app/requirements/base.txt", "srv/x/base.txt", false),
            ("python-egg", "lib/eggs/x-1.egg", "usr/lib/eggs/x-1.egg", true),
            ("python-egg", "lib/eggs/x-1.egg", "lib/data/x-1.egg", false),
            ("lock-nuget-project", "app/a.csproj", "app/b.csproj", false),
        ] {
            assert_eq!(claims_alike(extractor, &from.into(), &to.into()), alike, "{from} {to}");
        }
    }

    #[test]
    fn gains_where_the_true_place_means_more() {
        let gains = |from: &str, to: &str, written: &str| {
            may_gain(&from.into(), &to.into(), |path| *path == LayerPath::from(written))
        };
        assert!(!gains("lib", "usr/lib", "lib/apk/db"));
        assert!(gains("lib", "usr/lib", "lib/sysimage/rpm"));
        assert!(gains("lib", "usr/lib", "lib/os-release"));
        assert!(!gains("bin", "usr/bin", ""));
        assert!(gains("db", "var/lib/dpkg", ""));
        assert!(gains("modules", "app/node_modules", ""));
        assert!(gains("gems", "usr/bundler/gems/a-1/b", ""));
        assert!(!gains("srv/node_modules", "app/node_modules", ""));
        assert!(gains("g", "app/META-INF/maven/g", ""));
        assert!(!gains("app/node_modules/x", "packages/x", ""));
    }
}
