//! The farm's service: jobs come in over HTTP, are run by the coordinator that owns them, and reports go out.

use std::sync::Arc;
use std::time::Duration;

use lazaret::door::source::registry::Registry;
use lazaret::door::store::SharedStore;
use tokio::task::JoinSet;

use crate::advisory::update::Home;
use crate::plan::Planner;

pub mod api;
pub mod exposed;
mod image;
pub mod job;
pub mod jobs;
mod known;
pub mod observe;
mod owner;
mod publish;
mod run;
mod service;
mod snapshots;
mod stored;

pub use service::Service;
use snapshots::Snapshots;

/// What a coordinator works with.
pub struct Farm {
    planner: Arc<Planner>,
    registry: Registry,
    snapshots: Snapshots,
    /// Different in each process: part of the names of what an owner writes beside others.
    who: String,
    options: FarmOptions,
}

/// How a coordinator behaves.
#[derive(Clone, Debug)]
pub struct FarmOptions {
    /// Images of one job that are looked at at a time. Their layers fill the window.
    pub images_at_once: usize,
    /// How often jobs are looked for that nobody was told of; a minute if not given.
    pub remind: Option<Duration>,
}

impl Default for FarmOptions {
    fn default() -> Self {
        Self { images_at_once: 128, remind: None }
    }
}

impl Farm {
    /// A coordinator that plans with `planner`, resolves images by `registry` and takes advisories from `home`.
    pub fn new(planner: Arc<Planner>, registry: Registry, home: Home, options: FarmOptions) -> Arc<Self> {
        use std::hash::{BuildHasher, Hasher, RandomState};
        let store: SharedStore = planner.doors().store.clone();
        let who = format!("{:016x}", RandomState::new().build_hasher().finish());
        Arc::new(Self { planner, registry, snapshots: Snapshots::new(home, store), who, options })
    }

    /// Runs jobs, those that others left too, until the result is dropped.
    pub fn run(self: &Arc<Self>) -> JoinSet<()> {
        owner::start(self)
    }

    /// The planner.
    pub fn planner(&self) -> &Arc<Planner> {
        &self.planner
    }
}
