//! WordPress: the core by the file that has its version, plugins and themes by the headers of theirs.
//!
//! Formats: <https://developer.wordpress.org/plugins/plugin-basics/header-requirements/>,
//! <https://developer.wordpress.org/themes/basics/main-stylesheet-style-css/>; how headers are read: `get_file_data()`.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;
use lazaret::path::split;
use lazaret::text::from_bytes;

use super::word::word;
use super::{ClaimedFile, Content, Extractor, licence};

/// `wp-includes/version.php`.
pub(super) static CORE: Extractor = Extractor {
    name: "wordpress",
    version: 1,
    claims: |path| path.strip_suffix(b"/version.php").is_some_and(|directory| split(directory).1 == b"wp-includes"),
    content: MAX_BYTES,
    companions: &[],
    yields: &[Ecosystem::Generic],
    form: "WordPress",
    extract: core,
};

/// PHP files of a plugin's own directory, and those that are a plugin by themselves: WordPress looks into just these.
pub(super) static PLUGIN: Extractor = Extractor {
    name: "wordpress-plugin",
    version: 1,
    claims: |path| path.ends_with(b".php") && (is_in_plugin(path) || is_in(split(path).0, b"plugins")),
    content: MAX_BYTES,
    companions: &[],
    yields: &[Ecosystem::Generic],
    form: "its plugins",
    extract: |file| {
        let (above, directory) = split(file.path.parent());
        let slug = if is_in(above, b"plugins") { directory } else { stem(file.path.file_name()) };
        with_header(file, "plugin", b"plugin name", slug)
    },
};

/// A theme's style sheet.
pub(super) static THEME: Extractor = Extractor {
    name: "wordpress-theme",
    version: 1,
    claims: |path| path.strip_suffix(b"/style.css").is_some_and(|theme| is_in(split(theme).0, b"themes")),
    content: MAX_BYTES,
    companions: &[],
    yields: &[Ecosystem::Generic],
    form: "and themes",
    extract: |file| with_header(file, "theme", b"theme name", split(file.path.parent()).1),
};

const MAX_BYTES: Content = Content::Whole(8 << 20);
/// WordPress reads no further for a header.
const HEADER_BYTES: usize = 8 << 10;

/// Whether `directory` is `wp-content/NAME`.
fn is_in(directory: &[u8], name: &[u8]) -> bool {
    let (above, found) = split(directory);
    found == name && split(above).1 == b"wp-content"
}

fn is_in_plugin(path: &[u8]) -> bool {
    is_in(split(split(path).0).0, b"plugins")
}

fn stem(file: &[u8]) -> &[u8] {
    file.strip_suffix(b".php").unwrap_or(file)
}

fn core(file: &ClaimedFile<'_>) -> Facts {
    // The first statement that sets it, before which there are comments that name the variable too.
    let assignments = memchr::memmem::find_iter(file.content, b"$wp_version").take(64);
    let version = assignments.filter_map(|at| assigned(&file.content[at..])).next();
    let Some(version) = version.and_then(word) else {
        let gaps = vec![file.gap(GapKind::Malformed, "version.php of WordPress without a valid version")];
        return Facts { gaps, ..Facts::default() };
    };
    let is_plain = version.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    let cpe = is_plain.then(|| {
        let (number, update) = version.split_once('-').unwrap_or((version, "*"));
        format!("cpe:2.3:a:wordpress:wordpress:{number}:{}:*:*:*:*:*:*", update.split('-').next().unwrap_or("*"))
    });
    let package = Package { cpe, ..Package::new(Ecosystem::Generic, "wordpress", version) };
    Facts { packages: vec![package], ..Facts::default() }
}

/// The string in `$wp_version = '…';`.
fn assigned(text: &[u8]) -> Option<&[u8]> {
    let value = text.strip_prefix(b"$wp_version")?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (&quote, rest) = value.split_first().filter(|(quote, _)| matches!(quote, b'\'' | b'"'))?;
    let end = memchr::memchr(quote, rest.get(..rest.len().min(256))?)?;
    rest.get(..end)
}

fn with_header(file: &ClaimedFile<'_>, kind: &str, name: &[u8], slug: &[u8]) -> Facts {
    let header = &file.content[..file.content.len().min(HEADER_BYTES)];
    if header_value(header, name).is_none() {
        return Facts::default();
    }
    // Without a version no advisory can be about it.
    let Some(version) = header_value(header, b"version").and_then(version) else { return Facts::default() };
    let Some(slug) = word(slug) else {
        let gap = file.gap(GapKind::Malformed, format!("WordPress {kind} without a valid name"));
        return Facts { gaps: vec![gap], ..Facts::default() };
    };
    let licence = header_value(header, b"license").and_then(|text| licence::declared(&from_bytes(text)));
    let package = Package { licence, ..Package::new(Ecosystem::Generic, format!("wordpress-{kind}/{slug}"), version) };
    Facts { packages: vec![package], ..Facts::default() }
}

/// A version as people write it: a word, or a number and remarks behind it.
fn version(value: &[u8]) -> Option<&str> {
    let first =
        || value.split(u8::is_ascii_whitespace).next().filter(|word| word.first().is_some_and(u8::is_ascii_digit));
    word(value).or_else(|| first().and_then(word))
}

/// The value of the first line `KEY: value`, before which only blanks, the signs of a comment and `<?php` may stand, and
/// which ends at the comment's end. The last line counts only if something follows it.
fn header_value<'a>(header: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let mut lines = header.split(|&b| matches!(b, b'\n' | b'\r'));
    let _cut_short = lines.next_back();
    lines.find_map(|line| {
        let line = line.trim_ascii_start();
        let line = line.strip_prefix(b"<?php").unwrap_or(line);
        let start = line.iter().position(|b| !b" \t/*#@".contains(b))?;
        let (found, value) = line.get(start..)?.split_at_checked(key.len())?;
        let value = value.strip_prefix(b":").filter(|_| found.eq_ignore_ascii_case(key))?;
        let end = [&b"*/"[..], b"?>"].iter().filter_map(|end| memchr::memmem::find(value, end)).min();
        Some(value[..end.unwrap_or(value.len())].trim_ascii()).filter(|value| !value.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&CORE);
        golden::check(&PLUGIN);
        golden::check(&THEME);
    }

    #[test]
    fn claims_are_narrow() {
        for (path, name) in [
            ("var/www/html/wp-includes/version.php", Some("wordpress")),
            ("wp-includes/version.php", Some("wordpress")),
            ("wp-includes/blocks/version.php", None),
            ("app/version.php", None),
            ("var/www/html/wp-content/plugins/akismet/akismet.php", Some("wordpress-plugin")),
            ("var/www/html/wp-content/plugins/hello.php", Some("wordpress-plugin")),
            ("var/www/html/wp-content/plugins/akismet/views/a.php", None),
            ("plugins/akismet/akismet.php", None),
            ("wp-content/themes/twentytwentyfour/style.css", Some("wordpress-theme")),
            ("wp-content/themes/style.css", None),
            ("wp-content/themes/a/css/style.css", None),
        ] {
            assert_eq!(super::super::claim(path.as_bytes()).map(|e| e.name), name, "{path}");
        }
    }

    fn plugin(content: &[u8]) -> Facts {
        let path = "wp-content/plugins/a-b/main.php".into();
        (PLUGIN.extract)(&ClaimedFile { path: &path, content, companions: &[] })
    }

    #[test]
    fn headers_are_read_as_wordpress_reads_them() {
        for (content, version) in [
            ("<?php\n/*\nPlugin Name: A\nVersion: 1.2\n*/\n", Some("1.2")),
            ("<?php\r\n/**\r\n * Plugin Name: A\r\n * VERSION: 1.2\r\n */\r\n", Some("1.2")),
            ("<?php /* Plugin Name: A */\n# Version: 1.2 */ x\n", Some("1.2")),
            ("<?php\n// Stable Version: 3\n// Plugin Name: A\n// Version: 1.2\n", Some("1.2")),
            ("<?php\n/*\nPlugin Name: A\nVersion: 1.2 (of May)\n*/\n", Some("1.2")),
            ("<?php\n$version = 1;\n", None),
        ] {
            let facts = plugin(content.as_bytes());
            assert_eq!(facts.packages.first().map(|package| package.version.as_str()), version, "{content}");
            assert_eq!(facts.gaps, []);
        }
        for content in [
            "// Plugin Name: A\n// x\n",
            "// Plugin Name: A\n// Version:\n",
            "// Plugin Name: A\n// Version: see below\n// x\n",
        ] {
            assert_eq!(plugin(content.as_bytes()), Facts::default(), "{content}");
        }
        assert_eq!(plugin(&b"\n".repeat(1 << 20)), Facts::default());
        assert_eq!(plugin(&b" *".repeat(1 << 20)), Facts::default());
        assert_eq!(plugin("\u{feff}\0\0".as_bytes()), Facts::default());
    }

    #[test]
    fn every_truncation_yields_no_wrong_version() {
        let whole = b"<?php\n/**\n * Plugin Name: A\n * Version: 1.2.3\n */\n";
        for end in 0..whole.len() {
            assert!(plugin(&whole[..end]).packages.iter().all(|package| package.version == "1.2.3"), "{end}");
        }
        let path = "wp-includes/version.php".into();
        let whole = b"<?php\n/**\n * @global string $wp_version\n */\n$wp_version = '6.4.2';\n";
        for end in 0..=whole.len() {
            let facts = core(&ClaimedFile { path: &path, content: &whole[..end], companions: &[] });
            match &facts.packages[..] {
                [] => assert_eq!(facts.gaps.len(), 1, "{end}"),
                [package] => assert_eq!(package.version, "6.4.2", "{end}"),
                more => panic!("{more:?}"),
            }
        }
        let hostile = b"$wp_version ".repeat(1 << 16);
        assert_eq!(core(&ClaimedFile { path: &path, content: &hostile, companions: &[] }).gaps.len(), 1);
    }
}
