//! Which subgraphs resolve a field, and what they need or bring along for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use apollo_compiler::Name;
use fondaco_supergraph::{FieldModel, FieldSource, Supergraph};

use crate::change::Change;
use crate::coordinate::Coordinate;
use crate::diff::Sides;
use crate::diff::keys::field_set_text;
use crate::rule::Rule;

type Sources<'a> = BTreeMap<Arc<str>, &'a FieldSource>;

/// Fields of both graphs that other subgraphs resolve now, or the same in another way.
pub(crate) fn compare(sides: &Sides<'_>, changes: &mut Vec<Change>) {
    let (before, after) = (&sides.before.supergraph, &sides.after.supergraph);
    for ty in after.schema().types.keys() {
        let (Some(old), Some(new)) = (before.type_model(ty), after.type_model(ty)) else {
            continue;
        };
        for (name, new) in &new.fields {
            let Some(old) = old.fields.get(name) else {
                continue;
            };
            let (old, new) = (sources(before, old), sources(after, new));
            resolvers(ty, name, &old, &new, changes);
            for (subgraph, new) in &new {
                if let Some(old) = old.get(subgraph) {
                    needs(ty, name, subgraph, old, new, changes);
                }
            }
        }
    }
}

fn sources<'a>(supergraph: &Supergraph, field: &'a FieldModel) -> Sources<'a> {
    let sources = field.sources.iter();
    sources
        .map(|(id, source)| (Arc::clone(&supergraph.subgraph(*id).name), source))
        .collect()
}

fn resolvers(ty: &Name, field: &Name, old: &Sources<'_>, new: &Sources<'_>, changes: &mut Vec<Change>) {
    let resolving = |sources: &Sources<'_>| -> BTreeSet<Arc<str>> {
        let own = sources.iter().filter(|(_, source)| !source.external);
        own.map(|(name, _)| Arc::clone(name)).collect()
    };
    let (old, new) = (resolving(old), resolving(new));
    if old == new {
        return;
    }
    let coordinate = Coordinate::member(ty, field);
    let list = |names: &BTreeSet<Arc<str>>| names.iter().cloned().collect::<Vec<_>>().join(", ");
    let (rule, message) = if old.is_subset(&new) {
        let added: BTreeSet<Arc<str>> = new.difference(&old).cloned().collect();
        (
            Rule::FieldSourceAdded,
            format!("{coordinate} is also resolved by {}", list(&added)),
        )
    } else if new.is_subset(&old) {
        let removed: BTreeSet<Arc<str>> = old.difference(&new).cloned().collect();
        (
            Rule::FieldSourceRemoved,
            format!("{coordinate} is no longer resolved by {}", list(&removed)),
        )
    } else {
        (
            Rule::FieldMoved,
            format!(
                "{coordinate} is resolved by {} instead of {}",
                list(&new),
                list(&old)
            ),
        )
    };
    let blamed = new.difference(&old).chain(old.difference(&new)).next();
    let blamed = blamed.map_or("", |name| &**name);
    changes.push(Change::in_subgraph(rule, blamed, coordinate, message));
}

fn needs(
    ty: &Name,
    field: &Name,
    subgraph: &str,
    old: &FieldSource,
    new: &FieldSource,
    changes: &mut Vec<Change>,
) {
    let coordinate = Coordinate::member(ty, field);
    let text =
        |set: &Option<fondaco_supergraph::FieldSet>| set.as_deref().map(field_set_text).unwrap_or_default();
    let words = |text: &str| {
        if text.is_empty() {
            "nothing".to_owned()
        } else {
            format!("{{ {text} }}")
        }
    };
    for (rule, verb, old, new) in [
        (
            Rule::RequiresChanged,
            "requires",
            text(&old.requires),
            text(&new.requires),
        ),
        (
            Rule::ProvidesChanged,
            "provides",
            text(&old.provides),
            text(&new.provides),
        ),
    ] {
        if old != new {
            let message = format!(
                "{coordinate} {verb} {} instead of {} in {subgraph}",
                words(&new),
                words(&old)
            );
            changes.push(Change::in_subgraph(rule, subgraph, coordinate.clone(), message));
        }
    }
    let label = |source: &FieldSource| {
        let here = source.override_rule.as_ref().filter(|rule| rule.active_here);
        here.map_or_else(|| "none".to_owned(), |rule| format!("\"{}\"", rule.label))
    };
    if label(old) != label(new) {
        let message = format!(
            "@override of {coordinate} in {subgraph} has label {} instead of {}",
            label(new),
            label(old)
        );
        changes.push(Change::in_subgraph(
            Rule::OverrideLabelChanged,
            subgraph,
            coordinate,
            message,
        ));
    }
}
