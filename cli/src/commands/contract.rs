//! `fondaco contract`: the graph as one group of clients sees it.

use std::path::PathBuf;
use std::process::ExitCode;

use fondaco_check::contract::{Contract, filter};
use fondaco_check::source::{self, Against};

use crate::commands::fetch_sdl::blocking_fetch;
use crate::commands::report_format::{ReportFormat, refuse};
use crate::commands::write;
use crate::error::CliError;

/// Arguments of `fondaco contract`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("filter").required(true).multiple(true))]
pub struct Arguments {
    /// The graph: supergraph.yaml, in rover's format, or a composed supergraph.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Keep the fields that have this @tag, or whose type has; may be repeated.
    #[arg(long, value_name = "TAG", group = "filter")]
    include: Vec<String>,
    /// Leave out what has this @tag; may be repeated, and goes before --include.
    #[arg(long, value_name = "TAG", group = "filter")]
    exclude: Vec<String>,
    /// Where to write the contract's supergraph; standard output if absent.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Prints the contract's supergraph. Exit codes: 0 fine, 2 cannot compose, 3 wrong use.
pub async fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let config = arguments.config;
    let mut fetch = blocking_fetch();
    let loading = tokio::task::spawn_blocking(move || {
        source::from_against(&Against::Path(config.clone()), &config, &mut fetch)
    });
    let graph = match loading.await.expect("composing does not panic") {
        Ok(graph) => graph,
        Err(error) => return refuse(error, ReportFormat::Text),
    };
    let contract = Contract {
        include: arguments.include,
        exclude: arguments.exclude,
    };
    let sdl =
        filter(&graph.supergraph, &contract).map_err(|error| CliError::SchemaTool(error.to_string()))?;
    match &arguments.output {
        Some(path) => write(path, &sdl)?,
        None => print!("{sdl}"),
    }
    Ok(ExitCode::SUCCESS)
}
