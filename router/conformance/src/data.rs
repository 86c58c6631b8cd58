//! The data every server of a case answers from: objects by type and index, kept in the case as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A value of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Datum {
    /// A leaf as JSON; `null` too.
    Leaf(Json),
    /// An object: its type and index.
    Ref(String, usize),
    /// A list.
    List(Vec<Datum>),
    /// Resolving fails.
    Error(String),
}

/// Fields of the instances of every object type; root types have one instance.
pub type Data = BTreeMap<String, Vec<BTreeMap<String, Datum>>>;

/// What a field with arguments gives: strings tell the arguments, lists are cut by `first`, numbers are shifted.
pub fn with_arguments(datum: &Datum, arguments: &Json) -> Datum {
    let Some(map) = arguments.as_object().filter(|map| !map.is_empty()) else {
        return datum.clone();
    };
    match datum {
        Datum::Leaf(Json::String(text)) => {
            Datum::Leaf(Json::String(format!("{text}{}", canonical(arguments))))
        }
        Datum::List(items) => {
            let first = map.get("first").and_then(Json::as_u64).unwrap_or(u64::MAX);
            Datum::List(
                items
                    .iter()
                    .take(usize::try_from(first).unwrap_or(usize::MAX))
                    .cloned()
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

/// JSON with sorted keys and without nulls in objects, so that equal arguments are equal texts.
fn canonical(value: &Json) -> String {
    match value {
        Json::Object(map) => {
            let sorted: BTreeMap<_, _> = map.iter().filter(|(_, value)| !value.is_null()).collect();
            let entries: Vec<_> = sorted
                .into_iter()
                .map(|(key, value)| format!("{key}:{}", canonical(value)))
                .collect();
            format!("({})", entries.join(","))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}
