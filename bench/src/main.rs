//! `./dev bench`: starts the platform, every part its own process, loads it over loopback and prints what it did.
//!
//! - [`scenario`]: what is measured
//! - [`reads`]: orders and products with and without caches
//! - [`verification`]: what a token costs the router
//! - [`limits`]: what the machine does at best
//! - [`load`]: the load generator
//! - [`cpu`]: CPU time of each process
//! - [`report`]: the table

mod cpu;
mod limits;
mod load;
mod planning;
mod reads;
mod report;
mod scenario;
mod verification;

use std::process::ExitCode;
use std::sync::atomic::Ordering;

use clap::{Parser, ValueEnum};
use fondaco_e2e::{
    platform::{Mode, Platform},
    program::ProgramError,
};

use crate::load::{Bounds, Outcome, Pace, Workload};
use crate::scenario::{Prepared, RUSH_BUYERS, RUSH_UNITS};

/// Connections of a crowd.
const CROWD: usize = 256;

/// Measures the platform: requests/s, latency, and CPU per request of each process.
#[derive(Parser)]
struct Arguments {
    /// Only these measurements, separated by commas.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Measurement>,
    /// Seconds each measurement takes.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Connections that load the router.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Connections of the purchases in a closed loop: enough to share statements.
    #[arg(long, default_value_t = 128)]
    purchase_connections: usize,
    /// Purchases a second of the open-loop measurement, where waiting counts as latency.
    #[arg(long, default_value_t = 500)]
    purchase_rate: u32,
    /// Seconds of the open-loop measurement.
    #[arg(long, default_value_t = 60)]
    purchase_seconds: u64,
    /// Measure the platform as one process, as `fondaco up` runs it, instead of a process for each part.
    #[arg(long)]
    one_process: bool,
}

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measurement {
    /// Cold plans.
    Planner,
    /// The machine's own limits: the servers' own tools, without the platform.
    Limits,
    /// What a token costs the router.
    Verification,
    /// Sign-ins.
    SignIn,
    /// The Home query.
    Home,
    /// Purchases, as many as possible.
    Purchase,
    /// Purchases at a rate.
    SteadyPurchase,
    /// Purchases of what is sold out.
    SoldOut,
    /// Many buyers at once of a few units.
    Rush,
    /// Orders by id and the product list, with and without caches; on platforms of their own.
    Reads,
}

/// Measured without the platform that the others share.
const APART: [Measurement; 2] = [Measurement::Planner, Measurement::Reads];

impl Arguments {
    fn wants(&self, measurement: Measurement) -> bool {
        self.only.is_empty() || self.only.contains(&measurement)
    }

    fn mode(&self) -> Mode {
        if self.one_process {
            Mode::OneProcess
        } else {
            Mode::Separate
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs what is asked for, and returns how many goals were missed and requests failed.
async fn run(arguments: &Arguments) -> Result<u64, ProgramError> {
    let mut missed = 0;
    if arguments.wants(Measurement::Planner) {
        missed += planning::run() as u64;
    }
    let is_apart = |measurement| APART.contains(measurement);
    if arguments.only.is_empty() || !arguments.only.iter().all(is_apart) {
        let platform = Platform::start_durable(arguments.mode(), scenario::configure).await?;
        missed += measure(platform, arguments).await;
    }
    if arguments.wants(Measurement::Reads) {
        missed += reads::run(arguments).await?;
    }
    Ok(missed)
}

/// Runs the measurements of the platform, ends it, and returns the number of failed requests.
async fn measure(mut platform: Platform, arguments: &Arguments) -> u64 {
    let prepared = scenario::prepare(&platform).await;
    // Plans, connections and caches are warm before anything is counted.
    let home = scenario::home(&prepared);
    load::run(
        &platform.addresses["router"],
        &home,
        Bounds::closed(arguments.connections, 2),
    )
    .await;
    let mut failures = 0;
    if arguments.wants(Measurement::Limits) {
        failures += limits::run(&platform, arguments.seconds).await;
    }
    if arguments.wants(Measurement::Verification) {
        failures += verification::run(&platform, &prepared, arguments.connections, arguments.seconds).await;
    }
    for (measurement, name, workload, bounds) in workloads(&prepared, arguments) {
        if arguments.wants(measurement) {
            failures += one(&platform, &name, &workload, bounds).await.failed;
        }
    }
    if arguments.wants(Measurement::Rush) {
        failures += rush(&platform, &prepared).await;
    }
    match platform.stop().await {
        Ok(failed) => failures + failed.len() as u64,
        Err(_) => failures + 1,
    }
}

fn workloads(prepared: &Prepared, arguments: &Arguments) -> [(Measurement, String, Workload, Bounds); 5] {
    let purchase = scenario::purchase(prepared);
    let closed = Bounds::closed(arguments.connections, arguments.seconds);
    let crowd = Bounds::closed(arguments.purchase_connections, arguments.seconds);
    let rate = f64::from(arguments.purchase_rate);
    let steady = Bounds {
        pace: Pace::Open { rate },
        ..Bounds::closed(CROWD, arguments.purchase_seconds)
    };
    let hashes = "sign-in, closed loop, Argon2id at 19 MiB and 2 passes";
    let others = fresh_keys(&purchase, 1 << 40);
    [
        (
            Measurement::SignIn,
            hashes.to_owned(),
            scenario::sign_in(prepared),
            closed,
        ),
        (
            Measurement::Home,
            "Home, closed loop".to_owned(),
            scenario::home(prepared),
            closed,
        ),
        (
            Measurement::Purchase,
            "purchase, closed loop".to_owned(),
            others,
            crowd,
        ),
        (
            Measurement::SteadyPurchase,
            format!("purchase, open loop at {rate}/s"),
            purchase,
            steady,
        ),
        (
            Measurement::SoldOut,
            "purchase of what is sold out, closed loop".to_owned(),
            scenario::sold_out(prepared),
            crowd,
        ),
    ]
}

/// Everybody presses the button at once. What is oversold, or left although somebody wanted it, counts as failed.
async fn rush(platform: &Platform, prepared: &Prepared) -> u64 {
    let (workload, confirmed) = scenario::rush(prepared);
    let bounds = Bounds {
        pace: Pace::Rush,
        requests: RUSH_BUYERS,
        ..Bounds::closed(CROWD, 60)
    };
    let name = format!("{RUSH_BUYERS} purchases of {RUSH_UNITS} units at once");
    let outcome = one(platform, &name, &workload, bounds).await;
    let sold = confirmed.load(Ordering::Relaxed);
    println!("  sold: {sold} of {RUSH_UNITS}");
    outcome.failed + sold.abs_diff(RUSH_UNITS)
}

/// The same workload with other numbers, so that two runs share no idempotency keys.
fn fresh_keys(workload: &Workload, offset: u64) -> Workload {
    let shot = workload.shot.clone();
    let accept = workload.accept.clone();
    Workload {
        shot: std::sync::Arc::new(move |number| shot(number + offset)),
        accept,
    }
}

async fn one(platform: &Platform, name: &str, workload: &Workload, bounds: Bounds) -> Outcome {
    let processes = processes(platform);
    let before = cpu::usage(&processes);
    let outcome = load::run(&platform.addresses["router"], workload, bounds).await;
    let spent = cpu::difference(&before, &cpu::usage(&processes));
    report::print(name, &outcome, &spent);
    outcome
}

/// The platform's processes, the servers as a group, and this one.
fn processes(platform: &Platform) -> Vec<(String, u32)> {
    let parts = platform.programs.iter().filter_map(|(name, program)| {
        let label = match name.as_str() {
            // Its descendants, each under its own name.
            "servers" | "up" => format!("{name}/"),
            part => part.to_owned(),
        };
        Some((label, program.pid()?))
    });
    let mut processes: Vec<_> = parts.collect();
    // Last: the platform's processes are its descendants, and the first match counts.
    processes.push(("load generator".to_owned(), std::process::id()));
    processes
}
