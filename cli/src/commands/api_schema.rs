//! `fondaco api-schema --supergraph FILE`: prints the schema clients see, for their code generators.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::commands::read_supergraph;
use crate::error::CliError;

/// Arguments of `fondaco api-schema`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The supergraph.
    #[arg(long, value_name = "FILE")]
    supergraph: PathBuf,
}

/// Prints the client schema's SDL.
pub fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let supergraph = read_supergraph(&arguments.supergraph)?;
    print!("{}", supergraph.api_schema());
    Ok(ExitCode::SUCCESS)
}
