//! The rules that layers and documents are searched with: the built-in ones, and those that a user adds.

use lazaret::exposure::IdentityKey;
use lazaret::rules::{RulesError, RulesObject};

use crate::secrets::Rules;

/// Rules, ready. They live as long as the process: a process reads a user's rules once, and a zygote hands them down.
#[derive(Clone, Copy)]
pub struct Ruleset {
    pub(crate) secrets: &'static Rules,
}

/// Why there are no such rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesetError {
    /// The texts are not there.
    #[error(transparent)]
    Object(#[from] RulesError),
    /// One of them is wrong: its file, its rule, and why.
    #[error("{0}")]
    Rule(String),
}

impl Default for Ruleset {
    fn default() -> Self {
        Self::built_in()
    }
}

impl Ruleset {
    /// The built-in rules.
    pub fn built_in() -> Self {
        Self { secrets: Rules::built_in() }
    }

    /// Those and the added ones, which are compiled and hold what their examples say.
    ///
    /// # Errors
    /// [`RulesetError`].
    pub fn with(added: Option<&RulesObject>) -> Result<Self, RulesetError> {
        let Some(added) = added else { return Ok(Self::built_in()) };
        let added = added.rules()?;
        let secrets = match added.secrets.is_empty() {
            true => Rules::built_in(),
            false => Box::leak(Box::new(Rules::with(&added.secrets).map_err(RulesetError::Rule)?)),
        };
        Ok(Self { secrets })
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
