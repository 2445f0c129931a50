//! The demonstration as text.

use std::cmp::Reverse;
use std::fmt::Write as _;

use comfy_table::{Cell, CellAlignment, Table};
use indicatif::{HumanBytes, HumanCount};

use super::super::output;
use super::figures::{First, Second};
use super::night::Night;
use super::{Stage, farm};
use crate::matching::Level;
use crate::report::table::{self, Style};

/// Rows of a table, and lines of a part of a report.
const SHOWN: usize = 8;

/// What it is.
pub(super) fn title(stage: &Stage, seed: u64, plan: Option<&farm::Plan>) -> String {
    let (images, address) = (HumanCount(stage.fleet.len().into()), stage.registry.address());
    let by = match plan {
        None => "scanned in this process".to_owned(),
        Some(plan) => format!("scanned by a farm of {} workers", plan.workers()),
    };
    format!(
        "{images} made-up images of seed {seed} in a registry at {address}, {by}; advisories are modelled on real ones\n"
    )
}

/// The first night: ledger, fleet, one report.
pub(super) fn first(night: &Night) -> String {
    let style = output::style(false);
    let mut text = format!("\n{}\n", heading("first night: every image is scanned", style));
    ledger(&mut text, &night.figures);
    let _ = writeln!(text, "\n{}\n{}", heading("worst images", style), table::trimmed(&worst_images(night, style)));
    let _ = writeln!(text, "\n{}\n{}", heading("worst packages", style), table::trimmed(&worst_packages(night, style)));
    if let Some(report) = &night.report {
        let _ = write!(
            text,
            "\n{}\n{}",
            heading("the worst image's report", style),
            shortened(&table::render(report, style))
        );
    }
    text
}

/// The second night.
pub(super) fn second(figures: &Second) -> String {
    let style = output::style(false);
    let mut text = format!("\n{}\n", heading("second night: new advisories, the same images", style));
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, " {name:<10} {value}");
    };
    let Second { blob_gets, manifest_gets, manifest_heads, .. } = figures;
    line(
        "pulled",
        format!("{blob_gets} blobs, {manifest_gets} manifests; {manifest_heads} tags were asked whether they moved"),
    );
    let (new, images) = (HumanCount(figures.new_findings), HumanCount(figures.images_with_new_findings));
    line(
        "findings",
        format!("{new} new ones in {images} images, {} in all, as expected", HumanCount(figures.findings)),
    );
    line("time", format!("{:.2} s", figures.seconds));
    text
}

fn heading(text: &str, style: Style) -> String {
    if style.colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
}

fn ledger(text: &mut String, figures: &First) {
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, " {name:<10} {value}");
    };
    let (gets, distinct) = (HumanCount(figures.layer_gets), HumanCount(figures.distinct_layers));
    let references = HumanCount(figures.layer_references);
    line(
        "fleet",
        format!("{} repositories on {} bases", HumanCount(figures.repositories as u64), figures.distinct_bases),
    );
    line("layers", format!("{references} in all images, {distinct} distinct"));
    let pulled = match figures.layer_gets == figures.distinct_layers {
        true => format!("each distinct layer once: {gets} of {references}, counted at the registry"),
        false => format!("{gets} of {references} layers, none twice; the others are known from an earlier run"),
    };
    line("pulled", pulled);
    let (bytes, all) = (figures.bytes_pulled, figures.bytes_if_each_image_were_pulled);
    line("bytes", format!("{}; {} if each image were pulled", HumanBytes(bytes), HumanBytes(all)));
    let cpu = figures.analysis_cpu_seconds;
    line("CPU", format!("{cpu:.2} s to unpack, hash and read layers"));
    let (packages, findings) = (HumanCount(figures.packages), HumanCount(figures.findings));
    line("found", format!("{packages} packages, {findings} findings: each that the seed put there, and no other"));
    line("time", format!("{:.2} s", figures.seconds));
}

fn worst_images(night: &Night, style: Style) -> Table {
    let mut images: Vec<_> = night.images.iter().collect();
    images.sort_by_key(|image| Reverse(image.badness()));
    let mut table = table::new_table(style, &["IMAGE", "CRITICAL", "HIGH", "MEDIUM", "FIXABLE"]);
    for image in images.into_iter().take(SHOWN) {
        let count = |count: u32, level| coloured(&count.to_string(), level, style).set_alignment(CellAlignment::Right);
        table.add_row([
            Cell::new(&image.name),
            count(image.critical, Level::Critical),
            count(image.high, Level::High),
            count(image.medium, Level::Medium),
            Cell::new(image.fixable).set_alignment(CellAlignment::Right),
        ]);
    }
    table
}

fn worst_packages(night: &Night, style: Style) -> Table {
    let mut concerns: Vec<_> = night.concerns.iter().collect();
    concerns.sort_by_key(|(name, concern)| (Reverse((concern.level, concern.images)), *name));
    let mut table = table::new_table(style, &["PACKAGE", "ADVISORY", "SEVERITY", "IMAGES", "FIXED IN"]);
    for ((package, advisory), concern) in concerns.into_iter().take(SHOWN) {
        table.add_row([
            Cell::new(package),
            Cell::new(advisory),
            coloured(concern.level.name(), concern.level, style),
            Cell::new(concern.images).set_alignment(CellAlignment::Right),
            Cell::new(concern.fixed.as_deref().unwrap_or("no fix")),
        ]);
    }
    table
}

fn coloured(text: &str, level: Level, style: Style) -> Cell {
    match table::colour(level).filter(|_| style.colour) {
        Some(colour) => Cell::new(text).fg(colour),
        None => Cell::new(text),
    }
}

/// A text of which every part, between empty lines, has a few lines only.
fn shortened(text: &str) -> String {
    let parts = text.split("\n\n").map(|part| {
        let lines: Vec<&str> = part.lines().collect();
        // One line less is no shorter with a line that says so.
        if lines.len() <= SHOWN + 2 {
            return part.trim_end().to_owned();
        }
        format!("{}\n … and {} more", lines[..=SHOWN].join("\n"), lines.len() - SHOWN - 1)
    });
    format!("{}\n", parts.collect::<Vec<_>>().join("\n\n"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn long_parts_are_cut_and_short_ones_are_not() {
        let lines = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>().join("\n");
        let text = format!("{}\n\n{}\n\nend\n", lines(10), lines(40));
        assert_eq!(super::shortened(&text), format!("{}\n\n{}\n … and 31 more\n\nend\n", lines(10), lines(9)));
    }
}
