//! Descriptions: documentation only.

use apollo_compiler::Node;

use crate::change::{Affects, Change};
use crate::coordinate::Coordinate;
use crate::rule::Rule;

/// A description that came, went or was rewritten.
pub(crate) fn compare(
    coordinate: &Coordinate,
    old: Option<&Node<str>>,
    new: Option<&Node<str>>,
    changes: &mut Vec<Change>,
) {
    let what = match (old, new) {
        (None, Some(_)) => "was added",
        (Some(_), None) => "was removed",
        (Some(old), Some(new)) if old != new => "changed",
        _ => return,
    };
    let message = format!("Description of {coordinate} {what}");
    changes.push(Change::new(
        Rule::DescriptionChanged,
        coordinate.clone(),
        message,
        Affects::Unknown,
    ));
}
