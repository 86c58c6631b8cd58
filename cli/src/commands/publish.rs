//! `fondaco publish`: a new version of the graph in a registry, if its check allows.

use std::path::PathBuf;
use std::process::ExitCode;

use fondaco_check::GraphError;
use fondaco_check::source::SourceError;
use fondaco_composition::SubgraphSource;
use fondaco_composition::config::SupergraphConfig;
use fondaco_registry::{
    Access, Address, ChangeKind, Outcome, Proposal, ProposedSubgraphs, PublishError, Store, Version,
};

use crate::commands::evidence::EvidenceArguments;
use crate::commands::fetch_sdl::blocking_fetch;
use crate::commands::report_format::{ReportFormat, print, refuse};
use crate::error::CliError;

/// Arguments of `fondaco publish`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("proposal").required(true).multiple(true))]
pub struct Arguments {
    /// The registry: a folder, or a postgres:// URL.
    #[arg(
        long,
        value_name = "URL|DIR",
        env = "FONDACO_REGISTRY",
        hide_env_values = true
    )]
    registry: String,
    /// The subgraphs: supergraph.yaml, in rover's format. All of the graph's, unless --subgraph says which.
    #[arg(long, value_name = "FILE", group = "proposal")]
    config: Option<PathBuf>,
    /// Publish this subgraph of the configuration beside the others of the latest version; may be repeated.
    #[arg(long, value_name = "NAME", requires = "config")]
    subgraph: Vec<String>,
    /// Take this subgraph out of the latest version; may be repeated.
    #[arg(long, value_name = "NAME", group = "proposal")]
    remove: Vec<String>,
    /// Publish again what an earlier version was.
    #[arg(long, value_name = "VERSION", group = "proposal", conflicts_with_all = ["config", "remove"])]
    restore: Option<u64>,
    /// Publish though the check fails; the history keeps the reason.
    #[arg(long, value_name = "REASON", value_parser = reason)]
    force: Option<String>,
    /// Who publishes, for the history [default: the user's name on this machine or in CI].
    #[arg(long, value_name = "NAME")]
    publisher: Option<String>,
    #[command(flatten)]
    evidence: EvidenceArguments,
    /// How to print what the check finds.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    format: ReportFormat,
    /// List safe changes in the text format too.
    #[arg(long)]
    all: bool,
}

/// Publishes and prints what the check found. Exit codes: 0 published or unchanged, 1 refused, 2 cannot compose, 3 wrong use.
pub async fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let proposal = Proposal {
        settings: arguments.evidence.settings()?,
        evidenced: arguments.evidence.load().await?,
        subgraphs: proposed(&arguments).await?,
        force: arguments.force.clone(),
        publisher: arguments.publisher.clone().unwrap_or_else(publisher),
    };
    let registry = address(&arguments.registry)?;
    let store = Store::open(&registry, Access::Publish).await;
    let store = store.map_err(|error| CliError::SchemaTool(error.to_string()))?;
    match fondaco_registry::publish(&store, proposal).await {
        Ok(outcome) => Ok(tell(&outcome, &arguments)),
        Err(PublishError::Graph(source)) => refuse(does_not_compose(source), arguments.format),
        Err(error) => Err(CliError::SchemaTool(error.to_string())),
    }
}

/// Parsed here, for what does not parse may hold a password, and the command line's own messages would repeat it.
pub fn address(registry: &str) -> Result<Address, CliError> {
    registry
        .parse()
        .map_err(|problem| CliError::SchemaTool(format!("--registry: {problem}")))
}

async fn proposed(arguments: &Arguments) -> Result<ProposedSubgraphs, CliError> {
    if let Some(number) = arguments.restore {
        return Ok(ProposedSubgraphs::OfVersion(number));
    }
    let remove = arguments.remove.clone();
    let Some(config) = arguments.config.clone() else {
        return Ok(ProposedSubgraphs::Some {
            put: Vec::new(),
            remove,
        });
    };
    let named = format!("{} has no subgraph", config.display());
    let mut fetch = blocking_fetch();
    let loading = tokio::task::spawn_blocking(move || SupergraphConfig::load(&config, &mut fetch));
    let sources = loading.await.expect("loading does not panic");
    let sources = sources.map_err(|error| CliError::SchemaTool(error.to_string()))?;
    if arguments.subgraph.is_empty() && remove.is_empty() {
        return Ok(ProposedSubgraphs::All(sources));
    }
    let put = chosen(sources, &arguments.subgraph, &named)?;
    Ok(ProposedSubgraphs::Some { put, remove })
}

/// Those of the configuration that were named; without names all.
fn chosen(
    sources: Vec<SubgraphSource>,
    names: &[String],
    named: &str,
) -> Result<Vec<SubgraphSource>, CliError> {
    if names.is_empty() {
        return Ok(sources);
    }
    if let Some(name) = names
        .iter()
        .find(|name| !sources.iter().any(|source| source.name == **name))
    {
        return Err(CliError::SchemaTool(format!("{named} \"{name}\"")));
    }
    let chosen = sources.into_iter().filter(|source| names.contains(&source.name));
    Ok(chosen.collect())
}

/// What happened goes to standard error, the report to standard output.
fn tell(outcome: &Outcome, arguments: &Arguments) -> ExitCode {
    match outcome {
        Outcome::Published { version, report } => {
            if let Some(report) = report {
                print(report, arguments.format, arguments.all, false);
            }
            eprintln!("published version {}: {}", version.number, changes(version));
            ExitCode::SUCCESS
        }
        Outcome::Unchanged(number) => {
            eprintln!("nothing published: version {number} is the same");
            ExitCode::SUCCESS
        }
        Outcome::Refused { against, report } => {
            let code = print(report, arguments.format, arguments.all, true);
            eprintln!(
                "refused: the check against version {against} failed; --force REASON publishes nevertheless"
            );
            code
        }
    }
}

/// The changed subgraphs of a version, on a line.
pub fn changes(version: &Version) -> String {
    let words = version.changes.iter().map(|change| {
        let kind = match change.kind {
            ChangeKind::Added => "added",
            ChangeKind::Changed => "changed",
            ChangeKind::Removed => "removed",
        };
        format!("{} {kind}", change.name)
    });
    words.collect::<Vec<_>>().join(", ")
}

fn does_not_compose(source: GraphError) -> SourceError {
    SourceError::Graph {
        what: "what would be published".to_owned(),
        source,
    }
}

fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("a reason is needed: the history keeps it".to_owned()),
        reason => Ok(reason.to_owned()),
    }
}

/// Who is at work, as CI systems and login shells say.
fn publisher() -> String {
    let variables = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "LOGNAME"];
    let name = variables
        .iter()
        .find_map(|variable| std::env::var(variable).ok().filter(|name| !name.is_empty()));
    name.unwrap_or_else(|| "unknown".to_owned())
}
