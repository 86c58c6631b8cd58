//! Directives for operations: clients may use those that every subgraph defines alike.

use std::collections::BTreeMap;

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{
    DirectiveDefinition, DirectiveList, DirectiveLocation, InputValueDefinition, Type,
};

use super::Merger;
use crate::code::HintCode;
use crate::model::{FieldDef, InputDef, Subgraph};

impl<'a> Merger<'a> {
    pub(super) fn merge_executable_directives(&mut self) -> BTreeMap<Name, Node<DirectiveDefinition>> {
        let mut defined: BTreeMap<&Name, &Node<DirectiveDefinition>> = BTreeMap::new();
        for member in self.members {
            for (name, definition) in &member.subgraph.directive_definitions {
                defined.entry(name).or_insert(definition);
            }
        }
        let mut merged = BTreeMap::new();
        for definition in defined.into_values() {
            if self
                .composed
                .iter()
                .any(|composed| composed.local == definition.name.as_str())
            {
                continue;
            }
            if let Some(definition) = self.merge_executable_directive(definition) {
                merged.insert(definition.name.clone(), definition);
            }
        }
        merged
    }

    fn merge_executable_directive(
        &mut self,
        first: &Node<DirectiveDefinition>,
    ) -> Option<Node<DirectiveDefinition>> {
        let locations = executable_locations(first);
        if locations.is_empty() {
            return None;
        }
        let definitions = self.definitions(first)?;
        let common: Vec<_> = locations
            .iter()
            .copied()
            .filter(|location| {
                definitions
                    .iter()
                    .all(|(_, other)| other.locations.contains(location))
            })
            .collect();
        let name = &first.name;
        if common.is_empty() {
            let message = format!("directive @{name} is dropped: its subgraphs have no location in common");
            self.definition_hint(
                HintCode::NoExecutableDirectiveIntersection,
                definitions[0],
                message,
            );
            return None;
        }
        let moved = |other: &DirectiveDefinition| executable_locations(other).len() != common.len();
        if let Some(unlike) = definitions.iter().find(|(_, other)| moved(other)) {
            let message = format!("directive @{name} is kept only where all subgraphs allow it");
            let code = HintCode::InconsistentExecutableDirectiveLocations;
            self.definition_hint(code, *unlike, message);
        }
        let repeatable = definitions.iter().all(|(_, other)| other.repeatable);
        if let Some(unlike) = definitions
            .iter()
            .find(|(_, other)| other.repeatable && !repeatable)
        {
            let message = format!("directive @{name} is not repeatable: not every subgraph allows that");
            let code = HintCode::InconsistentExecutableDirectiveRepeatable;
            self.definition_hint(code, *unlike, message);
        }
        let mut merged = (**first).clone();
        merged.arguments = self.merge_directive_arguments(name, &definitions);
        merged.locations = common;
        merged.repeatable = repeatable;
        Some(Node::new(merged))
    }

    /// The definition of each subgraph, if all have one.
    fn definitions(&mut self, first: &Node<DirectiveDefinition>) -> Option<Vec<Definition<'a>>> {
        let mut definitions = Vec::new();
        for (index, member) in self.members.iter().enumerate() {
            match member.subgraph.directive_definitions.get(&first.name) {
                Some(definition) => definitions.push((index, definition)),
                None => {
                    let message = format!(
                        "directive @{} is dropped: subgraph \"{}\" does not define it",
                        first.name, member.subgraph.name
                    );
                    let code = HintCode::InconsistentExecutableDirectivePresence;
                    let defining = (0..self.members.len()).find_map(|index| {
                        let subgraph = self.subgraph(index);
                        Some((index, subgraph.directive_definitions.get(&first.name)?))
                    });
                    self.definition_hint(code, defining?, message);
                    return None;
                }
            }
        }
        Some(definitions)
    }

    fn definition_hint(&mut self, code: HintCode, (index, definition): Definition<'_>, message: String) {
        let hint = self.subgraph(index).hint(code, definition.location(), message);
        self.hints.push(hint);
    }

    /// The arguments all definitions have, merged like those of fields.
    fn merge_directive_arguments(
        &mut self,
        name: &Name,
        definitions: &[Definition<'a>],
    ) -> Vec<Node<InputValueDefinition>> {
        let declared: Vec<(usize, FieldDef)> = definitions
            .iter()
            .map(|(index, definition)| (*index, as_field(definition, self.subgraph(*index))))
            .collect();
        let sources: Vec<_> = declared.iter().map(|(index, field)| (*index, field)).collect();
        let merged = self.merge_argument_lists(&format!("@{name}"), &sources);
        let print = |argument: InputDef| {
            Node::new(InputValueDefinition {
                description: argument.description,
                name: argument.name,
                ty: Node::new(argument.ty),
                default_value: argument.default,
                directives: argument.directives,
            })
        };
        merged.into_values().map(print).collect()
    }
}

type Definition<'a> = (usize, &'a Node<DirectiveDefinition>);

/// A directive's arguments are declared like those of a field.
fn as_field(definition: &Node<DirectiveDefinition>, subgraph: &Subgraph) -> FieldDef {
    let arguments = definition.arguments.iter().map(|argument| {
        let input = InputDef {
            name: argument.name.clone(),
            description: argument.description.clone(),
            ty: (*argument.ty).clone(),
            default: argument.default_value.clone(),
            directives: subgraph.canonical_directives(&argument.directives),
            span: argument.location(),
        };
        (argument.name.clone(), input)
    });
    FieldDef {
        name: definition.name.clone(),
        description: None,
        ty: Type::Named(definition.name.clone()),
        arguments: arguments.collect(),
        directives: DirectiveList::default(),
        span: definition.location(),
    }
}

fn executable_locations(definition: &DirectiveDefinition) -> Vec<DirectiveLocation> {
    let locations = definition.locations.iter().copied();
    locations.filter(|location| is_executable(*location)).collect()
}

fn is_executable(location: DirectiveLocation) -> bool {
    matches!(
        location,
        DirectiveLocation::Query
            | DirectiveLocation::Mutation
            | DirectiveLocation::Subscription
            | DirectiveLocation::Field
            | DirectiveLocation::FragmentDefinition
            | DirectiveLocation::FragmentSpread
            | DirectiveLocation::InlineFragment
            | DirectiveLocation::VariableDefinition
    )
}
