//! 10,000 random operations on random graphs; each failure is made small and kept where the message says.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests are not test functions to clippy"
)]

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use fondaco_conformance::run::{keep, run_seed};
use fondaco_conformance::shrink::shrink;

const CASES: usize = 10_000;
const FIRST_SEED: u64 = 1;

#[test]
fn federated_answers_are_those_of_one_server() {
    let seeds = AtomicU64::new(FIRST_SEED);
    let cases = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while cases.load(Ordering::Relaxed) < CASES && failed.lock().unwrap().is_empty() {
                    let outcome = run_seed(seeds.fetch_add(1, Ordering::Relaxed));
                    cases.fetch_add(outcome.cases, Ordering::Relaxed);
                    failed.lock().unwrap().extend(outcome.failures);
                }
            });
        }
    });
    let Some((seed, failing)) = failed.into_inner().unwrap().into_iter().next() else {
        return;
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("seed-{seed}"));
    let small = shrink(failing);
    keep(&small, &folder).unwrap();
    panic!("seed {seed}: {}\nkept at {}", small.failure, folder.display());
}
