//! The same list with embedded doors: `lazaret scan --file`, one process, no server.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lazaret_tests::support::in_memory;
use nix::sys::resource::UsageWho;

use super::subject::Subject;
use crate::farm::{FarmError, usage};
use crate::verdict::{Verdict, figure};

/// Scans the subject's images once and judges what that took against the `floor` of their distinct layers.
pub(super) fn scan(
    programs: &Path,
    subject: &Subject,
    advisories: &Path,
    floor: Duration,
    verdict: &mut Verdict,
) -> Result<(), FarmError> {
    let directory = in_memory();
    let (list, store) = (directory.path().join("list"), directory.path().join("store"));
    fs::write(&list, subject.images.join("\n"))?;
    let program = programs.join("lazaret");
    let mut command = Command::new(&program);
    command.args(["scan", "--offline", "--format", "json", "--file"]).arg(&list);
    command.arg("--store").arg(format!("file:{}", store.display()));
    command.arg("--advisories").arg(advisories.join("home"));
    command.args(["--insecure-registry", &subject.registry.address().to_string()]).stdout(Stdio::null());
    subject.registry.reset_counts();
    let (before, start) = (usage::own(UsageWho::RUSAGE_CHILDREN), Instant::now());
    let output = command.stderr(Stdio::piped()).output();
    let output = output.map_err(|error| FarmError::Process(program.display().to_string(), error))?;
    let (cpu, took) = (usage::own(UsageWho::RUSAGE_CHILDREN).saturating_sub(before), start.elapsed());
    if !output.status.success() {
        return Err(FarmError::Odd(format!("lazaret scan: {}", String::from_utf8_lossy(&output.stderr))));
    }
    verdict.equal("embedded doors: most GETs of one blob", 1, subject.registry.counts().most_gets_of_one_blob);
    let (cpu, floor) = (cpu.as_secs_f64(), floor.as_secs_f64());
    verdict.note("embedded doors: wall, CPU", format!("{:.2} s, {}", took.as_secs_f64(), figure(cpu, "s")));
    match subject.fleet {
        Some(_) => verdict.note("embedded doors: CPU / floor", figure(cpu / floor, "")),
        None => verdict.at_most("embedded doors: CPU / floor", 1.6, cpu / floor, ""),
    }
    Ok(())
}
