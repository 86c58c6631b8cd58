//! Manifests of persisted queries, in the JSON formats in common use:
//!
//! - `{"format": "apollo-persisted-query-manifest", "operations": [{"id", "name", "body"}]}`
//! - `{"version": 2, "operations": [{"signature", "document"}]}`
//! - a list of such objects, the text under `body`, `document`, `query`, `text` or `source`
//! - `{"ID": "text"}`, as Relay and code generators write it, also with such an object instead of the text
//! - `[["ID", "text"]]`

use apollo_compiler::parser::Parser;
use serde_json::Value;

use crate::operations::{Operation, OperationsError, Origin, first_error, operation_names, without_mark};
use crate::place::Place;

/// Keys under which formats keep the text.
const TEXT: [&str; 5] = ["body", "document", "query", "text", "source"];

/// Keys under which formats keep the id.
const ID: [&str; 4] = ["id", "signature", "hash", "name"];

/// Reads a manifest; `path` appears in errors.
pub(crate) fn parse(json: &str, path: &str) -> Result<Vec<Operation>, OperationsError> {
    let json = without_mark(json);
    let value: Value = serde_json::from_str(json).map_err(|error| OperationsError::Syntax {
        path: path.to_owned(),
        line: error.line(),
        message: format!("not JSON: {error}"),
    })?;
    let entries = entries(&value).ok_or_else(|| OperationsError::Format {
        path: path.to_owned(),
        message: "not a manifest of persisted queries: expected {\"operations\": [{\"id\", \"body\"}]}, {\"ID\": \"text\"}, \
                  [[\"ID\", \"text\"]] or [{\"id\", \"body\"}]"
            .to_owned(),
    })?;
    entries
        .into_iter()
        .map(|(id, text)| operation(json, path, id, text))
        .collect()
}

fn entries(value: &Value) -> Option<Vec<(String, String)>> {
    match value {
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(index, entry)| list_entry(index, entry))
            .collect(),
        Value::Object(object) => match object.get("operations") {
            Some(operations @ (Value::Array(_) | Value::Object(_))) => entries(operations),
            _ => object
                .iter()
                .map(|(id, text)| Some((id.clone(), text_of(text)?)))
                .collect(),
        },
        _ => None,
    }
}

fn list_entry(index: usize, entry: &Value) -> Option<(String, String)> {
    if let [id, text] = entry.as_array().map_or(&[][..], Vec::as_slice) {
        return Some((id.as_str()?.to_owned(), text.as_str()?.to_owned()));
    }
    let id = ID.iter().find_map(|key| entry.get(key)?.as_str());
    Some((
        id.map_or_else(|| index.to_string(), str::to_owned),
        text_of(entry)?,
    ))
}

fn text_of(entry: &Value) -> Option<String> {
    let text = entry
        .as_str()
        .or_else(|| TEXT.iter().find_map(|key| entry.get(key)?.as_str()));
    text.map(str::to_owned)
}

fn operation(json: &str, path: &str, id: String, text: String) -> Result<Operation, OperationsError> {
    let line = line_of(json, &id);
    let document = Parser::new()
        .parse_ast(text, format!("{path} {id}"))
        .map_err(|failed| OperationsError::Syntax {
            path: path.to_owned(),
            line,
            message: format!("operation {id} is not GraphQL: {}", first_error(&failed.errors).1),
        })?;
    let place = Place {
        file: path.to_owned(),
        line,
        column: 1,
    };
    Ok(Operation {
        name: operation_names(&document),
        document,
        origin: Origin::Committed(place),
    })
}

/// The line on which the manifest has the id.
fn line_of(json: &str, id: &str) -> usize {
    let position = json.find(&format!("\"{id}\"")).unwrap_or(0);
    json[..position].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: Result<&[&str], &str>) {
        match (parse(json, "manifest.json"), expected) {
            (Ok(operations), Ok(names)) => {
                let found: Vec<&str> = operations
                    .iter()
                    .map(|operation| operation.name.as_str())
                    .collect();
                assert_eq!(found, names, "{json}");
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, expected) => panic!("{json}: {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn reads_the_common_formats() {
        check(
            r#"{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"1","name":"A","type":"query","body":"query A { a }"}]}"#,
            Ok(&["A"]),
        );
        check(
            r#"{"version":2,"operations":[{"signature":"1","document":"query A { a }","metadata":{}}]}"#,
            Ok(&["A"]),
        );
        check(r#"{"1":"query A { a }","2":"{ b }"}"#, Ok(&["A", "(anonymous)"]));
        check(r#"[["1","query A { a }"]]"#, Ok(&["A"]));
        check(r#"[{"id":"1","query":"query A { a }"}]"#, Ok(&["A"]));
        check("{}", Ok(&[]));
    }

    #[test]
    fn refuses_what_is_none() {
        check(r#"{"a": 1}"#, Err("not a manifest"));
        check("\"text\"", Err("not a manifest"));
        check(
            "{\n  \"1\": \"query {\"\n}",
            Err("manifest.json:2: operation 1 is not GraphQL"),
        );
        check("{\n1", Err("manifest.json:2: not JSON"));
    }
}
