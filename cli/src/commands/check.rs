//! `fondaco check`: what a change of the graph does to its clients.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use fondaco_check::operations::{Operation, documents, usage_log};
use fondaco_check::settings::{CheckSettings, FailOn, Settings};
use fondaco_check::source::{self, Against, SourceError};
use fondaco_check::{Evidenced, Graph, Severity};

use crate::commands::fetch_sdl::blocking_fetch;
use crate::commands::read;
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
    /// Committed operations: a folder of .graphql files, one of them, or a manifest of persisted queries.
    #[arg(long, value_name = "DIR|FILE")]
    operations: Vec<PathBuf>,
    /// Log of recorded operations, as the router writes it.
    #[arg(long, value_name = "FILE")]
    usage: Vec<PathBuf>,
    /// Levels of rules, thresholds and more (see docs/checks.md).
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    #[command(flatten)]
    thresholds: ThresholdArguments,
    /// How to print.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    format: ReportFormat,
    /// List safe changes in the text format too.
    #[arg(long)]
    all: bool,
}

/// What goes before the settings file.
#[derive(Debug, clap::Args)]
struct ThresholdArguments {
    /// Recorded operations with fewer requests do not count.
    #[arg(long, value_name = "N")]
    min_count: Option<u64>,
    /// Recorded operations with a smaller share of the requests, in percent, do not count.
    #[arg(long, value_name = "PERCENT")]
    min_share: Option<f64>,
    /// Usage that ended earlier than this before the newest record does not count.
    #[arg(long, value_name = "DAYS")]
    max_age_days: Option<i64>,
    /// Client whose usage does not count: NAME or NAME@VERSION.
    #[arg(long, value_name = "CLIENT")]
    exclude_client: Vec<String>,
    /// Fetches the plan of an operation may gain before that is breaking.
    #[arg(long, value_name = "N")]
    max_extra_fetches: Option<usize>,
    /// Fail on dangerous changes too.
    #[arg(long)]
    fail_on_dangerous: bool,
}

impl ThresholdArguments {
    fn override_settings(&self, settings: &mut CheckSettings) {
        let usage = &mut settings.usage;
        usage.min_count = self.min_count.or(usage.min_count);
        usage.min_share = self.min_share.or(usage.min_share);
        usage.max_age_days = self.max_age_days.or(usage.max_age_days);
        usage.exclude_clients.extend(self.exclude_client.iter().cloned());
        settings.max_extra_fetches = self.max_extra_fetches.or(settings.max_extra_fetches);
        if self.fail_on_dangerous {
            settings.fail_on = Some(FailOn::Dangerous);
        }
    }
}

/// Compares both graphs and prints the report. Exit codes: 0 fine, 1 breaking, 2 cannot compose, 3 wrong use.
pub async fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let mut settings = load_settings(arguments.settings.as_deref())?.check;
    arguments.thresholds.override_settings(&mut settings);
    let evidenced = Evidenced {
        operations: load_operations(&arguments)?,
        recorded: !arguments.usage.is_empty(),
    };
    let graphs = load_graphs(arguments.config, arguments.against).await;
    let (before, after) = match graphs {
        Ok(graphs) => graphs,
        Err(error) => return refuse(error, arguments.format),
    };
    let report = fondaco_check::check(&before, &after, &evidenced, &settings);
    let warnings_fail = settings.fail_on == Some(FailOn::Dangerous);
    let failed = report.count(Severity::Error) > 0 || (warnings_fail && report.count(Severity::Warning) > 0);
    Ok(print(&report, arguments.format, arguments.all, failed))
}

/// Settings from the file, or none.
pub fn load_settings(file: Option<&Path>) -> Result<Settings, CliError> {
    let loaded = file.map(Settings::load).transpose();
    Ok(loaded
        .map_err(|error| CliError::SchemaTool(error.to_string()))?
        .unwrap_or_default())
}

fn load_operations(arguments: &Arguments) -> Result<Vec<Operation>, CliError> {
    let refused = |error: fondaco_check::operations::OperationsError| CliError::SchemaTool(error.to_string());
    let mut operations = Vec::new();
    for log in &arguments.usage {
        let text = read(log).map_err(|error| CliError::SchemaTool(error.to_string()))?;
        operations.extend(usage_log::parse(&text, &log.display().to_string()).map_err(refused)?);
    }
    for committed in &arguments.operations {
        operations.extend(documents::read(committed).map_err(refused)?);
    }
    Ok(operations)
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
