//! How registries are reached: the options for them that every command has.

use std::path::PathBuf;

use clap::Args;
use lazaret::door::source::registry::{Credentials, RegistryOptions, trusted_realm};

/// Options for registries.
#[derive(Debug, Args)]
#[command(next_help_heading = "Registry options")]
pub(super) struct RegistryArgs {
    /// Speak plain http to this registry, or https without checking its certificate; may be given several times
    #[arg(long, value_name = "HOST[:PORT]", env = "LAZARET_INSECURE_REGISTRY", value_delimiter = ',')]
    insecure_registry: Vec<String>,
    /// Trust the certificate authorities in this PEM file too; may be given several times
    #[arg(long, value_name = "FILE", env = "LAZARET_CA_FILE", value_delimiter = ',')]
    ca_file: Vec<PathBuf>,
    /// Log in to REGISTRY at the token server REALM, though its name does not show that they belong together
    #[arg(
        long,
        value_name = "REGISTRY=REALM",
        env = "LAZARET_TRUST_REALM",
        value_delimiter = ',',
        value_parser = trusted_realm
    )]
    trust_realm: Vec<(String, String)>,
}

impl RegistryArgs {
    /// For the door.
    pub(super) fn options(&self, credentials: Credentials) -> RegistryOptions {
        RegistryOptions {
            credentials,
            insecure: self.insecure_registry.iter().cloned().collect(),
            trusted_realms: self.trust_realm.iter().cloned().collect(),
            authorities: self.ca_file.clone(),
            ..RegistryOptions::default()
        }
    }
}
