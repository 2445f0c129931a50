//! Where a report goes: standard output, or a file that is there whole or not at all.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use lazaret::text::visible;
use serde::Serialize;

use super::Failure;
use crate::report::table::Style;

/// Writes `content` to `file`, or to standard output.
pub(super) fn write(content: &[u8], file: Option<&Path>) -> Result<(), Failure> {
    match file {
        None => {
            let mut out = io::stdout().lock();
            out.write_all(content)?;
            out.flush()?;
        }
        Some(path) => {
            let failed = |error| Failure::new(format_args!("cannot write {}: {error}", path.display()));
            // A device or a pipe is written to; a file is replaced, so that nobody reads half a report.
            if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
                return std::fs::write(path, content).map_err(failed);
            }
            let mut temporary = path.as_os_str().to_owned();
            temporary.push(format!(".{}.tmp", std::process::id()));
            std::fs::write(&temporary, content).and_then(|()| std::fs::rename(&temporary, path)).map_err(|error| {
                // The first error is the one that matters.
                let _ = std::fs::remove_file(&temporary);
                failed(error)
            })?;
        }
    }
    Ok(())
}

/// A document as JSON, indented, with a line end. What JSON lets through and a terminal or a reader's eye could be fooled by
/// is escaped too; the document means the same.
pub(super) fn json(document: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let mut json = serde_json::to_string_pretty(document).map_err(Failure::new)?;
    json.push('\n');
    // Outside of strings there is only ASCII, and none of it but line ends is deceptive.
    let deceptive =
        |c: char| (!c.is_ascii() || c == '\x7f') && matches!(visible(c.encode_utf8(&mut [0; 4])), Cow::Owned(_));
    if !json.contains(deceptive) {
        return Ok(json.into_bytes());
    }
    let mut safe = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if deceptive(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    Ok(safe.into_bytes())
}

/// How to draw a table: as wide as the terminal, in colour only there.
pub(super) fn style(to_file: bool) -> Style {
    const NO_TERMINAL: u16 = 120;
    let terminal = !to_file && io::stdout().is_terminal();
    let width = (!terminal).then_some(NO_TERMINAL);
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    Style { width, colour }
}
