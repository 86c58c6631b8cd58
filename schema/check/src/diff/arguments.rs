//! Arguments of fields.

use apollo_compiler::Name;
use apollo_compiler::ast::{FieldDefinition, InputValueDefinition};

use crate::change::{Affects, Change, Given};
use crate::coordinate::Coordinate;
use crate::diff::nullability::{self, TypeChange};
use crate::diff::{Sides, accessibility, deprecation, descriptions};
use crate::rule::Rule;

/// Arguments that came, went or changed.
pub(crate) fn compare(
    sides: &Sides<'_>,
    ty: &Name,
    old_field: &FieldDefinition,
    new_field: &FieldDefinition,
    changes: &mut Vec<Change>,
) {
    let field = &old_field.name;
    for old in &old_field.arguments {
        let coordinate = Coordinate::argument(ty, field, &old.name);
        let affects = |ways| Affects::Argument(ty.clone(), field.clone(), old.name.clone(), ways);
        match new_field.argument_by_name(&old.name) {
            Some(new) => {
                descriptions::compare(
                    &coordinate,
                    old.description.as_ref(),
                    new.description.as_ref(),
                    changes,
                );
                deprecation::compare(&coordinate, &old.directives, &new.directives, changes);
                if let Some((rule, message, ways)) = value_change(&ARGUMENT, &coordinate, old, new) {
                    changes.push(Change::new(rule, coordinate, message, affects(ways)));
                }
            }
            None => {
                let message = format!("Argument {coordinate} was removed");
                let affects = affects(&[Given::Nullable, Given::Value]);
                changes.push(accessibility::gone(
                    sides,
                    Rule::ArgumentRemoved,
                    coordinate,
                    message,
                    affects,
                ));
            }
        }
    }
    for new in &new_field.arguments {
        if old_field.argument_by_name(&new.name).is_some() {
            continue;
        }
        let coordinate = Coordinate::argument(ty, field, &new.name);
        if new.is_required() {
            let message = format!("Required argument {coordinate} was added");
            let affects = Affects::Field(ty.clone(), field.clone());
            changes.push(Change::new(
                Rule::RequiredArgumentAdded,
                coordinate,
                message,
                affects,
            ));
        } else {
            let message = format!("Argument {coordinate} was added");
            changes.push(accessibility::came(
                sides,
                Rule::ArgumentAdded,
                coordinate,
                message,
            ));
        }
    }
}

/// The rules for one kind of value that clients send.
pub(crate) struct ValueRules {
    pub(crate) noun: &'static str,
    pub(crate) type_changed: Rule,
    pub(crate) became_non_null: Rule,
    pub(crate) widened: Rule,
    pub(crate) default_changed: Rule,
    pub(crate) became_required: Rule,
}

const ARGUMENT: ValueRules = ValueRules {
    noun: "Argument",
    type_changed: Rule::ArgumentTypeChanged,
    became_non_null: Rule::ArgumentBecameNonNull,
    widened: Rule::ArgumentWidened,
    default_changed: Rule::ArgumentDefaultChanged,
    became_required: Rule::ArgumentBecameRequired,
};

type ValueChange = (Rule, String, &'static [Given]);

/// What changed about a value that clients send, and by which way of giving it they notice. Of several changes, the gravest.
pub(crate) fn value_change(
    rules: &ValueRules,
    coordinate: &Coordinate,
    old: &InputValueDefinition,
    new: &InputValueDefinition,
) -> Option<ValueChange> {
    use Given::{Absent, Nullable, Value};
    let noun = rules.noun;
    let types = || format!("{noun} {coordinate} takes {} instead of {}", new.ty, old.ty);
    match nullability::of_input(&old.ty, &new.ty) {
        TypeChange::Other => return Some((rules.type_changed, types(), &[Nullable, Value])),
        TypeChange::NonNull => {
            let inside = old.ty.is_non_null() || !new.ty.is_non_null();
            let ways: &[Given] = match (inside, new.is_required()) {
                (true, _) => &[Nullable, Value],
                (false, true) => &[Absent, Nullable],
                (false, false) => &[Nullable],
            };
            return Some((rules.became_non_null, types(), ways));
        }
        TypeChange::Nullable | TypeChange::Same => {}
    }
    if old.default_value != new.default_value {
        return Some(default_change(rules, coordinate, old, new));
    }
    (old.ty != new.ty).then(|| (rules.widened, types(), &[] as &[Given]))
}

fn default_change(
    rules: &ValueRules,
    coordinate: &Coordinate,
    old: &InputValueDefinition,
    new: &InputValueDefinition,
) -> ValueChange {
    let noun = rules.noun;
    let (rule, message) = match (&old.default_value, &new.default_value) {
        (Some(old), None) if new.is_required() => (
            rules.became_required,
            format!("{noun} {coordinate} lost its default {old} and is required"),
        ),
        (Some(old), Some(new)) => (
            rules.default_changed,
            format!("{noun} {coordinate} has the default {new} instead of {old}"),
        ),
        (Some(old), None) => (
            rules.default_changed,
            format!("{noun} {coordinate} lost its default {old}"),
        ),
        (None, Some(new)) => (
            rules.default_changed,
            format!("{noun} {coordinate} has the default {new}"),
        ),
        (None, None) => (rules.widened, format!("{noun} {coordinate} changed")),
    };
    (rule, message, &[Given::Absent, Given::Nullable])
}
