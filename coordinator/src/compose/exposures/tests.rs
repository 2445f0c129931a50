//! Layers above an exposure, and what they make of it.

use lazaret::exposure::{ExposureKind, Identity, Severity};
use lazaret::files::Files;
use lazaret::inventory::Hide;

use super::super::compose;
use super::*;

fn exposure(path: &str) -> Exposure {
    Exposure {
        path: path.into(),
        line: 1,
        column: 1,
        kind: ExposureKind::Secret,
        rule: "rule".into(),
        title: "A key".into(),
        severity: Severity::High,
        rotate: String::new(),
        masked: "****".into(),
        identity: Identity::Unknown,
        dismissed: None,
    }
}

fn exposing(path: &str) -> LayerInventory {
    LayerInventory { exposures: vec![exposure(path)], ..LayerInventory::default() }
}

fn hiding(path: &str, kind: HideKind) -> LayerInventory {
    LayerInventory { hides: vec![Hide { path: path.into(), kind }], ..LayerInventory::default() }
}

fn writing(path: &str) -> LayerInventory {
    LayerInventory { files: [LayerPath::from(path)].iter().collect::<Files>(), ..LayerInventory::default() }
}

fn states(layers: &[Option<&LayerInventory>]) -> Vec<(String, Fate)> {
    let contents = compose(layers.iter().copied());
    contents.exposures.into_iter().map(|found| (found.exposure.path.to_string(), found.state)).collect()
}

#[test]
fn later_layers_delete_and_overwrite() {
    let nothing = LayerInventory::default();
    for (above, state) in [
        (LayerInventory::default(), Fate::Present),
        (hiding("app/deep/key", HideKind::Whiteout), Fate::Deleted(2)),
        (hiding("app", HideKind::Whiteout), Fate::Deleted(2)),
        (hiding("app/deep", HideKind::Opaque), Fate::Deleted(2)),
        (hiding("app/deep/key", HideKind::Opaque), Fate::Present),
        (hiding("app/other", HideKind::Whiteout), Fate::Present),
        (hiding("app/deep", HideKind::Shadow), Fate::Deleted(2)),
        (hiding("app", HideKind::Symlink(b"x".to_vec())), Fate::Deleted(2)),
        (hiding("app/deep/key", HideKind::Shadow), Fate::Overwritten(2)),
        (hiding("app/deep/key", HideKind::Directory), Fate::Deleted(2)),
        (writing("app/deep/key"), Fate::Overwritten(2)),
        (writing("app/deep"), Fate::Deleted(2)),
        (writing("app/deep/key2"), Fate::Present),
    ] {
        let path = "app/deep/key".to_owned();
        let layers = [Some(&exposing("app/deep/key")), Some(&nothing), Some(&above), Some(&writing("app/deep/key"))];
        let later = if state == Fate::Present { Fate::Overwritten(3) } else { state };
        assert_eq!(states(&layers[..3]), [(path.clone(), state)], "{above:?}");
        assert_eq!(states(&layers), [(path, later)], "the first change counts: {above:?}");
    }
}

#[test]
fn what_is_nested_goes_with_its_archive() {
    let nested = exposing("app/a.jar!/b/key");
    assert_eq!(
        states(&[Some(&nested), Some(&hiding("app/a.jar", HideKind::Whiteout))]),
        [("app/a.jar!/b/key".to_owned(), Fate::Deleted(1))]
    );
}

#[test]
fn every_layer_keeps_its_own_and_a_failed_one_leaves_doubt() {
    let key = exposing("key");
    assert_eq!(states(&[Some(&key), None]), [("key".to_owned(), Fate::Unknown(1))]);
    let again = LayerInventory { files: writing("key").files, ..exposing("key") };
    let contents = compose([Some(&key), Some(&again)]);
    let told: Vec<_> = contents.exposures.iter().map(|found| (found.layer, found.state)).collect();
    assert_eq!(told, [(Some(0), Fate::Overwritten(1)), (Some(1), Fate::Present)]);
}

#[test]
fn a_link_of_a_lower_layer_leads_to_where_it_is() {
    let link = hiding("lib", HideKind::Symlink(b"usr/lib".to_vec()));
    let through = LayerInventory { implied_directories: vec!["lib".into()], ..exposing("lib/key") };
    let above = LayerInventory { implied_directories: vec!["lib".into()], ..writing("lib/key") };
    assert_eq!(
        states(&[Some(&link), Some(&through), Some(&above)]),
        [("usr/lib/key".to_owned(), Fate::Overwritten(2))]
    );
}
