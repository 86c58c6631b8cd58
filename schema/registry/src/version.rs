//! What a registry stores.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use fondaco_check::Report;
use fondaco_composition::SubgraphSource;
use serde::{Deserialize, Serialize};

/// One version of the graph, without its documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// From 1, without gaps.
    pub number: u64,
    /// When it was published, by the publisher's clock.
    pub published_at: DateTime<Utc>,
    /// Who published it, as they name themselves.
    pub publisher: String,
    /// Why it was published though its check failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced_because: Option<String>,
    /// What its check found.
    pub summary: Summary,
    /// Subgraphs that differ from the version before, by name.
    pub changes: Vec<SubgraphChange>,
}

/// How many findings a check had, by level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Break clients.
    pub breaking: usize,
    /// May surprise clients.
    pub dangerous: usize,
    /// Would be one of these, but no operation that counts notices.
    pub safe_by_usage: usize,
    /// Nobody can notice a loss.
    pub safe: usize,
}

impl Summary {
    /// Counts a report's findings.
    pub fn of(report: &Report) -> Self {
        let level = |name: &str| {
            let findings = report.findings.iter();
            findings.filter(|finding| finding.level == name).count()
        };
        Self {
            breaking: level("breaking"),
            dangerous: level("dangerous"),
            safe_by_usage: level("safe-by-usage"),
            safe: level("safe"),
        }
    }
}

/// How a subgraph differs from the version before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubgraphChange {
    /// Its name.
    pub name: String,
    /// What happened to it.
    pub kind: ChangeKind,
}

/// What happened to a subgraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// Its schema or its address is another one.
    Changed,
    /// It is no longer there.
    Removed,
}

/// A version with its documents.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The version.
    pub version: Version,
    /// The subgraphs, sorted by name; `file` is absent.
    pub subgraphs: Vec<SubgraphSource>,
    /// What was composed from them.
    pub supergraph: String,
}

/// The differences, sorted by name.
pub(crate) fn changes(before: &[SubgraphSource], after: &[SubgraphSource]) -> Vec<SubgraphChange> {
    let content = |sources: &[SubgraphSource]| -> BTreeMap<String, (String, String)> {
        let contents = sources.iter();
        contents
            .map(|source| (source.name.clone(), (source.url.clone(), source.sdl.clone())))
            .collect()
    };
    let (before, after) = (content(before), content(after));
    let mut changes: Vec<SubgraphChange> = after
        .iter()
        .filter_map(|(name, new)| {
            let kind = match before.get(name) {
                None => ChangeKind::Added,
                Some(old) if old != new => ChangeKind::Changed,
                Some(_) => return None,
            };
            Some(SubgraphChange {
                name: name.clone(),
                kind,
            })
        })
        .collect();
    let removed = before.keys().filter(|name| !after.contains_key(*name));
    changes.extend(removed.map(|name| SubgraphChange {
        name: name.clone(),
        kind: ChangeKind::Removed,
    }));
    changes.sort_by(|a, b| a.name.cmp(&b.name));
    changes
}
