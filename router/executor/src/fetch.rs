//! One fetch: whether it runs, what it asks for, and the request that asks.

use apollo_compiler::ast;
use fondaco_planner::query_plan::{Condition, Fetch, FetchTarget};

use crate::representations::Representations;
use crate::value::Value;
use crate::variables::Variables;

/// What of a fetch is the same for every request.
#[derive(Debug)]
pub(crate) struct PreparedFetch {
    /// The request body up to the variables.
    body_head: Vec<u8>,
    /// Response keys of the operation's root fields, in order.
    pub(crate) root_keys: Vec<String>,
}

/// What a started fetch waits for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Root fields.
    Root,
    /// Entities, for each selection of the fetch.
    Entities(Vec<Representations>),
}

impl PreparedFetch {
    pub(crate) fn new(fetch: &Fetch) -> Self {
        let mut body_head = b"{\"query\":".to_vec();
        let operation = serde_json::Value::from(&*fetch.operation);
        body_head.extend_from_slice(operation.to_string().as_bytes());
        if let Some(name) = &fetch.operation_name {
            body_head.extend_from_slice(b",\"operationName\":");
            Value::String(name).write(&mut body_head);
        }
        body_head.extend_from_slice(b",\"variables\":{");
        Self {
            body_head,
            root_keys: root_keys(&fetch.operation),
        }
    }

    /// The whole request body.
    pub(crate) fn body(&self, fetch: &Fetch, asked: &Asked, variables: &Variables<'_>) -> Vec<u8> {
        let lists = asked.representation_lists(fetch);
        let size: usize = lists.iter().map(|(name, json)| name.len() + json.len() + 4).sum();
        let mut body = Vec::with_capacity(self.body_head.len() + size + 64);
        body.extend_from_slice(&self.body_head);
        for (name, json) in lists {
            Value::String(name).write(&mut body);
            body.push(b':');
            body.extend_from_slice(json);
            body.push(b',');
        }
        for name in &fetch.variables {
            if let Some(value) = variables.get(name) {
                Value::String(name).write(&mut body);
                body.push(b':');
                value.write(&mut body);
                body.push(b',');
            }
        }
        if body.last() == Some(&b',') {
            body.pop();
        }
        body.extend_from_slice(b"}}");
        body
    }
}

impl Asked {
    /// What to ask for now; `None` if a condition forbids it or the data holds no entity to look up.
    pub(crate) fn new(fetch: &Fetch, variables: &Variables<'_>, data: &Value<'_>) -> Option<Self> {
        if !hold(&fetch.conditions, variables) {
            return None;
        }
        let FetchTarget::Entities(selections) = &fetch.target else {
            return Some(Asked::Root);
        };
        let lists: Vec<_> = selections
            .iter()
            .map(|selection| match hold(&selection.conditions, variables) {
                true => Representations::collect(selection, data),
                false => Representations::none(),
            })
            .collect();
        lists
            .iter()
            .any(|list| !list.is_empty())
            .then_some(Asked::Entities(lists))
    }

    fn representation_lists<'f>(&'f self, fetch: &'f Fetch) -> Vec<(&'f str, &'f [u8])> {
        match (self, &fetch.target) {
            (Asked::Entities(lists), FetchTarget::Entities(selections)) => selections
                .iter()
                .zip(lists)
                .map(|(selection, list)| (selection.variable.as_str(), list.json.as_slice()))
                .collect(),
            _ => Vec::new(),
        }
    }
}

fn hold(conditions: &[Condition], variables: &Variables<'_>) -> bool {
    conditions
        .iter()
        .all(|condition| variables.get(&condition.variable) == Some(&Value::Bool(condition.expected)))
}

/// Response keys at the root of a document of one operation.
fn root_keys(document: &str) -> Vec<String> {
    let document = match ast::Document::parse(document, "fetch.graphql") {
        Ok(document) => document,
        Err(incomplete) => incomplete.partial,
    };
    let mut keys = Vec::new();
    for definition in &document.definitions {
        if let ast::Definition::OperationDefinition(operation) = definition {
            collect_keys(&document, &operation.selection_set, &mut keys);
        }
    }
    keys
}

fn collect_keys(document: &ast::Document, selections: &[ast::Selection], keys: &mut Vec<String>) {
    for selection in selections {
        match selection {
            ast::Selection::Field(field) => {
                let key = field.response_name().to_string();
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
            ast::Selection::InlineFragment(fragment) => {
                collect_keys(document, &fragment.selection_set, keys);
            }
            ast::Selection::FragmentSpread(spread) => {
                for definition in &document.definitions {
                    if let ast::Definition::FragmentDefinition(fragment) = definition
                        && fragment.name == spread.fragment_name
                    {
                        collect_keys(document, &fragment.selection_set, keys);
                    }
                }
            }
        }
    }
}
