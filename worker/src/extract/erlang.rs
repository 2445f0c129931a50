//! Erlang and Elixir packages: the applications of a release, and what Mix and rebar fetched from Hex.

mod term;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use lazaret::package::Package;
use lazaret::path::split;
use lazaret::text::from_bytes;

use super::plain::{last_components, malformed, one, word};
use super::{ClaimedFile, Content, Extractor, licence};

/// `NAME[-VERSION]/ebin/NAME.app` (Erlang/OTP, `app(4)`): an application as it is compiled into a release, into RabbitMQ's
/// plugins or into Mix' `_build`. It says what it is called and its version, not where it came from.
///
/// The applications of Erlang/OTP and of Elixir itself are no packages of Hex, and are left out. An application of one's own
/// cannot be told from one of Hex, and is listed like it.
pub(super) static OTP_APPLICATION: Extractor = Extractor {
    name: "otp-application",
    version: 1,
    claims: |path| path.ends_with(b".app") && is_application(path),
    content: Content::Whole(1 << 20),
    companions: &[],
    yields: &[Ecosystem::Hex],
    form: "applications of a release",
    extract: application,
};

/// `hex_metadata.config`, the metadata in each package of Hex (<https://github.com/hexpm/specifications>,
/// "Package metadata"), in whatever directory it was unpacked.
pub(super) static HEX_METADATA: Extractor = Extractor {
    name: "hex-metadata",
    version: 1,
    claims: |path| split(path).1 == b"hex_metadata.config",
    // It lists every file of the package.
    content: Content::Whole(4 << 20),
    companions: &[],
    yields: &[Ecosystem::Hex],
    form: "`hex_metadata.config`",
    extract: metadata,
};

/// Applications of Erlang/OTP since release 21, and of Elixir; sorted. `hex` is Mix' client of Hex.
const NOT_OF_HEX: &[&str] = &[
    "asn1",
    "common_test",
    "compiler",
    "crypto",
    "debugger",
    "dialyzer",
    "diameter",
    "edoc",
    "eex",
    "eldap",
    "elixir",
    "erl_docgen",
    "erl_interface",
    "erts",
    "et",
    "eunit",
    "ex_unit",
    "ftp",
    "hex",
    "hipe",
    "iex",
    "inets",
    "jinterface",
    "kernel",
    "logger",
    "megaco",
    "mix",
    "mnesia",
    "observer",
    "odbc",
    "os_mon",
    "otp_mibs",
    "parsetools",
    "public_key",
    "reltool",
    "runtime_tools",
    "sasl",
    "snmp",
    "ssh",
    "ssl",
    "stdlib",
    "syntax_tools",
    "tftp",
    "tools",
    "wx",
    "xmerl",
];

/// Licences of one package that are kept.
const MAX_LICENCES: usize = 8;

fn is_application(path: &[u8]) -> bool {
    let Some([file, ebin, directory]) = last_components(path) else { return false };
    let name = file.strip_suffix(b".app").unwrap_or_default();
    let rest = directory.strip_prefix(name);
    !name.is_empty() && ebin == b"ebin" && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"-"))
}

/// `{application, NAME, [{vsn, "1.0"}, …]}.`
fn application(file: &ClaimedFile<'_>) -> Facts {
    let (mut is_application, mut name, mut version) = (false, None, None);
    let read = term::read(file.content, |place| match (place.depth, place.position) {
        (1, 0) => is_application = place.text == b"application",
        (1, 1) => name = Some(place.text),
        (3, 1) if place.key == b"vsn" => version = Some(place.text),
        _ => {}
    });
    if let Err(reason) = read {
        return malformed(file, format!("an Erlang application: {reason}"));
    }
    let Some(name) = name.filter(|_| is_application).and_then(word).filter(|name| is_name(name)) else {
        return malformed(file, "an Erlang application without a valid name");
    };
    if NOT_OF_HEX.contains(&name) {
        return Facts::default();
    }
    match version.and_then(word) {
        Some(version) => one(Package::new(Ecosystem::Hex, name, version)),
        None => malformed(file, "an Erlang application without a valid version"),
    }
}

/// `{<<"name">>,<<"jason">>}.` and so on.
fn metadata(file: &ClaimedFile<'_>) -> Facts {
    let (mut name, mut version, mut licences) = (None, None, Vec::new());
    let read = term::read(file.content, |place| match (place.depth, place.key) {
        (1, b"name") if place.position == 1 => name = Some(place.text),
        (1, b"version") if place.position == 1 => version = Some(place.text),
        (2, b"licenses") if licences.len() < MAX_LICENCES => licences.push(from_bytes(place.text)),
        _ => {}
    });
    if let Err(reason) = read {
        return malformed(file, format!("metadata of Hex: {reason}"));
    }
    let Some(name) = name.and_then(word).filter(|name| is_name(name)) else {
        return malformed(file, "metadata of Hex without a valid name");
    };
    let Some(version) = version.and_then(word) else {
        return malformed(file, "metadata of Hex without a valid version");
    };
    let mut package = Package::new(Ecosystem::Hex, name, version);
    package.licence = licence::declared(&licences.join(", "));
    one(package)
}

/// What atoms are made of that stand without quotes: so all of Hex are.
fn is_name(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use lazaret::path::LayerPath;

    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&OTP_APPLICATION);
        golden::check(&HEX_METADATA);
    }

    #[test]
    fn claims_compiled_applications() {
        for path in [
            "app/lib/jason-1.4.1/ebin/jason.app",
            "app/_build/prod/lib/plug/ebin/plug.app",
            "usr/lib/erlang/lib/kernel-8.5.3/ebin/kernel.app",
            "usr/lib/rabbitmq/lib/rabbitmq_server-3.12.1/plugins/ranch-2.1.0/ebin/ranch.app",
        ] {
            assert!((OTP_APPLICATION.claims)(path.as_bytes()), "{path}");
        }
        for path in [
            "jason/src/jason.app",
            "jason/ebin/other.app",
            "jasonic/ebin/jason.app",
            "jason/ebin/jason.app.src",
            "ebin/jason.app",
            "a/ebin/.app",
        ] {
            assert!(!(OTP_APPLICATION.claims)(path.as_bytes()), "{path}");
        }
        assert!((HEX_METADATA.claims)(b"app/deps/jason/hex_metadata.config"));
        assert!(!(HEX_METADATA.claims)(b"app/deps/jason/xhex_metadata.config"));
    }

    #[test]
    fn the_list_of_what_is_not_of_hex_is_sorted() {
        assert!(NOT_OF_HEX.is_sorted());
    }

    #[test]
    fn every_truncation_is_a_gap() {
        let app: &[u8] = b"{application,jason,\n [{vsn,\"1.4.1\"},\n  {modules,['Elixir.Jason']}]}.";
        let hex: &[u8] = b"{<<\"name\">>,<<\"jason\">>}.\n{<<\"version\">>,<<\"1.4.1\">>}.";
        let path = LayerPath::from("a");
        for (whole, extract) in [(app, application as fn(&ClaimedFile<'_>) -> Facts), (hex, metadata)] {
            for end in 0..=whole.len() {
                let facts = extract(&ClaimedFile { path: &path, content: &whole[..end], companions: &[] });
                let expected = if end == whole.len() { (1, 0) } else { (0, 1) };
                assert_eq!((facts.packages.len(), facts.gaps.len()), expected, "{end}");
            }
        }
    }
}
