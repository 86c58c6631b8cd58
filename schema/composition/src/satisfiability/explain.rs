//! Telling a person which query fails, and at each hop why.

use std::fmt::Write as _;

use apollo_compiler::Name;

use super::places::{Place, Places};
use super::resolve::{Obstacle, Resolver};
use super::walk::{State, Step};

impl Resolver<'_> {
    /// The query, then a line for every place at hand and every subgraph that might have helped.
    pub(super) fn explain(&mut self, steps: &[Step], state: &State, field: &Name) -> String {
        let State { ty, places, .. } = state;
        let composite = self.is_composite(ty, field);
        let mut message = format!(
            "no subgraph can resolve this query:\n{}",
            query_text(steps, composite)
        );
        for (label, on) in state.choices.iter() {
            let switched = if on { "on" } else { "off" };
            let _ = write!(
                message,
                "\n- with override label \"{}\" {switched}",
                self.overrides.labels[label]
            );
        }
        for place in places {
            let resolved = self.under_all_choices(&state.choices, |resolver| {
                resolver.resolve_at(ty, field, place, places, &state.contexts)
            });
            if let Some((_, Err(obstacle))) = resolved.into_iter().next() {
                let subgraph = &self.members[place.subgraph].subgraph.name;
                let _ = write!(
                    message,
                    "\n- in subgraph \"{subgraph}\", {}",
                    obstacle.describe(&place.ty, field)
                );
            }
        }
        for subgraph in 0..self.members.len() {
            if !places.iter().any(|place| place.subgraph == subgraph) && self.declares(subgraph, ty, field) {
                let name = &self.members[subgraph].subgraph.name;
                let _ = write!(
                    message,
                    "\n- subgraph \"{name}\" has \"{ty}.{field}\", but {}",
                    self.no_way_to(subgraph, ty, places)
                );
            }
        }
        message
    }

    /// The query, and why nobody can say of what type its objects are.
    pub(super) fn explain_interface_objects(&self, steps: &[Step], ty: &Name, places: &Places) -> String {
        let mut message = format!(
            "no subgraph can tell the type of the objects of this query:\n{}",
            query_text(steps, true)
        );
        for place in places {
            let name = &self.members[place.subgraph].subgraph.name;
            let _ = write!(
                message,
                "\n- in subgraph \"{name}\", \"{ty}\" is an interface object, and none of its keys leads to a subgraph that knows its implementations"
            );
        }
        message
    }

    fn is_composite(&self, ty: &Name, field: &Name) -> bool {
        let field = self.supergraph.types.get(ty).and_then(|ty| ty.fields.get(field));
        let target = field.and_then(|field| self.supergraph.types.get(field.ty.inner_named_type()));
        target.is_some_and(|target| target.kind.is_composite())
    }

    fn declares(&self, subgraph: usize, ty: &Name, field: &Name) -> bool {
        let member = &self.members[subgraph];
        let interfaces = self
            .supergraph
            .types
            .get(ty)
            .into_iter()
            .flat_map(|ty| ty.implements.iter());
        let known_as = std::iter::once(ty)
            .chain(interfaces)
            .filter_map(|name| member.subgraph.types.get(name));
        known_as
            .filter(|known| known.name == *ty || known.is_interface_object())
            .any(|known| {
                known
                    .fields
                    .get(field)
                    .is_some_and(|field| !member.facts.is_external(known, field))
            })
    }

    /// Why none of the subgraph's keys leads there.
    fn no_way_to(&mut self, subgraph: usize, ty: &Name, places: &Places) -> String {
        let keys: Vec<String> = self
            .entries(ty)
            .iter()
            .filter(|entry| entry.subgraph == subgraph)
            .map(|entry| format!("\"{}\"", entry.key.fields))
            .collect();
        let from: Vec<String> = places
            .iter()
            .map(|place: &Place| format!("\"{}\"", self.members[place.subgraph].subgraph.name))
            .collect();
        match keys.as_slice() {
            [] => format!("no resolvable @key on \"{ty}\" to get there"),
            [key] => format!("its key {key} cannot be had from {}", from.join(", ")),
            keys => format!(
                "none of its keys {} can be had from {}",
                keys.join(", "),
                from.join(", ")
            ),
        }
    }
}

impl Obstacle<'_> {
    fn describe(&self, ty: &Name, field: &Name) -> String {
        match self {
            Self::Absent => format!("there is no field \"{ty}.{field}\""),
            Self::External => format!("field \"{ty}.{field}\" is @external"),
            Self::Overridden => format!("field \"{ty}.{field}\" is overridden by another subgraph"),
            Self::Context(name) => format!(
                "field \"{ty}.{field}\" needs context \"{name}\", which is not set (or cannot be read) on this way"
            ),
            Self::Requires(fields) => {
                format!(
                    "field \"{ty}.{field}\" requires \"{fields}\", which cannot be had (or brought back by a key)"
                )
            }
        }
    }
}

/// The query along the steps, indented; a composite last field stands for any selection below it.
fn query_text(steps: &[Step], composite: bool) -> String {
    let mut text = String::new();
    for (depth, step) in steps.iter().enumerate() {
        let indent = "  ".repeat(depth);
        let last = depth + 1 == steps.len();
        let opened = match (last, composite) {
            (false, _) => " {",
            (true, true) => " { ... }",
            (true, false) => "",
        };
        let _ = match step {
            Step::Operation(operation) => writeln!(text, "{operation}{opened}"),
            Step::Field(name) => writeln!(text, "{indent}{name}{opened}"),
            Step::Condition(name) => writeln!(text, "{indent}... on {name}{opened}"),
        };
    }
    for depth in (0..steps.len().saturating_sub(1)).rev() {
        let _ = writeln!(text, "{}}}", "  ".repeat(depth));
    }
    text.trim_end().to_owned()
}
