//! Why there is no inventory, or no sandbox.

use std::io;

use super::level::{Level, Protection};

pub(super) const NO_ANSWER: &str = "the parser gave no readable answer";

/// Why a layer has no inventory.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The layer itself is at fault, in the words of [`crate::analyze::LayerError`].
    #[error("{0}")]
    Layer(String),
    /// Parsing it took too much memory or time, or crashed.
    #[error("{0}")]
    Resources(String),
    /// The blob could not be read: what the source said.
    #[error("cannot read the layer: {0}")]
    Source(#[source] io::Error),
    /// Our own trouble, which says nothing about the layer.
    #[error("the sandbox does not work: {0}")]
    Sandbox(String),
}

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The zygote did not start.
    #[error("cannot start the sandbox: {0}")]
    Start(#[source] io::Error),
    /// The kernel protects too little.
    #[error(
        "the sandbox is {protection}, but {required} is required: use a kernel and a container runtime that have landlock \
         and seccomp, or require less"
    )]
    Weak {
        /// What there is.
        protection: Protection,
        /// What there should be.
        required: Level,
    },
}
