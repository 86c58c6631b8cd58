//! How the schema commands print what they found, and what they end with.

use std::io::IsTerminal;
use std::process::ExitCode;

use fondaco_check::source::SourceError;
use fondaco_check::{Format, GraphError, Report, Style};

use crate::error::CliError;

/// Exit code where something was found that fails the command.
const FOUND: u8 = 1;

/// Exit code where the subgraphs do not compose.
const DOES_NOT_COMPOSE: u8 = 2;

/// How to print.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum ReportFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// Workflow commands: annotations of a pull request.
    Github,
    /// SARIF 2.1.0.
    Sarif,
    /// JUnit XML.
    Junit,
}

impl From<ReportFormat> for Format {
    fn from(format: ReportFormat) -> Self {
        match format {
            ReportFormat::Text => Self::Text,
            ReportFormat::Json => Self::Json,
            ReportFormat::Github => Self::Github,
            ReportFormat::Sarif => Self::Sarif,
            ReportFormat::Junit => Self::Junit,
        }
    }
}

/// Prints the report; `failed` says whether it fails the command.
pub fn print(report: &Report, format: ReportFormat, all: bool, failed: bool) -> ExitCode {
    let style = Style {
        colour: has_colour(std::io::stdout().is_terminal()),
        all,
        folder: None,
    };
    print!("{}", report.write(format.into(), &style));
    if failed {
        ExitCode::from(FOUND)
    } else {
        ExitCode::SUCCESS
    }
}

/// A graph that does not compose is reported like any finding; whatever else is wrong is an error of usage.
pub fn refuse(error: SourceError, format: ReportFormat) -> Result<ExitCode, CliError> {
    match error {
        SourceError::Graph {
            what,
            source: GraphError::Composition(diagnostics),
        } => {
            eprintln!("error: {what}: the subgraphs do not compose");
            print(&Report::of_diagnostics(&diagnostics), format, true, true);
            Ok(ExitCode::from(DOES_NOT_COMPOSE))
        }
        other => Err(CliError::SchemaTool(other.to_string())),
    }
}

/// Terminals are coloured unless the user says otherwise (no-color.org).
pub fn has_colour(is_terminal: bool) -> bool {
    is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
