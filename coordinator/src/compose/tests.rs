//! Compositions made to cost more than they should.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Evidence, Facts, Gap, GapKind, Hide, HideKind, LayerInventory, Link, Recognised};
use lazaret::package::Package;
use lazaret::path::LayerPath;

use super::compose;

fn evidence(path: &str, facts: Facts) -> Evidence {
    Evidence { path: path.into(), extractor: "dpkg-status-d".into(), facts }
}

fn packages(count: usize) -> Vec<Package> {
    (0..count).map(|n| Package::new(Ecosystem::Deb, format!("p{n:05}"), "1")).collect()
}

#[test]
fn links_to_a_database_are_listed_up_to_a_number_in_all() {
    let mut layer = LayerInventory::default();
    layer.evidence.push(evidence("a", Facts { packages: packages(1000), ..Facts::default() }));
    for link in 0..1000 {
        let path = format!("l{link:04}");
        let target = b"a".to_vec();
        layer.hides.push(Hide { path: path.as_str().into(), kind: HideKind::Symlink(target.clone()) });
        layer.evidence.push(evidence(&path, Facts { link: Some(Link::Symbolic(target)), ..Facts::default() }));
    }
    let contents = compose([Some(&layer)]);
    let listed: usize = contents.packages.iter().map(|installed| installed.evidence.len()).sum();
    assert_eq!((contents.packages.len(), listed), (1000, 501_000));
    assert_eq!(contents.gaps.iter().map(|gap| gap.gap.kind).collect::<Vec<_>>(), [GapKind::Limit]);
}

#[test]
fn a_link_whose_name_proves_nothing_leaves_no_gap() {
    let link = |extractor: &str, path: &str, target: &str| Evidence {
        path: path.into(),
        extractor: extractor.into(),
        facts: Facts { link: Some(Link::Symbolic(target.as_bytes().to_vec())), ..Facts::default() },
    };
    let lockfile = Evidence {
        path: "srv/Cargo.lock".into(),
        extractor: "lock-cargo".into(),
        facts: Facts { packages: packages(1), declared: true, ..Facts::default() },
    };
    let layer = LayerInventory {
        evidence: vec![
            link("lock-cargo", "app/Cargo.lock", "../srv/Cargo.lock"),
            link("java-release", "app/release", "releases/1"),
            link("lock-requirements", "app/requirements.txt", "/missing"),
            link("npm", "app/z/node_modules/a/package.json", "/missing"),
            lockfile,
        ],
        ..LayerInventory::default()
    };
    let contents = compose([Some(&layer)]);
    let gaps: Vec<_> = contents.gaps.iter().map(|gap| gap.gap.path.to_string()).collect();
    assert_eq!(gaps, ["app/z/node_modules/a/package.json"]);
    let evidence: Vec<_> = contents.declared[0].evidence.iter().map(ToString::to_string).collect();
    assert_eq!(evidence, ["app/Cargo.lock", "srv/Cargo.lock"]);
}

#[test]
fn paths_move_with_the_innermost_link_above_them() {
    let link =
        |path: &str, target: &str| Hide { path: path.into(), kind: HideKind::Symlink(target.as_bytes().to_vec()) };
    let lower = LayerInventory { hides: vec![link("a", "/x"), link("x/b", "/y")], ..LayerInventory::default() };
    let upper = LayerInventory {
        evidence: ["a/b/one", "a/two", "ab/three"]
            .map(|path| evidence(path, Facts { packages: packages(1), ..Facts::default() }))
            .to_vec(),
        implied_directories: ["a", "a/b", "ab"].map(LayerPath::from).to_vec(),
        ..LayerInventory::default()
    };
    let contents = compose([Some(&lower), Some(&upper)]);
    let paths: Vec<String> = contents.packages[0].evidence.iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["ab/three", "x/two", "y/one"]);
}

/// As many links, written through by as many directories: passes over all of them for each would take minutes.
#[test]
fn writing_through_many_links_takes_time_in_proportion() {
    const LINKS: usize = 50_000;
    let names: Vec<String> = (0..LINKS).map(|n| format!("d{n:06}")).collect();
    let lower = LayerInventory {
        hides: names
            .iter()
            .map(|name| Hide { path: name.as_str().into(), kind: HideKind::Symlink(b"/to".to_vec()) })
            .collect(),
        ..LayerInventory::default()
    };
    let upper = LayerInventory {
        implied_directories: names.iter().map(|name| name.as_str().into()).collect(),
        evidence: names.iter().map(|name| evidence(&format!("{name}/{name}"), Facts::default())).collect(),
        ..LayerInventory::default()
    };
    let start = std::time::Instant::now();
    compose([Some(&lower), Some(&upper)]);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn a_directory_as_evidence_leaves_what_is_below_it() {
    let store = |facts: Facts| Evidence { path: "nix/store/x-a-1".into(), extractor: "nix-store".into(), facts };
    let facts = || Facts { packages: packages(1), ..Facts::default() };
    let inner = Facts { packages: packages(2), ..Facts::default() };
    let directory = || Hide { path: "nix/store/x-a-1".into(), kind: HideKind::Directory };
    let lower = LayerInventory {
        evidence: vec![store(facts()), evidence("nix/store/x-a-1/lib/y", inner)],
        hides: vec![directory()],
        ..LayerInventory::default()
    };
    let again =
        LayerInventory { evidence: vec![store(facts())], hides: vec![directory()], ..LayerInventory::default() };
    let contents = compose([Some(&lower), Some(&again)]);
    let rows: Vec<_> = contents.packages.iter().map(|row| (row.layer, row.evidence.len())).collect();
    assert_eq!(rows, [(0, 2), (0, 1)]);
    let gone = Hide { path: "nix/store/x-a-1".into(), kind: HideKind::Whiteout };
    let gone = LayerInventory { hides: vec![gone], ..LayerInventory::default() };
    assert_eq!(compose([Some(&lower), Some(&gone)]).packages, []);
}

#[test]
fn what_one_file_leaves_out_another_says() {
    let bare = Package::new(Ecosystem::Deb, "libc6", "2.39");
    let source = lazaret::package::SourcePackage { name: "glibc".into(), version: "2.39".into() };
    let full = Package { source: Some(source.clone()), licence: Some("LGPL".into()), ..bare.clone() };
    let file = |path: &str, package: Package| evidence(path, Facts { packages: vec![package], ..Facts::default() });
    let layer = LayerInventory { evidence: vec![file("a", bare), file("b", full)], ..LayerInventory::default() };
    let contents = compose([Some(&layer)]);
    let [libc] = &contents.packages[..] else { panic!("{:?}", contents.packages) };
    assert_eq!((libc.package.source.as_ref(), libc.package.licence.as_deref()), (Some(&source), Some("LGPL")));
}

#[test]
fn what_an_os_package_brings_along_and_nobody_can_name_is_the_distributions_to_know() {
    let gap = |kind, path: &str| Gap { kind, path: path.into(), reason: "why".into() };
    let jar = |path: &str| Evidence {
        path: path.into(),
        extractor: "java-archive".into(),
        facts: Facts {
            gaps: vec![gap(GapKind::Malformed, path), gap(GapKind::Unsupported, path)],
            recognised: Some(Recognised::GoBinary),
            ..Facts::default()
        },
    };
    let manifest = Facts { packages: packages(1), gaps: vec![gap(GapKind::Unsupported, "c")], ..Facts::default() };
    let list = Facts { packages: packages(1), owned: vec![("a.jar".into(), 0), ("c".into(), 0)], ..Facts::default() };
    let layer = LayerInventory {
        evidence: vec![jar("a.jar"), jar("b.jar"), evidence("c", manifest), evidence("d", list)],
        ..LayerInventory::default()
    };
    let contents = compose([Some(&layer)]);
    let told: Vec<_> = contents.gaps.iter().map(|gap| (gap.gap.path.to_string(), gap.gap.kind)).collect();
    assert_eq!(contents.recognised, [(Recognised::GoBinary, 1)]);
    let mut expected = [
        ("a.jar".to_owned(), GapKind::Malformed),
        ("b.jar".to_owned(), GapKind::Malformed),
        ("b.jar".to_owned(), GapKind::Unsupported),
        ("c".to_owned(), GapKind::Unsupported),
    ];
    expected.sort_by_key(|(_, kind)| *kind);
    assert_eq!(told, expected);
}

#[test]
fn of_what_a_wheel_brings_nobody_asks_what_it_is_built_of() {
    let program = |path: &str, owner: Option<u32>| lazaret::inventory::Executable {
        path: path.into(),
        bytes: 1,
        owner: owner.map(|evidence| lazaret::inventory::Owner { evidence, package: 0 }),
    };
    let rust = |path: &str| {
        let facts = Facts { recognised: Some(Recognised::RustBinary), ..Facts::default() };
        Evidence { path: path.into(), extractor: "executable".into(), facts }
    };
    let record = Evidence {
        path: "lib/core.dist-info/RECORD".into(),
        extractor: "python-record".into(),
        facts: Facts::default(),
    };
    // The last tells a package of itself, which says nothing of the crates in it.
    let mut signed = rust("z.so");
    signed.facts.packages = packages(1);
    let layer = LayerInventory {
        evidence: vec![rust("lib/core/_core.so"), record, rust("other.so"), signed],
        executables: vec![program("lib/core/_core.so", Some(1)), program("other.so", None), program("z.so", Some(3))],
        ..LayerInventory::default()
    };
    let contents = compose([Some(&layer)]);
    assert_eq!(contents.recognised, [(Recognised::RustBinary, 2)]);
    let unexplained: Vec<_> = contents.executables.list.iter().map(|program| program.path.to_string()).collect();
    assert_eq!(unexplained, ["other.so"]);
    // The distribution is removed, and not its files.
    let hide = Hide { path: "lib/core.dist-info".into(), kind: HideKind::Whiteout };
    let above = LayerInventory { hides: vec![hide], ..LayerInventory::default() };
    assert_eq!(compose([Some(&layer), Some(&above)]).recognised, [(Recognised::RustBinary, 3)]);
}
