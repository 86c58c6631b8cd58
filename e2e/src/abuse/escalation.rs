//! Every root field that asks for scopes, called without them: through the router, and at its subgraph as the router would.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::lab::{Lab, identity};
use super::{Matrix, send};
use crate::client::Client;
use crate::platform::supergraph;

const TABLE: &str = "scope escalation";
/// Deep enough for every input of the graph; inputs that nest without end stop here.
const DEEPEST: usize = 6;

/// A root field behind `@requiresScopes`.
struct Guarded {
    operation: &'static str,
    field: String,
    subgraph: String,
}

/// Calls them all.
pub async fn run(lab: &Lab, matrix: &mut Matrix) {
    let guarded = guarded_root_fields();
    assert!(guarded.len() >= 3, "the supergraph has guarded mutations");
    let types = introspect(&lab.platform.client()).await;
    let user = uuid::Uuid::new_v4().to_string();
    let customer = lab
        .platform
        .client()
        .with_token(&lab.token(json!({ "sub": user })));
    // Claims that the issuer of the token may invent, but that are no scopes.
    let pretender = lab.platform.client().with_token(&lab.token(json!({
        "sub": user, "scopess": "product:write inventory:write", "permissions": ["product:write"], "role": "admin",
        "scope": "product:writ product:write:any PRODUCT:WRITE inventory:*",
    })));
    for Guarded {
        operation,
        field,
        subgraph,
    } in &guarded
    {
        let document = document(operation, field, &types);
        for (who, client) in [
            ("nobody", &lab.platform.client()),
            ("a customer", &customer),
            ("a pretender", &pretender),
        ] {
            let answer = client.query(&document, json!({})).await.unwrap();
            let held = answer.data()[field].is_null() && answer.error_code() == "UNAUTHORIZED_FIELD_OR_TYPE";
            matrix.note(TABLE, format!("{field} by {who}"), held, &answer);
        }
        for (who, sub) in [("nobody", None), ("a customer", Some(user.as_str()))] {
            let request = reqwest::Client::new()
                .post(lab.platform.url(subgraph, "/graphql"))
                .header("fondaco-caller", identity(subgraph, sub, json!({})))
                .json(&json!({ "query": document }));
            let answer = send(request).await;
            let refused = ["UNAUTHENTICATED", "FORBIDDEN"].contains(&answer.error_code());
            let held = answer.data()[field].is_null() && refused;
            matrix.note(
                TABLE,
                format!("{field} by {who}, at {subgraph} itself"),
                held,
                &answer,
            );
        }
    }
}

/// Read from the lines of the committed supergraph, which has one field a line.
fn guarded_root_fields() -> Vec<Guarded> {
    let text = std::fs::read_to_string(supergraph()).unwrap();
    let mut found = Vec::new();
    for (operation, opening) in [("query", "type Query"), ("mutation", "type Mutation")] {
        let body = text.lines().skip_while(|line| !line.starts_with(opening));
        for line in body.take_while(|line| *line != "}") {
            let Some(graph) = line.split("@join__field(graph: ").nth(1) else {
                continue;
            };
            if line.contains("@requiresScopes") {
                let name = line.trim().split(['(', ':']).next().unwrap();
                let subgraph = graph.split([')', ',']).next().unwrap();
                found.push(Guarded {
                    operation,
                    field: name.to_owned(),
                    subgraph: subgraph.to_lowercase(),
                });
            }
        }
    }
    found
}

async fn introspect(client: &Client) -> BTreeMap<String, Value> {
    let query = "{ __schema { types { kind name
        fields { name type { ...T } args { name type { ...T } } } inputFields { name type { ...T } defaultValue } enumValues { name } } } }
        fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }";
    let answer = client.query(query, json!({})).await.unwrap();
    let types = answer.expect_data()["__schema"]["types"]
        .as_array()
        .unwrap()
        .clone();
    types
        .into_iter()
        .map(|one| (one["name"].as_str().unwrap().to_owned(), one))
        .collect()
}

/// A call of the field with arguments that are valid, if without sense.
fn document(operation: &str, field: &str, types: &BTreeMap<String, Value>) -> String {
    let root = if operation == "query" { "Query" } else { "Mutation" };
    let fields = types[root]["fields"].as_array().unwrap();
    let definition = fields.iter().find(|one| one["name"] == field).unwrap();
    let arguments: Vec<String> = definition["args"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|argument| argument["type"]["kind"] == "NON_NULL")
        .map(|argument| {
            format!(
                "{}: {}",
                argument["name"].as_str().unwrap(),
                literal(&argument["type"], types, 0)
            )
        })
        .collect();
    let arguments = if arguments.is_empty() {
        String::new()
    } else {
        format!("({})", arguments.join(", "))
    };
    let selection = match types[inner(&definition["type"])]["kind"].as_str() {
        Some("OBJECT" | "INTERFACE" | "UNION") => " { __typename }",
        _ => "",
    };
    format!("{operation} {{ {field}{arguments}{selection} }}")
}

fn inner(ty: &Value) -> &str {
    match &ty["ofType"] {
        Value::Null => ty["name"].as_str().unwrap(),
        of => inner(of),
    }
}

fn literal(ty: &Value, types: &BTreeMap<String, Value>, depth: usize) -> String {
    match ty["kind"].as_str().unwrap() {
        "NON_NULL" => literal(&ty["ofType"], types, depth),
        "LIST" if depth > DEEPEST => "[]".to_owned(),
        "LIST" => format!("[{}]", literal(&ty["ofType"], types, depth + 1)),
        "ENUM" => types[ty["name"].as_str().unwrap()]["enumValues"][0]["name"]
            .as_str()
            .unwrap()
            .to_owned(),
        "INPUT_OBJECT" => object(&types[ty["name"].as_str().unwrap()], types, depth + 1),
        _ => match ty["name"].as_str().unwrap() {
            "Boolean" => "true".to_owned(),
            "Int" | "Float" | "Amount" => "1".to_owned(),
            "DateTime" => "\"2030-01-01T00:00:00Z\"".to_owned(),
            "CurrencyCode" => "\"EUR\"".to_owned(),
            _ => format!("\"{}\"", uuid::Uuid::nil()),
        },
    }
}

fn object(input: &Value, types: &BTreeMap<String, Value>, depth: usize) -> String {
    let required = input["inputFields"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|field| field["type"]["kind"] == "NON_NULL" && field["defaultValue"].is_null());
    let fields: Vec<String> = required
        .map(|field| {
            format!(
                "{}: {}",
                field["name"].as_str().unwrap(),
                literal(&field["type"], types, depth)
            )
        })
        .collect();
    format!("{{ {} }}", fields.join(", "))
}
