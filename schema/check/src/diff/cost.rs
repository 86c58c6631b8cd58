//! `@cost` and `@listSize`: what demand control counts.

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::Schema;

use crate::change::{Affects, Change};
use crate::coordinate::Coordinate;
use crate::diff::Sides;
use crate::diff::supergraph_directive::{each_element, local_name};
use crate::rule::Rule;

/// Elements whose cost is said differently. An element that is new on one side is a change of its own.
pub(crate) fn compare(sides: &Sides<'_>, changes: &mut Vec<Change>) {
    let (old, new) = (
        costs(sides.before.supergraph.schema()),
        costs(sides.after.supergraph.schema()),
    );
    let coordinates: BTreeSet<&Coordinate> = old.keys().chain(new.keys()).collect();
    for coordinate in coordinates {
        if old.get(coordinate) == new.get(coordinate) {
            continue;
        }
        let words = |cost: Option<&String>| cost.cloned().unwrap_or_else(|| "no cost".to_owned());
        let message = format!(
            "{coordinate} has {} instead of {}",
            words(new.get(coordinate)),
            words(old.get(coordinate))
        );
        let affects = match coordinate {
            Coordinate::Member(ty, field) | Coordinate::Argument(ty, field, _) => {
                Affects::Field(ty.clone(), field.clone())
            }
            Coordinate::Type(ty) => Affects::Type(ty.clone()),
            _ => Affects::Unknown,
        };
        changes.push(Change::new(
            Rule::CostChanged,
            coordinate.clone(),
            message,
            affects,
        ));
    }
}

fn costs(schema: &Schema) -> BTreeMap<Coordinate, String> {
    let names = [
        local_name(schema, "cost", "cost"),
        local_name(schema, "cost", "listSize"),
    ];
    let mut costs = BTreeMap::new();
    if !names
        .iter()
        .any(|name| schema.directive_definitions.contains_key(name.as_str()))
    {
        return costs;
    }
    for (ty, definition) in schema.types.iter().filter(|(_, ty)| !ty.is_built_in()) {
        each_element(ty, definition, &mut |coordinate, applied| {
            let own: Vec<String> = names
                .iter()
                .flat_map(|name| applied(name))
                .map(|directive| directive.to_string())
                .collect();
            if !own.is_empty() {
                costs.insert(coordinate, own.join(" "));
            }
        });
    }
    costs
}
