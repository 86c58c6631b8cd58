//! `fondaco check`: what a change of the graph does to its clients.

use std::path::PathBuf;
use std::process::ExitCode;

use fondaco_check::Graph;
use fondaco_check::source::{self, Against, SourceError};

use crate::commands::evidence::EvidenceArguments;
use crate::commands::fetch_sdl::blocking_fetch;
use crate::commands::report_format::{ReportFormat, print, refuse};
use crate::error::CliError;

/// Arguments of `fondaco check`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The graph as it is to become: supergraph.yaml, in rover's format.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The graph as it was: git:REF, a folder, another configuration, or a supergraph.
    #[arg(long, value_name = "git:REF|DIR|FILE")]
    against: Against,
    #[command(flatten)]
    evidence: EvidenceArguments,
    /// How to print.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    format: ReportFormat,
    /// List safe changes in the text format too.
    #[arg(long)]
    all: bool,
}

/// Compares both graphs and prints the report. Exit codes: 0 fine, 1 breaking, 2 cannot compose, 3 wrong use.
pub async fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let settings = arguments.evidence.settings()?;
    let evidenced = arguments.evidence.load().await?;
    let graphs = load_graphs(arguments.config, arguments.against).await;
    let (before, after) = match graphs {
        Ok(graphs) => graphs,
        Err(error) => return refuse(error, arguments.format),
    };
    let report = fondaco_check::check(&before, &after, &evidenced, &settings);
    let failed = report.fails(settings.fail_on);
    Ok(print(&report, arguments.format, arguments.all, failed))
}

/// Both graphs, before and after, composed side by side.
async fn load_graphs(config: PathBuf, against: Against) -> Result<(Graph, Graph), SourceError> {
    let (before_fetch, after_fetch) = (blocking_fetch(), blocking_fetch());
    let after_config = config.clone();
    let before = tokio::task::spawn_blocking(move || {
        let mut fetch = before_fetch;
        source::from_against(&against, &config, &mut fetch)
    });
    let after = tokio::task::spawn_blocking(move || {
        let mut fetch = after_fetch;
        source::from_config(&after_config, &mut fetch)
    });
    let (before, after) = tokio::join!(before, after);
    // What the author changed comes first.
    let after = after.expect("composing does not panic")?;
    Ok((before.expect("composing does not panic")?, after))
}
