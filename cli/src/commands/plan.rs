//! `fondaco plan`: prints how an operation would be fetched from the subgraphs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use apollo_compiler::ExecutableDocument;
use fondaco_planner::{OverrideLabels, Planner, PlannerConfig};

use crate::commands::{read, read_supergraph};
use crate::error::CliError;

/// Arguments of `fondaco plan`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The supergraph to plan against.
    #[arg(long, value_name = "FILE")]
    supergraph: PathBuf,
    /// File that holds the operation.
    operation: PathBuf,
    /// Which operation, where the file holds several.
    #[arg(long, value_name = "NAME")]
    operation_name: Option<String>,
    /// A label of progressive `@override`s that is active; may be given several times.
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    /// How to print the plan.
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

/// Prints the plan with the number of its fetches and of its sequential waves.
pub fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let supergraph = read_supergraph(&arguments.supergraph)?;
    let text = read(&arguments.operation)?;
    let document =
        ExecutableDocument::parse_and_validate(supergraph.api_schema(), text, &arguments.operation)
            .map_err(|invalid| CliError::Operation(invalid.errors.to_string()))?;
    let labels: OverrideLabels = arguments.labels.iter().map(|label| Arc::from(&**label)).collect();
    let plan = Planner::new(supergraph, PlannerConfig::default())
        .plan(&document, arguments.operation_name.as_deref(), &labels)
        .map_err(|error| unplannable(&arguments.operation, &error))?;
    match arguments.format {
        Format::Text => println!("{plan}"),
        Format::Json => println!("{:#}", plan.to_json()),
    }
    Ok(ExitCode::SUCCESS)
}

fn unplannable(path: &Path, error: &dyn std::error::Error) -> CliError {
    CliError::Operation(format!("{}: {error}", path.display()))
}
