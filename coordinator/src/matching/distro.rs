//! Which OSV ecosystems speak about a distribution: the one table from os-release to names of ecosystems.
//!
//! Source of the names: <https://ossf.github.io/osv-schema/#affectedpackage-field> and OSV's `ecosystems.txt`. Derived
//! distributions (`ID_LIKE`) are not taken for their parents: they rebuild packages under versions of their own.

use lazaret::distro::OsRelease;
use lazaret::ecosystem::Ecosystem;

use crate::version::Scheme;

/// How a distribution's advisories are to be asked.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Whose packages it describes.
    pub packaging: Ecosystem,
    /// The order of its versions.
    pub scheme: Scheme,
    /// Under which name packages stand there.
    pub named_by: NamedBy,
    /// The ecosystems to look in.
    pub ecosystems: Vec<Wanted>,
}

/// The name and version under which advisories know a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// The source package (dpkg), or the origin (apk).
    Source,
    /// The package itself.
    Binary,
    /// Some by source, some by the package itself.
    Both,
}

/// Names of ecosystems: one, or all that begin and end so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    prefix: String,
    /// `None`: the prefix is the whole name.
    suffix: Option<String>,
}

impl Wanted {
    fn name(name: impl Into<String>) -> Self {
        Self { prefix: name.into(), suffix: None }
    }

    fn like(prefix: impl Into<String>, suffix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), suffix: Some(suffix.into()) }
    }

    /// Whether `ecosystem` is meant.
    pub fn matches(&self, ecosystem: &str) -> bool {
        match &self.suffix {
            None => ecosystem == self.prefix,
            Some(suffix) => ecosystem.strip_prefix(&self.prefix).is_some_and(|rest| rest.ends_with(suffix)),
        }
    }

    /// The ecosystem without its release suffix, which is also the directory of its `all.zip`.
    pub fn base(&self) -> &str {
        crate::advisory::name::base(&self.prefix)
    }

    /// How it is shown to people.
    pub fn shown(&self) -> String {
        match &self.suffix {
            None => self.prefix.clone(),
            Some(suffix) => format!("{}*{suffix}", self.prefix),
        }
    }
}

/// The stream of the distribution that `os` names; `None` where this table does not know it.
pub fn stream(os: &OsRelease) -> Option<Stream> {
    let (_, packaging, scheme, named_by, ecosystems) =
        DISTROS.iter().find(|(ids, ..)| ids.contains(&os.id.as_str()))?;
    Some(Stream { packaging: *packaging, scheme: *scheme, named_by: *named_by, ecosystems: ecosystems(os) })
}

/// The order of versions in a distribution's ecosystem, named without its release suffix.
pub(super) fn scheme(base: &str) -> Option<Scheme> {
    BASES.iter().find(|(bases, _)| bases.contains(&base)).map(|(_, scheme)| *scheme)
}

/// The ecosystems of all distributions whose packages are of `packaging`, without release suffixes, sorted.
pub(super) fn feeds(packaging: Ecosystem) -> Vec<&'static str> {
    let scheme = scheme_of(packaging);
    BASES.iter().filter(|(_, of)| Some(*of) == scheme).flat_map(|(bases, _)| bases.iter().copied()).collect()
}

/// The order of versions of packages of distributions.
pub(super) fn scheme_of(packaging: Ecosystem) -> Option<Scheme> {
    DISTROS.iter().find(|(_, of, ..)| *of == packaging).map(|(_, _, scheme, ..)| *scheme)
}

/// Ecosystems of distributions, by the order of their versions.
const BASES: &[(&[&str], Scheme)] = &[
    (
        &["Alpine", "Alpaquita", "BellSoft Hardened Containers", "Chainguard", "CleanStart", "MinimOS", "Wolfi"],
        Scheme::Apk,
    ),
    (&["Debian", "Echo", "Ubuntu"], Scheme::Deb),
    (
        &["AlmaLinux", "Azure Linux", "Mageia", "Photon OS", "Red Hat", "Rocky Linux", "SUSE", "openEuler", "openSUSE"],
        Scheme::Rpm,
    ),
];

type Row = (&'static [&'static str], Ecosystem, Scheme, NamedBy, fn(&OsRelease) -> Vec<Wanted>);

/// os-release `ID`s, packaging, versions, names, ecosystems.
const DISTROS: &[Row] = &[
    (&["alpine"], Ecosystem::Apk, Scheme::Apk, NamedBy::Source, alpine),
    (&["wolfi"], Ecosystem::Apk, Scheme::Apk, NamedBy::Both, |_| vec![Wanted::name("Wolfi")]),
    (&["chainguard"], Ecosystem::Apk, Scheme::Apk, NamedBy::Both, |_| vec![Wanted::name("Chainguard")]),
    (&["minimos"], Ecosystem::Apk, Scheme::Apk, NamedBy::Both, |_| vec![Wanted::name("MinimOS")]),
    (&["cleanstart"], Ecosystem::Apk, Scheme::Apk, NamedBy::Both, |_| vec![Wanted::name("CleanStart")]),
    (&["alpaquita"], Ecosystem::Apk, Scheme::Apk, NamedBy::Source, |os| release("Alpaquita", &os.version_id)),
    (&["bellsoft-hardened-containers"], Ecosystem::Apk, Scheme::Apk, NamedBy::Source, |os| {
        release("BellSoft Hardened Containers", &os.version_id)
    }),
    (&["debian"], Ecosystem::Deb, Scheme::Deb, NamedBy::Source, debian),
    (&["ubuntu"], Ecosystem::Deb, Scheme::Deb, NamedBy::Source, ubuntu),
    (&["echo"], Ecosystem::Deb, Scheme::Deb, NamedBy::Source, |_| vec![Wanted::name("Echo")]),
    (&["almalinux"], Ecosystem::Rpm, Scheme::Rpm, NamedBy::Binary, |os| release("AlmaLinux", major(os))),
    (&["rocky"], Ecosystem::Rpm, Scheme::Rpm, NamedBy::Binary, |os| release("Rocky Linux", major(os))),
    (&["rhel", "centos"], Ecosystem::Rpm, Scheme::Rpm, NamedBy::Binary, red_hat),
    (
        &["sles", "sled", "sles_sap", "sle_hpc", "sle-micro", "sl-micro", "suse-microos"],
        Ecosystem::Rpm,
        Scheme::Rpm,
        NamedBy::Both,
        suse,
    ),
    (&["opensuse-leap"], Ecosystem::Rpm, Scheme::Rpm, NamedBy::Both, |os| release("openSUSE:Leap", &os.version_id)),
    (&["opensuse-leap-micro"], Ecosystem::Rpm, Scheme::Rpm, NamedBy::Both, |os| {
        release("openSUSE:Leap Micro", &os.version_id)
    }),
    (&["opensuse-tumbleweed"], Ecosystem::Rpm, Scheme::Rpm, NamedBy::Both, |_| {
        vec![Wanted::name("openSUSE:Tumbleweed")]
    }),
    (&["photon"], Ecosystem::Rpm, Scheme::Rpm, NamedBy::Both, |os| release("Photon OS", &os.version_id)),
    (&["mariner", "azurelinux"], Ecosystem::Rpm, Scheme::Rpm, NamedBy::Both, |os| release("Azure Linux", major(os))),
    (&["openeuler"], Ecosystem::Rpm, Scheme::Rpm, NamedBy::Both, open_euler),
    (&["mageia"], Ecosystem::Rpm, Scheme::Rpm, NamedBy::Both, |os| release("Mageia", &os.version_id)),
    // Known, and nobody publishes OSV records for them.
    (&["amzn", "ol", "fedora", "eurolinux", "virtuozzo"], Ecosystem::Rpm, Scheme::Rpm, NamedBy::Binary, |_| Vec::new()),
    (&["raspbian", "linuxmint", "kali"], Ecosystem::Deb, Scheme::Deb, NamedBy::Source, |_| Vec::new()),
    (&["postmarketos"], Ecosystem::Apk, Scheme::Apk, NamedBy::Source, |_| Vec::new()),
];

/// Where an Ubuntu package with an extended-maintenance version (`…+esm1`, `…~esm2`) is also described.
pub fn ubuntu_pro(os: &OsRelease, version: &str) -> Option<Wanted> {
    let esm = os.id == "ubuntu" && version.contains("esm");
    esm.then(|| Wanted::like(format!("Ubuntu:Pro:{}", os.version_id), ""))
}

fn release(ecosystem: &str, release: &str) -> Vec<Wanted> {
    if release.is_empty() {
        return Vec::new();
    }
    // openSUSE has a blank where the others have a colon.
    let separator = if ecosystem.contains(':') { ' ' } else { ':' };
    vec![Wanted::name(format!("{ecosystem}{separator}{release}"))]
}

fn major(os: &OsRelease) -> &str {
    os.version_id.split('.').next().unwrap_or_default()
}

/// `3.18.9` is of branch v3.18; `3.21_alpha20240807` and the like are edge.
fn alpine(os: &OsRelease) -> Vec<Wanted> {
    if os.version_id.contains('_') || os.version_id == "edge" {
        return vec![Wanted::name("Alpine:edge")];
    }
    let mut parts = os.version_id.split('.');
    match (parts.next(), parts.next()) {
        (Some(major), Some(minor)) => vec![Wanted::name(format!("Alpine:v{major}.{minor}"))],
        _ => Vec::new(),
    }
}

/// Releases before 7 had a minor number; testing and unstable have no number at all.
fn debian(os: &OsRelease) -> Vec<Wanted> {
    const CODENAMES: [(&str, &str); 7] = [
        ("stretch", "9"),
        ("buster", "10"),
        ("bullseye", "11"),
        ("bookworm", "12"),
        ("trixie", "13"),
        ("forky", "14"),
        ("duke", "15"),
    ];
    if os.version_id.is_empty() {
        let number = CODENAMES.iter().find(|(name, _)| *name == os.version_codename);
        return number.map(|(_, number)| Wanted::name(format!("Debian:{number}"))).into_iter().collect();
    }
    let mut wanted = release("Debian", major(os));
    if os.version_id != major(os) {
        wanted.extend(release("Debian", &os.version_id));
    }
    wanted
}

/// Every second April is a release with long-term support, which is part of its name.
fn ubuntu(os: &OsRelease) -> Vec<Wanted> {
    let Some((year, month)) = os.version_id.split_once('.') else { return Vec::new() };
    let long = month == "04" && year.parse::<u32>().is_ok_and(|year| year.is_multiple_of(2));
    let version = &os.version_id;
    vec![Wanted::name(if long { format!("Ubuntu:{version}:LTS") } else { format!("Ubuntu:{version}") })]
}

/// `Red Hat:` and the rest of a CPE: `enterprise_linux:9::appstream`, `rhel_eus:9.2::baseos`. The extended streams count only
/// for an image that says it is of one. CentOS is a rebuild of the same packages, CentOS Stream is not.
fn red_hat(os: &OsRelease) -> Vec<Wanted> {
    let major = major(os);
    if major.is_empty() || os.id == "centos" && os.pretty_name.contains("Stream") {
        return Vec::new();
    }
    let mut wanted = vec![
        Wanted::name(format!("Red Hat:enterprise_linux:{major}")),
        Wanted::like(format!("Red Hat:enterprise_linux:{major}::"), ""),
    ];
    for extended in ["rhel_eus", "rhel_aus", "rhel_e4s", "rhel_tus", "rhel_els"] {
        if os.cpe_name.contains(&format!(":{extended}:")) {
            wanted.push(Wanted::like(format!("Red Hat:{extended}:{}::", os.version_id), ""));
        }
    }
    wanted
}

/// `SUSE:Linux Enterprise Server 15 SP3` with its long-term support, and the modules that every such server draws from.
fn suse(os: &OsRelease) -> Vec<Wanted> {
    let version = &os.version_id;
    if version.is_empty() {
        return Vec::new();
    }
    if os.id.ends_with("-micro") || os.id == "suse-microos" {
        return vec![
            Wanted::name(format!("SUSE:Linux Enterprise Micro {version}")),
            Wanted::name(format!("SUSE:Linux Micro {version}")),
        ];
    }
    let release = match version.split_once('.') {
        Some((major, pack)) if pack != "0" => format!("{major} SP{pack}"),
        Some((major, _)) => major.to_owned(),
        None => version.clone(),
    };
    let mut wanted = vec![Wanted::like("SUSE:Linux Enterprise Module for ", format!(" {release}"))];
    for product in ["Server", "Desktop", "Server for SAP Applications", "High Performance Computing"] {
        wanted.push(Wanted::name(format!("SUSE:Linux Enterprise {product} {release}")));
        wanted.push(Wanted::like(format!("SUSE:Linux Enterprise {product} {release}-"), ""));
    }
    wanted
}

/// `openEuler 22.03 (LTS-SP4)` is `openEuler:22.03-LTS-SP4`; the bracket stands in the pretty name alone.
fn open_euler(os: &OsRelease) -> Vec<Wanted> {
    let bracket = os.pretty_name.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    match bracket {
        Some((edition, _)) if !os.version_id.is_empty() => {
            release("openEuler", &format!("{}-{edition}", os.version_id))
        }
        _ => release("openEuler", &os.version_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os(id: &str, version_id: &str) -> OsRelease {
        OsRelease { id: id.into(), version_id: version_id.into(), ..OsRelease::default() }
    }

    fn shown(os: &OsRelease) -> Vec<String> {
        stream(os).unwrap().ecosystems.iter().map(Wanted::shown).collect()
    }

    #[test]
    fn names_of_ecosystems() {
        for (id, version, ecosystem) in [
            ("alpine", "3.18.9", "Alpine:v3.18"),
            ("alpine", "3.18", "Alpine:v3.18"),
            ("alpine", "3.21_alpha20240807", "Alpine:edge"),
            ("debian", "12", "Debian:12"),
            ("ubuntu", "22.04", "Ubuntu:22.04:LTS"),
            ("ubuntu", "19.10", "Ubuntu:19.10"),
            ("ubuntu", "23.04", "Ubuntu:23.04"),
            ("almalinux", "9.3", "AlmaLinux:9"),
            ("rocky", "8.9", "Rocky Linux:8"),
            ("mariner", "2.0", "Azure Linux:2"),
            ("azurelinux", "3.0", "Azure Linux:3"),
            ("photon", "4.0", "Photon OS:4.0"),
            ("opensuse-leap", "15.5", "openSUSE:Leap 15.5"),
            ("opensuse-tumbleweed", "20240101", "openSUSE:Tumbleweed"),
            ("wolfi", "20230201", "Wolfi"),
            ("alpaquita", "stream", "Alpaquita:stream"),
            ("mageia", "9", "Mageia:9"),
        ] {
            assert_eq!(shown(&os(id, version)), [ecosystem], "{id} {version}");
            let stream = stream(&os(id, version)).unwrap();
            assert_eq!(scheme(stream.ecosystems[0].base()), Some(stream.scheme), "{id}");
        }
    }

    #[test]
    fn families_of_names() {
        let wants =
            |os: &OsRelease, name: &str| stream(os).unwrap().ecosystems.iter().any(|wanted| wanted.matches(name));
        let rhel = os("rhel", "9.4");
        assert!(
            wants(&rhel, "Red Hat:enterprise_linux:9::appstream")
                && !wants(&rhel, "Red Hat:enterprise_linux:8::baseos")
        );
        assert!(!wants(&rhel, "Red Hat:rhel_eus:9.4::baseos"));
        let sles = os("sles", "15.3");
        assert!(
            wants(&sles, "SUSE:Linux Enterprise Server 15 SP3-LTSS")
                && wants(&sles, "SUSE:Linux Enterprise Server 15 SP3")
        );
        assert!(wants(&sles, "SUSE:Linux Enterprise Module for Basesystem 15 SP3"));
        assert!(!wants(&sles, "SUSE:Linux Enterprise Module for Basesystem 15 SP4"));
        let euler = OsRelease { pretty_name: "openEuler 22.03 (LTS-SP4)".into(), ..os("openeuler", "22.03") };
        assert!(wants(&euler, "openEuler:22.03-LTS-SP4"));
        let sid = OsRelease { version_codename: "forky".into(), ..os("debian", "") };
        assert!(wants(&sid, "Debian:14") && stream(&os("debian", "")).unwrap().ecosystems.is_empty());
        let stream8 = OsRelease { pretty_name: "CentOS Stream 8".into(), ..os("centos", "8") };
        assert!(stream(&stream8).unwrap().ecosystems.is_empty());
        assert!(stream(&os("plan9", "4")).is_none());
    }

    #[test]
    fn extended_maintenance_only_where_installed() {
        let focal = os("ubuntu", "20.04");
        assert!(ubuntu_pro(&focal, "1.0-1ubuntu1.2+esm1").unwrap().matches("Ubuntu:Pro:20.04:LTS"));
        assert_eq!(ubuntu_pro(&focal, "1.0-1ubuntu1.2"), None);
    }
}
