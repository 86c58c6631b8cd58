//! How long the planner takes for a cold plan, and what memory, on graphs and operations made to be hard.
//!
//! - [`fixtures`]: the graphs and operations
//! - [`memory`]: the process's peak

pub mod fixtures;
mod memory;

use std::sync::Arc;
use std::time::{Duration, Instant};

use apollo_compiler::ExecutableDocument;
use apollo_compiler::validation::Valid;
use fondaco_planner::query_plan::QueryPlan;
use fondaco_planner::{OverrideLabels, PlanError, Planner, PlannerConfig};
use fondaco_supergraph::Supergraph;

use fixtures::Fixture;

/// Plans made of each operation: enough for a 99th percentile.
const RUNS: usize = 200;

/// Time after which no further plan of one operation is begun.
const PATIENCE: Duration = Duration::from_secs(5);

/// A fixture that is read and ready to be planned.
struct Prepared {
    planner: Planner,
    document: Valid<ExecutableDocument>,
}

impl Prepared {
    fn of(fixture: &Fixture) -> Prepared {
        let supergraph = Supergraph::parse(&fixture.supergraph, fixture.name).expect("a supergraph");
        let document =
            ExecutableDocument::parse_and_validate(supergraph.api_schema(), &fixture.operation, fixture.name)
                .expect("a valid operation");
        Prepared {
            planner: Planner::new(Arc::new(supergraph), PlannerConfig::default()),
            document,
        }
    }

    fn plan(&self) -> Result<QueryPlan, PlanError> {
        let name = self.document.operations.named.keys().next();
        self.planner.plan(
            &self.document,
            name.map(|name| name.as_str()),
            &OverrideLabels::default(),
        )
    }
}

/// Measures every fixture and prints a table. Returns the number of goals that were missed.
pub fn run() -> usize {
    println!("\nplanner, cold plans");
    println!(
        "  {:<44} {:>7} {:>5} {:>11} {:>11} {:>9}  goal",
        "operation", "fetches", "waves", "median", "p99", "peak"
    );
    let missed = fixtures::all().iter().filter(|fixture| !measure(fixture)).count();
    println!("  {missed} goals missed");
    missed
}

fn measure(fixture: &Fixture) -> bool {
    memory::reset_peak();
    let prepared = Prepared::of(fixture);
    let plan = prepared.plan();
    let peak = memory::peak_megabytes();
    let mut times = times(&prepared);
    times.sort();
    let median = times[times.len() / 2];
    let p99 = times[(times.len() * 99 / 100).min(times.len() - 1)];
    let met = median <= fixture.goal && peak.is_none_or(|peak| peak < 200);
    let (fetches, waves) = match &plan {
        Ok(plan) => (
            plan.fetch_count().to_string() + if plan.search_exhausted { "*" } else { "" },
            plan.wave_count().to_string(),
        ),
        Err(_) => ("refused".to_owned(), "-".to_owned()),
    };
    let milliseconds = |time: Duration| format!("{:.3} ms", time.as_secs_f64() * 1000.0);
    println!(
        "  {:<44} {fetches:>7} {waves:>5} {:>11} {:>11} {:>6} MB  {} {}",
        fixture.name,
        milliseconds(median),
        milliseconds(p99),
        peak.map_or_else(|| "?".to_owned(), |peak| peak.to_string()),
        milliseconds(fixture.goal),
        if met { "met" } else { "MISSED" },
    );
    met
}

fn times(prepared: &Prepared) -> Vec<Duration> {
    let begun = Instant::now();
    let mut times = Vec::with_capacity(RUNS);
    while times.is_empty() || (times.len() < RUNS && begun.elapsed() < PATIENCE) {
        let start = Instant::now();
        let plan = prepared.plan();
        times.push(start.elapsed());
        drop(plan);
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Far above what a release build needs, and far below what an explosion takes.
    const BOUND: Duration = Duration::from_secs(20);

    #[test]
    fn no_fixture_explodes() {
        for fixture in fixtures::all() {
            let prepared = Prepared::of(&fixture);
            let start = Instant::now();
            let plan = prepared.plan();
            assert!(
                start.elapsed() < BOUND,
                "{} took {:?}",
                fixture.name,
                start.elapsed()
            );
            let counts = plan.map(|plan| (plan.fetch_count(), plan.wave_count()));
            assert_eq!(counts.ok(), fixture.expected, "{}", fixture.name);
        }
    }

    #[test]
    fn plans_are_the_same_every_time() {
        for fixture in fixtures::all() {
            let prepared = Prepared::of(&fixture);
            assert_eq!(prepared.plan(), prepared.plan(), "{}", fixture.name);
        }
    }
}
