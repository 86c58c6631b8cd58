//! The types at which operations start.

use apollo_compiler::ast::OperationType;

use crate::change::{Affects, Change};
use crate::coordinate::Coordinate;
use crate::diff::Sides;
use crate::rule::Rule;

/// Roots that have another name; those that are gone or new are types that are gone or new.
pub(crate) fn compare(sides: &Sides<'_>, changes: &mut Vec<Change>) {
    for kind in [
        OperationType::Query,
        OperationType::Mutation,
        OperationType::Subscription,
    ] {
        let (Some(old), Some(new)) = (
            sides.old_api().root_operation(kind),
            sides.new_api().root_operation(kind),
        ) else {
            continue;
        };
        if old != new {
            let message = format!(
                "Root type of {} operations is {new} instead of {old}",
                kind.name()
            );
            let affects = Affects::Type(old.clone());
            changes.push(Change::new(
                Rule::RootTypeChanged,
                Coordinate::Type(old.clone()),
                message,
                affects,
            ));
        }
    }
}
