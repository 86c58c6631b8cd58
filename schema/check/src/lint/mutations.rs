//! What mutations take and return.

use apollo_compiler::ast::FieldDefinition;

use crate::coordinate::Coordinate;
use crate::definition::{definition_name, fields_of};
use crate::lint::{Breach, LintRule, Linted};

/// Mutations that do not return a payload of their own, or take several arguments.
pub(crate) fn look(linted: &Linted<'_>, breaches: &mut Vec<Breach>) {
    for definition in &linted.subgraph.document.definitions {
        let Some(ty) = definition_name(definition).filter(|ty| *ty == "Mutation") else {
            continue;
        };
        for field in fields_of(definition) {
            let mut breach = |rule, message: String| {
                breaches.push(Breach {
                    rule,
                    coordinate: Coordinate::member(ty, &field.name),
                    span: field.name.location(),
                    message,
                });
            };
            let payload = payload_name(field);
            if *field.ty.inner_named_type() != *payload || field.ty.is_list() {
                let message = format!(
                    "Mutation.{} returns {} instead of {payload}",
                    field.name, field.ty
                );
                breach(LintRule::MutationPayload, message);
            }
            if field.arguments.len() > 1 {
                let count = field.arguments.len();
                breach(
                    LintRule::MutationInput,
                    format!("Mutation.{} takes {count} arguments", field.name),
                );
            }
        }
    }
}

fn payload_name(field: &FieldDefinition) -> String {
    let mut letters = field.name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect::<String>() + "Payload"
}
