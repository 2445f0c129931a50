//! `lazaret schema`: the JSON Schema of reports.

use std::io::{self, Write};
use std::process::ExitCode;

use super::Failure;
use crate::report::JSON_SCHEMA;

/// Prints the schema that this build's reports keep to.
pub(super) fn run() -> Result<ExitCode, Failure> {
    let mut out = io::stdout().lock();
    out.write_all(JSON_SCHEMA.as_bytes())?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
