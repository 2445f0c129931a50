//! Scenarios: each makes a farm, loads it, and gives a verdict.

use std::path::PathBuf;

use crate::farm::doors::Doors;
use crate::farm::{Farm, FarmError};
use crate::verdict::Verdict;

mod chaos;
mod control_plane;
mod embedded;
mod interactive;
mod mutants;

mod once;
mod oracle;
mod outcome;
mod plan;

mod scaling;
mod soak;
mod subject;
mod takeover;

/// What a run is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where `lazaret` and `lazaret-worker` are.
    pub programs: PathBuf,
    /// Where builds of both are that have the feature `mutants`; built when they are needed, if not given.
    pub mutants: Option<PathBuf>,
    /// How large it is: 1 is the size that the figures are promised for.
    pub scale: f64,
    /// What is random follows from it.
    pub seed: u64,
    /// An OCI layout whose images are taken instead of synthetic ones, where a scenario can.
    pub layout: Option<PathBuf>,
    /// Servers to use instead of starting some, where a scenario can.
    pub doors: Option<Doors>,
    /// How many workers there are, where that is not what the scenario is about.
    pub workers: Option<usize>,
}

impl Settings {
    /// A number of things at this scale, and no fewer than `least`.
    fn scaled(&self, full: u32, least: u32) -> u32 {
        ((f64::from(full) * self.scale).round() as u32).max(least)
    }
}

/// A scenario.
pub struct Scenario {
    /// What it is called.
    pub name: &'static str,
    /// What it shows, in a line.
    pub about: &'static str,
    /// The scale at which it ends within about a minute.
    pub minute: f64,
    /// The scale for a night.
    pub night: f64,
    /// Whether it breaks its servers, looks into them, leaves something there, or needs them empty more than once.
    own_servers: bool,
    run: fn(&Settings) -> Result<Verdict, FarmError>,
}

impl Scenario {
    /// Runs it.
    ///
    /// # Errors
    /// There is no verdict: something is missing, or did not happen at all.
    pub fn run(&self, settings: &Settings) -> Result<Verdict, FarmError> {
        if self.own_servers && settings.doors.is_some() {
            return Err(FarmError::Odd("this scenario breaks its servers or needs new ones: it starts its own".into()));
        }
        (self.run)(settings)
    }
}

/// All of them.
pub static SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "once",
        about: "each distinct layer is pulled once, every report is right, and the second night pulls nothing",
        minute: 1.0,
        night: 5.0,
        own_servers: false,
        run: once::run,
    },
    Scenario {
        name: "plan",
        about: "tasks that are published and confirmed in a second, and a million layer references deduplicated",
        minute: 1.0,
        night: 10.0,
        own_servers: true,
        run: plan::run,
    },
    Scenario {
        name: "control-plane",
        about: "stub tasks in a second through plan, queue, worker, store and compose, and what bounds them",
        minute: 1.0,
        night: 20.0,
        own_servers: false,
        run: control_plane::run,
    },
    Scenario {
        name: "interactive",
        about: "how soon an interactive scan starts behind 100,000 bulk tasks",
        minute: 0.2,
        night: 1.0,
        own_servers: false,
        run: interactive::run,
    },
    Scenario {
        name: "takeover",
        about: "how soon another coordinator goes on after the owner of a job was killed, or frozen",
        minute: 0.5,
        night: 1.0,
        own_servers: true,
        run: takeover::run,
    },
    Scenario {
        name: "chaos",
        about: "workers, broker, Redis and S3 fail all the time: nothing is lost, no report differs",
        minute: 0.25,
        night: 1.0,
        own_servers: true,
        run: chaos::run,
    },
    Scenario {
        name: "mutants",
        about: "builds that are wrong in one place are told from the right one by this harness",
        minute: 0.5,
        night: 1.0,
        own_servers: true,
        run: mutants::run,
    },
    Scenario {
        name: "scaling",
        about: "one, two and four workers against a registry of limited speed",
        minute: 0.3,
        night: 1.0,
        own_servers: true,
        run: scaling::run,
    },
    Scenario {
        name: "soak",
        about: "memory and descriptors stay what they are over many layers and mild chaos",
        minute: 0.1,
        night: 1.0,
        own_servers: true,
        run: soak::run,
    },
];

/// Does `work`, and where that fails says where the logs are.
fn with_logs<T>(farm: &mut Farm, work: impl FnOnce(&mut Farm) -> Result<T, FarmError>) -> Result<T, FarmError> {
    work(farm).map_err(|error| FarmError::Odd(format!("{error}; the logs are in {}", farm.keep_logs().display())))
}

/// Keeps the logs of a farm that did not keep its promises, and says where they are.
fn judge(farm: &mut Farm, verdict: &mut Verdict) {
    if !verdict.holds() {
        verdict.note("logs", farm.keep_logs().display());
    }
}

/// The scenario called `name`.
pub fn named(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}
