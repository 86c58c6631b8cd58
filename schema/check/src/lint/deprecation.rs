//! `@deprecated` with a reason.

use apollo_compiler::Name;
use apollo_compiler::ast::DirectiveList;

use crate::coordinate::Coordinate;
use crate::definition::{definition_name, enum_values_of, fields_of, input_fields_of};
use crate::lint::{Breach, LintRule, Linted};

/// Deprecations that do not say why.
pub(crate) fn look(linted: &Linted<'_>, breaches: &mut Vec<Breach>) {
    let mut look_at = |coordinate: Coordinate, name: &Name, directives: &DirectiveList| {
        let Some(deprecated) = directives.get("deprecated") else {
            return;
        };
        let reason = deprecated
            .specified_argument_by_name("reason")
            .and_then(|reason| reason.as_str());
        if reason.is_none_or(|reason| reason.trim().is_empty()) {
            breaches.push(Breach {
                rule: LintRule::DeprecationReason,
                message: format!("{coordinate} is deprecated without a reason"),
                coordinate,
                span: name.location(),
            });
        }
    };
    for definition in &linted.subgraph.document.definitions {
        let Some(ty) = definition_name(definition) else {
            continue;
        };
        for field in fields_of(definition) {
            look_at(
                Coordinate::member(ty, &field.name),
                &field.name,
                &field.directives,
            );
            for argument in &field.arguments {
                let coordinate = Coordinate::argument(ty, &field.name, &argument.name);
                look_at(coordinate, &argument.name, &argument.directives);
            }
        }
        for field in input_fields_of(definition) {
            look_at(
                Coordinate::member(ty, &field.name),
                &field.name,
                &field.directives,
            );
        }
        for value in enum_values_of(definition) {
            look_at(
                Coordinate::member(ty, &value.value),
                &value.value,
                &value.directives,
            );
        }
    }
}
