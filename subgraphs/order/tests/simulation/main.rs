//! The saga as one deterministic machine: the pure decisions and transition tables of order, inventory and payment, run under random
//! schedules in which calls are lost, delayed, doubled and overtaken, workers die at any step, clocks run on, customers repeat and cancel,
//! and somebody else buys what is let go. A schedule follows from its number; a failing one prints what happened.
//!
//! `FONDACO_SAGA_SCHEDULES=1000000` explores more; `./dev chaos` does.

mod chance;
mod desk;
mod warehouse;
mod worker;
mod world;

use world::{Defect, World};

const SCHEDULES: u64 = 100_000;
/// A defect shows within so many.
const ENOUGH: u64 = 20_000;

#[test]
fn every_schedule_ends_well() {
    let schedules = std::env::var("FONDACO_SAGA_SCHEDULES");
    let schedules: u64 = schedules.map_or(SCHEDULES, |count| count.parse().unwrap());
    let mut ends = std::collections::BTreeMap::<String, u64>::new();
    for seed in 0..schedules {
        match World::new(seed, None).run() {
            Ok(end) => *ends.entry(end).or_default() += 1,
            Err(problem) => panic!("schedule {seed}: {problem}\n{}", story(seed, None)),
        }
    }
    println!("{schedules} schedules: {ends:?}");
    for status in ["none", "CONFIRMED", "FAILED", "CANCELLED"] {
        assert!(ends.contains_key(status), "no schedule ended {status}: {ends:?}");
    }
}

/// What the simulation would say if the code were wrong: else its silence means nothing.
#[test]
fn defects_are_noticed() {
    for defect in Defect::ALL {
        let found = (0..ENOUGH).find(|seed| World::new(*seed, Some(defect)).run().is_err());
        assert!(found.is_some(), "{defect:?} goes unnoticed");
    }
}

fn story(seed: u64, defect: Option<Defect>) -> String {
    let mut world = World::new(seed, defect);
    world.tell = true;
    // Its failure is known.
    let _ = world.run();
    world.story.join("\n")
}
