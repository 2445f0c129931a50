//! `lazaret report`: a report of a farm, shown as `lazaret scan` shows its own.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use lazaret::text::is_deceptive;

use super::farm::{FarmArgs, block_on};
use super::{Failure, output};
use crate::farm::Farm;
use crate::report::{Report, Reports, SCHEMA, table};

/// Show a report that a farm made
#[derive(Debug, Args)]
pub(super) struct ShowReport {
    /// The report's id, as results list it; or an image of the job that --job names
    #[arg(value_name = "ID|IMAGE")]
    report: String,
    /// The job whose report on the image is meant
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// How to write the report
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write the report to this file, which is replaced
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    farm: FarmArgs,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// A table for people
    #[default]
    Table,
    /// JSON; `lazaret schema` prints what describes it
    Json,
}

impl ShowReport {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let farm = self.farm.open()?;
        let documents = block_on(self.fetch(&farm))??;
        let reports = documents.iter().map(|document| read(document)).collect::<Result<Vec<_>, _>>()?;
        output::write(self.output.as_deref(), |out| match (self.format, &*reports, &*documents) {
            // As it was written, to the byte: fields of a newer farm included.
            (Format::Json, [_], [document]) if self.output.is_some() || is_plain(document) => {
                Ok(out.write_all(document)?)
            }
            (Format::Json, [report], _) => output::json(out, report),
            (Format::Json, ..) => output::json(out, &Reports { schema: SCHEMA, reports: &reports }),
            (Format::Table, ..) => {
                let style = output::style(self.output.is_some());
                for (index, report) in reports.iter().enumerate() {
                    let blank = if index > 0 { "\n" } else { "" };
                    write!(out, "{blank}{}", table::render(report, style))?;
                }
                Ok(())
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }

    /// The report; one for each platform of the image.
    async fn fetch(&self, farm: &Farm) -> Result<Vec<Vec<u8>>, Failure> {
        let Some(job) = &self.job else {
            let is_id = self.report.len() == 64 && self.report.bytes().all(|b| b.is_ascii_hexdigit());
            if !is_id {
                let hint = "it is no report's id, which has 64 hexadecimal digits; for an image write --job ID too";
                return Err(Failure::new(format_args!("{}: {hint}", self.report)));
            }
            return Ok(vec![farm.report(&self.report.to_ascii_lowercase()).await.map_err(Failure::new)?]);
        };
        let results = farm.results(job).await.map_err(Failure::new)?;
        let about: Vec<_> = results.iter().filter(|result| result.reference == self.report).collect();
        let mut documents = Vec::new();
        for id in about.iter().filter_map(|result| result.report.as_deref()) {
            documents.push(farm.report(id).await.map_err(Failure::new)?);
        }
        if documents.is_empty() {
            let reason = match about.first() {
                None => "the job has no such image, or it has not ended yet",
                Some(result) => result.error.as_deref().unwrap_or("it has no report"),
            };
            return Err(Failure::new(format_args!("{}: {reason}", self.report)));
        }
        Ok(documents)
    }
}

fn read(document: &[u8]) -> Result<Report, Failure> {
    let report: Report = serde_json::from_slice(document)
        .map_err(|error| Failure::new(format_args!("the farm's report is none that this build reads: {error}")))?;
    if report.schema != SCHEMA {
        let schema = &report.schema;
        return Err(Failure::new(format_args!("the farm's report has the form {schema}, this build reads {SCHEMA}")));
    }
    Ok(report)
}

/// Whether it can be shown on a terminal as it is.
fn is_plain(document: &[u8]) -> bool {
    std::str::from_utf8(document).is_ok_and(|text| !text.chars().any(|c| is_deceptive(c) && c != '\n'))
}
