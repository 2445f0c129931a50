//! Runtimes and servers without an executable that says their version: it stands in a text file instead.
//!
//! `OTP_VERSION`: Erlang/OTP's "System Principles", 1.6; `.app`: app(4); Go's `VERSION`: cmd/dist, `findgoversion`.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;
use lazaret::path::split;

use super::{ClaimedFile, Content, Extractor, control};

/// `releases/RELEASE/OTP_VERSION` of an installed Erlang/OTP.
pub(super) static ERLANG_OTP: Extractor = Extractor {
    name: "erlang-otp",
    version: 1,
    claims: |path| path.ends_with(b"/OTP_VERSION") && split(split(split(path).0).0).1 == b"releases",
    content: Content::Whole(4096),
    companions: &[],
    yields: &[Ecosystem::Generic],
    form: "Erlang/OTP",
    // Of an installation that was patched, two asterisks follow the version.
    extract: |file| match first_line(file.content).strip_suffix(b"**").unwrap_or(first_line(file.content)) {
        version if is_version(version) => found("erlang", r"erlang:erlang\/otp", version),
        _ => malformed(file, "an OTP_VERSION that is no version"),
    },
};

/// `go/VERSION` of a Go distribution, or below the directories in which Debian has several.
pub(super) static GO_DISTRIBUTION: Extractor = Extractor {
    name: "go-distribution",
    version: 1,
    claims: |path| path.ends_with(b"/VERSION") && is_go_root(split(split(path).0).1),
    content: Content::Whole(4096),
    companions: &[],
    yields: &[Ecosystem::Generic],
    form: "Go",
    // Whatever else has a VERSION in a directory of that name starts otherwise.
    extract: |file| match first_line(file.content).strip_prefix(b"go") {
        Some(version) if is_version(version) => found("go", "golang:go", version),
        _ => Facts::default(),
    },
};

/// `ebin/APPLICATION.app` of a product written in Erlang.
pub(super) static ERLANG_PRODUCT: Extractor = Extractor {
    name: "erlang-product",
    version: 1,
    claims: |path| path.ends_with(b".app") && product(path).is_some(),
    content: Content::Whole(1 << 20),
    companions: &[],
    yields: &[Ecosystem::Generic],
    form: "products in Erlang",
    extract: |file| match (product(file.path.as_bytes()), vsn(file.content)) {
        (Some((_, name, cpe)), Some(version)) if is_version(version) => found(name, cpe, version),
        _ => malformed(file, "an Erlang application without a version"),
    },
};

/// Application, name, and vendor and product of a CPE.
const PRODUCTS: [(&str, &str, &str); 4] = [
    ("rabbit.app", "rabbitmq", "vmware:rabbitmq"),
    ("elixir.app", "elixir", "elixir-lang:elixir"),
    ("ejabberd.app", "ejabberd", "process-one:ejabberd"),
    ("couch.app", "couchdb", "apache:couchdb"),
];

fn product(path: &[u8]) -> Option<&'static (&'static str, &'static str, &'static str)> {
    let (directory, name) = split(path);
    PRODUCTS.iter().find(|(file, ..)| file.as_bytes() == name).filter(|_| split(directory).1 == b"ebin")
}

/// The value of `{vsn, "…"}`.
fn vsn(content: &[u8]) -> Option<&[u8]> {
    let at = memchr::memmem::find(content, b"{vsn")? + b"{vsn".len();
    let value = content.get(at..)?.trim_ascii_start().strip_prefix(b",")?.trim_ascii_start().strip_prefix(b"\"")?;
    value.get(..memchr::memchr(b'"', value)?)
}

fn is_go_root(name: &[u8]) -> bool {
    name == b"go" || name.starts_with(b"go-1.")
}

fn first_line(content: &[u8]) -> &[u8] {
    control::lines(content).next().unwrap_or_default().trim_ascii()
}

/// Digits first, and nothing that a CPE would have to quote.
fn is_version(version: &[u8]) -> bool {
    version.len() <= 64
        && version.first().is_some_and(u8::is_ascii_digit)
        && version.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

fn found(name: &str, vendor_and_product: &str, version: &[u8]) -> Facts {
    let version = String::from_utf8_lossy(version);
    let cpe = Some(format!("cpe:2.3:a:{vendor_and_product}:{version}:*:*:*:*:*:*:*"));
    Facts { packages: vec![Package { cpe, ..Package::new(Ecosystem::Generic, name, version) }], ..Facts::default() }
}

fn malformed(file: &ClaimedFile<'_>, reason: &str) -> Facts {
    Facts { gaps: vec![file.gap(GapKind::Malformed, reason)], ..Facts::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{claim, golden};

    fn run(path: &str, content: &[u8]) -> Facts {
        let extractor = claim(path.as_bytes()).expect(path);
        (extractor.extract)(&ClaimedFile { path: &path.into(), content, companions: &[] })
    }

    fn versions(facts: &Facts) -> Vec<&str> {
        facts.packages.iter().map(|package| package.version.as_str()).collect()
    }

    #[test]
    fn golden_cases() {
        [&ERLANG_OTP, &GO_DISTRIBUTION, &ERLANG_PRODUCT].into_iter().for_each(golden::check);
    }

    #[test]
    fn claims_are_exact() {
        for (path, name) in [
            ("usr/lib/erlang/releases/25/OTP_VERSION", Some("erlang-otp")),
            ("usr/local/go/VERSION", Some("go-distribution")),
            ("go/VERSION", Some("go-distribution")),
            ("usr/lib/go-1.19/VERSION", Some("go-distribution")),
            ("opt/rabbitmq/plugins/rabbit-3.10.8/ebin/rabbit.app", Some("erlang-product")),
            ("usr/lib/elixir/lib/elixir/ebin/elixir.app", Some("erlang-product")),
            ("otp/OTP_VERSION", None),
            ("releases/OTP_VERSION", None),
            ("releases/25/xOTP_VERSION", None),
            ("VERSION", None),
            ("usr/local/cargo/VERSION", None),
            ("usr/local/go/src/VERSION", None),
            ("plugins/rabbit-3.10.8/src/rabbit.app", None),
            ("rabbit.app", None),
            ("ebin/rabbit.app.src", None),
        ] {
            let claimed = claim(path.as_bytes()).map(|extractor| extractor.name);
            let ours = claimed.filter(|name| name.starts_with("erlang-") || name.starts_with("go-"));
            assert_eq!(ours, name, "{path}");
        }
    }

    #[test]
    fn names_the_product_for_nvd() {
        let facts = run("usr/lib/erlang/releases/25/OTP_VERSION", b"25.2.3**\n");
        assert_eq!(facts.packages[0].cpe.as_deref(), Some(r"cpe:2.3:a:erlang:erlang\/otp:25.2.3:*:*:*:*:*:*:*"));
        let facts = run("a/ebin/rabbit.app", b"{application,rabbit,[{vsn , \"4.0.5\"}]}.");
        assert_eq!(facts.packages[0].cpe.as_deref(), Some("cpe:2.3:a:vmware:rabbitmq:4.0.5:*:*:*:*:*:*:*"));
    }

    #[test]
    fn cut_short_it_is_a_gap_or_an_honest_part() {
        let whole = b"{application,elixir,\n    [{description,\"elixir\"},\n     {vsn,\"1.14.0\"},\n";
        for end in 0..whole.len() {
            let facts = run("lib/elixir/ebin/elixir.app", &whole[..end]);
            assert!(facts.gaps.len() == 1 || versions(&facts) == ["1.14.0"], "{end}");
        }
        assert_eq!(run("go/VERSION", b""), Facts::default());
        assert_eq!(run("releases/25/OTP_VERSION", b"").gaps.len(), 1);
    }

    #[test]
    fn no_version_is_no_package() {
        let long = "1".repeat(65);
        for content in ["latest", "\u{feff}25.0", "25.0:*", "25\u{a0}", "\0\0", "2\t5", long.as_str()] {
            let facts = run("releases/25/OTP_VERSION", content.as_bytes());
            assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1), "{content:?}");
            assert_eq!(run("go/VERSION", format!("go{content}").as_bytes()), Facts::default(), "{content:?}");
        }
        assert_eq!(run("releases/25/OTP_VERSION", b"\xff\xfe2\x005\0").gaps.len(), 1, "UTF-16");
        assert_eq!(run("go/VERSION", b"1.2.3\n"), Facts::default(), "another project of that name");
    }
}
