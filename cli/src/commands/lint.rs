//! `fondaco lint`: conventions of the subgraphs' schemas.

use std::path::PathBuf;
use std::process::ExitCode;

use fondaco_check::lint::{Scope, lint};
use fondaco_check::source::{self, Against, SourceError};
use fondaco_check::{Graph, Severity};
use fondaco_composition::SubgraphSource;

use crate::commands::evidence::load_settings;
use crate::commands::fetch_sdl::blocking_fetch;
use crate::commands::report_format::{ReportFormat, print, refuse};
use crate::error::CliError;

/// Arguments of `fondaco lint`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The subgraphs: supergraph.yaml, in rover's format.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Look only at lines that differ from this: git:REF, a folder, or another configuration.
    #[arg(long, value_name = "git:REF|DIR|FILE", default_value = "git:HEAD")]
    against: Against,
    /// Look at all lines.
    #[arg(long, conflicts_with = "against")]
    all: bool,
    /// Severities of rules (see docs/checks.md).
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    format: ReportFormat,
}

/// Prints what breaks the conventions. Exit codes: 0 fine, 1 errors, 2 cannot compose, 3 wrong use.
pub async fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let settings = load_settings(arguments.settings.as_deref())?.lint;
    let against = (!arguments.all).then_some(arguments.against);
    let (graph, before) = match load(arguments.config, against).await {
        Ok(loaded) => loaded,
        Err(error) => return refuse(error, arguments.format),
    };
    let scope = before.as_deref().map_or(Scope::Everything, Scope::ChangedSince);
    let report = lint(&graph, &scope, &settings);
    let failed = report.count(Severity::Error) > 0;
    Ok(print(&report, arguments.format, true, failed))
}

async fn load(
    config: PathBuf,
    against: Option<Against>,
) -> Result<(Graph, Option<Vec<SubgraphSource>>), SourceError> {
    let mut fetch = blocking_fetch();
    let loading = tokio::task::spawn_blocking(move || {
        let graph = source::from_config(&config, &mut fetch)?;
        let before = against
            .map(|against| source::sources_of(&against, &config, &mut fetch))
            .transpose()?;
        Ok((graph, before))
    });
    loading.await.expect("loading does not panic")
}
