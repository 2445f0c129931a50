//! The log: one line for each event, in which no character of an image reaches a terminal or a reader's eye as itself.

use std::io::{self, Write};

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use super::LogFormat;
use crate::text::is_deceptive;

/// The layer that writes events to `writer` in `format`.
pub(super) fn layer<S, W>(format: LogFormat, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Visible { writer, format });
    match format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    }
}

/// A writer of whole lines that escapes what deceives: as `text::visible` does, or as JSON does.
struct Visible<W> {
    writer: W,
    format: LogFormat,
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Visible<W> {
    type Writer = Lines<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Lines { writer: self.writer.make_writer(), format: self.format }
    }
}

/// One event's line on its way out. The formatter hands it over in one piece, line feed included.
struct Lines<W> {
    writer: W,
    format: LogFormat,
}

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let (line, end) = text.strip_suffix('\n').map_or((&*text, ""), |line| (line, "\n"));
        if line.chars().any(is_deceptive) {
            let escaped = match self.format {
                LogFormat::Text => crate::text::visible(line).into_owned(),
                LogFormat::Json => json_escaped(line),
            };
            self.writer.write_all((escaped + end).as_bytes())?;
        } else {
            self.writer.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// A line of JSON whose strings, the only place where they can be, hold no deceptive character as itself. JSON's own rules
/// escape C0 controls alone.
fn json_escaped(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len() + 32);
    for c in line.chars() {
        if is_deceptive(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                escaped += &format!("\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}
