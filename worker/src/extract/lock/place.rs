//! Where lockfiles count: by name, but not inside the dependencies that an installation brought along.

/// Whether the file at `path` has one of these names, and belongs to no installed dependency.
pub(super) fn is_named(path: &[u8], names: &[&str]) -> bool {
    names
        .iter()
        .any(|name| path.strip_suffix(name.as_bytes()).is_some_and(|above| above.is_empty() || above.ends_with(b"/")))
        && !is_of_dependency(path)
}

/// Whether the name of the file at `path` ends so, with something before it.
pub(super) fn has_suffix(path: &[u8], suffix: &str) -> bool {
    path.strip_suffix(suffix.as_bytes()).is_some_and(|stem| !stem.is_empty() && !stem.ends_with(b"/"))
        && !is_of_dependency(path)
}

/// Whether `path` is inside the sources of a dependency: what lies there was for its own development.
fn is_of_dependency(path: &[u8]) -> bool {
    let (mut before, mut last): (&[u8], &[u8]) = (b"", b"");
    for name in path.split(|&b| b == b'/') {
        let found = match name {
            b"node_modules" | b"site-packages" | b"dist-packages" => true,
            // Debian's Node packages.
            b"nodejs" => last == b"share" && before == b"usr",
            // `gems/NAME-VERSION`, or of a checkout, `bundler/gems/NAME-COMMIT`; other directories are called so too.
            _ if last == b"gems" => before == b"bundler" || has_number_behind_hyphen(name),
            b"registry" => last == b".cargo" || last == b"cargo",
            b"checkouts" => last == b"git" && (before == b".cargo" || before == b"cargo"),
            b"mod" => last == b"pkg" && before == b"go",
            _ => false,
        };
        if found {
            return true;
        }
        (before, last) = (last, name);
    }
    false
}

fn has_number_behind_hyphen(name: &[u8]) -> bool {
    name.windows(2).any(|pair| matches!(pair, [b'-', b'0'..=b'9']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_anywhere_but_inside_dependencies() {
        for path in [
            "a.lock",
            "srv/app/a.lock",
            "root/go/pkg/a.lock",
            "home/cargo/a.lock",
            "vendor/x/a.lock",
            "registry/a.lock",
            "src/node_modules_old/a.lock",
            "gemsx/a.lock",
            "gems/core/a.lock",
            "gems/my-app/a.lock",
            "srv/nodejs/a.lock",
            "opt/share/nodejs/a.lock",
        ] {
            assert!(is_named(path.as_bytes(), &["b", "a.lock"]), "{path}");
        }
        for path in [
            "xa.lock",
            "a.lock/x",
            "a.lockx",
            "node_modules/x/a.lock",
            "usr/lib/python3/site-packages/x/a.lock",
            "usr/lib/python3/dist-packages/a.lock",
            "usr/local/cargo/registry/src/x/a.lock",
            "root/.cargo/git/checkouts/x/a.lock",
            "go/pkg/mod/x@v1/a.lock",
            "usr/local/bundle/gems/x-1/a.lock",
            "usr/local/bundle/gems/nokogiri-1.15.4-x86_64-linux/a.lock",
            "usr/local/bundle/bundler/gems/x-f00dfeed/a.lock",
            "usr/share/nodejs/x/a.lock",
            "",
        ] {
            assert!(!is_named(path.as_bytes(), &["b", "a.lock"]), "{path}");
        }
        assert!(has_suffix(b"a/x.csproj", ".csproj") && !has_suffix(b"a/.csproj", ".csproj"));
    }
}
