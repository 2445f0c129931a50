//! Where a report goes: standard output, or a file that is there whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use serde::Serialize;

use super::Failure;
use crate::report::json;
use crate::report::table::Style;

const BUFFER: usize = 64 << 10;

/// Lets `content` write to `file`, or to standard output: as it goes, since a document may be large.
pub(super) fn write(
    file: Option<&Path>,
    content: impl Fn(&mut dyn Write) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Some(path) = file else {
        let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
        content(&mut out)?;
        return Ok(out.flush()?);
    };
    let write_to = |path: &Path| -> Result<(), Failure> {
        let mut out = BufWriter::with_capacity(BUFFER, File::create(path)?);
        content(&mut out)?;
        Ok(out.flush()?)
    };
    let failed = |error: Failure| Failure::new(format_args!("cannot write {}: {error}", path.display()));
    // A device or a pipe is written to; a file is replaced, so that nobody reads half a report.
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return write_to(path).map_err(failed);
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = Path::new(&temporary);
    write_to(temporary).and_then(|()| Ok(std::fs::rename(temporary, path)?)).map_err(|error| {
        // The first error is the one that matters.
        let _ = std::fs::remove_file(temporary);
        failed(error)
    })
}

/// A document as JSON, indented, with a line end.
pub(super) fn json(out: &mut dyn Write, document: &impl Serialize) -> Result<(), Failure> {
    Ok(json::write(out, document)?)
}

/// How to draw a table: as wide as the terminal, in colour only there.
pub(super) fn style(to_file: bool) -> Style {
    const NO_TERMINAL: u16 = 120;
    let terminal = !to_file && io::stdout().is_terminal();
    let width = (!terminal).then_some(NO_TERMINAL);
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    Style { width, colour, age: days_since }
}

fn days_since(moment: &str) -> Option<i64> {
    let moment: jiff::Timestamp = moment.parse().ok()?;
    Some((jiff::Timestamp::now().as_second() - moment.as_second()) / 86_400)
}
