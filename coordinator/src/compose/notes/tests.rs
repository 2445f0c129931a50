//! Executables that name the OS package they are from, on images whose databases know it and on others.

use lazaret::inventory::{Evidence, Executable, Facts, GapKind, LayerInventory, Owner};
use lazaret::package::SourcePackage;
use lazaret::path::LayerPath;

use super::super::{Contents, compose};
use super::*;

fn note(ecosystem: Ecosystem, name: &str, version: &str, arch: Option<&str>) -> Facts {
    let package = Package { arch: arch.map(str::to_owned), ..Package::new(ecosystem, name, version) };
    Facts { packages: vec![package], ..Facts::default() }
}

fn rpm(name: &str, version: &str, source: &str) -> Package {
    let source =
        SourcePackage { name: source.into(), version: version.split_once(':').map_or(version, |v| v.1).into() };
    Package {
        arch: Some("x86_64".into()),
        source: Some(source),
        vendor: Some("Fedora Project".into()),
        ..Package::new(Ecosystem::Rpm, name, version)
    }
}

/// A layer with an rpm database of `packages` and a program for each of `programs`, of which those that are owned belong to
/// the first package.
fn layer(packages: &[Package], programs: &[(&str, Facts, bool)]) -> LayerInventory {
    let mut evidence: Vec<Evidence> = programs
        .iter()
        .map(|(path, facts, _)| Evidence { path: (*path).into(), extractor: "executable".into(), facts: facts.clone() })
        .collect();
    if !packages.is_empty() {
        let facts = Facts { packages: packages.to_vec(), ..Facts::default() };
        evidence.push(Evidence { path: "var/lib/rpm/rpmdb.sqlite".into(), extractor: "rpm-sqlite".into(), facts });
    }
    let database = evidence.len() as u32 - 1;
    let mut executables: Vec<Executable> = (0..)
        .zip(programs)
        .map(|(at, (path, facts, owned))| {
            let tells = *owned || !facts.packages.is_empty();
            let owner = tells.then_some(Owner { evidence: if *owned { database } else { at }, package: 0 });
            Executable { path: (*path).into(), bytes: 1, owner }
        })
        .collect();
    executables.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    LayerInventory { evidence, executables, ..LayerInventory::default() }
}

fn rows(contents: &Contents) -> Vec<String> {
    let row = |found: &super::super::InstalledPackage| {
        let files: Vec<String> = found.evidence.iter().map(LayerPath::to_string).collect();
        let Package { name, version, registry, .. } = &found.package;
        format!("{name} {version} {} {}", registry.as_deref().unwrap_or("-"), files.join(" "))
    };
    contents.packages.iter().map(row).collect()
}

#[test]
fn of_what_an_os_package_owns_the_database_has_said_it() {
    let broken = |facts: Facts| Facts {
        gaps: vec![Gap {
            kind: GapKind::Malformed,
            path: "usr/bin/b".into(),
            reason: format!("{PACKAGE_NOTE} broken"),
        }],
        ..facts
    };
    let bash = note(Ecosystem::Rpm, "bash", "5.2-1.fc40", Some("x86_64"));
    for database in [rpm("bash", "5.2-1.fc40", "bash"), rpm("other", "1-1", "other")] {
        for owned in [true, false] {
            let programs = [("usr/bin/a", bash.clone(), owned), ("usr/bin/b", broken(Facts::default()), owned)];
            let contents = compose([Some(&layer(std::slice::from_ref(&database), &programs))]);
            let listed = database.name == "bash";
            let rows = rows(&contents);
            assert_eq!(rows.len(), if listed || owned { 1 } else { 2 }, "{rows:?}");
            assert_eq!(rows[0].contains("usr/bin/a"), !owned, "{rows:?}");
            assert_eq!(contents.gaps.len(), usize::from(!owned));
            assert_eq!(contents.executables.unexplained.files, u64::from(!owned), "b says nothing");
        }
    }
}

#[test]
fn a_file_that_a_later_layer_touches_is_still_the_packages() {
    let bash = note(Ecosystem::Rpm, "bash", "5.2-1.fc40", Some("x86_64"));
    let lower = layer(&[rpm("other", "1-1", "other")], &[("usr/bin/a", bash.clone(), true)]);
    let upper = layer(&[], &[("usr/bin/a", bash, false)]);
    let contents = compose([Some(&lower), Some(&upper)]);
    assert_eq!(rows(&contents), ["other 1-1 - var/lib/rpm/rpmdb.sqlite"]);
    assert_eq!(contents.executables.unexplained.files, 0);
}

#[test]
fn joins_what_a_database_lists_by_name_or_by_source() {
    let database = [rpm("shadow-utils", "2:4.15-1", "shadow-utils"), rpm("systemd-libs", "255.4-1.fc40", "systemd")];
    let contents = |facts: Facts| compose([Some(&layer(&database, &[("opt/a", facts, false)]))]);
    for (name, version, arch, joined) in [
        ("shadow-utils", "4.15-1", Some("x86_64"), Some(0)),
        ("shadow-utils", "2:4.15-1", Some("x86_64"), Some(0)),
        ("shadow-utils", "4.15-1", None, Some(0)),
        ("systemd", "255.4-1.fc40", Some("x86_64"), Some(1)),
        ("shadow-utils", "4.15-1", Some("aarch64"), None),
        ("shadow-utils", "4.15-2", Some("x86_64"), None),
        ("shadow", "4.15-1", None, None),
    ] {
        let contents = contents(note(Ecosystem::Rpm, name, version, arch));
        let with: Vec<usize> = (0..2).filter(|&at| contents.packages[at].evidence.len() == 2).collect();
        let listed = contents.packages.iter().filter(|row| row.package.vendor.is_some()).count();
        assert_eq!(listed, 2, "{name} {version} {arch:?}");
        match joined {
            Some(at) => assert_eq!((with, contents.packages.len()), (vec![at], 2), "{name} {version} {arch:?}"),
            None => assert_eq!(contents.packages.len(), 3, "{name} {version} {arch:?}"),
        }
    }
    let other = contents(note(Ecosystem::Deb, "shadow-utils", "4.15-1", Some("x86_64")));
    assert_eq!(other.packages.len(), 3);
}

#[test]
fn a_package_of_another_distribution_is_told_as_one() {
    let os = |id: &str| OsRelease { id: id.into(), version_id: "40".into(), ..OsRelease::default() };
    let placed = |distro: Option<&str>, image: Option<&str>| {
        let mut package = Package::new(Ecosystem::Rpm, "bash", "5.2-1.fc40");
        package.qualifiers.extend(distro.map(|distro| ("distro".to_owned(), distro.to_owned())));
        place(&mut package, image.map(os).as_ref());
        (package.registry.is_some(), package.qualifiers.len())
    };
    assert_eq!(placed(Some("fedora-40"), Some("fedora")), (false, 0));
    assert_eq!(placed(Some("fedora"), Some("fedora")), (false, 0));
    assert_eq!(placed(Some("fedora-40"), Some("rhel")), (true, 1));
    assert_eq!(placed(Some("fedora-40"), Some("fed")), (true, 1));
    assert_eq!(placed(Some("fedora-40"), None), (false, 1));
    assert_eq!(placed(None, Some("rhel")), (false, 0));
}
