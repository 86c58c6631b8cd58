//! `./dev bench`: starts the platform, every part its own process, loads it over loopback and prints what it did.
//!
//! - [`scenario`]: what is measured
//! - [`verification`]: what a token costs the router
//! - [`load`]: the load generator
//! - [`cpu`]: CPU time of each process
//! - [`report`]: the table

mod cpu;
mod load;
mod planning;
mod report;
mod scenario;
mod verification;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use fondaco_e2e::platform::{Mode, Platform};

use crate::load::{Bounds, Outcome, Pace, Workload};

/// Measures the platform: requests/s, latency, and CPU per request of each process.
#[derive(Parser)]
struct Arguments {
    /// Seconds each measurement takes.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Connections that load the router.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Purchases a second of the open-loop measurement, where waiting counts as latency.
    #[arg(long, default_value_t = 500)]
    purchase_rate: u32,
    /// Seconds of the open-loop measurement.
    #[arg(long, default_value_t = 60)]
    purchase_seconds: u64,
    /// Measure the platform as one process, as `fondaco up` runs it, instead of a process for each part.
    #[arg(long)]
    one_process: bool,
    /// Measure the planner only.
    #[arg(long)]
    planner: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let missed = planning::run();
    if arguments.planner {
        return if missed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    let mode = if arguments.one_process {
        Mode::OneProcess
    } else {
        Mode::Separate
    };
    let mut platform = match Platform::start_durable(mode, scenario::configure).await {
        Ok(platform) => platform,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let failures = measure(&platform, &arguments).await;
    match platform.stop().await {
        Ok(_) if failures == 0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Runs all measurements and returns the number of failed requests.
async fn measure(platform: &Platform, arguments: &Arguments) -> u64 {
    let prepared = scenario::prepare(platform).await;
    let (home, purchase) = (scenario::home(&prepared), scenario::purchase(&prepared));
    let bounds = |seconds, pace| Bounds {
        connections: arguments.connections,
        duration: Duration::from_secs(seconds),
        pace,
    };
    let closed = bounds(arguments.seconds, Pace::Closed);
    let rate = f64::from(arguments.purchase_rate);
    let open = Bounds {
        connections: 256,
        ..bounds(arguments.purchase_seconds, Pace::Open { rate })
    };

    // Plans, connections and caches are warm before anything is counted.
    load::run(&platform.addresses["router"], &home, bounds(2, Pace::Closed)).await;
    let mut failures = verification::run(platform, &prepared, arguments.connections, arguments.seconds).await;
    let sign_in = scenario::sign_in(&prepared);
    for (name, workload, bounds) in [
        (
            "sign-in, closed loop, Argon2id at 19 MiB and 2 passes".to_owned(),
            &sign_in,
            closed,
        ),
        ("Home, closed loop".to_owned(), &home, closed),
        (
            "purchase, closed loop".to_owned(),
            &fresh_keys(&purchase, 1 << 40),
            closed,
        ),
        (format!("purchase, open loop at {rate}/s"), &purchase, open),
    ] {
        let outcome = one(platform, &name, workload, bounds).await;
        failures += outcome.failed;
    }
    failures
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
