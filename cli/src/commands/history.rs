//! `fondaco history`: what was published in a registry, by whom and why.

use std::fmt::Write as _;
use std::process::ExitCode;

use fondaco_registry::{Access, Address, RegistryError, Store, Version};

use crate::commands::publish::{address, changes};
use crate::error::CliError;

/// Arguments of `fondaco history`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The registry: a folder, or a postgres:// URL.
    #[arg(
        long,
        value_name = "URL|DIR",
        env = "FONDACO_REGISTRY",
        hide_env_values = true
    )]
    registry: String,
    /// Print this version's supergraph instead of the list.
    #[arg(long, value_name = "VERSION")]
    version: Option<u64>,
    /// Print this subgraph's schema, as it was in that version.
    #[arg(long, value_name = "NAME", requires = "version")]
    subgraph: Option<String>,
    /// How to print the list.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Prints the versions, the newest first, or a document of one. Exit codes: 0 fine, 3 wrong use.
pub async fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let registry = address(&arguments.registry)?;
    let printed = printed(&registry, &arguments).await;
    print!(
        "{}",
        printed.map_err(|error| CliError::SchemaTool(error.to_string()))?
    );
    Ok(ExitCode::SUCCESS)
}

async fn printed(registry: &Address, arguments: &Arguments) -> Result<String, Problem> {
    let store = Store::open(registry, Access::Read).await?;
    let Some(number) = arguments.version else {
        let versions = store.history().await?;
        return Ok(match arguments.format {
            Format::Text => versions.iter().map(line).collect(),
            Format::Json => serde_json::to_string_pretty(&versions).expect("versions are JSON") + "\n",
        });
    };
    let Some(name) = &arguments.subgraph else {
        return Ok(store.supergraph(number).await?);
    };
    let mut subgraphs = store.read(number).await?.subgraphs.into_iter();
    match subgraphs.find(|subgraph| subgraph.name == *name) {
        Some(subgraph) => Ok(subgraph.sdl),
        None => Err(Problem::NoSubgraph {
            number,
            name: name.clone(),
        }),
    }
}

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error("version {number} has no subgraph \"{name}\"")]
    NoSubgraph { number: u64, name: String },
}

fn line(version: &Version) -> String {
    let time = version.published_at.format("%Y-%m-%d %H:%M:%SZ");
    let mut line = format!(
        "{:>5}  {time}  {}: {}",
        version.number,
        version.publisher,
        changes(version)
    );
    let summary = version.summary;
    for (number, what) in [
        (summary.breaking, "breaking"),
        (summary.dangerous, "dangerous"),
        (summary.safe_by_usage, "safe by usage"),
    ] {
        if number > 0 {
            let _ = write!(line, ", {number} {what}");
        }
    }
    if let Some(reason) = &version.forced_because {
        let _ = write!(line, "; forced: {reason}");
    }
    line + "\n"
}
