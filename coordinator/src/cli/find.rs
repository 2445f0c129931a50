//! `lazaret find`: which images of a farm expose the same value.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use lazaret::text::visible;

use super::farm::{FarmArgs, block_on};
use super::{Failure, output};
use crate::serve::exposed::Sightings;

/// Find the images of a farm that expose the same secret
#[derive(Debug, Args)]
pub(super) struct Find {
    /// What to find: secret: and the fingerprint that a report tells
    #[arg(value_name = "secret:FINGERPRINT", value_parser = fingerprint)]
    what: String,
    /// How to write the answer
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    farm: FarmArgs,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// Lines for people
    #[default]
    Table,
    /// JSON
    Json,
}

impl Find {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let farm = self.farm.open()?;
        let found = block_on(farm.exposed(&self.what))?.map_err(Failure::new)?;
        output::write(None, |out| match self.format {
            Format::Json => output::json(out, &found),
            Format::Table => Ok(out.write_all(lines(&found).as_bytes())?),
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What was found, for people.
fn lines(found: &Sightings) -> String {
    let Some(first) = found.images.first() else {
        return format!("no image's newest report tells a secret with the fingerprint {}\n", found.fingerprint);
    };
    let more = if found.more { "more than " } else { "" };
    let (count, s) = (found.images.len(), if found.images.len() == 1 { "" } else { "s" });
    let mut text = format!("{}: in {more}{count} image{s}\n", visible(&first.title));
    if let Some(origin) = found.origin() {
        let layer = origin.layer.map(|layer| layer.to_string()).unwrap_or_default();
        text += &format!("first brought in by {}, layer {layer}", visible(&origin.reference));
        if let Some(instruction) = &origin.instruction {
            text += &format!(": {}", visible(instruction));
        }
        text.push('\n');
    }
    for image in &found.images {
        let (reference, platform, path) = (visible(&image.reference), visible(&image.platform), visible(&image.path));
        text += &format!("  {reference}  {platform}  {path}  report {}\n", visible(&image.report));
    }
    text
}

fn fingerprint(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix("secret:").unwrap_or_default().to_ascii_lowercase();
    match digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(digits),
        false => Err("write secret: and the 32 hexadecimal digits of the fingerprint that a report tells".into()),
    }
}
