//! Composes a made-up graph of the given size and prints how long that took and how much memory it needed at most:
//! `cargo run --release -p fondaco-composition --example scale -- SUBGRAPHS TYPES`.

mod graph;
mod memory;

use std::time::Instant;

use fondaco_composition::compose;

fn main() -> Result<(), String> {
    let numbers: Vec<usize> = std::env::args()
        .skip(1)
        .map(|text| text.parse().map_err(|_| format!("\"{text}\" is no number")))
        .collect::<Result<_, _>>()?;
    let [subgraphs, types] = numbers[..] else {
        return Err("usage: scale SUBGRAPHS TYPES".to_owned());
    };
    let sources: Vec<_> = (0..subgraphs)
        .map(|index| graph::subgraph(index, subgraphs, types))
        .collect();
    let bytes: usize = sources.iter().map(|source| source.sdl.len()).sum();
    let start = Instant::now();
    let composed = compose(sources);
    let spent = start.elapsed();
    let composed = composed.map_err(|errors| format!("{} errors, first: {}", errors.len(), errors[0]))?;
    println!(
        "{subgraphs:>4} subgraphs x {types} types: {:>6.0} ms, {:>5.1} us/type, {} peak, {:.1} MB of SDL in, {:.1} MB out, {} hints",
        spent.as_secs_f64() * 1e3,
        spent.as_secs_f64() * 1e6 / (subgraphs * types) as f64,
        memory::peak(),
        bytes as f64 / 1e6,
        composed.supergraph_sdl.len() as f64 / 1e6,
        composed.hints.len(),
    );
    Ok(())
}
