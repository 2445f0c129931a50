//! The report for people: findings by severity, what could not be told, and one summary line.

use std::fmt::Write as _;

use comfy_table::{Cell, Color, ContentArrangement, Table};
use indicatif::HumanBytes;
use lazaret::exposure::ExposureKind;
use lazaret::text::visible;

use super::{DistroState, ExposureState, FindingRow, Report, Verdict};
use crate::matching::severity::Level;

/// How the table is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Characters to a line; the terminal's, if not given.
    pub width: Option<u16>,
    /// Whether to colour.
    pub colour: bool,
    /// How many days ago a moment (RFC 3339) was; only whoever draws has a clock.
    pub age: fn(&str) -> Option<i64>,
}

/// The report as text. Whatever comes from the image is made visible first, so that nothing in it can move the cursor.
pub fn render(report: &Report, style: Style) -> String {
    let mut text = String::new();
    heading(&mut text, report);
    if !report.findings.is_empty() {
        let _ = writeln!(text, "\n{}", trimmed(&findings(&report.findings, style)));
        text.push('\n');
        layers(&mut text, report, style);
    } else if !report.coverage.looked_for("vuln") && !report.packages.is_empty() {
        let _ = writeln!(text, "\n{}", trimmed(&packages(report, style)));
    }
    exposed(&mut text, report, style);
    problems(&mut text, report);
    unexplained(&mut text, report);
    let _ = writeln!(text, "\n{}", summary(report, style));
    text
}

fn heading(text: &mut String, report: &Report) {
    let image = &report.image;
    let _ = writeln!(
        text,
        "image   {} ({}, {})",
        visible(&image.reference),
        visible(&image.source),
        visible(&image.platform)
    );
    let _ = writeln!(text, "digest  {}", image.digest);
    let distro = match (&report.distro, report.coverage.distro) {
        (Some(distro), _) if distro.name.is_empty() => visible(&distro.id).into_owned(),
        (Some(distro), _) => visible(&distro.name).into_owned(),
        (None, DistroState::Unknown) => "unknown".into(),
        (None, _) => "none: no os-release and no package database in any layer".into(),
    };
    let _ = writeln!(text, "distro  {distro}");
}

/// The layers that brought findings in, with the instructions that made them.
fn layers(text: &mut String, report: &Report, style: Style) {
    let width = usize::from(style.width.unwrap_or(100)).saturating_sub(28).max(20);
    let mut counts = std::collections::BTreeMap::new();
    for row in &report.findings {
        *counts.entry(row.layer).or_insert(0_u32) += 1;
    }
    for (index, count) in counts {
        let instruction = report.layers.get(index as usize).and_then(|layer| layer.instruction.as_deref());
        let instruction = visible(instruction.unwrap_or("(its instruction is not known)")).into_owned();
        let mut shown: String = instruction.chars().take(width).collect();
        if shown.len() < instruction.len() {
            shown.push('…');
        }
        let _ = writeln!(text, " layer {index}: {count} findings: {shown}");
    }
}

/// Secrets and malware, with where they are, whether they can still be seen, and what to do about them.
fn exposed(text: &mut String, report: &Report, style: Style) {
    if report.exposures.is_empty() {
        return;
    }
    let mut table = new_table(style, &["SEVERITY", "EXPOSED", "WHERE", "STATE", "VALUE"]);
    for row in &report.exposures {
        let severity = Cell::new(row.severity.name());
        let severity = match colour(row.severity.into()).filter(|_| style.colour) {
            Some(colour) => severity.fg(colour),
            None => severity,
        };
        let place = match row.layer {
            Some(layer) => format!("layer {layer}, {}:{}:{}", visible(&row.path), row.line, row.column),
            None => format!("{}:{}:{}", visible(&row.path), row.line, row.column),
        };
        let state = match (row.state, row.until) {
            (ExposureState::Present, _) => "present".to_owned(),
            (ExposureState::Deleted, Some(layer)) => format!("deleted in layer {layer}"),
            (ExposureState::Overwritten, Some(layer)) => format!("overwritten in layer {layer}"),
            (_, Some(layer)) => format!("unknown: layer {layer} failed"),
            (_, None) => "unknown".to_owned(),
        };
        let (title, masked) = (visible(&row.title).into_owned(), visible(&row.masked).into_owned());
        table.add_row([severity, Cell::new(title), Cell::new(place), Cell::new(state), Cell::new(masked)]);
    }
    let _ = writeln!(text, "\n{}", trimmed(&table));
    let advice = |wanted: ExposureKind| {
        let of_kind = report.exposures.iter().filter(move |row| row.kind == wanted);
        of_kind.map(|row| row.rotate.as_str()).collect::<std::collections::BTreeSet<_>>()
    };
    let kinds = [
        (ExposureKind::Secret, "whoever can pull the image can read these, deleted or not; revoke them:"),
        (ExposureKind::Malware, "the image holds malware; do not run it:"),
    ];
    for (kind, heading) in kinds {
        let advice = advice(kind);
        if !advice.is_empty() {
            let _ = writeln!(text, "\n{heading}");
        }
        for line in advice {
            let _ = writeln!(text, "  {}", visible(line));
        }
    }
}

/// A table without lines.
pub(crate) fn new_table(style: Style, header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_header(header.to_vec());
    if let Some(width) = style.width {
        table.set_width(width);
    }
    if style.colour {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table
}

/// Without the blanks that fill the last column.
pub(crate) fn trimmed(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn findings(findings: &[FindingRow], style: Style) -> Table {
    let mut table = new_table(style, &["SEVERITY", "ID", "PACKAGE", "INSTALLED", "FIXED IN", "LAYER"]);
    for row in findings {
        let level = Cell::new(row.severity.level.name());
        let level = match colour(row.severity.level).filter(|_| style.colour) {
            Some(colour) => level.fg(colour),
            None => level,
        };
        let cell = |text: &str| Cell::new(visible(text));
        let fixed = row.fixed.as_deref().unwrap_or(if row.malicious { "take it out" } else { "no fix" });
        let id = if row.malicious { format!("{} (malicious package)", row.id) } else { row.id.clone() };
        table.add_row([level, cell(&id), cell(&row.name), cell(&row.version), cell(fixed), Cell::new(row.layer)]);
    }
    table
}

fn packages(report: &Report, style: Style) -> Table {
    let mut table = new_table(style, &["PACKAGE", "VERSION", "ECOSYSTEM", "LAYER"]);
    for row in &report.packages {
        let cell = |text: &str| Cell::new(visible(text));
        table.add_row([cell(&row.name), cell(&row.version), cell(row.ecosystem.name()), Cell::new(row.layer)]);
    }
    table
}

/// What a severity is coloured with.
pub(crate) fn colour(level: Level) -> Option<Color> {
    match level {
        Level::Critical => Some(Color::Magenta),
        Level::High => Some(Color::Red),
        Level::Medium => Some(Color::Yellow),
        Level::Low => Some(Color::Cyan),
        Level::Negligible | Level::Unknown => None,
    }
}

fn problems(text: &mut String, report: &Report) {
    const SHOWN: usize = 20;
    for layer in &report.layers {
        if let Some(error) = &layer.error {
            let _ = writeln!(text, "\nlayer {} failed: {}", layer.index, visible(error));
        }
    }
    if !report.gaps.is_empty() {
        let _ = writeln!(text, "\nnot covered:");
    }
    for gap in report.gaps.iter().take(SHOWN) {
        let place = match (gap.layer, gap.path.as_str()) {
            (Some(layer), "") => format!("layer {layer}: "),
            (Some(layer), path) => format!("layer {layer}, /{}: ", visible(path)),
            (None, "") => String::new(),
            (None, path) => format!("/{}: ", visible(path)),
        };
        let _ = writeln!(text, "  {place}{}", visible(&gap.reason));
    }
    if report.gaps.len() > SHOWN {
        let _ = writeln!(text, "  and {} more (--format json has them all)", report.gaps.len() - SHOWN);
    }
    for form in &report.coverage.unread {
        let _ = writeln!(text, "  {} {}: recognised, but not read yet", form.files, visible(&form.form));
    }
    for row in &report.suppressed {
        let until = row.expires.as_ref().map(|date| format!(" until {date}")).unwrap_or_default();
        let _ = writeln!(
            text,
            "suppressed{until}: {} in {} {}: {}",
            visible(&row.finding.id),
            visible(&row.finding.name),
            visible(&row.finding.version),
            visible(&row.reason)
        );
    }
}

/// Executables of which no advisory can speak, and packages that were not looked up.
fn unexplained(text: &mut String, report: &Report) {
    const SHOWN: usize = 5;
    let executables = &report.executables;
    if executables.unexplained_files > 0 {
        let share = 100.0 * executables.unexplained_bytes as f64 / executables.bytes.max(1) as f64;
        let _ = writeln!(
            text,
            "\nno package accounts for {} of {} executables ({share:.1} % of their bytes):",
            executables.unexplained_files, executables.files
        );
        let mut largest: Vec<_> = executables.unexplained.iter().collect();
        largest.sort_by_key(|row| std::cmp::Reverse(row.bytes));
        for row in largest.iter().take(SHOWN) {
            let size = HumanBytes(row.bytes);
            let _ = writeln!(text, "  layer {}, /{} ({size})", row.layer, visible(&row.path));
        }
        if executables.unexplained_files > SHOWN as u64 {
            let more = executables.unexplained_files - SHOWN as u64;
            let _ = writeln!(text, "  and {more} more (--format json has them)");
        }
    }
    if !report.declared.is_empty() && report.coverage.looked_for("vuln") && !report.coverage.declared_too {
        let _ = writeln!(
            text,
            "\n{} packages are declared by lockfiles and were not looked up: --include-declared does",
            report.declared.len()
        );
    }
}

/// The day, and how long ago that is.
fn when(date: &str, style: Style) -> String {
    let day = visible(date.split('T').next().unwrap_or(date)).into_owned();
    match (style.age)(date) {
        None => day,
        Some(..=0) => format!("{day}, today"),
        Some(1) => format!("{day}, 1 day old"),
        Some(days) => format!("{day}, {days} days old"),
    }
}

/// The last line: how many packages and findings, unknown severities among them, how complete, and by which advisories.
fn summary(report: &Report, style: Style) -> String {
    let mut line = format!("{} packages", report.packages.len());
    if report.coverage.looked_for("vuln") {
        let _ = write!(line, ", {} findings", report.findings.len());
        let count = |level: Level| report.findings.iter().filter(|row| row.severity.level == level).count();
        let levels: Vec<String> = Level::ALL
            .iter()
            .filter(|&&level| count(level) > 0)
            .map(|&level| format!("{} {level}", count(level)))
            .collect();
        if !levels.is_empty() {
            let _ = write!(line, " ({})", levels.join(", "));
        }
    }
    if report.coverage.looked_for("secret") || report.coverage.looked_for("malware") {
        let _ = write!(line, ", {} exposures", report.exposures.len());
    }
    if !report.suppressed.is_empty() {
        let _ = write!(line, ", {} suppressed", report.suppressed.len());
    }
    let (word, code) = match report.verdict {
        Verdict::Clean => ("clean", "32"),
        Verdict::Findings => ("complete", "33"),
        Verdict::Incomplete => ("INCOMPLETE", "31"),
    };
    let _ = if style.colour { write!(line, ": \x1b[1;{code}m{word}\x1b[0m") } else { write!(line, ": {word}") };
    if let Some(snapshot) = &report.coverage.snapshot {
        let when = snapshot.date.as_deref().map_or_else(|| "unknown date".to_owned(), |date| when(date, style));
        let _ = write!(line, " (advisories of {when}; {})", snapshot.digest.get(..12).unwrap_or(&snapshot.digest));
    }
    line
}
