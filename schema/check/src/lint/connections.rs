//! The shape of Relay cursor connections.

use apollo_compiler::ast::{Definition, FieldDefinition};
use apollo_compiler::{Name, Node};

use crate::coordinate::Coordinate;
use crate::definition::{definition_name, fields_of};
use crate::lint::{Breach, LintRule, Linted};

/// Types named `Connection`, `Edge` and `PageInfo` that do not have the fields those have.
pub(crate) fn look(linted: &Linted<'_>, breaches: &mut Vec<Breach>) {
    for definition in &linted.subgraph.document.definitions {
        let (Definition::ObjectTypeDefinition(_), Some(ty)) = (definition, definition_name(definition))
        else {
            continue;
        };
        let fields = fields_of(definition);
        let problem = if ty.ends_with("Connection") {
            connection(fields)
        } else if ty.ends_with("Edge") {
            edge(fields)
        } else if ty == "PageInfo" {
            page_info(fields)
        } else {
            None
        };
        if let Some(problem) = problem {
            breaches.push(breach(ty, problem));
        }
    }
}

fn breach(ty: &Name, problem: &str) -> Breach {
    Breach {
        rule: LintRule::RelayConnection,
        coordinate: Coordinate::Type(ty.clone()),
        span: ty.location(),
        message: format!("{ty} {problem}"),
    }
}

type Fields = [Node<FieldDefinition>];

fn find<'a>(fields: &'a Fields, name: &str) -> Option<&'a FieldDefinition> {
    fields
        .iter()
        .find(|field| field.name == name)
        .map(|field| &**field)
}

fn connection(fields: &Fields) -> Option<&'static str> {
    let edges = find(fields, "edges").filter(|edges| edges.ty.is_list());
    let Some(edges) = edges else {
        return Some("has no list of edges");
    };
    if !edges.ty.inner_named_type().ends_with("Edge") {
        return Some("has edges of a type that does not end in Edge");
    }
    let page_info = find(fields, "pageInfo").map(|field| field.ty.to_string());
    (page_info.as_deref() != Some("PageInfo!")).then_some("has no pageInfo: PageInfo!")
}

fn edge(fields: &Fields) -> Option<&'static str> {
    match find(fields, "node") {
        None => return Some("has no node"),
        Some(node) if node.ty.is_list() => return Some("has a list as its node"),
        Some(_) => {}
    }
    find(fields, "cursor").is_none().then_some("has no cursor")
}

fn page_info(fields: &Fields) -> Option<&'static str> {
    let is = |name: &str, ty: &str| find(fields, name).is_some_and(|field| field.ty.to_string() == ty);
    if !is("hasNextPage", "Boolean!") || !is("hasPreviousPage", "Boolean!") {
        return Some("has no hasNextPage: Boolean! and hasPreviousPage: Boolean!");
    }
    let cursors = find(fields, "startCursor").is_some() && find(fields, "endCursor").is_some();
    (!cursors).then_some("has no startCursor and endCursor")
}
