//! `lazaret token`: tokens for the API of a farm.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

use super::Failure;
use super::failure::say;
use crate::serve::api::token::{self, Entry};
use crate::serve::api::{self, Scope};

/// Make tokens for the API of a farm
#[derive(Debug, Args)]
pub(super) struct Token {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token: print it, once, and what the service's tokens file must say of it
    New(New),
}

#[derive(Debug, Args)]
struct New {
    /// Whose it is: jobs are shown under this name
    #[arg(long, value_name = "NAME")]
    name: String,
    /// What it may do: submit images, read jobs and reports, or everything
    #[arg(long, value_delimiter = ',', required = true, value_parser = scopes())]
    scope: Vec<Scope>,
    /// Its last day (2027-01-31), or the moment at which it ends (RFC 3339) [default: it does not end]
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// Append to this tokens file, which is made if there is none; a running service reads it by itself
    #[arg(long, value_name = "FILE")]
    append: Option<PathBuf>,
}

fn scopes() -> impl TypedValueParser<Value = Scope> {
    PossibleValuesParser::new(Scope::ALL.map(Scope::name))
        .map(|word| Scope::ALL.into_iter().find(|scope| scope.name() == word).unwrap_or(Scope::Read))
}

impl Token {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let TokenCommand::New(new) = self.command;
        new.run()
    }
}

impl New {
    fn run(mut self) -> Result<ExitCode, Failure> {
        if !token::is_name(&self.name) {
            return Err(Failure::new("a name is 1 to 64 letters, digits, dots, dashes and underscores"));
        }
        if let Some(expires) = &self.expires {
            api::token_expiry(expires).map_err(Failure::new)?;
        }
        let mut seen = Vec::new();
        self.scope.retain(|scope| {
            !seen.contains(scope) && {
                seen.push(*scope);
                true
            }
        });
        let secret = token::generate().map_err(Failure::new)?;
        let (name, scopes, expires) = (self.name.as_str(), &*self.scope, self.expires.as_deref());
        let entry = Entry { name, hash: token::hash(secret.expose()), scopes, expires }.to_string();
        match &self.append {
            Some(path) => append(path, name, &entry)?,
            None => say(format_args!("add this to the service's tokens file:\n\n{entry}")),
        }
        let mut out = io::stdout().lock();
        writeln!(out, "{}", secret.expose())?;
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Appends an entry to a file that stays a tokens file.
fn append(path: &Path, name: &str, entry: &str) -> Result<(), Failure> {
    let failed = |reason: String| Failure::new(format_args!("tokens file {}: {reason}", path.display()));
    let before = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(error.to_string())),
    };
    if api::token_names(&before).map_err(failed)?.iter().any(|known| known == name) {
        return Err(failed(format!("it has a token named `{name}`; take another name, or remove that one")));
    }
    let gap = match before.as_str() {
        "" => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    // In one write, so that a service never reads half an entry.
    let written = file.and_then(|mut file| file.write_all(format!("{gap}{entry}").as_bytes()));
    written.map_err(|error| failed(error.to_string()))
}
