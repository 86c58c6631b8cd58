//! Directives that operations may use, and their arguments.

use apollo_compiler::ast::DirectiveLocation;
use apollo_compiler::schema::DirectiveDefinition;

use crate::change::{Affects, Change};
use crate::coordinate::Coordinate;
use crate::diff::Sides;
use crate::diff::arguments::{ValueRules, value_change};
use crate::diff::descriptions;
use crate::rule::Rule;

const DIRECTIVE_ARGUMENT: ValueRules = ValueRules {
    noun: "Argument",
    type_changed: Rule::DirectiveArgumentTypeChanged,
    became_non_null: Rule::DirectiveArgumentTypeChanged,
    widened: Rule::DirectiveArgumentWidened,
    default_changed: Rule::DirectiveArgumentDefaultChanged,
    became_required: Rule::RequiredDirectiveArgumentAdded,
};

/// What every server has.
const BUILT_IN: [&str; 2] = ["skip", "include"];

/// Executable directives that came, went or changed.
pub(crate) fn compare(sides: &Sides<'_>, changes: &mut Vec<Change>) {
    let (old, new) = (
        &sides.old_api().directive_definitions,
        &sides.new_api().directive_definitions,
    );
    for (name, before) in old.iter().filter(|(_, definition)| is_executable(definition)) {
        let coordinate = Coordinate::Directive(name.clone());
        match new.get(name) {
            Some(after) => compare_directive(before, after, changes),
            None => {
                let message = format!("Directive @{name} was removed");
                let affects = Affects::Directive(name.clone());
                changes.push(Change::new(Rule::DirectiveRemoved, coordinate, message, affects));
            }
        }
    }
    for (name, definition) in new {
        if is_executable(definition) && !old.contains_key(name) {
            let coordinate = Coordinate::Directive(name.clone());
            let message = format!("Directive @{name} was added");
            changes.push(Change::new(
                Rule::DirectiveAdded,
                coordinate,
                message,
                Affects::Unknown,
            ));
        }
    }
}

fn compare_directive(old: &DirectiveDefinition, new: &DirectiveDefinition, changes: &mut Vec<Change>) {
    let name = &old.name;
    let coordinate = Coordinate::Directive(name.clone());
    descriptions::compare(
        &coordinate,
        old.description.as_ref(),
        new.description.as_ref(),
        changes,
    );
    let mut push = |rule, message| {
        changes.push(Change::new(
            rule,
            coordinate.clone(),
            message,
            Affects::Directive(name.clone()),
        ));
    };
    for location in old.locations.iter().filter(|location| executable(**location)) {
        if !new.locations.contains(location) {
            push(
                Rule::DirectiveLocationRemoved,
                format!("Directive @{name} is no longer allowed on {location}"),
            );
        }
    }
    for location in new.locations.iter().filter(|location| executable(**location)) {
        if !old.locations.contains(location) {
            push(
                Rule::DirectiveLocationAdded,
                format!("Directive @{name} is allowed on {location}"),
            );
        }
    }
    match (old.repeatable, new.repeatable) {
        (true, false) => push(
            Rule::DirectiveNoLongerRepeatable,
            format!("Directive @{name} may no longer be repeated"),
        ),
        (false, true) => push(
            Rule::DirectiveBecameRepeatable,
            format!("Directive @{name} may be repeated"),
        ),
        _ => {}
    }
    compare_arguments(old, new, changes);
}

fn compare_arguments(before: &DirectiveDefinition, after: &DirectiveDefinition, changes: &mut Vec<Change>) {
    let directive = &before.name;
    let affects = || Affects::Directive(directive.clone());
    for old in &before.arguments {
        let coordinate = Coordinate::DirectiveArgument(directive.clone(), old.name.clone());
        match after.argument_by_name(&old.name) {
            Some(new) => {
                descriptions::compare(
                    &coordinate,
                    old.description.as_ref(),
                    new.description.as_ref(),
                    changes,
                );
                if let Some((rule, message, _)) = value_change(&DIRECTIVE_ARGUMENT, &coordinate, old, new) {
                    changes.push(Change::new(rule, coordinate, message, affects()));
                }
            }
            None => {
                let message = format!("Argument {coordinate} was removed");
                changes.push(Change::new(
                    Rule::DirectiveArgumentRemoved,
                    coordinate,
                    message,
                    affects(),
                ));
            }
        }
    }
    for new in after
        .arguments
        .iter()
        .filter(|new| before.argument_by_name(&new.name).is_none())
    {
        let coordinate = Coordinate::DirectiveArgument(directive.clone(), new.name.clone());
        let (rule, message) = if new.is_required() {
            (
                Rule::RequiredDirectiveArgumentAdded,
                format!("Required argument {coordinate} was added"),
            )
        } else {
            (
                Rule::DirectiveArgumentAdded,
                format!("Argument {coordinate} was added"),
            )
        };
        changes.push(Change::new(rule, coordinate, message, affects()));
    }
}

fn is_executable(definition: &DirectiveDefinition) -> bool {
    !BUILT_IN.contains(&definition.name.as_str())
        && definition.locations.iter().any(|location| executable(*location))
}

fn executable(location: DirectiveLocation) -> bool {
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
