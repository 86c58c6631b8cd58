//! Publishing: what is proposed is put beside the rest of the latest version, composed, checked against that version, and appended.
//!
//! Publishers do not wait for each other. Whoever finds the next number taken starts again from the version that was faster; so every
//! version has been checked against the one right before it, and no publisher undoes another's.

use std::sync::Arc;

use chrono::{SubsecRound, Utc};
use fondaco_check::settings::CheckSettings;
use fondaco_check::{Evidenced, Graph, GraphError, Report, check};
use fondaco_composition::SubgraphSource;

use crate::error::RegistryError;
use crate::store::Store;
use crate::version::{Stored, Summary, Version, changes};

/// How often a publisher starts again. With this many others at the same time something else is wrong.
const ATTEMPTS: usize = 50;

/// What is to be published, and how it is judged.
#[derive(Debug)]
pub struct Proposal {
    /// The subgraphs.
    pub subgraphs: ProposedSubgraphs,
    /// Operations to judge by.
    pub evidenced: Evidenced,
    /// Levels of rules, and what fails a check.
    pub settings: CheckSettings,
    /// Why to publish though the check fails.
    pub force: Option<String>,
    /// Who publishes.
    pub publisher: String,
}

/// The subgraphs that are proposed.
#[derive(Debug, Clone)]
pub enum ProposedSubgraphs {
    /// These, and no others.
    All(Vec<SubgraphSource>),
    /// These instead of those of the same names, and without some.
    Some {
        /// New or changed.
        put: Vec<SubgraphSource>,
        /// Names of those that go.
        remove: Vec<String>,
    },
    /// Those that an earlier version had.
    OfVersion(u64),
}

/// What came of a proposal.
#[derive(Debug)]
pub enum Outcome {
    /// It is a version now.
    Published {
        /// The version.
        version: Version,
        /// What its check found; absent for the first version, which has nothing to be compared with.
        report: Option<Report>,
    },
    /// It is what the latest version already has.
    Unchanged(u64),
    /// Its check failed.
    Refused {
        /// The version it was checked against.
        against: u64,
        /// What the check found.
        report: Report,
    },
}

/// Why nothing came of a proposal.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The registry cannot be read or written.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The subgraphs do not become a graph.
    #[error("what would be published: {0}")]
    Graph(GraphError),
    /// A subgraph to be removed is not there.
    #[error("version {number} has no subgraph \"{name}\" to remove")]
    NoSuchSubgraph {
        /// Its name.
        name: String,
        /// The latest version.
        number: u64,
    },
    /// Nothing would be left.
    #[error("a graph needs at least one subgraph")]
    NoSubgraphs,
    /// Others were faster each time.
    #[error("others published {ATTEMPTS} versions meanwhile: try again")]
    Overtaken,
}

/// Publishes a proposal.
///
/// # Errors
/// Where it does not compose, or the registry cannot be used.
pub async fn publish(store: &Store, proposal: Proposal) -> Result<Outcome, PublishError> {
    let proposal = Arc::new(proposal);
    for _ in 0..ATTEMPTS {
        let latest = match store.latest().await? {
            Some(number) => Some(store.read(number).await?),
            None => None,
        };
        let sources = proposed(store, &proposal.subgraphs, latest.as_ref()).await?;
        let before = latest.as_ref().map_or(&[][..], |latest| &latest.subgraphs);
        let changes = changes(before, &sources);
        if let Some(latest) = latest.as_ref().filter(|_| changes.is_empty()) {
            return Ok(Outcome::Unchanged(latest.version.number));
        }
        let against = latest.as_ref().map_or(0, |latest| latest.version.number);
        let (graph, report) = judge(&proposal, latest, sources).await?;
        let failed = report
            .as_ref()
            .filter(|report| report.fails(proposal.settings.fail_on));
        if let (Some(report), None) = (failed, &proposal.force) {
            let report = report.clone();
            return Ok(Outcome::Refused { against, report });
        }
        let version = Version {
            number: against + 1,
            // As precise as every store.
            published_at: Utc::now().trunc_subsecs(3),
            publisher: proposal.publisher.clone(),
            forced_because: proposal.force.clone().filter(|_| failed.is_some()),
            summary: report.as_ref().map(Summary::of).unwrap_or_default(),
            changes,
        };
        let stored = Stored {
            version,
            subgraphs: graph.sources,
            supergraph: graph.sdl,
        };
        if store.append(&stored).await? {
            let version = stored.version;
            return Ok(Outcome::Published { version, report });
        }
    }
    Err(PublishError::Overtaken)
}

/// All subgraphs that there would be, sorted by name.
async fn proposed(
    store: &Store,
    subgraphs: &ProposedSubgraphs,
    latest: Option<&Stored>,
) -> Result<Vec<SubgraphSource>, PublishError> {
    let mut sources = match subgraphs {
        ProposedSubgraphs::All(sources) => sources.clone(),
        ProposedSubgraphs::Some { put, remove } => put_beside(put, remove, latest)?,
        ProposedSubgraphs::OfVersion(number) => {
            let stored = store.read(*number).await?;
            stored
                .subgraphs
                .iter()
                .map(|source| named(source, *number))
                .collect()
        }
    };
    if sources.is_empty() {
        return Err(PublishError::NoSubgraphs);
    }
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sources)
}

fn put_beside(
    put: &[SubgraphSource],
    remove: &[String],
    latest: Option<&Stored>,
) -> Result<Vec<SubgraphSource>, PublishError> {
    let kept = latest.map_or(&[][..], |latest| &latest.subgraphs);
    let number = latest.map_or(0, |latest| latest.version.number);
    if let Some(name) = remove
        .iter()
        .find(|name| !kept.iter().any(|source| source.name == **name))
    {
        let name = name.clone();
        return Err(PublishError::NoSuchSubgraph { name, number });
    }
    let stays = |source: &&SubgraphSource| {
        !remove.contains(&source.name) && !put.iter().any(|new| new.name == source.name)
    };
    let kept = kept.iter().filter(stays);
    Ok(kept
        .map(|source| named(source, number))
        .chain(put.iter().cloned())
        .collect())
}

/// Composes what would be, and compares it with what is.
async fn judge(
    proposal: &Arc<Proposal>,
    latest: Option<Stored>,
    sources: Vec<SubgraphSource>,
) -> Result<(Graph, Option<Report>), PublishError> {
    let proposal = Arc::clone(proposal);
    let judging = tokio::task::spawn_blocking(move || {
        let after = Graph::compose(sources).map_err(PublishError::Graph)?;
        let Some(latest) = latest else {
            return Ok((after, None));
        };
        let before = before(latest).map_err(PublishError::Graph)?;
        let report = check(&before, &after, &proposal.evidenced, &proposal.settings);
        Ok((after, Some(report)))
    });
    judging.await.expect("composing and checking do not panic")
}

/// The latest version as a graph. Should a later composer refuse its subgraphs, what an earlier one made of them still counts.
fn before(latest: Stored) -> Result<Graph, GraphError> {
    let number = latest.version.number;
    let sources = latest.subgraphs.iter().map(|source| named(source, number));
    Graph::compose(sources.collect())
        .or_else(|_| Graph::from_supergraph(latest.supergraph, &format!("version {number}")))
}

/// With a name to show as its file.
fn named(source: &SubgraphSource, number: u64) -> SubgraphSource {
    SubgraphSource {
        file: Some(format!("{} (version {number})", source.name)),
        ..source.clone()
    }
}
