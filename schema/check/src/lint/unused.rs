//! Types nothing refers to.

use apollo_compiler::Name;
use apollo_compiler::ast::Definition;
use rustc_hash::FxHashSet;

use crate::coordinate::Coordinate;
use crate::definition::{definition_name, fields_of, input_fields_of};
use crate::graph::Graph;
use crate::lint::{Breach, LintRule, Linted};

/// Every type that some field, argument, union, interface or root of any subgraph refers to.
pub(crate) fn references(graph: &Graph) -> FxHashSet<Name> {
    let mut used: FxHashSet<Name> = FxHashSet::default();
    let documents = graph.places.subgraphs().iter().map(|subgraph| &subgraph.document);
    for definition in documents.flat_map(|document| &document.definitions) {
        for field in fields_of(definition) {
            used.insert(field.ty.inner_named_type().clone());
            used.extend(
                field
                    .arguments
                    .iter()
                    .map(|argument| argument.ty.inner_named_type().clone()),
            );
        }
        used.extend(
            input_fields_of(definition)
                .iter()
                .map(|field| field.ty.inner_named_type().clone()),
        );
        match definition {
            Definition::UnionTypeDefinition(ty) => used.extend(ty.members.iter().cloned()),
            Definition::UnionTypeExtension(ty) => used.extend(ty.members.iter().cloned()),
            Definition::DirectiveDefinition(ty) => {
                used.extend(
                    ty.arguments
                        .iter()
                        .map(|argument| argument.ty.inner_named_type().clone()),
                );
            }
            Definition::SchemaDefinition(ty) => {
                used.extend(ty.root_operations.iter().map(|root| root.1.clone()))
            }
            Definition::SchemaExtension(ty) => {
                used.extend(ty.root_operations.iter().map(|root| root.1.clone()))
            }
            // A type behind a used interface is reached through it.
            Definition::ObjectTypeDefinition(ty) if !ty.implements_interfaces.is_empty() => {
                used.insert(ty.name.clone());
            }
            _ => {}
        }
    }
    used
}

/// Types that are not among `used` and are no roots.
pub(crate) fn look(linted: &Linted<'_>, used: &FxHashSet<Name>, breaches: &mut Vec<Breach>) {
    for definition in &linted.subgraph.document.definitions {
        let Some(ty) = definition_name(definition).filter(|_| !definition.is_extension_definition()) else {
            continue;
        };
        let is_root = matches!(ty.as_str(), "Query" | "Mutation" | "Subscription");
        if is_root || ty.starts_with('_') || ty.contains("__") || used.contains(ty) || linted.is_entity(ty) {
            continue;
        }
        breaches.push(Breach {
            rule: LintRule::UnusedType,
            coordinate: Coordinate::Type(ty.clone()),
            span: ty.location(),
            message: format!("Nothing refers to {ty}"),
        });
    }
}
