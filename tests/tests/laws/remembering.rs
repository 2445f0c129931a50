//! Everything that a layer inventory remembers is needed: without any one of the kinds the law breaks.

use lazaret::inventory::{Facts, Hide, HideKind, LayerInventory, Link};
use lazaret_tests::stack::generate;
use rayon::prelude::*;

use super::judge::{Expected, Verdict, inventories};

const STACKS: u64 = 1_000;

/// A way to forget.
type Forget = fn(&mut LayerInventory);

fn forget_hides(inventory: &mut LayerInventory, forgotten: fn(&HideKind) -> bool) {
    inventory.hides.retain(|Hide { kind, .. }| !forgotten(kind));
}

const WAYS: &[(&str, Forget)] = &[
    ("whiteouts", |inventory| forget_hides(inventory, |kind| matches!(kind, HideKind::Whiteout))),
    ("opaque whiteouts", |inventory| forget_hides(inventory, |kind| matches!(kind, HideKind::Opaque))),
    ("symbolic links", |inventory| forget_hides(inventory, |kind| matches!(kind, HideKind::Symlink(_)))),
    ("shadows", |inventory| forget_hides(inventory, |kind| matches!(kind, HideKind::Shadow))),
    ("directories", |inventory| forget_hides(inventory, |kind| matches!(kind, HideKind::Directory))),
    ("implied directories", |inventory| inventory.implied_directories.clear()),
    ("empty evidence", |inventory| inventory.evidence.retain(|evidence| evidence.facts != Facts::default())),
    ("hard links", |inventory| {
        inventory.evidence.retain(|evidence| !matches!(evidence.facts.link, Some(Link::Hard(_))));
    }),
];

#[test]
fn nothing_remembered_can_be_left_out() {
    let broken = (0..STACKS)
        .into_par_iter()
        .map(broken_by)
        .reduce(|| vec![0; WAYS.len()], |a, b| a.iter().zip(b).map(|(a, b)| a + b).collect());
    for ((what, _), broken) in WAYS.iter().zip(broken) {
        assert!(broken > 0, "no stack needs {what}");
    }
}

/// For each way to forget 1 if it breaks the law on the stack of `seed`, which holds otherwise.
fn broken_by(seed: u64) -> Vec<u32> {
    let stack = generate::stack(seed);
    let remembered = inventories(&stack);
    let expected = Expected::of(&stack);
    if expected.judge(&remembered) != Verdict::Equal {
        return vec![0; WAYS.len()];
    }
    let breaks = |forget: &Forget| {
        let mut forgetful = remembered.clone();
        forgetful.iter_mut().for_each(forget);
        forgetful != remembered && matches!(expected.judge(&forgetful), Verdict::Broken(_))
    };
    WAYS.iter().map(|(_, forget)| u32::from(breaks(forget))).collect()
}
