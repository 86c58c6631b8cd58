//! Sales while processes are killed. `fondaco-chaos --seed 7 --sales 200`; exits 1 where anything is wrong.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use fondaco_e2e::chaos::{self, plan::Plan, verdict::Report};
use fondaco_e2e::program::ProgramError;

/// Sales while order, inventory, payment, product and Redis are killed, and Redis is emptied; then the books.
#[derive(Parser)]
struct Arguments {
    /// What is random follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// So many sales.
    #[arg(long, default_value_t = 20)]
    sales: usize,
    /// Buyers at once in each.
    #[arg(long, default_value_t = 60)]
    buyers: usize,
    /// Units in each.
    #[arg(long, default_value_t = 12)]
    units: u64,
    /// Milliseconds between kills, on average.
    #[arg(long, default_value_t = 900)]
    every_ms: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(report) => print(&report),
        Err(error) => {
            eprintln!("not run: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: Arguments) -> Result<Report, ProgramError> {
    let plan = Plan {
        seed: arguments.seed,
        sales: arguments.sales,
        buyers: arguments.buyers,
        units: arguments.units,
        every: Duration::from_millis(arguments.every_ms.max(50)),
    };
    let began = Instant::now();
    chaos::run(&plan, |line| {
        println!("{:>5} s  {line}", began.elapsed().as_secs())
    })
    .await
}

fn print(report: &Report) -> ExitCode {
    println!("\n{}\n", report.books.trim_end());
    println!("seed {}: {}", report.seed, report.line());
    println!(
        "killed: {:?}; cancelled because their stock was lost: {}",
        report.kills, report.lost
    );
    for problem in &report.problems {
        println!("problem: {problem}");
    }
    if report.problems.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\n{}", report.log);
    ExitCode::FAILURE
}
