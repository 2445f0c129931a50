//! How children end, and zygotes and workers: each end is classified, nothing is left, and the next layer is fine.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lazaret_worker::sandbox::{Failed, Options, Sandbox, Without};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::layers;

pub const TESTS: &[(&str, fn())] = &[
    ("every_end_has_its_words_and_the_next_layer_is_fine", every_end_has_its_words_and_the_next_layer_is_fine),
    ("memory_is_bounded", memory_is_bounded),
    ("a_frozen_child_is_ended_at_the_deadline", a_frozen_child_is_ended_at_the_deadline),
    ("a_child_that_reads_nothing_does_not_hold_the_worker_up", a_child_that_reads_nothing_does_not_hold_the_worker_up),
    ("a_killed_zygote_is_replaced", a_killed_zygote_is_replaced),
    ("a_frozen_zygote_is_replaced", a_frozen_zygote_is_replaced),
    ("a_zygote_that_dies_takes_its_children_along", a_zygote_that_dies_takes_its_children_along),
    ("a_worker_that_dies_leaves_nobody_behind", a_worker_that_dies_leaves_nobody_behind),
    ("many_slots_share_a_zygote", many_slots_share_a_zygote),
    ("no_descriptor_is_lost", no_descriptor_is_lost),
];

/// The argument with which this executable is a worker that is going to die.
pub const VICTIM: &str = "victim";

fn quick() -> Options {
    Options { cpu_seconds: 1, deadline: Duration::from_secs(120), ..Options::default() }
}

fn analyses(sandbox: &Sandbox) {
    let blob = layers::small();
    let analysed = sandbox.analyse(&mut &blob[..], &layers::named(&blob)).expect("the next layer is fine");
    assert_eq!(analysed.inventory.entries, 2);
}

fn resources(failed: Result<Vec<String>, Failed>, about: &str) -> String {
    match failed {
        Err(Failed::Resources(words)) => words,
        other => panic!("{about}: {other:?}"),
    }
}

fn every_end_has_its_words_and_the_next_layer_is_fine() {
    let sandbox = Sandbox::start(quick()).unwrap();
    let zygote = sandbox.zygote_id();
    for (probe, expected) in [
        ("allocates 4 GB", "the parser ran out of memory"),
        ("spins", "the parser took more than 1 seconds of CPU time"),
        ("recurses", "the parser ran out of stack"),
        ("crashes", "the parser was ended by SIGSEGV"),
        ("aborts", "the parser was ended by SIGABRT"),
        ("panics", "the parser panicked"),
        ("floods", "the parser gave no readable answer"),
        ("lies about a length", "the parser gave no readable answer"),
        ("floods its last words", "the parser was ended by SIGABRT"),
    ] {
        // Twice, since a record of it has to be the same each time.
        for _ in 0..2 {
            assert_eq!(resources(sandbox.probe(probe, &mut io::empty()), probe), expected, "{probe}");
            analyses(&sandbox);
        }
    }
    assert_eq!(sandbox.zygote_id(), zygote, "the zygote has nothing to do with it");
}

fn memory_is_bounded() {
    // The resident set is told by a system call that the filter denies.
    let without = Without { landlock: false, seccomp: true };
    let sandbox = Sandbox::start(Options { without, ..Options::default() }).unwrap();
    let found = sandbox.probe("fills its memory", &mut io::empty()).unwrap();
    let [got, resident] = [0, 1].map(|index: usize| found[index].parse::<u64>().unwrap());
    assert!((400..=480).contains(&got) && (got..=512).contains(&resident), "{got} MiB, {resident} MiB resident");
}

fn a_frozen_child_is_ended_at_the_deadline() {
    let sandbox = Sandbox::start(Options { deadline: Duration::from_secs(2), ..Options::default() }).unwrap();
    for blob in [vec![1; 10], vec![1; 8 << 20]] {
        let started = Instant::now();
        let words = resources(sandbox.probe("freezes", &mut &blob[..]), "freezes");
        assert_eq!(words, "the layer took longer than 2 seconds");
        assert!(started.elapsed() >= Duration::from_secs(2) && started.elapsed() < Duration::from_secs(30));
        wait_for("no child is left", || children_of(sandbox.zygote_id().unwrap()).is_empty());
    }
    analyses(&sandbox);
}

fn a_child_that_reads_nothing_does_not_hold_the_worker_up() {
    let sandbox = Sandbox::start(quick()).unwrap();
    let blob = vec![0; 64 << 20];
    assert_eq!(sandbox.probe("reads nothing", &mut &blob[..]).unwrap(), ["answered"]);
    assert_eq!(sandbox.probe("count", &mut &blob[..]).unwrap(), [blob.len().to_string()]);
}

fn a_killed_zygote_is_replaced() {
    let sandbox = Sandbox::start(quick()).unwrap();
    for _ in 0..5 {
        let zygote = sandbox.zygote_id().unwrap();
        signal(zygote, Signal::SIGKILL);
        analyses(&sandbox);
        assert_ne!(sandbox.zygote_id(), Some(zygote));
    }
}

fn a_frozen_zygote_is_replaced() {
    let sandbox = Sandbox::start(quick()).unwrap();
    let zygote = sandbox.zygote_id().unwrap();
    signal(zygote, Signal::SIGSTOP);
    analyses(&sandbox);
    wait_for("it is gone", || !exists(zygote));
}

fn a_zygote_that_dies_takes_its_children_along() {
    let sandbox = Arc::new(Sandbox::start(quick()).unwrap());
    let zygote = sandbox.zygote_id().unwrap();
    let slot = std::thread::spawn({
        let sandbox = sandbox.clone();
        move || sandbox.probe("freezes", &mut &[1_u8; 10][..])
    });
    wait_for("it has a child", || !children_of(zygote).is_empty());
    let children = children_of(zygote);
    signal(zygote, Signal::SIGKILL);
    let failed = slot.join().unwrap();
    assert!(matches!(failed, Err(Failed::Sandbox(_))), "{failed:?}");
    wait_for("the child is gone", || children.iter().all(|&child| !exists(child)));
    analyses(&sandbox);
}

/// Is a worker with one frozen child, says who its zygote is, and waits for the end.
pub fn victim() -> ExitCode {
    let sandbox = Sandbox::start(Options::default()).unwrap();
    println!("{}", sandbox.zygote_id().unwrap());
    let _ = sandbox.probe("freezes", &mut &[1_u8; 10][..]);
    ExitCode::SUCCESS
}

fn a_worker_that_dies_leaves_nobody_behind() {
    let executable = std::env::current_exe().unwrap();
    let mut worker = Command::new(executable).arg(VICTIM).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(worker.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let zygote: u32 = line.trim().parse().unwrap();
    wait_for("it has a child", || !children_of(zygote).is_empty());
    let children = children_of(zygote);
    worker.kill().unwrap();
    worker.wait().unwrap();
    wait_for("all are gone", || !exists(zygote) && children.iter().all(|&child| !exists(child)));
}

fn many_slots_share_a_zygote() {
    let sandbox = Sandbox::start(Options::default()).unwrap();
    std::thread::scope(|scope| {
        for slot in 0..8 {
            let sandbox = &sandbox;
            scope.spawn(move || {
                for turn in 0..25 {
                    match (slot + turn) % 4 {
                        0 => drop(resources(sandbox.probe("aborts", &mut io::empty()), "aborts")),
                        _ => analyses(sandbox),
                    }
                }
            });
        }
    });
}

fn no_descriptor_is_lost() {
    let sandbox = Sandbox::start(quick()).unwrap();
    let own = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let zygotes = || std::fs::read_dir(format!("/proc/{}/fd", sandbox.zygote_id().unwrap())).unwrap().count();
    analyses(&sandbox);
    wait_for("the zygote is at rest", || at_rest(sandbox.zygote_id().unwrap()));
    let before = (own(), zygotes());
    for turn in 0..200 {
        match turn % 4 {
            0 => drop(resources(sandbox.probe("aborts", &mut io::empty()), "aborts")),
            1 => assert!(sandbox.analyse(&mut io::empty().take(0), &layers::named(b"x")).is_err()),
            _ => analyses(&sandbox),
        }
    }
    wait_for("descriptors are as before", || (own(), zygotes()) == before);
}

/// Whether the zygote has reaped all its children and waits for a request: it lets go of a child's socket a moment after
/// the reaping, and sleeps nowhere in between.
fn at_rest(zygote: u32) -> bool {
    children_of(zygote).is_empty() && status(zygote).is_some_and(|status| status.contains("\nState:\tS"))
}

fn signal(process: u32, signal: Signal) {
    kill(Pid::from_raw(process as i32), signal).unwrap();
}

/// Whether there is such a process, other than as an entry that nobody has reaped yet.
fn exists(process: u32) -> bool {
    status(process).is_some_and(|status| !status.contains("\nState:\tZ"))
}

fn status(process: u32) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{process}/status")).ok()
}

fn children_of(parent: u32) -> Vec<u32> {
    let processes =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let line = format!("\nPPid:\t{parent}\n");
    processes.filter(|&process: &u32| status(process).is_some_and(|status| status.contains(&line))).collect()
}

fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
}
