//! How a command fails: one message, with what to do about it, and exit code 2.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use lazaret::text::visible;

/// An error as the user sees it.
#[derive(Debug)]
pub struct Failure {
    message: String,
    closed_pipe: bool,
}

impl Failure {
    /// A failure with this message.
    pub fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), closed_pipe: false }
    }

    /// Whether whoever read the output has gone.
    pub(super) fn is_closed_pipe(&self) -> bool {
        self.closed_pipe
    }

    /// Prints the message and gives the exit code. Whoever reads the output may have gone: that is no error worth a word.
    pub(super) fn report(self) -> ExitCode {
        if self.closed_pipe {
            return ExitCode::SUCCESS;
        }
        say(format_args!("error: {}", self.message));
        ExitCode::from(2)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// An error that came from writing to a pipe whose reader has gone is told from others.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self { closed_pipe: error.kind() == io::ErrorKind::BrokenPipe, message: error.to_string() }
    }
}

/// Says something beside the output, on standard error; line by line made visible, since parts may come from an image.
pub(super) fn say(message: fmt::Arguments<'_>) {
    let text = message.to_string();
    let mut stderr = io::stderr().lock();
    for line in text.lines() {
        // Nobody is left to be told if standard error is closed.
        let _ = writeln!(stderr, "{}", visible(line));
    }
}
