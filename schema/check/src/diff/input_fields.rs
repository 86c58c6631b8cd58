//! Fields of input objects, and `@oneOf`.

use apollo_compiler::Name;
use apollo_compiler::schema::InputObjectType;

use crate::change::{Affects, Change, Given};
use crate::coordinate::Coordinate;
use crate::diff::arguments::{ValueRules, value_change};
use crate::diff::{Sides, accessibility, deprecation, descriptions};
use crate::rule::Rule;

const INPUT_FIELD: ValueRules = ValueRules {
    noun: "Input field",
    type_changed: Rule::InputFieldTypeChanged,
    became_non_null: Rule::InputFieldBecameNonNull,
    widened: Rule::InputFieldWidened,
    default_changed: Rule::InputFieldDefaultChanged,
    became_required: Rule::InputFieldBecameRequired,
};

/// Input fields that came, went or changed.
pub(crate) fn compare(
    sides: &Sides<'_>,
    ty: &Name,
    old: &InputObjectType,
    new: &InputObjectType,
    changes: &mut Vec<Change>,
) {
    one_of(
        ty,
        old.directives.has("oneOf"),
        new.directives.has("oneOf"),
        changes,
    );
    for (name, old) in &old.fields {
        let coordinate = Coordinate::member(ty, name);
        let affects = |ways| Affects::InputField(ty.clone(), name.clone(), ways);
        match new.fields.get(name) {
            Some(new) => {
                descriptions::compare(
                    &coordinate,
                    old.description.as_ref(),
                    new.description.as_ref(),
                    changes,
                );
                deprecation::compare(&coordinate, &old.directives, &new.directives, changes);
                if let Some((rule, message, ways)) = value_change(&INPUT_FIELD, &coordinate, old, new) {
                    changes.push(Change::new(rule, coordinate, message, affects(ways)));
                }
            }
            None => {
                let message = format!("Input field {coordinate} was removed");
                let affects = affects(&[Given::Nullable, Given::Value]);
                changes.push(accessibility::gone(
                    sides,
                    Rule::InputFieldRemoved,
                    coordinate,
                    message,
                    affects,
                ));
            }
        }
    }
    for (name, field) in new
        .fields
        .iter()
        .filter(|(name, _)| !old.fields.contains_key(*name))
    {
        let coordinate = Coordinate::member(ty, name);
        if field.is_required() {
            let message = format!("Required input field {coordinate} was added");
            let affects = Affects::Input(ty.clone());
            changes.push(Change::new(
                Rule::RequiredInputFieldAdded,
                coordinate,
                message,
                affects,
            ));
        } else {
            let message = format!("Input field {coordinate} was added");
            changes.push(accessibility::came(
                sides,
                Rule::InputFieldAdded,
                coordinate,
                message,
            ));
        }
    }
}

fn one_of(ty: &Name, old: bool, new: bool, changes: &mut Vec<Change>) {
    let (rule, message) = match (old, new) {
        (false, true) => (
            Rule::OneOfAdded,
            format!("Input {ty} takes exactly one of its fields (@oneOf)"),
        ),
        (true, false) => (
            Rule::OneOfRemoved,
            format!("Input {ty} no longer takes exactly one of its fields (@oneOf)"),
        ),
        _ => return,
    };
    changes.push(Change::new(
        rule,
        Coordinate::Type(ty.clone()),
        message,
        Affects::Input(ty.clone()),
    ));
}
