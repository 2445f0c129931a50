//! Jobs and results as text. Whatever comes from a farm is made visible first.

use std::fmt::Write as _;

use comfy_table::Table;
use indicatif::HumanBytes;
use lazaret::text::visible;

use crate::matching::Level;
use crate::serve::job::{ImageResult, JobView};

/// A line for each job.
pub(super) fn jobs(jobs: &[JobView]) -> String {
    let mut table = new_table(&["JOB", "STATUS", "CLASS", "IMAGES", "DONE", "FAILED", "SUBMITTED", "BY"]);
    for job in jobs {
        let row = [
            visible(&job.id).into_owned(),
            job.status.name().into(),
            job.class.name().into(),
            job.images.to_string(),
            job.done.to_string(),
            job.failed.to_string(),
            visible(&job.submitted).into_owned(),
            visible(&job.by).into_owned(),
        ];
        table.add_row(row);
    }
    drawn(&table)
}

/// Everything about one job.
pub(super) fn job(job: &JobView) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<10} {}", visible(value));
    };
    let ledger = &job.ledger;
    let JobView { images, done, failed, incomplete, .. } = job;
    line("job", &job.id);
    line("status", job.status.name());
    line("class", job.class.name());
    line("submitted", &format!("{} by {}", job.submitted, job.by));
    line("images", &format!("{done} of {images} done, {failed} failed, {incomplete} incomplete"));
    line("snapshot", job.snapshot.as_deref().unwrap_or("none yet"));
    let (analysed, reused) = (ledger.layers_analysed, ledger.layers_reused);
    line("layers", &format!("{analysed} analysed, {reused} reused, {} failed", ledger.layers_failed));
    line("recalled", &format!("{} images", ledger.images_recalled));
    line("pulled", &format!("{} in {} requests", HumanBytes(ledger.bytes_pulled), ledger.requests));
    line("CPU", &format!("{:.1} s", ledger.cpu_micros as f64 / 1e6));
    text
}

/// A line for each image.
pub(super) fn results(results: &[ImageResult]) -> String {
    let levels = Level::ALL.map(|level| level.name().to_uppercase());
    let mut header = vec!["IMAGE", "PLATFORM", "STATUS"];
    header.extend(levels.iter().map(String::as_str));
    header.push("REPORT");
    let mut table = new_table(&header);
    for result in results {
        let platform = result.platform.as_deref().unwrap_or("-");
        let mut row = vec![visible(&result.reference), visible(platform), result.status.name().into()];
        let count = |level: Level| result.findings.get(level.name()).copied().unwrap_or(0).to_string();
        row.extend(Level::ALL.map(|level| count(level).into()));
        row.push(visible(result.report.as_deref().or(result.error.as_deref()).unwrap_or("-")));
        table.add_row(row);
    }
    drawn(&table)
}

/// Without a width: ids are there to be copied, so a line is as long as it has to be.
fn new_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).force_no_tty().set_header(header.to_vec());
    table
}

fn drawn(table: &Table) -> String {
    table.lines().map(|line| format!("{}\n", line.trim())).collect()
}
