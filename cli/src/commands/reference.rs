//! `fondaco reference`: a page about the schema clients see.

use std::path::PathBuf;
use std::process::ExitCode;

use fondaco_check::reference::markdown;

use crate::commands::read_supergraph;
use crate::error::CliError;

/// Arguments of `fondaco reference`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The supergraph.
    #[arg(long, value_name = "FILE")]
    supergraph: PathBuf,
    /// Heading of the page.
    #[arg(long, value_name = "TEXT", default_value = "Schema")]
    title: String,
}

/// Prints the page in Markdown.
pub fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let supergraph = read_supergraph(&arguments.supergraph)?;
    print!("{}", markdown(supergraph.api_schema(), &arguments.title));
    Ok(ExitCode::SUCCESS)
}
