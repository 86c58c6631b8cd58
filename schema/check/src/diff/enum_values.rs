//! Values of enums: what matters is whether clients send them, receive them, or both.

use apollo_compiler::Name;
use apollo_compiler::schema::EnumType;

use crate::change::{Affects, Change};
use crate::coordinate::Coordinate;
use crate::diff::{Sides, accessibility, deprecation, descriptions, positions};
use crate::rule::Rule;

/// Values that came, went or changed.
pub(crate) fn compare(
    sides: &Sides<'_>,
    ty: &Name,
    old: &EnumType,
    new: &EnumType,
    changes: &mut Vec<Change>,
) {
    for (name, old) in &old.values {
        let coordinate = Coordinate::member(ty, name);
        if let Some(new) = new.values.get(name) {
            descriptions::compare(
                &coordinate,
                old.description.as_ref(),
                new.description.as_ref(),
                changes,
            );
            deprecation::compare(&coordinate, &old.directives, &new.directives, changes);
            continue;
        }
        let message = format!("Enum value {coordinate} was removed");
        let change = if sides.positions.is_sent(ty) {
            let affects = Affects::SentValue(ty.clone(), name.clone());
            accessibility::gone(sides, Rule::EnumValueRemoved, coordinate, message, affects)
        } else {
            Change::new(
                Rule::EnumValueRemovedFromResults,
                coordinate,
                message,
                Affects::Returned(ty.clone()),
            )
        };
        changes.push(change);
    }
    for name in new.values.keys().filter(|name| !old.values.contains_key(*name)) {
        let coordinate = Coordinate::member(ty, name);
        let message = format!("Enum value {coordinate} was added");
        let change = if positions::is_returned(sides.old_api(), ty) {
            Change::new(
                Rule::EnumValueAddedToResults,
                coordinate,
                message,
                Affects::Returned(ty.clone()),
            )
        } else {
            accessibility::came(sides, Rule::EnumValueAdded, coordinate, message)
        };
        changes.push(change);
    }
}
