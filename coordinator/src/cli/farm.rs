//! The farm that a command is about: its address, the token, and a runtime to ask it on.

use std::path::PathBuf;

use clap::Args;
use lazaret::door::source::registry::Secret;

use super::{Failure, settings};
use crate::farm::{Address, Farm};

/// The most bytes of a file with a token.
const MAX_TOKEN: u64 = 64 << 10;

/// Which farm, and what lets us in.
#[derive(Debug, Args)]
#[command(next_help_heading = "Farm")]
pub(super) struct FarmArgs {
    /// The farm's address; the token that it takes is read from LAZARET_TOKEN
    #[arg(long, value_name = "URL", env = "LAZARET_FARM", hide_env_values = true, global = true)]
    farm: Option<String>,
    /// Read the token from this file instead
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
    /// Send token and images over plain http to another machine
    #[arg(long, global = true)]
    insecure_farm: bool,
}

impl FarmArgs {
    /// The farm.
    pub(super) fn open(&self) -> Result<Farm, Failure> {
        let address = self.farm.as_deref().filter(|text| !text.is_empty());
        let address = address.ok_or_else(|| Failure::new("no farm is named; write --farm URL or set LAZARET_FARM"))?;
        let address = Address::parse(address, self.insecure_farm).map_err(Failure::new)?;
        Farm::new(address, self.token()?).map_err(Failure::new)
    }

    fn token(&self) -> Result<Option<Secret>, Failure> {
        let Some(path) = &self.token_file else { return Ok(settings::farm_token()) };
        let failed =
            |reason: String| Failure::new(format_args!("cannot read a token from {}: {reason}", path.display()));
        let size = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
        if size > MAX_TOKEN {
            return Err(failed("it is too large for one".into()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let token = text.trim();
        if token.is_empty() || token.contains(|c: char| !c.is_ascii_graphic()) {
            return Err(failed("it does not hold one token and nothing else".into()));
        }
        Ok(Some(Secret::new(token)))
    }
}

/// Asks.
pub(super) fn block_on<T>(asked: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.map_err(Failure::new)?.block_on(asked))
}
