//! Web servers, proxies and caches of the web.

use super::Rule;

pub(super) static RULES: &[Rule] = &[
    Rule {
        name: "nginx",
        cpe: ("f5", "nginx"),
        files: &["nginx", "nginx-debug"],
        version: &[r"nginx version: nginx/(1\.[0-9]{1,3}\.[0-9]{1,3}|0\.[0-9]{1,2}\.[0-9]{1,3})"],
        examples: &[(b"nginx version: nginx/1.22.1", "1.22.1"), (b"nginx version: nginx/1.31.3", "1.31.3")],
        others: &[b"nginx version: openresty/1.25.3.1\n\0", b"<hr><center>nginx</center>\0nginx/%s\0"],
    },
    // Not seen in a binary: OpenResty changes the name and the version in nginx.h, and nothing of how they are
    // printed.
    Rule {
        name: "openresty",
        cpe: ("openresty", "openresty"),
        files: &["nginx", "openresty"],
        version: &[r"nginx version: openresty/(1\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})"],
        examples: &[(b"nginx version: openresty/1.25.3.1\n\0", "1.25.3.1")],
        others: &[b"nginx version: nginx/1.25.3\n\0"],
    },
    // Not seen in a binary: the words of its nginx.c.
    Rule {
        name: "tengine",
        cpe: ("alibaba", "tengine"),
        files: &["nginx", "tengine"],
        version: &[r"Tengine version: Tengine/([0-9]\.[0-9]{1,2}\.[0-9]{1,2})"],
        examples: &[(b"Tengine version: Tengine/2.4.1\n\0", "2.4.1")],
        others: &[b"Tengine/2.4.1\0nginx version: nginx/1.22.1\0"],
    },
    Rule {
        name: "httpd",
        cpe: ("apache", "http_server"),
        files: &["httpd", "apache2"],
        version: &[r"\x00Apache/(2\.[0-9]\.[0-9]{1,3})(?:\x00| \()"],
        examples: &[(b"\0Apache/2.4.71\0", "2.4.71")],
        others: &[b"\0Apache/\0Apache/2.0 compatible\0"],
    },
    Rule {
        name: "haproxy",
        cpe: ("haproxy", "haproxy"),
        files: &["haproxy"],
        version: &[r" version ([0-9]\.[0-9]{1,2}(?:\.[0-9]{1,3}|-dev[0-9]{1,2}))[^\x00,]{0,48}, released 20[0-9]{2}/"],
        examples: &[(b" version 2.6.12-1+deb12u4, released 2026/", "2.6.12")],
        others: &[b"HAProxy version %s, released %s\0"],
    },
    Rule {
        name: "lighttpd",
        cpe: ("lighttpd", "lighttpd"),
        files: &["lighttpd"],
        version: &[r"lighttpd/(1\.[0-9]\.[0-9]{1,3})[\x00 ]"],
        examples: &[(b"lighttpd/1.4.69\0", "1.4.69")],
        others: &[b"/usr/lib/lighttpd/\0lighttpd/%s\0"],
    },
    Rule {
        name: "varnish",
        cpe: ("varnish_cache_project", "varnish_cache"),
        files: &["varnishd"],
        version: &[r"varnish-([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}) revision [0-9a-f]{7}"],
        examples: &[(b"varnish-7.1.1 revision 7cee1c5", "7.1.1")],
        others: &[b"(varnish-trunk revision 7cee1c5)\0"],
    },
    Rule {
        name: "squid",
        cpe: ("squid-cache", "squid"),
        files: &["squid"],
        version: &[r"\x00squid/([0-9]\.[0-9]{1,2}(?:\.[0-9]{1,2}){0,2})\x00"],
        examples: &[(b"\0squid/5.7\0", "5.7")],
        others: &[b"/etc/squid/squid.conf\0squid/%s\0"],
    },
    // Alone between two zeros, as no other number of this form is in the one release that was looked at.
    Rule {
        name: "envoy",
        cpe: ("envoyproxy", "envoy"),
        files: &["envoy"],
        version: &[r"\x00(1\.[1-9][0-9]\.[0-9]{1,2})\x00"],
        examples: &[(b"\x001.40.0\0", "1.40.0")],
        others: &[b"\x006.0.0\0bf.mexists\0", b"{}/{}/{}/{}/{}\x001.0.0\0"],
    },
    Rule {
        name: "h2o",
        cpe: ("dena", "h2o"),
        files: &["h2o"],
        version: &[r"\x00h2o/([0-9]\.[0-9]{1,2}\.[0-9]{1,2})\x00"],
        examples: &[(b"\0h2o/2.2.5\0", "2.2.5")],
        others: &[b"GLIBC_2.2.5\0h2o/\0"],
    },
    Rule {
        name: "stunnel",
        cpe: ("stunnel", "stunnel"),
        files: &["stunnel", "stunnel4"],
        version: &[r"\x00stunnel ([45]\.[0-9]{1,2}) on "],
        examples: &[(b"\0stunnel 5.68 on ", "5.68")],
        others: &[b"Server: stunnel/%s\0stunnel %s on %s\0"],
    },
    Rule {
        name: "tinyproxy",
        cpe: ("tinyproxy_project", "tinyproxy"),
        files: &["tinyproxy"],
        version: &[r": tinyproxy/(1\.[0-9]{1,2}\.[0-9]{1,2})[\r\x00]"],
        examples: &[(b": tinyproxy/1.11.1\0", "1.11.1")],
        others: &[b"Server: tinyproxy/%s\r\n\0"],
    },
    Rule {
        name: "privoxy",
        cpe: ("privoxy", "privoxy"),
        files: &["privoxy"],
        version: &[r"\x00Privoxy version ([34]\.[0-9]{1,2}\.[0-9]{1,2})\x00"],
        examples: &[(b"\0Privoxy version 3.0.34\0", "3.0.34")],
        others: &[b"\0Privoxy version %s\0"],
    },
];
