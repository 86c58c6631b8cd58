//! Checks a change of a made-up graph against recorded operations, and prints how long that took and how much memory it needed at most:
//! `cargo run --release -p fondaco-check --example check_scale -- SUBGRAPHS TYPES OPERATIONS`.
//!
//! In the new graph every tenth subgraph has lost a field of each of its entities and got another one.

#[path = "../../composition/examples/scale/graph.rs"]
mod graph;
#[path = "../../composition/examples/scale/memory.rs"]
mod memory;

use std::fmt::Write as _;
use std::time::Instant;

use fondaco_check::operations::usage_log;
use fondaco_check::settings::CheckSettings;
use fondaco_check::{Evidenced, Graph, Severity, check};
use fondaco_composition::SubgraphSource;

fn main() -> Result<(), String> {
    let numbers: Vec<usize> = std::env::args()
        .skip(1)
        .map(|text| text.parse().map_err(|_| format!("\"{text}\" is no number")))
        .collect::<Result<_, _>>()?;
    let [subgraphs, types, operations] = numbers[..] else {
        return Err("usage: check_scale SUBGRAPHS TYPES OPERATIONS".to_owned());
    };
    let before: Vec<_> = (0..subgraphs)
        .map(|index| graph::subgraph(index, subgraphs, types))
        .collect();
    let after = before
        .iter()
        .enumerate()
        .map(|(index, source)| changed(index, source))
        .collect();
    let log = log(subgraphs, types, operations);

    let start = Instant::now();
    let recorded = usage_log::parse(&log, "operations.jsonl").map_err(|error| error.to_string())?;
    // As the command does: both sides at the same time.
    let (before, after) = std::thread::scope(|scope| {
        let before = scope.spawn(|| Graph::compose(before));
        let after = Graph::compose(after);
        (before.join().expect("composing does not panic"), after)
    });
    let (before, after) = (
        before.map_err(|error| error.to_string())?,
        after.map_err(|error| error.to_string())?,
    );
    let composed = start.elapsed();
    let evidenced = Evidenced { operations: recorded };
    let report = check(&before, &after, &evidenced, &CheckSettings::default());
    println!(
        "check {subgraphs} subgraphs x {types} types, {} operations: {:>6.0} ms ({:.0} to compose both), {} peak, {} findings, {} of them breaking",
        evidenced.operations.len(),
        start.elapsed().as_secs_f64() * 1e3,
        composed.as_secs_f64() * 1e3,
        memory::peak(),
        report.findings.len(),
        report.count(Severity::Error),
    );
    Ok(())
}

fn changed(index: usize, source: &SubgraphSource) -> SubgraphSource {
    let mut source = source.clone();
    if index.is_multiple_of(10) {
        source.sdl = source.sdl.replace("  kind: N", "  sort: N");
    }
    source
}

/// Operations from every root field down over two more entities, with fields of the entity's own subgraph and of its neighbours.
fn log(subgraphs: usize, types: usize, operations: usize) -> String {
    let groups = types.div_ceil(10);
    let mut log = String::new();
    for number in 0..operations {
        let (index, round) = (number % subgraphs, number / subgraphs);
        let (group, shape) = (round % groups, round / groups);
        let neighbour = (index + subgraphs - 1) % subgraphs;
        let more = match shape % 4 {
            0 => "weight".to_owned(),
            1 => "kind".to_owned(),
            2 => "value { amount unit }".to_owned(),
            _ => format!("next {{ score{neighbour} cost{neighbour} }}"),
        };
        let _ = writeln!(
            log,
            "{{\"operation\":\"query Q{number}($id: ID!) {{ e{index}x{group}(id: $id) {{ id name {more} next {{ id next {{ id name }} }} }} }}\",\
             \"client\":{{\"name\":\"client {}\",\"version\":\"1\"}},\"count\":{},\
             \"firstSeen\":\"2026-01-01T00:00:00Z\",\"lastSeen\":\"2026-02-01T00:00:00Z\"}}",
            number % 7,
            number + 1,
        );
    }
    log
}
