//! `fondaco compose`: subgraph schemas in, supergraph out.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use fondaco_composition::config::SupergraphConfig;
use fondaco_composition::{HintLevel, SubgraphSource};
use serde::Deserialize;

use crate::commands::write;
use crate::error::CliError;

/// Arguments of `fondaco compose`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What to compose, in rover's format: subgraphs with routing_url and schema (file or subgraph_url).
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Where to write the supergraph; standard output if absent.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Composes. Diagnostics and hints go to standard error; nothing is written where there are errors.
pub async fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let sources = load(&arguments.config).await?;
    let composed = fondaco_composition::compose(sources.clone()).map_err(|diagnostics| {
        let found = diagnostics.iter().map(|error| error.with_excerpt(&sources));
        CliError::Composition(found.collect::<Vec<_>>().join("\n\n"))
    })?;
    // What is merely ordinary (unions whose members differ, say) would bury what matters.
    let mattering = composed.hints.iter();
    for hint in mattering.filter(|hint| hint.code.level() != HintLevel::Debug) {
        eprintln!("hint: {hint}");
    }
    match &arguments.output {
        Some(path) => write(path, &composed.supergraph_sdl)?,
        None => print!("{}", composed.supergraph_sdl),
    }
    Ok(ExitCode::SUCCESS)
}

async fn load(path: &Path) -> Result<Vec<SubgraphSource>, CliError> {
    let path = path.to_owned();
    let mut fetch = blocking_fetch();
    let loaded = tokio::task::spawn_blocking(move || SupergraphConfig::load(&path, &mut fetch));
    Ok(loaded.await.expect("loading does not panic")?)
}

/// Asks running subgraphs for their SDL, from a thread that may wait.
pub fn blocking_fetch() -> impl FnMut(&str) -> Result<String, String> + Send + 'static {
    let runtime = tokio::runtime::Handle::current();
    move |url: &str| runtime.block_on(fetch_sdl(url))
}

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "_service")]
    service: ServiceSdl,
}

#[derive(Deserialize)]
struct ServiceSdl {
    sdl: String,
}

/// Asks a running subgraph for its SDL, as the subgraph specification provides.
async fn fetch_sdl(url: &str) -> Result<String, String> {
    let question = serde_json::json!({ "query": "{ _service { sdl } }" });
    // Building fails, for one, where the machine has no certificate authorities.
    let client = reqwest::Client::builder()
        .build()
        .map_err(|error| format!("cannot prepare to ask {url}: {error}"))?;
    let request = client.post(url).timeout(Duration::from_secs(10)).json(&question);
    let answer = request.send().await.and_then(reqwest::Response::error_for_status);
    let answer: Result<Answer, _> = match answer {
        Ok(answer) => answer.json().await,
        Err(error) => Err(error),
    };
    answer
        .map(|answer| answer.data.service.sdl)
        .map_err(|error| format!("{url} did not give its SDL: {error}"))
}
