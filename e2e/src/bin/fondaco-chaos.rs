//! Faults of every kind, and a report. `fondaco-chaos --scenario kills --seed 7 --sales 200`; exits 1 where anything is wrong.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use clap::builder::PossibleValuesParser;
use fondaco_e2e::chaos::finding::{Finding, HEADINGS};
use fondaco_e2e::chaos::plan::Plan;
use fondaco_e2e::chaos::scenario::Scenario;

/// Real processes, a real Postgres and a real Redis are killed, stopped, emptied, filled up and set wrong; then the books.
#[derive(Parser)]
struct Arguments {
    /// Which faults; all by default. May be repeated.
    #[arg(long, value_parser = PossibleValuesParser::new(Scenario::ALL.map(Scenario::name)))]
    scenario: Vec<String>,
    /// What is random follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The sizes of the short run among the tests, where nothing else is said.
    #[arg(long)]
    short: bool,
    /// So many sales.
    #[arg(long)]
    sales: Option<usize>,
    /// Buyers at once in each.
    #[arg(long)]
    buyers: Option<usize>,
    /// Units in each.
    #[arg(long)]
    units: Option<u64>,
    /// Milliseconds between kills, on average.
    #[arg(long)]
    every_ms: Option<u64>,
    /// Acknowledged purchases before everything is killed.
    #[arg(long)]
    acknowledgements: Option<usize>,
    /// Seconds for which a server is away or stands still.
    #[arg(long)]
    outage_seconds: Option<u64>,
    /// Open holds while counters are rebuilt.
    #[arg(long)]
    holds: Option<u64>,
    /// Clocks that are set wrong, one after another.
    #[arg(long)]
    clocks: Option<usize>,
}

impl Arguments {
    fn plan(&self) -> Plan {
        let base = if self.short {
            Plan::short(self.seed)
        } else {
            Plan::long(self.seed)
        };
        Plan {
            seed: self.seed,
            sales: self.sales.unwrap_or(base.sales),
            buyers: self.buyers.unwrap_or(base.buyers),
            units: self.units.unwrap_or(base.units),
            every: self
                .every_ms
                .map_or(base.every, |ms| Duration::from_millis(ms.max(50))),
            acknowledgements: self.acknowledgements.unwrap_or(base.acknowledgements),
            outage: self.outage_seconds.map_or(base.outage, Duration::from_secs),
            holds: self.holds.unwrap_or(base.holds),
            clocks: self.clocks.unwrap_or(base.clocks),
        }
    }

    fn scenarios(&self) -> Vec<Scenario> {
        if self.scenario.is_empty() {
            return Scenario::ALL.to_vec();
        }
        self.scenario
            .iter()
            .filter_map(|name| Scenario::named(name))
            .collect()
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let plan = arguments.plan();
    let scenarios = arguments.scenarios();
    let mut rows = Vec::new();
    for (number, scenario) in scenarios.iter().enumerate() {
        let place = format!("{}/{} {}", number + 1, scenarios.len(), scenario.name());
        let began = Instant::now();
        let tell = |line: &str| println!("{place:<16} {:>5} s  {line}", began.elapsed().as_secs());
        tell("begins");
        match scenario.run(&plan, &tell).await {
            Ok(finding) => rows.push((*scenario, finding)),
            Err(error) => {
                eprintln!("{} was not run: {error}", scenario.name());
                return ExitCode::from(2);
            }
        }
    }
    report(&rows, plan.seed)
}

/// A table in Markdown, then what is wrong.
fn report(rows: &[(Scenario, Finding)], seed: u64) -> ExitCode {
    println!("\n| scenario | seed | {} |", HEADINGS.join(" | "));
    println!("|---|---|{}", "---|".repeat(HEADINGS.len()));
    for (scenario, finding) in rows {
        println!(
            "| {} | {seed} | {} |",
            scenario.name(),
            finding.cells().join(" | ")
        );
    }
    let wrong = rows.iter().filter(|(_, finding)| !finding.problems.is_empty());
    let mut code = ExitCode::SUCCESS;
    for (scenario, finding) in wrong {
        code = ExitCode::FAILURE;
        for problem in &finding.problems {
            println!("problem: {}: {problem}", scenario.name());
        }
        println!("\n{}", finding.log);
    }
    code
}
