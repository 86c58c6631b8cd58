//! `cargo run -p fondaco-conformance -- --cases N --seed S`: random cases until one fails; failures are kept as folders.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use clap::Parser;
use fondaco_conformance::case::{Case, Schemas};
use fondaco_conformance::graph::{Graph, Stage};
use fondaco_conformance::random_world::random_world;
use fondaco_conformance::run::{keep, replay, run_seed, samples};
use fondaco_conformance::shrink::shrink;

#[derive(Parser)]
struct Options {
    /// Operations to check.
    #[arg(long, default_value_t = 10_000)]
    cases: usize,
    /// First seed; graphs take the seeds that follow.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop after so many failures.
    #[arg(long, default_value_t = 5)]
    failures: usize,
    /// Where failing cases are written.
    #[arg(long, default_value = "target/conformance")]
    keep: PathBuf,
    /// Replay a case folder instead, and show its plan.
    #[arg(long)]
    replay: Option<PathBuf>,
    /// Print schemas, operation, plan and answer of the first seed's cases, and stop.
    #[arg(long)]
    show: bool,
    /// Count what the graphs of the first thousand seeds are made of, and stop.
    #[arg(long)]
    census: bool,
    /// Report failures as they are.
    #[arg(long)]
    no_shrink: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match &options.replay {
        Some(folder) => show(folder),
        None if options.census => census(options.seed),
        None if options.show => sample(options.seed),
        None => search(&options),
    }
}

fn show(folder: &std::path::Path) -> ExitCode {
    let case = match Case::read(folder) {
        Ok(case) => case,
        Err(error) => {
            eprintln!("error: {}: {error}", folder.display());
            return ExitCode::FAILURE;
        }
    };
    match Graph::new(&case.schemas).and_then(|graph| graph.plan(&case.operation)) {
        Ok(plan) => println!("{plan}"),
        Err(failure) => println!("no plan: {failure}"),
    }
    match replay(&case) {
        Ok(()) => {
            println!("passes");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn census(seed: u64) -> ExitCode {
    let features = [
        "@requires",
        "@provides",
        "@override",
        "label:",
        "@external",
        "@shareable",
        "@interfaceObject",
        "@inaccessible",
        "resolvable: false",
        "interface ",
        "union ",
        "enum ",
        "nk {",
        "ka kb",
        "type Mutation",
    ];
    let mut counts = vec![0; features.len()];
    for seed in seed..seed + 1000 {
        let schemas = Schemas::of(&random_world(seed));
        let text: String = schemas
            .subgraphs
            .iter()
            .flat_map(|(_, sdl)| sdl.lines().skip(1))
            .collect();
        for (count, feature) in counts.iter_mut().zip(features) {
            *count += usize::from(text.contains(feature));
        }
    }
    for (count, feature) in counts.iter().zip(features) {
        println!("{count:5} of 1000 graphs have {feature}");
    }
    ExitCode::SUCCESS
}

fn sample(seed: u64) -> ExitCode {
    for (case, graph) in samples(seed) {
        for (name, sdl) in &case.schemas.subgraphs {
            println!("# subgraph {name}\n{sdl}");
        }
        println!("{}\n{}\n", case.operation, case.variables);
        match graph.plan(&case.operation) {
            Ok(plan) => println!("{plan}"),
            Err(failure) => println!("no plan: {failure}"),
        }
        println!("{}\n", graph.answer(&case.operation, &case.variables));
    }
    ExitCode::SUCCESS
}

fn search(options: &Options) -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("panic at {:?}", panic.location().map(ToString::to_string))
    }));
    let checked = AtomicUsize::new(0);
    let next = AtomicU64::new(options.seed);
    let kinds = Mutex::new(BTreeSet::new());
    let found = AtomicUsize::new(0);
    let failing_cases = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while checked.load(Ordering::Relaxed) < options.cases
                    && found.load(Ordering::Relaxed) < options.failures
                {
                    let outcome = run_seed(next.fetch_add(1, Ordering::Relaxed));
                    let before = checked.fetch_add(outcome.cases, Ordering::Relaxed);
                    if before / 1000 != (before + outcome.cases) / 1000 {
                        eprintln!("{} cases", before + outcome.cases);
                    }
                    for (seed, failing) in outcome.failures {
                        failing_cases.fetch_add(1, Ordering::Relaxed);
                        let name = format!("{:?}-{seed}", failing.failure.stage).to_lowercase();
                        kinds
                            .lock()
                            .map(|mut kinds| kinds.insert(failing.failure.kind()))
                            .ok();
                        if found.fetch_add(1, Ordering::Relaxed) >= options.failures {
                            continue;
                        }
                        eprintln!("seed {seed}: {:?}", failing.failure.kind());
                        let whole = options.no_shrink || failing.failure.stage == Stage::Case;
                        let small = if whole { failing } else { shrink(failing) };
                        let folder = options.keep.join(&name);
                        if let Err(error) = keep(&small, &folder) {
                            eprintln!("error: {}: {error}", folder.display());
                        }
                        println!(
                            "--- seed {seed}: {}\n{}\nfault {:?}\n{}\n",
                            small.failure,
                            small.operation.text(),
                            small.fault,
                            folder.display()
                        );
                    }
                }
            });
        }
    });
    let failing = failing_cases.into_inner();
    println!("{} cases, {failing} failures", checked.into_inner());
    if failing == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
