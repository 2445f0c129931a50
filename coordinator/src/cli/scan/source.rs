//! How registries are reached: the options of the command line for them.

use std::path::PathBuf;

use clap::Args;
use lazaret::door::source::{Endpoint, SourceOptions};
use tokio::runtime::{Builder, Runtime};

use super::super::Failure;

/// Options for registries.
#[derive(Debug, Args)]
#[command(next_help_heading = "Registry options")]
pub(super) struct RegistryArgs {
    /// The user to log in as; the password is read from standard input
    #[arg(long, requires = "password_stdin")]
    username: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "username")]
    password_stdin: bool,
    /// Speak plain http to this registry, or https without checking its certificate; may be given several times
    #[arg(long, value_name = "HOST[:PORT]")]
    insecure_registry: Vec<String>,
    /// Trust the certificate authorities in this PEM file too; may be given several times
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,
}

/// What the sources need to be opened.
pub(super) struct Sources {
    options: SourceOptions,
    _runtime: Runtime,
}

impl Sources {
    /// For the door.
    pub(super) fn options(&self) -> &SourceOptions {
        &self.options
    }
}

impl RegistryArgs {
    pub(super) fn sources(&self) -> Result<Sources, Failure> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(Failure::new)?;
        let options = SourceOptions {
            runtime: runtime.handle().clone(),
            engines: Endpoint::usual(|name| std::env::var(name).ok()),
            registry: None,
        };
        Ok(Sources { options, _runtime: runtime })
    }
}
