//! What is installed in the sample image.

use std::fmt::Write as _;

pub(super) const OS_RELEASE: &str = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n\
    VERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n";

/// Package, version, and source package where that has another name: Debian 12 as it was in the summer of 2023.
const DEBIAN: &[(&str, &str, &str)] = &[
    ("base-files", "12.4+deb12u1", ""),
    ("bash", "5.2.15-2+b2", ""),
    ("ca-certificates", "20230311", ""),
    ("coreutils", "9.1-1", ""),
    ("curl", "7.88.1-10+deb12u1", ""),
    ("dpkg", "1.21.22", ""),
    ("gzip", "1.12-1", ""),
    ("libc-bin", "2.36-9+deb12u1", "glibc"),
    ("libc6", "2.36-9+deb12u1", "glibc"),
    ("libcurl4", "7.88.1-10+deb12u1", "curl"),
    ("libexpat1", "2.5.0-1", "expat"),
    ("liblzma5", "5.4.1-0.2", "xz-utils"),
    ("libssl3", "3.0.9-1", "openssl"),
    ("libsqlite3-0", "3.40.1-2", "sqlite3"),
    ("libpython3.11-minimal", "3.11.2-6", "python3.11"),
    ("ncurses-base", "6.4-4", "ncurses"),
    ("openssl", "3.0.9-1", ""),
    ("perl-base", "5.36.0-7", "perl"),
    ("python3.11-minimal", "3.11.2-6", "python3.11"),
    ("tar", "1.34+dfsg-1.2", ""),
    ("tzdata", "2023c-5", ""),
    ("util-linux", "2.38.1-5+b1", "util-linux (2.38.1-5)"),
    ("zlib1g", "1:1.2.13.dfsg-1", "zlib"),
];

/// What the last layer upgrades: the version of `curl` and its library.
pub(super) const UPGRADED: &str = "7.88.1-10+deb12u8";

/// The database of dpkg, with `curl` at another version where one is given.
pub(super) fn dpkg_status(curl: Option<&str>) -> String {
    let mut status = String::new();
    for (name, version, source) in DEBIAN {
        let is_curl = *name == "curl" || *source == "curl";
        let version = curl.filter(|_| is_curl).unwrap_or(version);
        let _ =
            writeln!(status, "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}");
        if !source.is_empty() {
            let _ = writeln!(status, "Source: {source}");
        }
        status.push('\n');
    }
    status
}

/// Python distributions.
pub(super) const PYTHON: &[(&str, &str)] = &[
    ("Django", "2.2"),
    ("Jinja2", "2.10"),
    ("MarkupSafe", "1.1.1"),
    ("PyYAML", "5.1"),
    ("requests", "2.19.1"),
    ("urllib3", "1.24"),
];

/// Node packages.
pub(super) const NODE: &[(&str, &str)] =
    &[("express", "4.15.0"), ("handlebars", "4.0.11"), ("lodash", "4.17.4"), ("minimist", "0.0.8"), ("ms", "2.1.3")];
