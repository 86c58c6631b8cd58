//! The log of operations that the router writes: one JSON object a line.
//!
//! ```json
//! {"operation":"query Home { me { id } }","name":"Home","client":{"name":"web","version":"4.1"},"count":1200,
//!  "firstSeen":"2026-01-02T03:04:05Z","lastSeen":"2026-02-03T04:05:06Z"}
//! ```

use std::collections::BTreeMap;

use apollo_compiler::parser::Parser;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::operations::{Operation, OperationsError, Origin, first_error, operation_names, without_mark};

/// A client application, as it names itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Client {
    /// Its name; empty where it sends none.
    #[serde(default)]
    pub name: String,
    /// Its version; empty where it sends none.
    #[serde(default)]
    pub version: String,
}

/// How one client used an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The client.
    pub client: Client,
    /// Requests.
    pub count: u64,
    /// First of them.
    pub first_seen: DateTime<Utc>,
    /// Last of them.
    pub last_seen: DateTime<Utc>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    operation: String,
    #[serde(default)]
    client: Option<Client>,
    count: u64,
    first_seen: DateTime<Utc>,
    last_seen: DateTime<Utc>,
}

/// Reads a log; `path` appears in errors. Lines of one operation are joined, those of one client added up.
///
/// # Errors
/// Where a line is not what the module describes, with its number.
pub fn parse(text: &str, path: &str) -> Result<Vec<Operation>, OperationsError> {
    let mut uses: BTreeMap<String, (usize, BTreeMap<Client, Use>)> = BTreeMap::new();
    for (index, line) in without_mark(text)
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let line: Line = serde_json::from_str(line).map_err(|error| OperationsError::Syntax {
            path: path.to_owned(),
            line: index + 1,
            message: format!("not a record of the operations log: {error}"),
        })?;
        let client = line.client.clone().unwrap_or_default();
        let (_, clients) = uses
            .entry(line.operation.clone())
            .or_insert_with(|| (index + 1, BTreeMap::new()));
        add(clients, client, &line);
    }
    uses.into_iter()
        .map(|(text, (line, clients))| operation(text, clients, path, line))
        .collect()
}

fn add(clients: &mut BTreeMap<Client, Use>, client: Client, line: &Line) {
    let entry = clients.entry(client.clone()).or_insert(Use {
        client,
        count: 0,
        first_seen: line.first_seen,
        last_seen: line.last_seen,
    });
    entry.count += line.count;
    entry.first_seen = entry.first_seen.min(line.first_seen);
    entry.last_seen = entry.last_seen.max(line.last_seen);
}

fn operation(
    text: String,
    clients: BTreeMap<Client, Use>,
    path: &str,
    line: usize,
) -> Result<Operation, OperationsError> {
    let document = Parser::new()
        .parse_ast(text, "recorded.graphql")
        .map_err(|failed| OperationsError::Syntax {
            path: path.to_owned(),
            line,
            message: format!(
                "the recorded operation is not GraphQL: {}",
                first_error(&failed.errors).1
            ),
        })?;
    Ok(Operation {
        name: operation_names(&document),
        document,
        origin: Origin::Recorded(clients.into_values().collect()),
    })
}
