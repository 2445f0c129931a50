//! What an archive is: its Maven descriptor where it has one, else what its manifest and its name say.

use super::file_name::{self, FileName};
use super::groups;
use super::manifest::{Attribute, Manifest};

/// Maven coordinates, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Coordinates {
    pub(super) group: String,
    pub(super) artifact: String,
    pub(super) version: String,
}

/// What an archive turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// This of the descriptors in it is its own.
    Descriptor(usize),
    /// Coordinates that it states, or that are known of it.
    Known(Coordinates),
    /// Artifact and version; nothing says the group.
    WithoutGroup(String, String),
    /// Part of the Java runtime, which another file tells of; or source code and documentation.
    NoPackage,
    /// Nothing says what it is.
    Unknown,
}

/// What `archive` called `stem` (without `.jar`) is, which has the Maven descriptors `descriptors` at its root. `has_below`
/// tells whether it has a file below a directory.
pub(super) fn of(
    stem: &str,
    descriptors: &[Coordinates],
    manifest: &Manifest,
    has_below: impl FnMut(&str) -> bool,
) -> Identity {
    let best = descriptors.iter().enumerate().max_by_key(|(index, own)| (fit(stem, own), std::cmp::Reverse(*index)));
    if let Some((index, own)) = best
        && (fit(stem, own) > Fit::None || descriptors.len() == 1 && !is_another(stem, own, manifest))
    {
        return Identity::Descriptor(index);
    }
    by_manifest(stem, manifest, has_below)
}

/// How well a file name goes with coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    None,
    /// The artifact, and a number behind it.
    Begins,
    /// The artifact.
    Artifact,
    /// The artifact and the version.
    Whole,
}

/// Names are `artifact`, or `group.artifact` as Quarkus and sbt write it, alone or before a version.
fn fit(stem: &str, own: &Coordinates) -> Fit {
    let bare = stem.strip_prefix(own.group.as_str()).and_then(|rest| rest.strip_prefix('.'));
    let of = |stem: &str| match stem.strip_prefix(own.artifact.as_str()) {
        Some("") => Fit::Artifact,
        Some(rest) if rest.starts_with(['-', '_', '.']) => match rest[1..].strip_prefix(own.version.as_str()) {
            Some(end) if end.is_empty() || end.starts_with(['-', '.', '_']) => Fit::Whole,
            _ if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => Fit::Begins,
            _ => Fit::None,
        },
        _ => Fit::None,
    };
    bare.map_or(Fit::None, of).max(of(stem))
}

/// Whether a file name, or a manifest, is that of something else than the only descriptor tells of, which is then code that
/// was copied in.
fn is_another(stem: &str, only: &Coordinates, manifest: &Manifest) -> bool {
    match file_name::read(stem, &[]).version {
        Some(version) => version != only.version,
        None => is_of_another(manifest, only),
    }
}

/// Whether a manifest states a version, and neither that version nor any name is the one of these coordinates.
fn is_of_another(manifest: &Manifest, own: &Coordinates) -> bool {
    let names = [Attribute::ImplementationTitle, Attribute::SpecificationTitle, Attribute::BundleSymbolicName];
    // A bundle's name has dots where the artifact's has hyphens.
    let is_name = |name: &str| name.replace('.', "-").ends_with(&own.artifact.replace('.', "-"));
    let versions = stated_versions(manifest);
    !versions.is_empty()
        && !versions.iter().any(|version| are_alike(version, &own.version))
        && !names.into_iter().filter_map(|name| manifest.bare(name)).any(is_name)
}

/// Whether two versions have the same numbers, as far as both go: OSGi's has three of them, a specification's mostly two.
fn are_alike(one: &str, other: &str) -> bool {
    let numbers =
        |text: &str| text.split(['.', '-', '_']).map_while(|part| part.parse::<u64>().ok()).collect::<Vec<_>>();
    let (one, other) = (numbers(one), numbers(other));
    let common = one.len().min(other.len());
    common > 0 && one[..common] == other[..common]
}

/// The versions that a manifest states.
fn stated_versions(manifest: &Manifest) -> Vec<&str> {
    [Attribute::ImplementationVersion, Attribute::BundleVersion, Attribute::SpecificationVersion]
        .into_iter()
        .filter_map(|attribute| manifest.get(attribute))
        // `2.14.1 (build 7)`
        .filter_map(|text| text.split_whitespace().next())
        .filter(|text| text.starts_with(|c: char| c.is_ascii_digit()))
        .collect()
}

fn by_manifest(stem: &str, manifest: &Manifest, has_below: impl FnMut(&str) -> bool) -> Identity {
    let title = manifest.get(Attribute::ImplementationTitle).unwrap_or_default();
    let specification = manifest.get(Attribute::SpecificationTitle).unwrap_or_default();
    if title == "Java Runtime Environment" || specification == "Java Platform API Specification" {
        return Identity::NoPackage;
    }
    if let Some(stated) = plugin(manifest) {
        return Identity::Known(stated);
    }
    let stated = stated_versions(manifest);
    let FileName { artifact, version, classifier } = file_name::read(stem, &stated);
    if matches!(classifier, Some("sources" | "javadoc" | "test-sources")) {
        return Identity::NoPackage;
    }
    let Some(version) = version.or(stated.first().copied()) else { return Identity::Unknown };
    let known = |group: &str, artifact: &str| {
        Identity::Known(Coordinates { group: group.into(), artifact: artifact.into(), version: version.into() })
    };
    let bundle = manifest.bare(Attribute::BundleSymbolicName).unwrap_or_default();
    if let Some(name) = bundle.strip_prefix("org.apache.tomcat-").filter(|name| !name.starts_with("embed-")) {
        // Its files are named without the `tomcat-` of the artifacts: `servlet-api.jar`.
        return known("org.apache.tomcat", &format!("tomcat-{name}"));
    }
    if let Some((group, artifact)) = groups::find(artifact, version, has_below) {
        return known(group, artifact);
    }
    let vendor = manifest.get(Attribute::ImplementationVendorId).unwrap_or_default();
    let group = titled(title).or_else(|| of_vendor(title, vendor, artifact)).or_else(|| of_bundle(bundle, artifact));
    match group {
        Some(group) => known(group, artifact),
        None => Identity::WithoutGroup(artifact.to_owned(), version.to_owned()),
    }
}

/// The group in a title `group#project;version`, as Netflix' plug-ins of Gradle write it. (The artifact is the file's: it may
/// be published under another name than the project's.)
fn titled(title: &str) -> Option<&str> {
    let (group, rest) = title.split_once('#')?;
    rest.contains(';').then_some(group)
}

/// Maven and sbt write the group as the vendor's id. So do others with what they think it means, but they have a title for
/// people, and Maven the artifact's name; and sbt builds what has the version of Scala behind its name (`cats-core_2.13`).
fn of_vendor<'m>(title: &str, vendor: &'m str, artifact: &str) -> Option<&'m str> {
    let scala = artifact.rsplit_once('_').map_or("", |(_, scala)| scala);
    let is_of_sbt = scala == "3" || scala.starts_with("2.1");
    (is_group(vendor) && (is_of_sbt || title == artifact)).then_some(vendor)
}

/// `group.artifact`, as bnd names a bundle by default. Where the artifact is one word, that may be all of the group instead
/// (`org.apache.velocity` of `velocity`), unless the group ends in it as well (`org.hsqldb.hsqldb`).
fn of_bundle<'m>(bundle: &'m str, artifact: &str) -> Option<&'m str> {
    let group = bundle.strip_suffix(artifact)?.strip_suffix('.').filter(|group| is_group(group))?;
    let last = group.rsplit('.').next().unwrap_or_default();
    (artifact.contains('-') || last.starts_with(artifact)).then_some(group)
}

/// Whether a text may be a group: a lone word is a namespace, and nothing is published under `org.apache` itself.
fn is_group(text: &str) -> bool {
    text.contains('.') && text != "org.apache" && !text.contains(' ')
}

/// What the manifests of Jenkins' plug-ins and NiFi's archives state in full.
fn plugin(manifest: &Manifest) -> Option<Coordinates> {
    let artifact = manifest.get(Attribute::ArtifactId).or(manifest.get(Attribute::ShortName));
    let jenkins = (manifest.get(Attribute::GroupId), artifact, manifest.get(Attribute::PluginVersion));
    let nifi = (manifest.get(Attribute::NarGroup), manifest.get(Attribute::NarId), manifest.get(Attribute::NarVersion));
    [jenkins, nifi].into_iter().find_map(|(group, artifact, version)| {
        let version = version?.split_whitespace().next()?;
        Some(Coordinates { group: group?.into(), artifact: artifact?.into(), version: version.into() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coordinates(text: &str) -> Coordinates {
        let [group, artifact, version] = text.split(':').collect::<Vec<_>>()[..] else { panic!("{text}") };
        Coordinates { group: group.into(), artifact: artifact.into(), version: version.into() }
    }

    fn told(stem: &str, descriptors: &[&str], manifest: &str, package: &str) -> String {
        let descriptors: Vec<_> = descriptors.iter().map(|text| coordinates(text)).collect();
        let shown = |c: &Coordinates| format!("{}:{}:{}", c.group, c.artifact, c.version);
        match of(stem, &descriptors, &Manifest::read(manifest.as_bytes()), |below| package.starts_with(below)) {
            Identity::Descriptor(index) => shown(&descriptors[index]),
            Identity::Known(known) => shown(&known),
            Identity::WithoutGroup(artifact, version) => format!("?:{artifact}:{version}"),
            Identity::NoPackage => "none".to_owned(),
            Identity::Unknown => "?".to_owned(),
        }
    }

    #[test]
    fn a_descriptor_that_fits_the_name_names_the_archive() {
        let two = ["g:log4j-api:2.14.1", "g:log4j-core:2.14.1"];
        for (stem, own) in [
            ("log4j-core-2.14.1", "g:log4j-core:2.14.1"),
            ("log4j-core", "g:log4j-core:2.14.1"),
            ("log4j-core-2.14.1-shaded", "g:log4j-core:2.14.1"),
            ("g.log4j-api-2.14.1", "g:log4j-api:2.14.1"),
            ("log4j-api-2.14.1-20240101.120000-1", "g:log4j-api:2.14.1"),
            ("log4j-core-2.15", "g:log4j-core:2.14.1"),
            ("log4j-core-test-2.14.1", "?:log4j-core-test:2.14.1"),
            ("app", "?"),
        ] {
            assert_eq!(told(stem, &two, "", ""), own, "{stem}");
        }
        // Of names that one another begins with, the one that is whole.
        assert_eq!(told("a-2-1.0", &["g:a:1.0", "g:a-2:1.0"], "", ""), "g:a-2:1.0");
    }

    #[test]
    fn the_only_descriptor_names_it_unless_the_name_is_another() {
        assert_eq!(told("app", &["g:shop:1.0"], "", ""), "g:shop:1.0");
        assert_eq!(told("renamed-1.0", &["g:shop:1.0"], "", ""), "g:shop:1.0");
        assert_eq!(told("mine-3.0", &["com.google.guava:guava:31.1-jre"], "", ""), "?:mine:3.0");
    }

    #[test]
    fn the_only_descriptor_is_of_copied_code_if_the_manifest_is_another_s() {
        let cglib = ["cglib:cglib:3.2.12"];
        let guice = "Bundle-SymbolicName: com.google.inject\nBundle-Version: 4.2.3";
        assert_eq!(told("guice", &cglib, guice, "com/google/inject/"), "com.google.inject:guice:4.2.3");
        assert_eq!(told("thing", &cglib, "Implementation-Version: 1.0", ""), "?:thing:1.0");
        for manifest in [
            "Implementation-Version: 3.2.12",
            "Bundle-Version: 3.2.12.v2020",
            "Specification-Version: 3.2\nImplementation-Version: 3.2.12",
            "Implementation-Title: cglib\nImplementation-Version: 9",
            "Bundle-SymbolicName: net.sf.cglib;singleton:=true\nBundle-Version: 9",
            "Implementation-Title: cglib",
        ] {
            assert_eq!(told("app", &cglib, manifest, ""), "cglib:cglib:3.2.12", "{manifest}");
        }
        assert_eq!(told("app", &["g:a:31.1-jre"], "Bundle-Version: 31.1.0.jre", ""), "g:a:31.1-jre");
    }

    #[test]
    fn without_a_descriptor_the_manifest_and_the_name_tell() {
        for (stem, manifest, package, expected) in [
            (
                "spring-core-5.3.20",
                "Implementation-Version: 5.3.20",
                "org/springframework/core/",
                "org.springframework:spring-core:5.3.20",
            ),
            ("spring-core-5.3.20", "", "com/example/", "?:spring-core:5.3.20"),
            (
                "catalina",
                "Implementation-Version: 9.0.65",
                "org/apache/catalina/",
                "org.apache.tomcat:tomcat-catalina:9.0.65",
            ),
            (
                "servlet-api",
                "Bundle-SymbolicName: org.apache.tomcat-servlet-api\nBundle-Version: 9.0.60",
                "",
                "org.apache.tomcat:tomcat-servlet-api:9.0.60",
            ),
            ("groovy-3.0.9", "", "groovy/lang/", "org.codehaus.groovy:groovy:3.0.9"),
            ("groovy-4.0.9", "", "groovy/lang/", "org.apache.groovy:groovy:4.0.9"),
            ("xz-1.9", "Bundle-SymbolicName: org.tukaani.xz", "org/tukaani/xz/", "org.tukaani:xz:1.9"),
            ("jsp-api-2.1", "", "javax/servlet/jsp/", "javax.servlet.jsp:jsp-api:2.1"),
            ("grpc-context-1.60.0", "", "META-INF/MANIFEST.MF", "io.grpc:grpc-context:1.60.0"),
            (
                "third-party-jackson-core-2.20.26",
                "Automatic-Module-Name: software.amazon.awssdk.thirdparty.jackson.core",
                "software/amazon/awssdk/thirdparty/jackson/core/",
                "software.amazon.awssdk:third-party-jackson-core:2.20.26",
            ),
            (
                "hibernate-commons-annotations-5.1.2.Final",
                "Implementation-Title: hibernate-commons-annotations\nImplementation-Vendor-Id: org.hibernate",
                "org/hibernate/annotations/common/",
                "org.hibernate.common:hibernate-commons-annotations:5.1.2.Final",
            ),
            (
                "hibernate-commons-annotations-3.2.0.Final",
                "",
                "org/hibernate/annotations/common/",
                "org.hibernate:hibernate-commons-annotations:3.2.0.Final",
            ),
            ("x-y-1.0", "Bundle-SymbolicName: org.z.x-y;singleton:=true", "", "org.z:x-y:1.0"),
            ("y-z-1.0", "Bundle-SymbolicName: z.y-z", "", "?:y-z:1.0"),
            ("y-1.0", "Bundle-SymbolicName: org.z.y", "", "?:y:1.0"),
            ("y-1.0", "Bundle-SymbolicName: org.y.y", "", "org.y:y:1.0"),
            ("y-api-1.0", "Implementation-Title: org.y#api;1.0", "", "org.y:y-api:1.0"),
            ("y_2.13-1.0", "Implementation-Title: y\nImplementation-Vendor-Id: org.z", "", "org.z:y_2.13:1.0"),
            ("y-1.0", "Implementation-Title: The Y\nImplementation-Vendor-Id: org.z", "", "?:y:1.0"),
            ("y-1.0", "Implementation-Title: y\nImplementation-Vendor-Id: org.apache", "", "?:y:1.0"),
            ("y", "Implementation-Version: 1.0 (build 7)", "", "?:y:1.0"),
            ("y", "Implementation-Version: unspecified\nBundle-Version: 2.0", "", "?:y:2.0"),
            (
                "git",
                "Group-Id: org.jenkins-ci.plugins\nShort-Name: git\nPlugin-Version: 4.0 (private)",
                "",
                "org.jenkins-ci.plugins:git:4.0",
            ),
            (
                "nifi-x",
                "Nar-Group: org.apache.nifi\nNar-Id: nifi-x-nar\nNar-Version: 1.2",
                "",
                "org.apache.nifi:nifi-x-nar:1.2",
            ),
            ("rt", "Implementation-Title: Java Runtime Environment\nImplementation-Version: 1.8.0_372", "", "none"),
            ("x-1.0-sources", "", "", "none"),
            ("app", "Main-Class: a.B", "", "?"),
        ] {
            assert_eq!(told(stem, &[], manifest, package), expected, "{stem} {manifest}");
        }
    }
}
