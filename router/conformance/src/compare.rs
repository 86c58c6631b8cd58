//! When two answers are the same.
//!
//! Data must be equal to the byte once written alike, order of keys included. Errors are compared by what they explain:
//! the set of nulls in the data that lie at, or above, the path of an error. Messages and codes may differ, and so may
//! errors below a null, because the specification leaves open which of several errors nulled it.

use std::collections::BTreeSet;

use serde_json::Value as Json;

/// The first difference, if there is one.
pub fn difference(expected: &Json, found: &Json) -> Option<String> {
    let (wanted, got) = (expected["data"].to_string(), found["data"].to_string());
    if wanted != got {
        return Some(format!(
            "data differs\n expected {wanted}\n found    {got}\n errors   {}",
            found["errors"]
        ));
    }
    let (wanted, got) = (explained(expected), explained(found));
    (wanted != got).then(|| {
        format!(
            "errors differ\n expected at {wanted:?}\n found at    {got:?}\n data {}\n errors {}",
            found["data"], found["errors"]
        )
    })
}

/// Whether `found` is `expected` with parts nulled, every loss reported.
pub fn is_weakened(expected: &Json, found: &Json) -> Result<(), String> {
    let has_errors = found["errors"]
        .as_array()
        .is_some_and(|errors| !errors.is_empty());
    if !weaker(&expected["data"], &found["data"]) {
        return Err(format!(
            "data is not a part of what was expected\n expected {}\n found    {}",
            expected["data"], found["data"]
        ));
    }
    if expected["data"] != found["data"] && !has_errors {
        return Err(format!(
            "data was lost without an error\n found {}",
            found["data"]
        ));
    }
    Ok(())
}

fn weaker(expected: &Json, found: &Json) -> bool {
    match (expected, found) {
        (_, Json::Null) => true,
        (Json::Object(expected), Json::Object(found)) => {
            expected.keys().eq(found.keys()) && expected.iter().all(|(key, value)| weaker(value, &found[key]))
        }
        (Json::Array(expected), Json::Array(found)) => {
            expected.len() == found.len()
                && expected
                    .iter()
                    .zip(found)
                    .all(|(expected, found)| weaker(expected, found))
        }
        _ => expected == found,
    }
}

/// Paths of the nulls that errors explain.
fn explained(answer: &Json) -> BTreeSet<String> {
    let errors = answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors
        .iter()
        .filter_map(|error| {
            null_at(
                &answer["data"],
                error["path"].as_array().map(Vec::as_slice).unwrap_or_default(),
            )
        })
        .collect()
}

/// The null that a path leads to or is stopped by.
fn null_at(data: &Json, path: &[Json]) -> Option<String> {
    let mut at = data;
    let mut walked = String::from("data");
    for step in path {
        if at.is_null() {
            break;
        }
        at = match step {
            Json::String(key) => at.get(key)?,
            Json::Number(index) => at.get(usize::try_from(index.as_u64()?).ok()?)?,
            _ => return None,
        };
        walked += &format!("/{step}");
    }
    at.is_null().then_some(walked)
}
