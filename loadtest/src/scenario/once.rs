//! Each distinct layer once: a registry over shared bases, several workers started together, then a second night; and with embedded doors.

use std::sync::Arc;
use std::time::Duration;

use super::outcome::{self, Outcome};
use super::subject::Subject;
use super::{Settings, embedded, oracle};
use crate::farm::{Farm, FarmError, FarmOptions, import_advisories};
use crate::fleet::{Fleet, FleetOptions};
use crate::registry::{Counts, RegistryOptions};
use crate::verdict::{Verdict, figure};

const PATIENCE: Duration = Duration::from_secs(600);

pub(super) fn run(settings: &Settings) -> Result<Verdict, FarmError> {
    let subject = match &settings.layout {
        Some(layout) => Subject::of_layout(layout, RegistryOptions::default())?,
        None => {
            let fleet = FleetOptions { seed: settings.seed, ..FleetOptions::of(settings.scaled(200, 10)) };
            Subject::of_fleet(Fleet::new(fleet), RegistryOptions::default())?
        }
    };
    let mut options = FarmOptions::new(&settings.programs, subject.registry.address());
    let advisories = import_advisories(&settings.programs)?;
    options.advisories = Some(Arc::clone(&advisories));
    options.doors.clone_from(&settings.doors);
    options.workers = settings.workers.unwrap_or(4);
    let mut farm = Farm::start(options)?;
    let mut verdict = Verdict::default();
    let floor = subject.floor()?;
    let outcome = super::with_logs(&mut farm, |farm| first_night(farm, &subject, floor, &mut verdict))?;
    super::with_logs(&mut farm, |farm| second_night(farm, &subject, &outcome, &mut verdict))?;
    outcome::nothing_left(&mut farm, &mut verdict)?;
    super::judge(&mut farm, &mut verdict);
    drop(farm);
    embedded::scan(&settings.programs, &subject, advisories.path(), floor, &mut verdict)?;
    Ok(verdict)
}

fn first_night(
    farm: &mut Farm,
    subject: &Subject,
    floor: Duration,
    verdict: &mut Verdict,
) -> Result<Outcome, FarmError> {
    subject.registry.reset_counts();
    let before = farm.cpu();
    let outcome = outcome::run(farm.api(), &subject.images, "bulk", PATIENCE)?;
    let after = farm.cpu();
    let counts = subject.registry.counts();
    let layers = subject.layers();
    verdict.note("images, distinct layers", format!("{}, {layers}", subject.images.len()));
    verdict.note("first night", format!("{:.2} s", outcome.took.as_secs_f64()));
    told(&outcome, "first night", subject, verdict);
    verdict.equal("most GETs of one blob", 1, counts.most_gets_of_one_blob);
    ledger(&outcome, subject, &counts, verdict);
    reports(farm, subject, &outcome, verdict)?;
    let floor = floor.as_secs_f64();
    let (coordinators, workers) = (after.0 - before.0, after.1 - before.1);
    let cpu = (coordinators + workers).as_secs_f64();
    let parts =
        format!("{:.2} s in coordinators, {:.2} s in workers", coordinators.as_secs_f64(), workers.as_secs_f64());
    verdict.note("CPU", format!("{} ({parts}); floor {}", figure(cpu, "s"), figure(floor, "s")));
    verdict.note("CPU for a layer", figure(cpu / layers.max(1) as f64 * 1e3, "ms"));
    // Tiny synthetic layers are mostly overhead; the promise is about layers as they are.
    match subject.fleet {
        Some(_) => verdict.note("CPU / floor", figure(cpu / floor, "")),
        None => verdict.at_most("CPU / floor", 2.5, cpu / floor, ""),
    }
    Ok(outcome)
}

/// Every image has its report. A synthetic one is understood whole; real ones hold things that a report calls incomplete.
fn told(outcome: &Outcome, what: &str, subject: &Subject, verdict: &mut Verdict) {
    match subject.fleet {
        Some(_) => outcome.check(what, &subject.images, verdict),
        None => outcome.check_reports(what, &subject.images, verdict),
    }
}

/// The job's ledger says what the registry counted.
fn ledger(outcome: &Outcome, subject: &Subject, counts: &Counts, verdict: &mut Verdict) {
    let ledger = &outcome.job.ledger;
    verdict.equal("ledger: layers analysed", subject.layers(), ledger.layers_analysed);
    verdict.equal("ledger: layers failed", 0, ledger.layers_failed);
    verdict.equal("ledger: bytes pulled", counts.blob_bytes - subject.config_bytes, ledger.bytes_pulled);
    verdict.equal("ledger: requests", counts.requests, ledger.requests);
}

/// Every report says what the fleet knows.
fn reports(farm: &Farm, subject: &Subject, outcome: &Outcome, verdict: &mut Verdict) -> Result<(), FarmError> {
    let Some(fleet) = &subject.fleet else { return Ok(()) };
    let mut wrong = Vec::new();
    for (image, reference) in (0..).zip(&subject.images) {
        let Some(id) = outcome.reports.get(reference) else { continue };
        let report = farm.api().report(id)?;
        wrong.extend(oracle::difference(fleet, image, 1, &report).map(|what| format!("{reference}: {what}")));
    }
    let first = wrong.first().map(|wrong| format!("; {wrong}")).unwrap_or_default();
    let measured = format!("{}{first}", wrong.len());
    verdict.check("reports that differ from the oracle", 0, measured, wrong.is_empty());
    Ok(())
}

fn second_night(farm: &mut Farm, subject: &Subject, first: &Outcome, verdict: &mut Verdict) -> Result<(), FarmError> {
    subject.registry.reset_counts();
    let again = outcome::run(farm.api(), &subject.images, "bulk", PATIENCE)?;
    let counts = subject.registry.counts();
    told(&again, "second night", subject, verdict);
    verdict.equal("second night: blob GETs", 0, counts.blob_gets);
    verdict.within("second night: wall", Duration::from_secs(1), again.took);
    let same = first.reports == again.reports;
    verdict.check("second night: reports", "the same", if same { "the same" } else { "others" }, same);
    // Without Redis it is the store that remembers.
    let Some(servers) = &farm.servers else {
        verdict.note("Redis flushed", "left out: it was given");
        return Ok(());
    };
    servers.redis.flush();
    subject.registry.reset_counts();
    let flushed = outcome::run(farm.api(), &subject.images, "bulk", PATIENCE)?;
    verdict.equal("Redis flushed: blob GETs", 0, subject.registry.counts().blob_gets);
    told(&flushed, "Redis flushed", subject, verdict);
    Ok(())
}
