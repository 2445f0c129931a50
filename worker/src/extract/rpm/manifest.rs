//! The package list of distroless Azure Linux images, which have no rpm database.
//!
//! Lines as `rpm --query --all` writes them, tab-separated: name, version-release, time of installation, time of build,
//! vendor, epoch, size, architecture, epoch as a number, source package. The neighbouring `container-manifest-1` says
//! less about the same packages and is not read.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;
use lazaret::text::from_bytes;

use super::super::{ClaimedFile, Content, Extractor};
use super::package::named;

/// Azure Linux and CBL-Mariner.
pub(in super::super) static MANIFEST: Extractor = Extractor {
    name: "rpm-manifest",
    version: 1,
    claims: |path| path == b"var/lib/rpmmanifest/container-manifest-2",
    content: Content::Whole(16 << 20),
    companions: &[],
    yields: &[Ecosystem::Rpm],
    form: "`container-manifest-2`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let mut facts = Facts::default();
    let mut malformed = 0_u64;
    for line in file.content.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
        match package(line) {
            Some(package) => facts.packages.push(package),
            None => malformed += 1,
        }
    }
    facts.packages.sort_unstable();
    if malformed > 0 {
        let reason = format!("{malformed} malformed lines in the list of rpm packages");
        facts.gaps.push(file.gap(GapKind::Malformed, reason));
    }
    facts
}

fn package(line: &[u8]) -> Option<Package> {
    let mut fields = line.split(|&byte| byte == b'\t');
    let mut field = || fields.next().map(|field| from_bytes(field).into_owned());
    let (name, version_release) = (field()?, field()?);
    let (_installed, _built, vendor, epoch) = (field()?, field()?, field()?, field()?);
    let (_size, arch, _epoch_number, source) = (field()?, field()?, field()?, field()?);
    let epoch = match epoch.as_str() {
        "(none)" | "" => None,
        epoch => Some(epoch.parse().ok()?),
    };
    if name.is_empty() || !version_release.contains('-') {
        return None;
    }
    let stated = |text: String| (!text.is_empty() && text != "(none)").then_some(text);
    Some(Package {
        arch: stated(arch),
        vendor: stated(vendor),
        ..named(name, &version_release, epoch, Some(source.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_and_counts_what_it_cannot_read() {
        let content = b"filesystem\t1.1-9.cm2\t1653816591\t1653628924\tMicrosoft Corporation\t(none)\t7596\tx86_64\t0\tfilesystem-1.1-9.cm2.src.rpm\n\
            libgcc\t11.2.0-2.cm2\t1\t1\tMicrosoft Corporation\t2\t1\tx86_64\t2\tgcc-11.2.0-2.cm2.src.rpm\n\
            broken\t1-1\n\n";
        let path = "var/lib/rpmmanifest/container-manifest-2".into();
        let facts = extract(&ClaimedFile { path: &path, content, companions: &[] });
        let [filesystem, libgcc] = &facts.packages[..] else { panic!("{:?}", facts.packages) };
        assert_eq!((filesystem.name.as_str(), filesystem.version.as_str()), ("filesystem", "1.1-9.cm2"));
        assert_eq!((filesystem.arch.as_deref(), &filesystem.source), (Some("x86_64"), &None));
        assert_eq!((libgcc.name.as_str(), libgcc.version.as_str()), ("libgcc", "2:11.2.0-2.cm2"));
        assert_eq!(
            libgcc.source.as_ref().map(|s| (s.name.as_str(), s.version.as_str())),
            Some(("gcc", "2:11.2.0-2.cm2"))
        );
        assert_eq!(facts.gaps.len(), 1);
    }
}
