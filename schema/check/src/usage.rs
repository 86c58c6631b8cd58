//! Recorded usage as evidence: which operations and clients a change affects, how often and when last.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde::Serialize;

use crate::change::Affects;
use crate::judge::Judged;
use crate::operations::usage_log::{Client, Use};
use crate::operations::{Operation, Origin};
use crate::place::Place;
use crate::settings::Thresholds;

/// Operations and clients listed by name; the rest is counted.
const LISTED: usize = 5;

/// Who is affected by a change.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Recorded operations affected.
    pub operations: usize,
    /// Their requests.
    pub requests: u64,
    /// Their share of all recorded requests, in percent, two decimals.
    pub share: f64,
    /// Last of their requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<String>,
    /// The most frequent of them.
    pub top_operations: Vec<OperationUse>,
    /// The clients that send most of them.
    pub top_clients: Vec<ClientUse>,
    /// Committed operations affected.
    pub committed: Vec<CommittedUse>,
}

/// A recorded operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationUse {
    /// Its name.
    pub name: String,
    /// Its requests.
    pub requests: u64,
}

/// A client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientUse {
    /// Its name and version, `name@version`.
    pub client: String,
    /// Its requests.
    pub requests: u64,
    /// Last of them.
    pub last_seen: String,
}

/// A committed operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommittedUse {
    /// Its name.
    pub name: String,
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
}

/// All operations, with what counts of their usage.
pub(crate) struct Usage<'a> {
    judged: &'a [Judged<'a>],
    /// By operation: what counts.
    counted: Vec<Vec<&'a Use>>,
    total: u64,
    /// Whether usage was recorded at all: without it nothing is safe by it.
    recorded: bool,
}

impl<'a> Usage<'a> {
    pub(crate) fn of(judged: &'a [Judged<'a>], recorded: bool, thresholds: &Thresholds) -> Self {
        let uses = judged
            .iter()
            .map(|judged| recorded_uses(judged.operation))
            .collect::<Vec<_>>();
        let total = uses
            .iter()
            .flat_map(|uses| uses.iter())
            .map(|one| one.count)
            .sum();
        let newest = uses
            .iter()
            .flat_map(|uses| uses.iter())
            .map(|one| one.last_seen)
            .max();
        let counted = uses
            .iter()
            .map(|uses| counted(uses, thresholds, total, newest))
            .collect();
        Self {
            judged,
            counted,
            total,
            recorded,
        }
    }

    /// Whether the operation at `index` counts: it is committed, or its recorded usage passes the thresholds.
    pub(crate) fn counts(&self, index: usize) -> bool {
        matches!(self.judged[index].operation.origin, Origin::Committed(_)) || !self.counted[index].is_empty()
    }

    /// Who notices such a change; none where operations do not tell.
    pub(crate) fn evidence(&self, affects: &Affects) -> Option<Evidence> {
        if *affects == Affects::Unknown || (!self.recorded && self.judged.is_empty()) {
            return None;
        }
        let notices = |index: &usize| {
            self.counts(*index)
                && self.judged[*index]
                    .facts
                    .as_ref()
                    .is_some_and(|facts| facts.notices(affects))
        };
        let affected: Vec<usize> = (0..self.judged.len()).filter(notices).collect();
        Some(self.evidence_of(&affected))
    }

    /// Whether the evidence shows that nobody is affected.
    pub(crate) fn clears(&self, evidence: &Evidence) -> bool {
        self.recorded && evidence.operations == 0 && evidence.committed.is_empty()
    }

    /// The usage of some operations.
    pub(crate) fn evidence_of(&self, operations: &[usize]) -> Evidence {
        let mut clients: BTreeMap<&Client, (u64, DateTime<Utc>)> = BTreeMap::new();
        let (mut top, mut committed, mut last) = (Vec::new(), Vec::new(), None);
        for &index in operations {
            let operation = self.judged[index].operation;
            if let Origin::Committed(place) = &operation.origin {
                committed.push(CommittedUse {
                    name: operation.name.clone(),
                    place: place.clone(),
                });
                continue;
            }
            let requests = self.counted[index].iter().map(|one| one.count).sum();
            top.push(OperationUse {
                name: operation.name.clone(),
                requests,
            });
            for one in &self.counted[index] {
                last = last.max(Some(one.last_seen));
                let entry = clients.entry(&one.client).or_insert((0, one.last_seen));
                *entry = (entry.0 + one.count, entry.1.max(one.last_seen));
            }
        }
        let requests: u64 = top.iter().map(|operation| operation.requests).sum();
        let count = top.len();
        top.sort_by(|a, b| b.requests.cmp(&a.requests).then_with(|| a.name.cmp(&b.name)));
        top.truncate(LISTED);
        Evidence {
            operations: count,
            requests,
            share: share(requests, self.total),
            last_seen: last.map(written),
            top_operations: top,
            top_clients: top_clients(clients),
            committed,
        }
    }
}

fn recorded_uses(operation: &Operation) -> &[Use] {
    match &operation.origin {
        Origin::Recorded(uses) => uses,
        Origin::Committed(_) => &[],
    }
}

/// The uses that pass the thresholds; count and share are those of the operation over all clients that count.
fn counted<'a>(
    uses: &'a [Use],
    thresholds: &Thresholds,
    total: u64,
    newest: Option<DateTime<Utc>>,
) -> Vec<&'a Use> {
    let oldest = thresholds
        .max_age_days
        .zip(newest)
        .map(|(days, newest)| newest - Duration::days(days));
    let mut counted: Vec<&Use> = uses
        .iter()
        .filter(|one| !is_excluded(&one.client, &thresholds.exclude_clients))
        .filter(|one| oldest.is_none_or(|oldest| one.last_seen >= oldest))
        .collect();
    let requests: u64 = counted.iter().map(|one| one.count).sum();
    let too_few = thresholds.min_count.is_some_and(|least| requests < least);
    let too_small = thresholds
        .min_share
        .is_some_and(|least| share(requests, total) < least);
    if too_few || too_small {
        counted.clear();
    }
    counted
}

fn is_excluded(client: &Client, excluded: &[String]) -> bool {
    excluded.iter().any(|excluded| match excluded.split_once('@') {
        Some((name, version)) => client.name == name && client.version == version,
        None => client.name == *excluded,
    })
}

fn share(requests: u64, total: u64) -> f64 {
    if total == 0 {
        0.0
    } else {
        (requests as f64 * 10_000.0 / total as f64).round() / 100.0
    }
}

fn top_clients(clients: BTreeMap<&Client, (u64, DateTime<Utc>)>) -> Vec<ClientUse> {
    let mut top: Vec<ClientUse> = clients
        .into_iter()
        .map(|(client, (requests, last_seen))| ClientUse {
            client: client_text(client),
            requests,
            last_seen: written(last_seen),
        })
        .collect();
    top.sort_by(|a, b| b.requests.cmp(&a.requests).then_with(|| a.client.cmp(&b.client)));
    top.truncate(LISTED);
    top
}

fn client_text(client: &Client) -> String {
    match (client.name.as_str(), client.version.as_str()) {
        ("", _) => "(unnamed client)".to_owned(),
        (name, "") => name.to_owned(),
        (name, version) => format!("{name}@{version}"),
    }
}

fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
