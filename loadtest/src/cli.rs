//! The command line: which scenario, how large, and where its verdict goes.

#![expect(clippy::print_stderr, reason = "a command line prints")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use std::{env, fs, io};

use clap::{Parser, Subcommand};
use comfy_table::{Table, presets};
use lazaret_loadtest::farm::doors::Doors;
use lazaret_loadtest::scenario::{self, SCENARIOS, Scenario, Settings};
use lazaret_loadtest::verdict::Verdict;
use serde_json::json;

/// Load a farm of lazaret's own programs, with real servers, and hold it against what is promised.
///
/// Each scenario starts RabbitMQ, Redis and an S3 server on free ports, unless it is given others, coordinators and workers,
/// and a registry that counts; all of it ends with the scenario.
#[derive(Debug, Parser)]
#[command(name = "lazaret-loadtest", version, max_term_width = 120)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the scenarios
    List,
    /// Run a scenario; 0: its verdict holds, 1: it does not, 2: there is none
    Run(Box<Run>),
}

#[derive(Debug, clap::Args)]
struct Run {
    /// Which
    scenario: String,
    /// How large; 1 is what the figures are promised for [default: ends within about a minute]
    #[arg(long, value_name = "F", conflicts_with = "night")]
    scale: Option<f64>,
    /// As large as a night allows
    #[arg(long)]
    night: bool,
    /// What is random follows from it
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
    /// Write the verdict to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where `lazaret` and `lazaret-worker` are [default: beside this program]
    #[arg(long, value_name = "DIR")]
    bin: Option<PathBuf>,
    /// Where builds of both with the feature `mutants` are [default: they are built]
    #[arg(long, value_name = "DIR")]
    mutants: Option<PathBuf>,
    /// Take the images of this OCI layout instead of synthetic ones (`once`)
    #[arg(long, value_name = "DIR")]
    layout: Option<PathBuf>,
    /// Use this queue, which nobody else uses, instead of starting a server (`once`, `control-plane`, `interactive`); with
    /// another --seed each time, since what these servers have is not pulled again
    #[arg(long, value_name = "URL", requires_all = ["cache", "store"])]
    queue: Option<String>,
    /// And this cache
    #[arg(long, value_name = "URL", requires = "queue")]
    cache: Option<String>,
    /// And this store, in a new place below it
    #[arg(long, value_name = "URL", requires = "queue")]
    store: Option<String>,
    /// How many workers (`once`, `control-plane`)
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
}

pub(crate) fn run() -> ExitCode {
    match Arguments::parse().command {
        Command::List => {
            list();
            ExitCode::SUCCESS
        }
        Command::Run(run) => run.run().unwrap_or_else(|error| {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }),
    }
}

fn list() {
    let mut table = table(["SCENARIO", "WHAT IT SHOWS", "A MINUTE", "A NIGHT"]);
    for Scenario { name, about, minute, night, .. } in SCENARIOS {
        table.add_row([
            (*name).to_owned(),
            (*about).to_owned(),
            format!("--scale {minute}"),
            format!("--scale {night}"),
        ]);
    }
    print(&table);
}

/// Whoever closes the pipe has seen enough; what the run came to is in its exit code.
fn print(what: &dyn std::fmt::Display) {
    let _ = writeln!(io::stdout(), "{what}");
}

impl Run {
    fn run(self) -> Result<ExitCode, String> {
        let scenario = scenario::named(&self.scenario).ok_or("no such scenario; `lazaret-loadtest list` has them")?;
        let scale = self.scale.unwrap_or(if self.night { scenario.night } else { scenario.minute });
        if !(scale > 0.0 && scale <= 1000.0) {
            return Err("--scale: more than 0, and at most 1000".to_owned());
        }
        let settings = Settings {
            programs: self.bin.map_or_else(own_directory, Ok).map_err(|error| error.to_string())?,
            mutants: self.mutants,
            scale,
            seed: self.seed,
            layout: self.layout,
            doors: match (self.queue, self.cache, self.store) {
                (Some(queue), Some(cache), Some(store)) => Some(Doors { queue, cache, store }),
                _ => None,
            },
            workers: self.workers,
        };
        let start = Instant::now();
        let verdict = scenario.run(&settings).map_err(|error| format!("{}: {error}", scenario.name))?;
        let took = start.elapsed().as_secs_f64();
        show(&verdict);
        let holds = verdict.holds();
        let word = if holds { "holds" } else { "DOES NOT HOLD" };
        print(&format_args!("{} {word} at scale {scale}, in {took:.1} s", scenario.name));
        if let Some(path) = &self.json {
            write(path, scenario, &settings, took, &verdict).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn own_directory() -> io::Result<PathBuf> {
    let own = env::current_exe()?;
    Ok(own.parent().map(Path::to_owned).unwrap_or_default())
}

fn show(verdict: &Verdict) {
    let mut table = table(["", "PROMISED", "MEASURED", ""]);
    for check in &verdict.checks {
        let mark = match (check.holds, check.target.is_empty()) {
            (true, true) => "",
            (true, false) => "holds",
            (false, _) => "BROKEN",
        };
        table.add_row([&check.name, &check.target, &check.measured, mark]);
    }
    print(&table);
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(header);
    table
}

fn write(path: &Path, scenario: &Scenario, settings: &Settings, took: f64, verdict: &Verdict) -> io::Result<()> {
    let document = json!({
        "schema": "lazaret-loadtest/1",
        "scenario": scenario.name,
        "scale": settings.scale,
        "seed": settings.seed,
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
        "debug": cfg!(debug_assertions),
        "seconds": took,
        "holds": verdict.holds(),
        "checks": verdict.checks,
    });
    fs::write(path, serde_json::to_string_pretty(&document)? + "\n")
}
