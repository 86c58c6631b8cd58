//! `fondaco compose`: subgraph schemas in, supergraph out.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use fondaco_composition::config::SupergraphConfig;
use fondaco_composition::{Composed, HintLevel, SubgraphSource};

use crate::commands::fetch_sdl::blocking_fetch;
use crate::commands::write;
use crate::error::CliError;
use crate::shutdown;

/// Time between two looks at the sources.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// Arguments of `fondaco compose`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What to compose, in rover's format: subgraphs with routing_url and schema (file or subgraph_url).
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Where to write the supergraph; standard output if absent.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Compose again whenever the configuration or a schema changes, until stopped.
    #[arg(long, requires = "output")]
    watch: bool,
}

/// Composes. Diagnostics and hints go to standard error; nothing is written where there are errors.
pub async fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    if arguments.watch {
        return watch(&arguments).await;
    }
    let composed = compose(load(&arguments.config).await?)?;
    match &arguments.output {
        Some(path) => write(path, &composed.supergraph_sdl)?,
        None => print!("{}", composed.supergraph_sdl),
    }
    Ok(ExitCode::SUCCESS)
}

fn compose(sources: Vec<SubgraphSource>) -> Result<Composed, CliError> {
    let composed = fondaco_composition::compose(sources.clone()).map_err(|diagnostics| {
        let found = diagnostics.iter().map(|error| error.with_excerpt(&sources));
        CliError::Composition(found.collect::<Vec<_>>().join("\n\n"))
    })?;
    // What is merely ordinary (unions whose members differ, say) would bury what matters.
    let mattering = composed.hints.iter();
    for hint in mattering.filter(|hint| hint.code.level() != HintLevel::Debug) {
        eprintln!("hint: {hint}");
    }
    Ok(composed)
}

/// Composes whenever the sources differ from the last time. What is wrong is told, and the last good graph stays.
async fn watch(arguments: &Arguments) -> Result<ExitCode, CliError> {
    let stop = shutdown::on_signal()?;
    let mut seen: Option<Result<Vec<SubgraphSource>, String>> = None;
    loop {
        let sources = load(&arguments.config).await.map_err(|error| error.to_string());
        if seen.as_ref() != Some(&sources) {
            if let Err(error) = again(arguments, &sources) {
                eprintln!("error: {error}");
            }
            seen = Some(sources);
        }
        if stop
            .run_until_cancelled(tokio::time::sleep(WATCH_INTERVAL))
            .await
            .is_none()
        {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn again(arguments: &Arguments, sources: &Result<Vec<SubgraphSource>, String>) -> Result<(), CliError> {
    let sources = sources.clone().map_err(CliError::SchemaTool)?;
    let composed = compose(sources)?;
    if let Some(path) = &arguments.output {
        write(path, &composed.supergraph_sdl)?;
        eprintln!("composed {}", path.display());
    }
    Ok(())
}

async fn load(path: &Path) -> Result<Vec<SubgraphSource>, CliError> {
    let path = path.to_owned();
    let mut fetch = blocking_fetch();
    let loaded = tokio::task::spawn_blocking(move || SupergraphConfig::load(&path, &mut fetch));
    Ok(loaded.await.expect("loading does not panic")?)
}
