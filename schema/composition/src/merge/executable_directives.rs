//! Directives for operations: clients may use those that every subgraph defines alike.

use std::collections::BTreeMap;

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{DirectiveDefinition, DirectiveLocation};

use super::Merger;
use crate::diagnostic::Hint;

impl Merger<'_> {
    pub(super) fn merge_executable_directives(&mut self) -> BTreeMap<Name, Node<DirectiveDefinition>> {
        let Some(first) = self.members.first() else {
            return BTreeMap::new();
        };
        let mut merged = BTreeMap::new();
        for definition in first.subgraph.directive_definitions.values() {
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
        let mut locations: Vec<_> = first
            .locations
            .iter()
            .copied()
            .filter(|location| is_executable(*location))
            .collect();
        if locations.is_empty() {
            return None;
        }
        let mut merged = (**first).clone();
        for member in self.members {
            let Some(other) = member.subgraph.directive_definitions.get(&first.name) else {
                let message = format!(
                    "directive @{} is dropped: subgraph \"{}\" does not define it",
                    first.name, member.subgraph.name
                );
                self.hints.push(Hint {
                    code: "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE",
                    message,
                });
                return None;
            };
            locations.retain(|location| other.locations.contains(location));
            merged.arguments.retain(|argument| {
                other
                    .argument_by_name(&argument.name)
                    .is_some_and(|other| other.ty == argument.ty)
            });
            merged.repeatable &= other.repeatable;
        }
        for argument in &mut merged.arguments {
            argument.make_mut().directives.0.clear();
        }
        merged.locations = locations;
        (!merged.locations.is_empty()).then(|| Node::new(merged))
    }
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
