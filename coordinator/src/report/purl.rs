//! Package URLs. <https://github.com/package-url/purl-spec>

use std::borrow::Cow;

use lazaret::distro::OsRelease;
use lazaret::ecosystem::Ecosystem;
use lazaret::package::Package;

/// The package URL of a package: namespace, case and qualifiers as the definition of its type asks for them
/// (<https://github.com/package-url/purl-spec/tree/main/types>).
pub fn purl(package: &Package, distro: Option<&OsRelease>) -> String {
    let mut purl = format!("pkg:{}/", package.ecosystem.name());
    // A package of another distribution says itself of which.
    let foreign = package.qualifiers.iter().find(|(key, _)| key == "distro" && package.ecosystem.is_os());
    let foreign = foreign.map(|(_, distro)| distro.split_once('-').map_or(distro.as_str(), |(id, _)| id));
    let distro = distro.filter(|_| package.ecosystem.is_os() && foreign.is_none());
    let name = cased(package.ecosystem, &package.name);
    let (above, name, subpath) = parts(package.ecosystem, &name);
    let id = distro.map(|distro| distro.id.as_str()).or(foreign);
    if let Some(id) = id.filter(|_| package.ecosystem != Ecosystem::Ebuild) {
        encode(&mut purl, &namespace(id).to_ascii_lowercase());
        purl.push('/');
    }
    for segment in above.split('/').filter(|segment| !segment.is_empty()) {
        encode(&mut purl, segment);
        purl.push('/');
    }
    encode(&mut purl, name);
    let (epoch, version) = match package.version.split_once(':') {
        Some((epoch, version)) if package.ecosystem == Ecosystem::Rpm => (Some(epoch), version),
        _ => (None, package.version.as_str()),
    };
    if !version.is_empty() {
        purl.push('@');
        encode(&mut purl, version);
    }
    let release = distro.map(|distro| format!("{}-{}", distro.id, distro.version_id));
    let release = release.as_deref().map(|release| release.trim_end_matches('-'));
    let known = [("arch", package.arch.as_deref()), ("distro", release), ("epoch", epoch)];
    let own = package.qualifiers.iter().map(|(key, value)| (key.as_str(), Some(value.as_str())));
    let mut qualifiers: Vec<(&str, &str)> =
        known.into_iter().chain(own).filter_map(|(key, value)| Some((key, value?))).collect();
    qualifiers.sort_unstable();
    let mut separator = '?';
    for (key, value) in qualifiers {
        purl.push(separator);
        purl.push_str(key);
        purl.push('=');
        encode(&mut purl, value);
        separator = '&';
    }
    if !subpath.is_empty() {
        purl.push('#');
        encode(&mut purl, subpath);
    }
    purl
}

/// The name in lower case, where the type knows no other.
fn cased(ecosystem: Ecosystem, name: &str) -> Cow<'_, str> {
    use Ecosystem as E;
    let folds = matches!(
        ecosystem,
        E::Apk | E::Deb | E::Alpm | E::PyPi | E::Golang | E::Composer | E::Hex | E::Pub | E::LuaRocks | E::Bitnami
    );
    if folds && name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Namespace, name and subpath of a whole name.
fn parts(ecosystem: Ecosystem, name: &str) -> (&str, &str, &str) {
    use Ecosystem as E;
    match ecosystem {
        E::Npm | E::Golang | E::Composer | E::Swift | E::Ebuild | E::Cpan | E::LuaRocks | E::Generic => {
            name.rsplit_once('/').map_or(("", name, ""), |(above, name)| (above, name, ""))
        }
        E::Maven => name.split_once(':').map_or(("", name, ""), |(group, artifact)| (group, artifact, "")),
        E::CocoaPods => name.split_once('/').map_or(("", name, ""), |(pod, part)| ("", pod, part)),
        _ => ("", name, ""),
    }
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
        let mut foreign = package(Ecosystem::Rpm, "bash", "5.2.26-3.fc40");
        foreign.qualifiers.push(("distro".into(), "fedora-40".into()));
        for distro in [Some(&distro), None] {
            assert_eq!(purl(&foreign, distro), "pkg:rpm/fedora/bash@5.2.26-3.fc40?distro=fedora-40");
        }
        assert_eq!(
            purl(&package(Ecosystem::Npm, "@babel/core", "7.0.0"), Some(&distro)),
            "pkg:npm/%40babel/core@7.0.0"
        );
        assert_eq!(purl(&package(Ecosystem::Rpm, "vim", "2:8.0-1"), None), "pkg:rpm/vim@8.0-1?epoch=2");
        for (ecosystem, name, version, expected) in [
            (Ecosystem::Maven, "org.apache:log4j_x", "1.0", "pkg:maven/org.apache/log4j_x@1.0"),
            (Ecosystem::Maven, "log4j", "", "pkg:maven/log4j"),
            (Ecosystem::Golang, "github.com/Azure/go-x/v2", "v2.0.0", "pkg:golang/github.com/azure/go-x/v2@v2.0.0"),
            (Ecosystem::Golang, "stdlib", "1.22.3", "pkg:golang/stdlib@1.22.3"),
            (Ecosystem::Composer, "Symfony/Http", "v6.1", "pkg:composer/symfony/http@v6.1"),
            (Ecosystem::NuGet, "Newtonsoft.Json", "13.0.1", "pkg:nuget/Newtonsoft.Json@13.0.1"),
            (Ecosystem::Swift, "github.com/a/B", "1.0", "pkg:swift/github.com/a/B@1.0"),
            (Ecosystem::CocoaPods, "Google/NSData+z", "7", "pkg:cocoapods/Google@7#NSData%2Bz"),
            (Ecosystem::Ebuild, "dev-libs/openssl", "3.0.1-r1", "pkg:ebuild/dev-libs/openssl@3.0.1-r1"),
            (Ecosystem::Gem, "rake", "13.0", "pkg:gem/rake@13.0"),
        ] {
            assert_eq!(purl(&package(ecosystem, name, version), None), expected);
        }
        let mut julia = package(Ecosystem::Julia, "JSON", "0.21");
        julia.qualifiers = vec![("uuid".into(), "682c06a0".into())];
        assert_eq!(purl(&julia, None), "pkg:julia/JSON@0.21?uuid=682c06a0");
    }
}
