//! Fields of object and interface types.

use apollo_compiler::Name;
use apollo_compiler::ast::FieldDefinition;
use apollo_compiler::collections::IndexMap;
use apollo_compiler::schema::Component;

use crate::change::{Affects, Change};
use crate::coordinate::Coordinate;
use crate::diff::nullability::{self, TypeChange};
use crate::diff::{Sides, accessibility, arguments, deprecation, descriptions};
use crate::rule::Rule;

type Fields = IndexMap<Name, Component<FieldDefinition>>;

/// Fields that came, went or changed.
pub(crate) fn compare(sides: &Sides<'_>, ty: &Name, old: &Fields, new: &Fields, changes: &mut Vec<Change>) {
    for (name, old) in old {
        let coordinate = Coordinate::member(ty, name);
        match new.get(name) {
            Some(new) => compare_field(sides, ty, old, new, changes),
            None => {
                let message = format!("Field {coordinate} was removed");
                let affects = Affects::Field(ty.clone(), name.clone());
                changes.push(accessibility::gone(
                    sides,
                    Rule::FieldRemoved,
                    coordinate,
                    message,
                    affects,
                ));
            }
        }
    }
    for name in new.keys().filter(|name| !old.contains_key(*name)) {
        let coordinate = Coordinate::member(ty, name);
        let message = format!("Field {coordinate} was added");
        changes.push(accessibility::came(sides, Rule::FieldAdded, coordinate, message));
    }
}

fn compare_field(
    sides: &Sides<'_>,
    ty: &Name,
    old: &FieldDefinition,
    new: &FieldDefinition,
    changes: &mut Vec<Change>,
) {
    let coordinate = Coordinate::member(ty, &old.name);
    descriptions::compare(
        &coordinate,
        old.description.as_ref(),
        new.description.as_ref(),
        changes,
    );
    deprecation::compare(&coordinate, &old.directives, &new.directives, changes);
    let rule = match nullability::of_result(&old.ty, &new.ty) {
        TypeChange::Same => None,
        TypeChange::NonNull => Some(Rule::FieldBecameNonNull),
        TypeChange::Nullable => Some(Rule::FieldBecameNullable),
        TypeChange::Other => Some(Rule::FieldTypeChanged),
    };
    if let Some(rule) = rule {
        let message = format!("Field {coordinate} returns {} instead of {}", new.ty, old.ty);
        let affects = Affects::Field(ty.clone(), old.name.clone());
        changes.push(Change::new(rule, coordinate, message, affects));
    }
    arguments::compare(sides, ty, old, new, changes);
}
