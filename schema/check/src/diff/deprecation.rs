//! `@deprecated` on fields, arguments, input fields and enum values.

use apollo_compiler::ast::{Directive, DirectiveList};

use crate::change::{Affects, Change};
use crate::coordinate::Coordinate;
use crate::rule::Rule;

/// The reason the specification gives where none is written.
const DEFAULT_REASON: &str = "No longer supported";

/// A deprecation that came, went or has another reason.
pub(crate) fn compare(
    coordinate: &Coordinate,
    old: &DirectiveList,
    new: &DirectiveList,
    changes: &mut Vec<Change>,
) {
    let (rule, message) = match (reason(old), reason(new)) {
        (None, Some(reason)) => (
            Rule::DeprecationAdded,
            format!("{coordinate} was deprecated: {reason}"),
        ),
        (Some(_), None) => (
            Rule::DeprecationRemoved,
            format!("{coordinate} is no longer deprecated"),
        ),
        (Some(old), Some(new)) if old != new => (
            Rule::DeprecationReasonChanged,
            format!("{coordinate} is deprecated for another reason: {new}"),
        ),
        _ => return,
    };
    changes.push(Change::new(rule, coordinate.clone(), message, Affects::Unknown));
}

fn reason(directives: &DirectiveList) -> Option<String> {
    let deprecated = directives.get("deprecated")?;
    Some(text_argument(Some(deprecated), "reason").unwrap_or_else(|| DEFAULT_REASON.to_owned()))
}

/// The text of a directive's argument.
pub(crate) fn text_argument(directive: Option<&Directive>, argument: &str) -> Option<String> {
    let value = directive?.specified_argument_by_name(argument)?;
    value.as_str().map(str::to_owned)
}
