//! What is known about packages of the sample image: real numbers and ranges, in OSV's form.

use serde_json::{Value, json};

/// Record, alias, ecosystem, package, first affected version, first fixed one, CVSS vector, what it is about.
type Fact =
    (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

const TOTAL: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";

const FACTS: &[Fact] = &[
    (
        "DSA-5523-1",
        "CVE-2023-38545",
        "Debian:12",
        "curl",
        "0",
        "7.88.1-10+deb12u4",
        TOTAL,
        "heap overflow in the SOCKS5 handshake",
    ),
    (
        "DSA-5514-1",
        "CVE-2023-4911",
        "Debian:12",
        "glibc",
        "0",
        "2.36-9+deb12u3",
        "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H",
        "GLIBC_TUNABLES overflows a buffer of the dynamic loader: local root",
    ),
    (
        "DSA-5673-1",
        "CVE-2024-2961",
        "Debian:12",
        "glibc",
        "0",
        "2.36-9+deb12u6",
        "",
        "iconv writes past its buffer for ISO-2022-CN-EXT",
    ),
    (
        "DSA-5770-1",
        "CVE-2024-45491",
        "Debian:12",
        "expat",
        "0",
        "2.5.0-1+deb12u1",
        "",
        "integer overflow in dtdCopy on 32-bit machines",
    ),
    (
        "PYSEC-2019-13",
        "CVE-2019-14234",
        "PyPI",
        "django",
        "2.2",
        "2.2.4",
        TOTAL,
        "SQL injection through key and index lookups of JSONField",
    ),
    (
        "PYSEC-2018-28",
        "CVE-2018-18074",
        "PyPI",
        "requests",
        "0",
        "2.20.0",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
        "credentials follow a redirect from https to http",
    ),
    (
        "PYSEC-2019-133",
        "CVE-2019-11324",
        "PyPI",
        "urllib3",
        "0",
        "1.24.2",
        "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N",
        "certificates of the system are trusted although others were asked for",
    ),
    (
        "PYSEC-2019-217",
        "CVE-2019-10906",
        "PyPI",
        "jinja2",
        "0",
        "2.10.1",
        "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:N",
        "str.format_map escapes the sandbox",
    ),
    (
        "PYSEC-2021-142",
        "CVE-2020-14343",
        "PyPI",
        "pyyaml",
        "0",
        "5.4",
        TOTAL,
        "full_load runs code of untrusted documents",
    ),
    (
        "GHSA-jf85-cpcp-j695",
        "CVE-2019-10744",
        "npm",
        "lodash",
        "0",
        "4.17.12",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:H",
        "defaultsDeep pollutes the prototype of all objects",
    ),
    (
        "GHSA-4xc9-xhrj-v574",
        "CVE-2018-16487",
        "npm",
        "lodash",
        "0",
        "4.17.11",
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:L/A:L",
        "merge and mergeWith pollute the prototype of all objects",
    ),
    (
        "GHSA-w457-6q6x-cgp9",
        "CVE-2019-19919",
        "npm",
        "handlebars",
        "4.0.0",
        "4.3.0",
        TOTAL,
        "templates can alter Object.prototype and run code",
    ),
    ("GHSA-vh95-rmgr-6w4m", "CVE-2020-7598", "npm", "minimist", "0", "0.2.1", "", "arguments pollute Object.prototype"),
];

pub(super) fn records() -> Vec<Value> {
    FACTS.iter().map(record).collect()
}

fn record(&(id, cve, ecosystem, name, introduced, fixed, vector, summary): &Fact) -> Value {
    let kind = if ecosystem == "npm" { "SEMVER" } else { "ECOSYSTEM" };
    // A distribution's record is about an upstream vulnerability; a registry's is another name of it.
    let link = if ecosystem.starts_with("Debian") { "upstream" } else { "aliases" };
    let mut record = json!({
        "schema_version": "1.7.0",
        "id": id,
        "modified": "2024-09-15T00:00:00Z",
        "summary": summary,
        "affected": [{
            "package": { "ecosystem": ecosystem, "name": name },
            "ranges": [{ "type": kind, "events": [{ "introduced": introduced }, { "fixed": fixed }] }],
        }],
    });
    record[link] = json!([cve]);
    if !vector.is_empty() {
        record["severity"] = json!([{ "type": "CVSS_V3", "score": vector }]);
    }
    record
}
