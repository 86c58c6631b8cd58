//! Descriptions of types, root fields and enum values.

use apollo_compiler::ast::Definition;
use apollo_compiler::{Name, Node};

use crate::coordinate::Coordinate;
use crate::definition::{definition_name, enum_values_of, fields_of};
use crate::lint::{Breach, LintRule, Linted};

/// Types, root fields and enum values without one.
pub(crate) fn look(linted: &Linted<'_>, breaches: &mut Vec<Breach>) {
    for definition in &linted.subgraph.document.definitions {
        let Some(ty) = definition_name(definition) else {
            continue;
        };
        let is_root = matches!(ty.as_str(), "Query" | "Mutation" | "Subscription");
        if let Some(description) = description_of(definition)
            && is_missing(description)
            && !is_root
        {
            breaches.push(breach(
                LintRule::TypeDescription,
                Coordinate::Type(ty.clone()),
                ty,
            ));
        }
        for field in fields_of(definition)
            .iter()
            .filter(|field| is_root && !field.name.starts_with('_'))
        {
            if is_missing(&field.description) {
                let coordinate = Coordinate::member(ty, &field.name);
                breaches.push(breach(LintRule::FieldDescription, coordinate, &field.name));
            }
        }
        for value in enum_values_of(definition)
            .iter()
            .filter(|value| is_missing(&value.description))
        {
            let coordinate = Coordinate::member(ty, &value.value);
            breaches.push(breach(LintRule::EnumValueDescription, coordinate, &value.value));
        }
    }
}

fn breach(rule: LintRule, coordinate: Coordinate, name: &Name) -> Breach {
    Breach {
        rule,
        message: format!("{coordinate} has no description"),
        coordinate,
        span: name.location(),
    }
}

fn is_missing(description: &Option<Node<str>>) -> bool {
    description.as_ref().is_none_or(|text| text.trim().is_empty())
}

/// The description of a type that is defined here; an extension has none to give.
fn description_of(definition: &Definition) -> Option<&Option<Node<str>>> {
    match definition {
        Definition::ScalarTypeDefinition(ty) => Some(&ty.description),
        Definition::ObjectTypeDefinition(ty) => Some(&ty.description),
        Definition::InterfaceTypeDefinition(ty) => Some(&ty.description),
        Definition::UnionTypeDefinition(ty) => Some(&ty.description),
        Definition::EnumTypeDefinition(ty) => Some(&ty.description),
        Definition::InputObjectTypeDefinition(ty) => Some(&ty.description),
        _ => None,
    }
}
