//! `@inaccessible`: an element that clients no longer see, though the graph still has it.

use apollo_compiler::Schema;
use apollo_compiler::schema::ExtendedType;

use crate::change::{Affects, Change};
use crate::coordinate::Coordinate;
use crate::diff::Sides;
use crate::rule::Rule;

/// An element that clients lost: hidden where the graph still has it, otherwise removed (`rule`, `message`).
pub(crate) fn gone(
    sides: &Sides<'_>,
    rule: Rule,
    coordinate: Coordinate,
    message: String,
    affects: Affects,
) -> Change {
    if exists(sides.after.supergraph.schema(), &coordinate) {
        let message = format!("{coordinate} became @inaccessible");
        return Change::new(Rule::InaccessibleAdded, coordinate, message, affects);
    }
    Change::new(rule, coordinate, message, affects)
}

/// An element that is new to clients: shown where the graph already had it, otherwise added (`rule`, `message`).
pub(crate) fn came(sides: &Sides<'_>, rule: Rule, coordinate: Coordinate, message: String) -> Change {
    if exists(sides.before.supergraph.schema(), &coordinate) {
        let message = format!("{coordinate} is no longer @inaccessible");
        return Change::new(Rule::InaccessibleRemoved, coordinate, message, Affects::Unknown);
    }
    Change::new(rule, coordinate, message, Affects::Unknown)
}

fn exists(schema: &Schema, coordinate: &Coordinate) -> bool {
    match coordinate {
        Coordinate::Type(ty) => schema.types.contains_key(ty),
        Coordinate::Member(ty, member) => match schema.types.get(ty) {
            Some(ExtendedType::Enum(ty)) => ty.values.contains_key(member),
            Some(ExtendedType::InputObject(ty)) => ty.fields.contains_key(member),
            _ => schema.type_field(ty, member).is_ok(),
        },
        Coordinate::Argument(ty, field, argument) => schema
            .type_field(ty, field)
            .is_ok_and(|field| field.argument_by_name(argument).is_some()),
        _ => false,
    }
}
