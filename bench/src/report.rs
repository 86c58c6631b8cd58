//! The table `./dev bench` prints.

use crate::cpu::Usage;
use crate::load::Outcome;

/// Prints one scenario: requests/s, latencies, errors, and CPU microseconds per request of each process.
pub fn print(scenario: &str, outcome: &Outcome, cpu: &Usage) {
    let milliseconds = |quantile| outcome.latency.value_at_quantile(quantile) as f64 / 1000.0;
    println!("\n{scenario}");
    println!(
        "  {:.0} requests/s   p50 {:.1} ms   p99 {:.1} ms   {} answered, {} failed in {:.1} s",
        outcome.rate(),
        milliseconds(0.5),
        milliseconds(0.99),
        outcome.succeeded,
        outcome.failed,
        outcome.elapsed.as_secs_f64(),
    );
    if let Some(failure) = &outcome.first_failure {
        println!("  first failure: {failure}");
    }
    println!("  CPU per request:");
    let requests = (outcome.succeeded + outcome.failed).max(1);
    for (process, used) in cpu.iter().filter(|(_, used)| **used > 0) {
        println!("    {process:<16} {:>7} µs", used / requests);
    }
    println!(
        "    {:<16} {:>7} µs",
        "total",
        cpu.values().sum::<u64>() / requests
    );
}
