//! `@key`: the ways into a subgraph's entities.

use std::collections::BTreeSet;

use apollo_compiler::Name;
use apollo_compiler::executable::{Selection, SelectionSet};
use fondaco_supergraph::{Supergraph, TypeModel, TypeSource};

use crate::change::Change;
use crate::coordinate::Coordinate;
use crate::diff::Sides;
use crate::rule::Rule;

/// Keys that subgraphs no longer accept, or accept now. A type that left a subgraph as a whole is a matter of its fields.
pub(crate) fn compare(sides: &Sides<'_>, changes: &mut Vec<Change>) {
    let (before, after) = (&sides.before.supergraph, &sides.after.supergraph);
    for ty in after.schema().types.keys() {
        let (Some(old), Some(new)) = (before.type_model(ty), after.type_model(ty)) else {
            continue;
        };
        for (id, old_source) in &old.sources {
            let subgraph = &*before.subgraph(*id).name;
            if let Some(new_source) = source_of(after, new, subgraph) {
                compare_keys(
                    ty,
                    subgraph,
                    old_source,
                    new_source,
                    || others(before, old, subgraph),
                    changes,
                );
            }
        }
    }
}

fn compare_keys(
    ty: &Name,
    subgraph: &str,
    old: &TypeSource,
    new: &TypeSource,
    others: impl Fn() -> Vec<(String, String)>,
    changes: &mut Vec<Change>,
) {
    let (old, new) = (accepted(old), accepted(new));
    let coordinate = || Coordinate::Type(ty.clone());
    for key in old.difference(&new) {
        let others = others();
        let mut users: Vec<&str> = others
            .iter()
            .filter(|(_, used)| used == key)
            .map(|(user, _)| user.as_str())
            .collect();
        users.dedup();
        let (rule, message) = if users.is_empty() {
            (
                Rule::UnusedKeyRemoved,
                format!("{subgraph} no longer accepts {ty} by key {{ {key} }}"),
            )
        } else {
            let message = format!(
                "{subgraph} no longer accepts {ty} by key {{ {key} }}, by which {} refers to it",
                users.join(", ")
            );
            (Rule::KeyRemoved, message)
        };
        changes.push(Change::in_subgraph(rule, subgraph, coordinate(), message));
    }
    for key in new.difference(&old) {
        let message = format!("{subgraph} accepts {ty} by key {{ {key} }}");
        changes.push(Change::in_subgraph(
            Rule::KeyAdded,
            subgraph,
            coordinate(),
            message,
        ));
    }
}

/// The keys by which the subgraph can be entered.
fn accepted(source: &TypeSource) -> BTreeSet<String> {
    let keys = source.keys.iter().filter(|key| key.resolvable);
    keys.map(|key| field_set_text(&key.fields)).collect()
}

/// The keys of the other subgraphs, with who has them; they can refer to the entity by these.
fn others(supergraph: &Supergraph, model: &TypeModel, subgraph: &str) -> Vec<(String, String)> {
    let others = model
        .sources
        .iter()
        .map(|(id, source)| (&*supergraph.subgraph(*id).name, source));
    let others = others.filter(|(name, _)| *name != subgraph);
    others
        .flat_map(|(name, source)| {
            source
                .keys
                .iter()
                .map(move |key| (name.to_owned(), field_set_text(&key.fields)))
        })
        .collect()
}

fn source_of<'a>(supergraph: &Supergraph, model: &'a TypeModel, subgraph: &str) -> Option<&'a TypeSource> {
    let found = model
        .sources
        .iter()
        .find(|(id, _)| &*supergraph.subgraph(**id).name == subgraph);
    found.map(|(_, source)| source)
}

/// A field set with its fields in order of name, so that equal sets read alike.
pub(crate) fn field_set_text(set: &SelectionSet) -> String {
    let mut parts: Vec<String> = set.selections.iter().map(selection_text).collect();
    parts.sort();
    parts.join(" ")
}

fn selection_text(selection: &Selection) -> String {
    match selection {
        Selection::Field(field) => {
            let arguments: Vec<String> = field
                .arguments
                .iter()
                .map(|argument| format!("{}: {}", argument.name, argument.value))
                .collect();
            let arguments = if arguments.is_empty() {
                String::new()
            } else {
                format!("({})", arguments.join(", "))
            };
            let below = field_set_text(&field.selection_set);
            let below = if below.is_empty() {
                String::new()
            } else {
                format!(" {{ {below} }}")
            };
            format!("{}{arguments}{below}", field.name)
        }
        Selection::InlineFragment(fragment) => {
            let condition = fragment
                .type_condition
                .as_ref()
                .map(|ty| format!(" on {ty}"))
                .unwrap_or_default();
            format!("...{condition} {{ {} }}", field_set_text(&fragment.selection_set))
        }
        Selection::FragmentSpread(spread) => format!("...{}", spread.fragment_name),
    }
}
