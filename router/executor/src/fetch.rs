//! One fetch: whether it runs, what it asks for, and the request that asks.

use apollo_compiler::ast;
use fondaco_planner::query_plan::{Condition, Fetch, FetchTarget};

use crate::place::{Place, places};
use crate::regrouping::Regrouping;
use crate::representations::{Keyless, Representations};
use crate::value::Value;
use crate::variables::Variables;

/// What of a fetch is the same for every request.
#[derive(Debug)]
pub(crate) struct PreparedFetch {
    /// The request body up to the variables.
    body_head: Vec<u8>,
    /// Writes the operation again where contexts need more selections than the plan has.
    regrouping: Option<Regrouping>,
    /// Response keys of the operation's root fields, in order.
    pub(crate) root_keys: Vec<String>,
    /// For each selection of entities, the response keys of an entity.
    entity_keys: Vec<Vec<String>>,
}

/// What a started fetch waits for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Root fields.
    Root,
    /// Root fields for the objects at these places.
    RootAt(Vec<Place>),
    /// Entities: for each selection of the fetch a list, and several where contexts differ.
    Entities(Vec<Representations>),
}

impl PreparedFetch {
    pub(crate) fn new(fetch: &Fetch) -> Self {
        Self {
            body_head: body_head(fetch, &fetch.operation),
            regrouping: Regrouping::of(fetch),
            root_keys: root_keys(&fetch.operation),
            entity_keys: entity_keys(fetch),
        }
    }

    /// Response keys of the entities that a selection of the fetch brings.
    pub(crate) fn entity_keys(&self, selection: usize) -> &[String] {
        self.entity_keys.get(selection).map_or(&[], Vec::as_slice)
    }

    /// The whole request body.
    pub(crate) fn body(&self, fetch: &Fetch, asked: &Asked, variables: &Variables<'_>) -> Vec<u8> {
        let lists = asked.lists();
        let size: usize = lists
            .iter()
            .map(|list| list.variable.len() + list.json.len() + 4)
            .sum();
        let mut body = Vec::with_capacity(self.body_head.len() + size + 64);
        let regrouped = self
            .regrouping
            .as_ref()
            .and_then(|regrouping| regrouping.operation(lists));
        match &regrouped {
            Some(operation) => body.extend_from_slice(&body_head(fetch, operation)),
            None => body.extend_from_slice(&self.body_head),
        }
        let asks = |list: &&Representations| regrouped.is_none() || !list.is_empty();
        for list in lists.iter().filter(asks) {
            let contexts = list
                .contexts
                .iter()
                .map(|context| (&context.variable, &context.json));
            for (name, json) in std::iter::once((&list.variable, &list.json)).chain(contexts) {
                Value::String(name).write(&mut body);
                body.push(b':');
                body.extend_from_slice(json);
                body.push(b',');
            }
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
    /// What to ask for now; `None` if a condition forbids it or the data holds no entity to look up. Objects whose key is
    /// null are added to `keyless`.
    pub(crate) fn new(
        fetch: &Fetch,
        variables: &Variables<'_>,
        data: &Value<'_>,
        keyless: &mut Vec<Keyless>,
    ) -> Option<Self> {
        if !hold(&fetch.conditions, variables) {
            return None;
        }
        let selections = match &fetch.target {
            FetchTarget::Root => return Some(Asked::Root),
            FetchTarget::RootAt(paths) => {
                let places: Vec<Place> = paths.iter().flat_map(|path| places(data, path)).collect();
                return (!places.is_empty()).then_some(Asked::RootAt(places));
            }
            FetchTarget::Entities(selections) => selections,
        };
        let lists: Vec<_> = selections
            .iter()
            .enumerate()
            .flat_map(
                |(index, selection)| match hold(&selection.conditions, variables) {
                    true => Representations::collect(index, selection, data, keyless),
                    false => vec![Representations::none(index, selection)],
                },
            )
            .collect();
        lists
            .iter()
            .any(|list| !list.is_empty())
            .then_some(Asked::Entities(lists))
    }

    fn lists(&self) -> &[Representations] {
        match self {
            Asked::Entities(lists) => lists,
            _ => &[],
        }
    }
}

/// The request body up to the variables.
fn body_head(fetch: &Fetch, operation: &str) -> Vec<u8> {
    let mut head = b"{\"query\":".to_vec();
    head.extend_from_slice(serde_json::Value::from(operation).to_string().as_bytes());
    if let Some(name) = &fetch.operation_name {
        head.extend_from_slice(b",\"operationName\":");
        Value::String(name).write(&mut head);
    }
    head.extend_from_slice(b",\"variables\":{");
    head
}

fn hold(conditions: &[Condition], variables: &Variables<'_>) -> bool {
    conditions
        .iter()
        .all(|condition| variables.get(&condition.variable) == Some(&Value::Bool(condition.expected)))
}

/// Response keys at the root of a document of one operation.
fn root_keys(operation: &str) -> Vec<String> {
    let document = parsed(operation);
    let mut fields = Vec::new();
    root_fields(&document, &mut fields);
    distinct_keys(&fields)
}

fn entity_keys(fetch: &Fetch) -> Vec<Vec<String>> {
    let FetchTarget::Entities(selections) = &fetch.target else {
        return Vec::new();
    };
    let document = parsed(&fetch.operation);
    let mut roots = Vec::new();
    root_fields(&document, &mut roots);
    let keys = |key: &str| {
        let mut fields = Vec::new();
        for root in roots.iter().filter(|root| root.response_name() == key) {
            collect_fields(&document, &root.selection_set, &mut fields);
        }
        distinct_keys(&fields)
    };
    selections
        .iter()
        .map(|selection| keys(&selection.response_key))
        .collect()
}

fn parsed(operation: &str) -> ast::Document {
    match ast::Document::parse(operation, "fetch.graphql") {
        Ok(document) => document,
        Err(incomplete) => incomplete.partial,
    }
}

fn distinct_keys(fields: &[&ast::Field]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for field in fields {
        let key = field.response_name();
        if !keys.iter().any(|known| known == key.as_str()) {
            keys.push(key.to_string());
        }
    }
    keys
}

fn root_fields<'d>(document: &'d ast::Document, fields: &mut Vec<&'d ast::Field>) {
    for definition in &document.definitions {
        if let ast::Definition::OperationDefinition(operation) = definition {
            collect_fields(document, &operation.selection_set, fields);
        }
    }
}

fn collect_fields<'d>(
    document: &'d ast::Document,
    selections: &'d [ast::Selection],
    fields: &mut Vec<&'d ast::Field>,
) {
    for selection in selections {
        match selection {
            ast::Selection::Field(field) => fields.push(field),
            ast::Selection::InlineFragment(fragment) => {
                collect_fields(document, &fragment.selection_set, fields);
            }
            ast::Selection::FragmentSpread(spread) => {
                for definition in &document.definitions {
                    if let ast::Definition::FragmentDefinition(fragment) = definition
                        && fragment.name == spread.fragment_name
                    {
                        collect_fields(document, &fragment.selection_set, fields);
                    }
                }
            }
        }
    }
}
