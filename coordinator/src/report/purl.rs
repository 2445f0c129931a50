//! Package URLs. <https://github.com/package-url/purl-spec>

use lazaret::distro::OsRelease;
use lazaret::ecosystem::Ecosystem;
use lazaret::package::Package;

/// The package URL of an installed package; the qualifiers `arch` and `distro` as the types of OS packages ask for them.
pub fn purl(package: &Package, distro: Option<&OsRelease>) -> String {
    let mut purl = format!("pkg:{}/", package.ecosystem.name());
    let distro = distro.filter(|_| package.ecosystem.is_os());
    let name = match (package.ecosystem, package.name.split_once('/')) {
        (Ecosystem::Npm, Some((scope, name))) => {
            encode(&mut purl, scope);
            purl.push('/');
            name
        }
        _ => {
            if let Some(distro) = distro {
                encode(&mut purl, namespace(&distro.id));
                purl.push('/');
            }
            package.name.as_str()
        }
    };
    encode(&mut purl, name);
    purl.push('@');
    let (epoch, version) = match package.version.split_once(':') {
        Some((epoch, version)) if package.ecosystem == Ecosystem::Rpm => (Some(epoch), version),
        _ => (None, package.version.as_str()),
    };
    encode(&mut purl, version);
    let release = distro.map(|distro| format!("{}-{}", distro.id, distro.version_id));
    let release = release.as_deref().map(|release| release.trim_end_matches('-'));
    let mut separator = '?';
    for (key, value) in [("arch", package.arch.as_deref()), ("distro", release), ("epoch", epoch)] {
        if let Some(value) = value {
            purl.push(separator);
            purl.push_str(key);
            purl.push('=');
            encode(&mut purl, value);
            separator = '&';
        }
    }
    purl
}

/// The vendor as the purl types for OS packages name it.
fn namespace(id: &str) -> &str {
    match id {
        "rhel" => "redhat",
        "sles" | "sle_hpc" | "sles_sap" => "suse",
        "ol" => "oracle",
        "amzn" => "amazon",
        other => other,
    }
}

/// Percent-encodes as the specification says: unreserved characters and the colon stay.
fn encode(purl: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            purl.push(char::from(byte));
        } else {
            purl.push('%');
            purl.push_str(&lazaret::digest::hex(&[byte]).to_uppercase());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_their_own_shapes() {
        let distro = OsRelease { id: "debian".into(), version_id: "12".into(), ..OsRelease::default() };
        let package = |ecosystem, name: &str, version: &str| Package::new(ecosystem, name, version);
        let mut deb = package(Ecosystem::Deb, "libstdc++6", "1:12.2-1+b1");
        deb.arch = Some("amd64".into());
        assert_eq!(
            purl(&deb, Some(&distro)),
            "pkg:deb/debian/libstdc%2B%2B6@1:12.2-1%2Bb1?arch=amd64&distro=debian-12"
        );
        assert_eq!(
            purl(&package(Ecosystem::Npm, "@babel/core", "7.0.0"), Some(&distro)),
            "pkg:npm/%40babel/core@7.0.0"
        );
        assert_eq!(purl(&package(Ecosystem::Rpm, "vim", "2:8.0-1"), None), "pkg:rpm/vim@8.0-1?epoch=2");
    }
}
