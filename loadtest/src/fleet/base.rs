//! Base images: the first layer of every image, a release of a distribution with its packages.

use lazaret::ecosystem::Ecosystem;

use super::published::{CATALOGUE, FleetPackage};
use super::seed::Chance;

/// A release of a distribution.
pub(super) struct Release {
    /// Its name in OSV's words.
    pub(super) stream: &'static str,
    /// Its packaging.
    pub(super) packaging: Ecosystem,
    /// Its os-release file.
    pub(super) os_release: &'static str,
}

const fn release(stream: &'static str, packaging: Ecosystem, os_release: &'static str) -> Release {
    Release { stream, packaging, os_release }
}

const RELEASES: [Release; 9] = [
    release(
        "Debian:11",
        Ecosystem::Deb,
        "PRETTY_NAME=\"Debian GNU/Linux 11 (bullseye)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"11\"\nVERSION=\"11 (bullseye)\"\nVERSION_CODENAME=bullseye\nID=debian\n",
    ),
    release(
        "Alpine:v3.11",
        Ecosystem::Apk,
        "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.11.6\nPRETTY_NAME=\"Alpine Linux v3.11\"\n",
    ),
    release(
        "Debian:10",
        Ecosystem::Deb,
        "PRETTY_NAME=\"Debian GNU/Linux 10 (buster)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"10\"\nVERSION=\"10 (buster)\"\nVERSION_CODENAME=buster\nID=debian\n",
    ),
    release(
        "Ubuntu:18.04:LTS",
        Ecosystem::Deb,
        "NAME=\"Ubuntu\"\nVERSION=\"18.04.4 LTS (Bionic Beaver)\"\nID=ubuntu\nID_LIKE=debian\nPRETTY_NAME=\"Ubuntu 18.04.4 LTS\"\nVERSION_ID=\"18.04\"\nVERSION_CODENAME=bionic\n",
    ),
    release(
        "Alpine:v3.10",
        Ecosystem::Apk,
        "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.10.5\nPRETTY_NAME=\"Alpine Linux v3.10\"\n",
    ),
    release(
        "Debian:9",
        Ecosystem::Deb,
        "PRETTY_NAME=\"Debian GNU/Linux 9 (stretch)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"9\"\nVERSION=\"9 (stretch)\"\nVERSION_CODENAME=stretch\nID=debian\n",
    ),
    release(
        "Alpine:v3.9",
        Ecosystem::Apk,
        "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.9.6\nPRETTY_NAME=\"Alpine Linux v3.9\"\n",
    ),
    release(
        "Ubuntu:16.04:LTS",
        Ecosystem::Deb,
        "NAME=\"Ubuntu\"\nVERSION=\"16.04.6 LTS (Xenial Xerus)\"\nID=ubuntu\nID_LIKE=debian\nPRETTY_NAME=\"Ubuntu 16.04.6 LTS\"\nVERSION_ID=\"16.04\"\nVERSION_CODENAME=xenial\n",
    ),
    release(
        "Alpine:v3.8",
        Ecosystem::Apk,
        "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.8.5\nPRETTY_NAME=\"Alpine Linux v3.8\"\n",
    ),
];

/// The release that a base is of.
pub(super) fn release_of(base: u32) -> &'static Release {
    &RELEASES[base as usize % RELEASES.len()]
}

/// The packages of a base, sorted.
pub(super) fn packages(release: &Release, chance: &mut Chance) -> Vec<FleetPackage> {
    let mut packages = CATALOGUE.fillers(release.packaging).to_vec();
    for published in CATALOGUE.stream(release.stream) {
        let version = chance.below(published.versions.len() as u64) as usize;
        if chance.happens(0.8) {
            packages.push(published.at(version));
        }
    }
    packages.sort_unstable();
    packages
}

/// The packages after an upgrade of some of them and, where `probability` of an installation says so, with new ones.
pub(super) fn upgraded(
    packages: &[FleetPackage],
    release: &Release,
    (upgrade, install): (f64, f64),
    chance: &mut Chance,
) -> Vec<FleetPackage> {
    let mut packages = packages.to_vec();
    for published in CATALOGUE.stream(release.stream) {
        let present = packages.iter_mut().find(|package| package.name == published.name);
        let last = published.versions.len() - 1;
        match present {
            Some(package) if chance.happens(upgrade) => {
                let now = published.versions.iter().position(|version| *version == package.version).unwrap_or(last);
                let later = now + chance.below((last - now) as u64 + 1) as usize;
                *package = published.at(later);
            }
            None if chance.happens(install) => packages.push(published.at(last)),
            _ => {}
        }
    }
    packages.sort_unstable();
    packages
}
