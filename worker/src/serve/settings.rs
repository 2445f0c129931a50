//! What the worker is told: flags, and the environment variables that stand for them.

use std::num::{NonZeroU16, NonZeroU64};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use lazaret::door::source::registry::{Credentials, Patience, Registry, RegistryOptions, Secret, trusted_realm};
use lazaret::exposure::{IdentityKey, WeakKey};

use super::blobs::Registries;
use crate::sandbox::Level;

/// Analyses layers of container images for a farm: takes tasks from a queue, fetches each layer from its registry, and
/// leaves what is in it in a store.
///
/// It keeps nothing of its own; any number of workers serve one farm, and each may be stopped at any time. Registry
/// credentials are those of `docker login` and `podman login`.
// No `Debug`: URLs may hold passwords.
#[derive(Parser)]
#[command(name = "lazaret-worker", version, max_term_width = 120)]
pub struct Settings {
    /// The queue that tasks come from: amqp://HOST[,HOST…]
    #[arg(long, value_name = "URL", env = "LAZARET_QUEUE", hide_env_values = true)]
    pub queue: String,
    /// The store that inventories go to: s3://BUCKET/PREFIX or file:PATH
    #[arg(long, value_name = "URL", env = "LAZARET_STORE", hide_env_values = true)]
    pub store: String,
    /// The cache in front of the store: redis://HOST, or none:
    #[arg(long, value_name = "URL", env = "LAZARET_CACHE", hide_env_values = true, default_value = "none:")]
    pub cache: String,

    /// What values in the cache are authenticated with, the same for the whole farm: 16 characters or more
    #[arg(long, value_name = "SECRET", env = "LAZARET_CACHE_KEY", hide_env_values = true, value_parser = secret)]
    pub cache_key: Option<Secret>,

    /// What the identities of secrets in reports are keyed with, the same for the whole farm: long and random. Without it
    /// reports do not tell which images have the same secret
    #[arg(long, value_name = "SECRET", env = "LAZARET_IDENTITY_KEY", hide_env_values = true, value_parser = secret)]
    pub identity_key: Option<Secret>,

    /// Slots for all tasks [default: the number of cores]
    #[arg(long, value_name = "N", env = "LAZARET_SLOTS", help_heading = "Work")]
    pub slots: Option<NonZeroU16>,
    /// Slots for tasks that somebody waits for, besides [default: half the number of cores]
    #[arg(long, value_name = "N", env = "LAZARET_INTERACTIVE_SLOTS", help_heading = "Work")]
    pub interactive_slots: Option<NonZeroU16>,
    /// Bytes of layers that are worked on at a time, in all slots together; a larger layer is worked on alone
    #[arg(
        long,
        value_name = "BYTES",
        env = "LAZARET_MAX_BYTES_IN_FLIGHT",
        default_value = "4GiB",
        value_parser = bytes,
        help_heading = "Work"
    )]
    pub max_bytes_in_flight: NonZeroU64,
    /// How often a layer is tried before it counts as failed
    #[arg(long, value_name = "N", env = "LAZARET_MAX_ATTEMPTS", default_value = "5", help_heading = "Work")]
    pub max_attempts: NonZeroU16,
    /// How long one layer may take; at most 20 minutes, which the broker's own patience has to exceed twice
    #[arg(
        long,
        value_name = "SECONDS",
        env = "LAZARET_DEADLINE",
        default_value = "600",
        value_parser = clap::value_parser!(u64).range(1..=1200),
        help_heading = "Work"
    )]
    pub deadline: u64,
    /// How long to go on with what was begun when told to stop (SIGTERM); a second signal stops at once
    #[arg(
        long,
        value_name = "SECONDS",
        env = "LAZARET_GRACE",
        default_value = "120",
        value_parser = clap::value_parser!(u64).range(..=3600),
        help_heading = "Work"
    )]
    pub grace: u64,
    /// Refuse to start where layers cannot be shut in so well: full (the word may be left out), partial or none
    #[arg(
        long,
        value_name = "LEVEL",
        env = "LAZARET_REQUIRE_SANDBOX",
        num_args = 0..=1,
        default_missing_value = "full",
        default_value = "none",
        help_heading = "Work"
    )]
    pub require_sandbox: Level,

    /// Fetch layers from this registry and from no other; may be given several times
    ///
    /// Without it, any registry that a task names is asked, but none on this machine.
    #[arg(
        long,
        value_name = "HOST[:PORT]",
        env = "LAZARET_REGISTRY",
        value_delimiter = ',',
        help_heading = "Registries"
    )]
    pub registry: Vec<String>,
    /// Speak plain http to this registry, or https without checking its certificate; may be given several times
    #[arg(
        long,
        value_name = "HOST[:PORT]",
        env = "LAZARET_INSECURE_REGISTRY",
        value_delimiter = ',',
        help_heading = "Registries"
    )]
    pub insecure_registry: Vec<String>,
    /// Trust the certificate authorities in this PEM file too; may be given several times
    #[arg(long, value_name = "FILE", env = "LAZARET_CA_FILE", value_delimiter = ',', help_heading = "Registries")]
    pub ca_file: Vec<PathBuf>,
    /// Log in to REGISTRY at the token server REALM, though its name does not show that they belong together
    #[arg(
        long,
        value_name = "REGISTRY=REALM",
        env = "LAZARET_TRUST_REALM",
        value_delimiter = ',',
        value_parser = trusted_realm,
        help_heading = "Registries"
    )]
    pub trust_realm: Vec<(String, String)>,

    /// Where /healthz, /readyz and /metrics are served: ADDRESS:PORT, or none
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "LAZARET_LISTEN",
        default_value = "127.0.0.1:9464",
        help_heading = "Observation"
    )]
    pub listen: String,
    /// `stub:MILLIS`: do not look at layers, for load tests
    #[arg(long, hide = true, value_parser = stub, requires = "allow_stub")]
    pub analyser: Option<Duration>,
    /// Say that nonsense is wanted
    #[arg(long, hide = true)]
    pub allow_stub: bool,
}

impl Settings {
    /// How many slots there are for all tasks, and how many besides for urgent ones.
    pub fn slot_counts(&self) -> (u16, u16) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let cores = u16::try_from(cores).unwrap_or(u16::MAX);
        let count = |given: Option<NonZeroU16>, usual: u16| given.map_or(usual.max(1), NonZeroU16::get);
        (count(self.slots, cores), count(self.interactive_slots, cores / 2))
    }

    /// What the identities of secrets are keyed with.
    ///
    /// # Errors
    /// It is too short.
    pub fn identity(&self) -> Result<Option<IdentityKey>, WeakKey> {
        let given = self.identity_key.as_ref().filter(|key| !key.is_empty());
        given.map(|key| IdentityKey::of(key.expose())).transpose()
    }

    /// The registries that tasks may name.
    pub fn registries(&self) -> Registries {
        let options = RegistryOptions {
            credentials: Credentials::from_environment(),
            insecure: self.insecure_registry.iter().cloned().collect(),
            authorities: self.ca_file.clone(),
            trusted_realms: self.trust_realm.iter().cloned().collect(),
            // A slot does not sit out a long pause: the task goes back to the queue until then.
            patience: Patience { tries: 3, total_pause: Duration::from_secs(20), ..Patience::default() },
        };
        Registries::new(Registry::new(options), &self.registry, &self.insecure_registry)
    }
}

/// Cannot fail: the refusal of a value would show it. Whoever opens the cache looks at its length.
fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

fn stub(text: &str) -> Result<Duration, String> {
    let millis = text.strip_prefix("stub:").and_then(|millis| millis.parse().ok());
    millis.map(Duration::from_millis).ok_or_else(|| "expected stub:MILLIS".to_owned())
}

/// A number of bytes, with a unit or without.
fn bytes(text: &str) -> Result<NonZeroU64, String> {
    const UNITS: [(&str, u64); 5] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1), ("", 1)];
    let number = |(unit, factor): (&str, u64)| text.strip_suffix(unit)?.trim().parse::<u64>().ok()?.checked_mul(factor);
    let bytes = UNITS.into_iter().find_map(number).and_then(NonZeroU64::new);
    bytes.ok_or_else(|| "expected a number of bytes over 0, such as 512MiB or 4GiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn parse(arguments: &str) -> Result<Settings, String> {
        let arguments = format!("lazaret-worker --queue amqp://q --store s3://b/p {arguments}");
        Settings::try_parse_from(arguments.split_whitespace()).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_are_sound() {
        Settings::command().debug_assert();
        let usual = parse("").unwrap();
        assert_eq!((usual.cache.as_str(), usual.max_bytes_in_flight.get()), ("none:", 4 << 30));
        let (slots, interactive) = usual.slot_counts();
        assert!(slots >= 1 && interactive >= 1);
        assert_eq!(usual.require_sandbox, Level::None);
        assert_eq!(parse("--require-sandbox").unwrap().require_sandbox, Level::Full);
        assert_eq!(parse("--slots 3 --interactive-slots 2").unwrap().slot_counts(), (3, 2));
        assert_eq!(parse("--registry a,b:5000").unwrap().registry, ["a", "b:5000"]);
    }

    #[test]
    fn wrong_settings_are_refused() {
        for (wrong, said) in [
            ("--slots 0", "--slots"),
            ("--max-bytes-in-flight 4XB", "512MiB"),
            ("--max-bytes-in-flight 0", "512MiB"),
            ("--deadline 1201", "1..=1200"),
            ("--trust-realm x", "REGISTRY=REALM"),
            ("--analyser stub:1", "--allow-stub"),
            ("--analyser fast --allow-stub", "stub:MILLIS"),
        ] {
            let error = parse(wrong).map(drop).unwrap_err();
            assert!(error.contains(said), "{wrong}: {error}");
        }
    }

    #[test]
    fn the_help_hides_what_is_for_load_tests_and_what_the_environment_holds() {
        let help = Settings::command().render_long_help().to_string();
        assert!(!help.contains("stub") && help.contains("LAZARET_QUEUE"), "{help}");
    }
}
