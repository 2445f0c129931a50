//! Where images are looked for, and who we are there.

use std::collections::BTreeSet;
use std::io::Read;

use clap::Args;
use lazaret::door::source::registry::{Credential, Credentials, Registry, Secret};
use lazaret::door::source::{self, Endpoint, SourceOptions};
use lazaret::reference::Reference;
use tokio::runtime::Handle;

use super::super::Failure;
use super::super::registry::RegistryArgs;

/// Who we are in a registry.
#[derive(Debug, Args)]
#[command(next_help_heading = "Registry options")]
pub(super) struct LoginArgs {
    /// The user to log in as; the password is read from standard input
    #[arg(long, requires = "password_stdin")]
    username: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "username")]
    password_stdin: bool,
}

impl LoginArgs {
    /// Opens the way to the places where `references` may be; connections live in `runtime`. A password goes to the one
    /// registry that they name.
    pub(super) fn options(
        &self,
        registry: &RegistryArgs,
        references: &[String],
        runtime: &Handle,
    ) -> Result<SourceOptions, Failure> {
        let mut credentials = Credentials::from_environment();
        if let Some(username) = &self.username {
            let password = Secret::new(read_password()?);
            let credential = Credential::Password { username: username.clone(), password };
            credentials.given.insert(only_registry(references)?, credential);
        }
        let options = registry.options(credentials);
        Ok(SourceOptions {
            runtime: runtime.clone(),
            engines: Endpoint::usual(|name| std::env::var(name).ok()),
            registry: Some(Registry::new(options).opener(runtime.clone())),
        })
    }
}

/// The password on standard input, without its line end.
fn read_password() -> Result<String, Failure> {
    const LONGEST: u64 = 64 << 10;
    let mut password = String::new();
    std::io::stdin()
        .take(LONGEST)
        .read_to_string(&mut password)
        .map_err(|error| Failure::new(format_args!("cannot read the password from standard input: {error}")))?;
    let password = password.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::new(
            "standard input holds no password; write for example: lazaret scan … --password-stdin < FILE",
        ));
    }
    Ok(password.to_owned())
}

fn only_registry(references: &[String]) -> Result<String, Failure> {
    let hosts: BTreeSet<String> = references
        .iter()
        .filter_map(|reference| match source::reference(reference) {
            Ok(Reference::Registry(name) | Reference::Name(name)) => Some(name.host.to_ascii_lowercase()),
            _ => None,
        })
        .collect();
    let mut hosts = hosts.into_iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => Ok(host),
        (None, _) => Err(Failure::new("--username is for a registry, and no image is in one")),
        _ => Err(Failure::new(
            "--username is for one registry, and the images are in several; log in to them with `docker login`",
        )),
    }
}
