//! The rules that layers and documents are searched with: the built-in ones, and those that a user adds.

use std::sync::OnceLock;

use lazaret::exposure::IdentityKey;
use lazaret::rules::{AddedRules, RuleSource, RulesError, RulesObject};

use crate::malware::{self, Engine};
use crate::secrets::Rules;

/// Rules, ready. They live as long as the process: a process reads a user's rules once, and a zygote hands them down.
#[derive(Clone, Copy)]
pub struct Ruleset {
    pub(crate) secrets: &'static Rules,
    pub(crate) malware: &'static Engine,
}

/// Why there are no such rules.
#[derive(Debug, thiserror::Error)]
pub enum RulesetError {
    /// The texts are not there.
    #[error(transparent)]
    Object(#[from] RulesError),
    /// A rule of secrets is wrong: its file, its id, and why.
    #[error("{0}")]
    Secrets(String),
    /// A rule of malware or a list of hashes is.
    #[error(transparent)]
    Malware(#[from] malware::Error),
}

impl Default for Ruleset {
    fn default() -> Self {
        Self::built_in()
    }
}

impl Ruleset {
    /// The built-in rules.
    pub fn built_in() -> Self {
        Self { secrets: Rules::built_in(), malware: Engine::built_in() }
    }

    /// Those and the added ones, which are compiled and hold what their examples say.
    ///
    /// # Errors
    /// [`RulesetError`].
    pub fn with(added: Option<&RulesObject>) -> Result<Self, RulesetError> {
        let mut rules = Self::built_in();
        let Some(added) = added else { return Ok(rules) };
        let AddedRules { secrets, yara, hashes } = added.rules()?;
        if !secrets.is_empty() {
            rules.secrets = Box::leak(Box::new(Rules::with(&secrets).map_err(RulesetError::Secrets)?));
        }
        if !yara.is_empty() || !hashes.is_empty() {
            let pairs =
                |files: Vec<RuleSource>| files.into_iter().map(|file| (file.name, file.text)).collect::<Vec<_>>();
            let engine = Engine::new(&pairs(yara), &pairs(hashes))?;
            rules.malware = Box::leak(Box::new(engine));
        }
        Ok(rules)
    }

    /// The built-in rules without those of malware, to measure what these cost.
    #[doc(hidden)]
    pub fn without_malware() -> Self {
        static NOTHING: OnceLock<Engine> = OnceLock::new();
        Self { malware: NOTHING.get_or_init(Engine::nothing), ..Self::built_in() }
    }
}

/// What inventories are made with beside the layer's bytes, and what they therefore depend on.
#[derive(Clone, Debug, Default)]
pub struct SearchSettings {
    /// Rules that were added.
    pub added: Option<RulesObject>,
    /// What the identities of secrets are keyed with.
    pub key: Option<IdentityKey>,
}

impl SearchSettings {
    /// The digest of the added rules.
    pub fn rules(&self) -> Option<&str> {
        self.added.as_ref().map(RulesObject::digest)
    }
}
