//! File names as Maven, Ivy and OSGi write them: `artifact-version[-classifier].jar`.

/// What a file name says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileName<'a> {
    pub(super) artifact: &'a str,
    pub(super) version: Option<&'a str>,
    /// `sources`, `linux-x86_64`, `jakarta`.
    pub(super) classifier: Option<&'a str>,
}

/// Classifiers without a digit that archives in images have, and that no version ends in.
const CLASSIFIERS: [&str; 22] = [
    "sources",
    "javadoc",
    "tests",
    "test-sources",
    "jakarta",
    "shaded",
    "all",
    "bin",
    "standalone",
    "uber",
    "fat",
    "jar-with-dependencies",
    "exec",
    "runner",
    "boot",
    "executable",
    "classes",
    "nodep",
    "nohive",
    "client",
    "embedded",
    "no_aop",
];

/// Words that are part of a version although a number follows them: `1.0-beta-2`.
const VERSION_WORDS: [&str; 26] = [
    "alpha",
    "android",
    "beta",
    "b",
    "build",
    "cr",
    "dev",
    "ea",
    "final",
    "ga",
    "groovy",
    "incubating",
    "m",
    "milestone",
    "p",
    "patch",
    "pre",
    "preview",
    "r",
    "rc",
    "rev",
    "sec",
    "snapshot",
    "sp",
    "v",
    "jre",
];

/// The longest name that is taken apart, as every part of it is looked at as often as it has hyphens. No file system has
/// longer ones.
const MAX_NAME: usize = 256;

/// Reads `stem`, a file name without `.jar`. A version that the archive states itself, one of `stated`, is believed to be
/// the same in the name; without one the name is cut at its first number that nothing but a version follows.
pub(super) fn read<'a>(stem: &'a str, stated: &[&str]) -> FileName<'a> {
    if stem.len() > MAX_NAME {
        return FileName { artifact: stem, version: None, classifier: None };
    }
    for version in stated.iter().filter(|version| version.starts_with(|c: char| c.is_ascii_digit())) {
        for (at, _) in stem.match_indices(version) {
            let (head, tail) = (&stem[..at], &stem[at + version.len()..]);
            let classifier = match tail.strip_prefix('-') {
                // Another number is more of the version: `1.2` in `a-1.2-3.jar`.
                Some(classifier) if !classifier.starts_with(|c: char| c.is_ascii_digit()) => Some(classifier),
                _ if tail.is_empty() => None,
                _ => continue,
            };
            if let Some(artifact) = head.strip_suffix(['-', '_']).filter(|artifact| !artifact.is_empty())
                && !classifier.is_some_and(|text| begins_as_version(text) || holds_version(text))
            {
                return FileName { artifact, version: Some(&stem[at..at + version.len()]), classifier };
            }
        }
    }
    for (at, separator) in stem.match_indices(['-', '_']).filter(|&(at, _)| at > 0) {
        let (artifact, rest) = (&stem[..at], &stem[at + 1..]);
        if is_version(rest) && !(separator == "_" && is_of_scala(rest)) {
            let (version, classifier) = split_classifier(rest);
            return FileName { artifact, version: Some(version), classifier };
        }
    }
    FileName { artifact: stem, version: None, classifier: None }
}

/// Whether `text` begins with a number and has no word in it that a version has not, with a number behind it
/// (`1.2-api-2.17.0`, of `log4j-1.2-api`); nor is a `2.13-3.3.0`, of `spark-core_2.13`, one version.
fn is_version(text: &str) -> bool {
    if let Some(number) = text.strip_prefix(['v', 'r']) {
        return !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    }
    let mut parts = text.split(['-', '_']).peekable();
    let first = parts.next().unwrap_or_default();
    let behind = first.trim_start_matches(|c: char| c.is_ascii_digit());
    // `3d` is none, `2b4` is one.
    if behind.len() == first.len() || !(behind.is_empty() || behind.starts_with('.') || begins_as_version(behind)) {
        return false;
    }
    if is_dotted_number(first)
        && parts.peek().is_some_and(|next| is_dotted_number(next) && next.matches('.').count() > 1)
    {
        return false;
    }
    while let Some(word) = parts.next() {
        let is_word = word.starts_with(|c: char| c.is_ascii_alphabetic());
        let number = |next: &&str| next.starts_with(|c: char| c.is_ascii_digit()) && next.contains('.');
        if is_word && parts.peek().is_some_and(number) && !begins_as_version(word) {
            return false;
        }
    }
    true
}

/// `2.13-1.0` or `3-1.0`: sbt appends the version of Scala to the artifact.
fn is_of_scala(text: &str) -> bool {
    text.split_once('-').is_some_and(|(scala, version)| {
        scala.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && is_version(version)
    })
}

fn is_dotted_number(text: &str) -> bool {
    text.contains('.') && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn begins_as_version(text: &str) -> bool {
    let word = text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    VERSION_WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// Whether a part behind the first begins as dotted numbers do: then the stated version is one of the artifact's name.
fn holds_version(classifier: &str) -> bool {
    classifier.split('-').skip(1).any(|part| part.contains('.') && part.starts_with(|c: char| c.is_ascii_digit()))
}

/// Cuts off what is no version: a known classifier, or a platform such as `linux-x86_64`.
fn split_classifier(text: &str) -> (&str, Option<&str>) {
    const PLATFORMS: [&str; 8] = ["linux", "windows", "osx", "darwin", "macos", "mac", "win", "natives"];
    for (at, _) in text.match_indices('-') {
        let rest = &text[at + 1..];
        let word = rest.split(['-', '_']).next().unwrap_or_default();
        if CLASSIFIERS.contains(&rest) || PLATFORMS.contains(&word) {
            return (&text[..at], Some(rest));
        }
    }
    (text, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_names_as_they_are_written() {
        for (stem, artifact, version, classifier) in [
            ("log4j-core-2.14.1", "log4j-core", "2.14.1", ""),
            ("log4j-1.2-api-2.17.0", "log4j-1.2-api", "2.17.0", ""),
            ("spark-core_2.12-3.3.0", "spark-core_2.12", "3.3.0", ""),
            ("scala-library-2.13.8", "scala-library", "2.13.8", ""),
            ("kafka_2.13-3.5.1", "kafka_2.13", "3.5.1", ""),
            ("y_2.13-1.0", "y_2.13", "1.0", ""),
            ("y_3-1.0", "y_3", "1.0", ""),
            ("guava-31.1-jre", "guava", "31.1-jre", ""),
            ("spock-core-2.3-groovy-3.0", "spock-core", "2.3-groovy-3.0", ""),
            ("spring-r2dbc-5.3.20", "spring-r2dbc", "5.3.20", ""),
            ("jzlib-3d-1.0", "jzlib-3d", "1.0", ""),
            ("a-1.0-beta-2", "a", "1.0-beta-2", ""),
            ("a-1.0-20240131.120000-7", "a", "1.0-20240131.120000-7", ""),
            ("a-1.0-SNAPSHOT", "a", "1.0-SNAPSHOT", ""),
            ("a-1.0-SNAPSHOT-tests", "a", "1.0-SNAPSHOT", "tests"),
            (
                "netty-transport-native-epoll-4.1.86.Final-linux-x86_64",
                "netty-transport-native-epoll",
                "4.1.86.Final",
                "linux-x86_64",
            ),
            ("javassist-3.29.0-GA", "javassist", "3.29.0-GA", ""),
            ("h2-2.1.214", "h2", "2.1.214", ""),
            ("hibernate-jpa-2.1-api-1.0.2.Final", "hibernate-jpa-2.1-api", "1.0.2.Final", ""),
            ("jboss-servlet-api_4.0_spec-1.0.0.Final", "jboss-servlet-api_4.0_spec", "1.0.0.Final", ""),
            ("bcprov-jdk15on-1.70", "bcprov-jdk15on", "1.70", ""),
            ("org.eclipse.osgi_3.18.200.v20221116-1324", "org.eclipse.osgi", "3.18.200.v20221116-1324", ""),
            ("commons-math3-3.6.1-sources", "commons-math3", "3.6.1", "sources"),
            ("guava-r09", "guava", "r09", ""),
            ("jackson-core-2.9.8", "jackson-core", "2.9.8", ""),
            ("c3p0-0.9.5.5", "c3p0", "0.9.5.5", ""),
            ("slf4j-api-1.8.0-beta4", "slf4j-api", "1.8.0-beta4", ""),
        ] {
            let classifier = Some(classifier).filter(|text| !text.is_empty());
            let expected = FileName { artifact, version: Some(version), classifier };
            assert_eq!(read(stem, &[]), expected);
            assert_eq!(read(stem, &[version, "1", "2"]), expected);
        }
        for stem in ["app", "log4j-core", "tomcat-i18n-de", "-1.0", "", "jrt-fs"] {
            assert_eq!(read(stem, &["1.0"]).version, None, "{stem}");
        }
    }

    #[test]
    fn a_name_longer_than_any_is_left_whole() {
        let stem = format!("{}-1.0", "a-".repeat(1 << 20));
        assert_eq!(read(&stem, &["1.0"]), FileName { artifact: &stem, version: None, classifier: None });
    }

    #[test]
    fn a_stated_version_tells_the_classifier() {
        let expected = FileName { artifact: "x", version: Some("1.2"), classifier: Some("jdk8") };
        assert_eq!(read("x-1.2-jdk8", &["1.2"]), expected);
        assert_eq!(read("x-1.2-3", &["1.2"]).version, Some("1.2-3"));
        assert_eq!(read("x-1.2-rc1", &["1.2"]).version, Some("1.2-rc1"));
        assert_eq!(read("x-1.2-api-2.17.0", &["1.2"]).version, Some("2.17.0"));
    }
}
