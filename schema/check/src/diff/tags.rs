//! `@tag`: what contracts filter by.

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::Schema;

use crate::change::{Affects, Change};
use crate::coordinate::Coordinate;
use crate::diff::Sides;
use crate::diff::deprecation::text_argument;
use crate::diff::supergraph_directive::{each_element, local_name};
use crate::rule::Rule;

/// Tags that elements on both sides gained or lost.
pub(crate) fn compare(sides: &Sides<'_>, changes: &mut Vec<Change>) {
    let (before, after) = (sides.before.supergraph.schema(), sides.after.supergraph.schema());
    let (old, new) = (tags(before), tags(after));
    if old == new {
        return;
    }
    let none = BTreeSet::new();
    let coordinates: BTreeSet<&Coordinate> = old.keys().chain(new.keys()).collect();
    for coordinate in coordinates {
        let (old, new) = (
            old.get(coordinate).unwrap_or(&none),
            new.get(coordinate).unwrap_or(&none),
        );
        if old == new || !has(before, coordinate) || !has(after, coordinate) {
            continue;
        }
        let list = |tags: &BTreeSet<String>| {
            if tags.is_empty() {
                "none".to_owned()
            } else {
                tags.iter().cloned().collect::<Vec<_>>().join(", ")
            }
        };
        let message = format!("Tags of {coordinate} are {} instead of {}", list(new), list(old));
        changes.push(Change::new(
            Rule::TagsChanged,
            coordinate.clone(),
            message,
            Affects::Unknown,
        ));
    }
}

/// The tags of every element that has some.
pub(crate) fn tags(schema: &Schema) -> BTreeMap<Coordinate, BTreeSet<String>> {
    let tag = local_name(schema, "tag", "tag");
    let mut tags = BTreeMap::new();
    if !schema.directive_definitions.contains_key(tag.as_str()) {
        return tags;
    }
    for (ty, definition) in schema.types.iter().filter(|(_, ty)| !ty.is_built_in()) {
        each_element(ty, definition, &mut |coordinate, applied| {
            let own: BTreeSet<String> = applied(&tag)
                .iter()
                .filter_map(|directive| text_argument(Some(directive), "name"))
                .collect();
            if !own.is_empty() {
                tags.insert(coordinate, own);
            }
        });
    }
    tags
}

fn has(schema: &Schema, coordinate: &Coordinate) -> bool {
    let mut found = false;
    let (Coordinate::Type(ty) | Coordinate::Member(ty, _) | Coordinate::Argument(ty, ..)) = coordinate else {
        return false;
    };
    if let Some(definition) = schema.types.get(ty) {
        each_element(ty, definition, &mut |candidate, _| {
            found |= candidate == *coordinate
        });
    }
    found
}
