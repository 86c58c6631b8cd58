//! What verifying a caller costs the router: the same query by nobody and by somebody, router only.

use fondaco_e2e::platform::Platform;

use crate::load::{Bounds, Outcome};
use crate::scenario::{self, Prepared};
use crate::{cpu, load, processes};

/// Pairs of runs: what else the machine does spreads over both sides.
const PAIRS: u32 = 4;
/// What the router may spend on it, in microseconds per request.
const GOAL: f64 = 15.0;

/// Measures and prints the router's CPU per request, with a token it has seen and without any. Returns the failed requests.
pub async fn run(platform: &Platform, prepared: &Prepared, connections: usize, seconds: u64) -> u64 {
    let bounds = Bounds::closed(connections, seconds.div_ceil(u64::from(PAIRS)));
    let mut totals = [Total::default(), Total::default()];
    for _ in 0..PAIRS {
        for (signed_in, total) in [false, true].into_iter().zip(&mut totals) {
            total.add(one(platform, prepared, signed_in, bounds).await);
        }
    }
    let [nobody, somebody] = totals.each_ref().map(Total::per_request);
    let added = somebody - nobody;
    println!("\nverification of a token, warm: {{ __typename }}");
    println!("  router CPU per request: {nobody:.1} µs without a token, {somebody:.1} µs with one");
    println!("  added: {added:.1} µs (goal: at most {GOAL} µs)");
    totals.iter().map(|total| total.failed).sum()
}

#[derive(Default)]
struct Total {
    microseconds: u64,
    requests: u64,
    failed: u64,
}

impl Total {
    fn add(&mut self, (outcome, microseconds): (Outcome, u64)) {
        self.microseconds += microseconds;
        self.requests += outcome.succeeded + outcome.failed;
        self.failed += outcome.failed;
    }

    fn per_request(&self) -> f64 {
        self.microseconds as f64 / self.requests.max(1) as f64
    }
}

async fn one(platform: &Platform, prepared: &Prepared, signed_in: bool, bounds: Bounds) -> (Outcome, u64) {
    let workload = scenario::type_name(prepared, signed_in);
    let processes = processes(platform);
    let before = cpu::usage(&processes);
    let outcome = load::run(&platform.addresses["router"], &workload, bounds).await;
    let spent = cpu::difference(&before, &cpu::usage(&processes));
    (outcome, spent.get("router").copied().unwrap_or_default())
}
