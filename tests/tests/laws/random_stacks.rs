//! Compose equals flatten, on random stacks; the whole number of them with `LAZARET_FULL=1`, others than usual with
//! `LAZARET_SEED=n`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use lazaret_tests::stack::shrink::shrink;
use lazaret_tests::stack::{Stack, generate};
use rayon::prelude::*;

use super::judge::{PackageEvidence, Verdict, inventories, judge};

const SAMPLE: u64 = 2_000;
const FULL: u64 = 100_000;

fn verdict(stack: &Stack) -> Verdict {
    judge(stack, &inventories(stack))
}

#[test]
#[expect(clippy::print_stdout, reason = "how many stacks say nothing is part of the result")]
fn compose_equals_flatten() {
    let full = std::env::var("LAZARET_FULL").as_deref() == Ok("1");
    let stacks = if full { FULL } else { SAMPLE };
    let first = std::env::var("LAZARET_SEED").map_or(0, |seed| seed.parse().expect("LAZARET_SEED is a number"));
    let [gaps, blind, doubted] = [const { AtomicUsize::new(0) }; 3];
    let started = Instant::now();
    let broken: Vec<u64> = (first..first + stacks)
        .into_par_iter()
        .filter(|&seed| match verdict(&generate::stack(seed)) {
            Verdict::Equal => false,
            Verdict::Doubted => {
                doubted.fetch_add(1, Ordering::Relaxed);
                false
            }
            Verdict::Gap(_) => {
                gaps.fetch_add(1, Ordering::Relaxed);
                false
            }
            Verdict::BlindSpot => {
                blind.fetch_add(1, Ordering::Relaxed);
                false
            }
            Verdict::Broken(_) => true,
        })
        .collect();
    let [gaps, blind, doubted] = [gaps, blind, doubted].map(AtomicUsize::into_inner);
    let share = |count: usize| 100.0 * count as f64 / stacks as f64;
    println!(
        "{stacks} stacks in {:.1} s: {:.2} % differ and declare a gap, {:.2} % declare one and are equal, {:.2} % differ in a declared blind spot, {} break the law",
        started.elapsed().as_secs_f64(),
        share(gaps),
        share(doubted),
        share(blind),
        broken.len()
    );
    let shown: Vec<String> = broken.iter().take(SHOWN).map(|&seed| explain(seed)).collect();
    assert!(broken.is_empty(), "{} stacks break the law\n{}", broken.len(), shown.join("\n"));
    assert!(share(gaps) < 5.0, "too many stacks are not comparable");
    assert!(share(doubted) < 15.0, "too many doubts about nothing");
    assert!(share(blind) < 1.0, "too many stacks are in the blind spot");
}

const SHOWN: usize = 10;

fn explain(seed: u64) -> String {
    let stack = shrink(generate::stack(seed), |stack| matches!(verdict(stack), Verdict::Broken(_)));
    let Verdict::Broken(difference) = verdict(&stack) else { return String::new() };
    let [expected, found] = difference.map(|evidence| describe(&evidence));
    format!("seed {seed}\n{stack}flattened:\n{expected}composed:\n{found}")
}

fn describe(evidence: &PackageEvidence) -> String {
    let mut text = String::new();
    for installed in &evidence.packages {
        let package = &installed.package;
        let paths: Vec<String> = installed.evidence.iter().map(ToString::to_string).collect();
        text += &format!(
            "  {} {} {} layer {} {} owner {:?}\n",
            package.ecosystem.name(),
            package.name,
            package.version,
            installed.layer,
            paths.join(" "),
            installed.owner
        );
    }
    if let Some(distro) = &evidence.distro {
        text += &format!("  distro {} {}\n", distro.id, distro.version_id);
    }
    if !evidence.recognised.is_empty() {
        text += &format!("  {:?}\n", evidence.recognised);
    }
    text
}
