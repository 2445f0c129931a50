//! What the sandbox costs: CPU time of worker, zygote and children together.

use std::fs::File;
use std::io::BufReader;

use lazaret::image::Descriptor;
use lazaret_worker::analyze::analyze;
use lazaret_worker::limits::Limits;
use lazaret_worker::ruleset::Ruleset;
use lazaret_worker::sandbox::{Options, Sandbox};
use nix::sys::resource::{UsageWho, getrusage};

use crate::layers;

pub const TESTS: &[(&str, fn())] = &[
    ("a_small_layer_costs_a_few_milliseconds", a_small_layer_costs_a_few_milliseconds),
    ("a_large_layer_costs_what_it_costs_in_one_process", a_large_layer_costs_what_it_costs_in_one_process),
];

const LAYERS: u32 = 1000;

/// CPU milliseconds of this process, or of all that it has reaped and what those had reaped.
fn spent(who: UsageWho) -> f64 {
    let usage = getrusage(who).unwrap();
    let millis = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e3 + time.tv_usec() as f64 / 1e3;
    millis(usage.user_time()) + millis(usage.system_time())
}

fn cost(work: impl FnOnce()) -> f64 {
    let both = || spent(UsageWho::RUSAGE_SELF) + spent(UsageWho::RUSAGE_CHILDREN);
    let before = both();
    work();
    both() - before
}

/// The least of several rounds counts: a busy machine makes work cost more, and nothing makes it cost less.
fn a_small_layer_costs_a_few_milliseconds() {
    const ROUNDS: usize = 8;
    // The figure is that of a release; without optimisation the same work takes longer.
    const MOST: f64 = if cfg!(debug_assertions) { 5.0 } else { 3.0 };
    let blob = layers::small();
    let named = layers::named(&blob);
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = cost(|| drop(Sandbox::start(Options::default()).unwrap()));
        let inside = cost(|| {
            // Dropping it reaps the zygote, whose time and whose children's time count only then.
            let sandbox = Sandbox::start(Options::default()).unwrap();
            for _ in 0..LAYERS {
                sandbox.analyse(&mut &blob[..], &named).unwrap();
            }
        });
        let alone = cost(|| {
            (0..LAYERS).for_each(|_| drop(analyze(&blob[..], &named, &Limits::default(), Ruleset::built_in()).unwrap()))
        });
        let (inside, alone) = ((inside - start) / f64::from(LAYERS), alone / f64::from(LAYERS));
        eprintln!(
            "a small layer: {inside:.3} ms of CPU in the sandbox, {alone:.3} ms in one process; start: {start:.1} ms"
        );
        best = best.min(inside - alone);
        if best <= MOST {
            return;
        }
    }
    panic!("a sandboxed layer costs {best:.3} ms more than one that is not");
}

fn a_large_layer_costs_what_it_costs_in_one_process() {
    let Some(largest) = layers::corpus().into_iter().max_by_key(|blob| blob.metadata().unwrap().len()) else { return };
    let name = largest.file_name().and_then(|name| name.to_str()).unwrap();
    let size = largest.metadata().unwrap().len();
    let named = Descriptor { media_type: String::new(), digest: format!("sha256:{name}").parse().unwrap(), size };
    let open = || BufReader::with_capacity(256 << 10, File::open(&largest).unwrap());
    let alone = cost(|| drop(analyze(open(), &named, &Limits::default(), Ruleset::built_in()).unwrap()));
    let inside = cost(|| drop(Sandbox::start(Options::default()).unwrap().analyse(&mut open(), &named).unwrap()));
    eprintln!("a layer of {size} bytes: {inside:.0} ms of CPU in the sandbox, {alone:.0} ms in one process");
    assert!(inside < 1.5 * alone + 200.0, "{inside:.0} ms against {alone:.0} ms");
}
