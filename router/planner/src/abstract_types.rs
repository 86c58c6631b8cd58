//! Positions of interface and union type, and interface objects.
//!
//! A field stays on the interface where every runtime type of the subgraph resolves it there; everything else is
//! expanded to the runtime types, because subgraphs differ in what their types and interfaces have.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use apollo_compiler::Name;
use fondaco_supergraph::SubgraphId;

use crate::normalize::{Entry, FieldNode, SelectionSet};
use crate::position::{Draft, Hop, Input, Position, Provided, Reach, Rivals, Selected, Solved};
use crate::solve::{MAX_ALTERNATIVES, Session, Value, typename};

impl Session<'_> {
    /// Solves selections on a value of abstract type.
    pub(crate) fn solve_abstract(&mut self, at: &Position, selections: &Arc<SelectionSet>) -> Vec<Solved> {
        let mut solved = vec![Solved {
            typename: true,
            ..Solved::default()
        }];
        let runtime_types = self.runtime_types(at);
        let mut common = Vec::new();
        for field in self.normalizer.collect_common(&selections.entries) {
            if let Some(selected) = self.on_interface(at, &field, &runtime_types) {
                common.push(field.response_key.clone());
                solved = self.product(&solved, &selected, Solved::add_inline);
            }
        }
        let is_common = |entry: &Entry| entry.on.is_none() && common.contains(&entry.field.response_key);
        let others: Vec<Entry> = selections
            .entries
            .iter()
            .filter(|entry| !is_common(entry))
            .cloned()
            .collect();
        let mut rest = Vec::new();
        if self
            .model(&at.ty)
            .is_some_and(|model| model.possible_types.is_empty())
        {
            rest.extend(others.iter().filter(|entry| entry.on.is_none()).cloned());
        }
        for object in &runtime_types {
            let fields = self.normalizer.collect(&others, object);
            if fields.is_empty() {
                continue;
            }
            let at = Position {
                ty: object.clone(),
                ..at.clone()
            };
            let mut variants = self.solve_object(&at, &fields);
            rest.extend(rest_of_variant(
                &others,
                object,
                std::mem::take(&mut variants[0].rest),
            ));
            let variants: Vec<(Name, Rc<Solved>)> = variants
                .into_iter()
                .map(|variant| (object.clone(), Rc::new(variant)))
                .collect();
            solved = self.product(&solved, &variants, Solved::add_variant);
        }
        for solved in &mut solved {
            solved.rest.clone_from(&rest);
        }
        solved
    }

    /// Every solution with every addition, as far as none dominates it.
    fn product<T>(&mut self, solved: &[Solved], additions: &[T], add: fn(&mut Solved, &T)) -> Vec<Solved> {
        let mut sums = Vec::with_capacity(solved.len() * additions.len());
        for solved in solved {
            for addition in additions {
                self.step();
                let mut sum = solved.clone();
                add(&mut sum, addition);
                sums.push(sum);
            }
        }
        if sums.len() == 1 {
            return sums;
        }
        self.prune(sums, MAX_ALTERNATIVES, |sum| &sum.cost)
    }

    /// Object types that a value of the position's type can have in its subgraph.
    fn runtime_types(&self, at: &Position) -> Vec<Name> {
        let Some(model) = self.model(&at.ty) else {
            return Vec::new();
        };
        let source = at.source.and_then(|subgraph| model.sources.get(&subgraph));
        let all = source.map_or(&model.possible_types, |source| &source.possible_types);
        let is_union = self.supergraph.schema().get_union(&at.ty).is_some();
        let everywhere = |object: &Name| {
            at.rivals
                .iter()
                .all(|(rival, ty)| self.can_return(*rival, ty, object))
        };
        all.iter()
            .filter(|object| !is_union || everywhere(object))
            .cloned()
            .collect()
    }

    /// Whether a value of type `ty` in `subgraph` can be an `object`.
    fn can_return(&self, subgraph: SubgraphId, ty: &Name, object: &Name) -> bool {
        let source = self
            .model(ty)
            .filter(|model| model.is_abstract)
            .and_then(|model| model.sources.get(&subgraph));
        source.map_or(ty == object, |source| source.possible_types.contains(object))
    }

    /// The field on the interface itself with every alternative below it, if the subgraph can resolve it there for every
    /// runtime type.
    fn on_interface(
        &mut self,
        at: &Position,
        field: &Arc<FieldNode>,
        runtime_types: &[Name],
    ) -> Option<Vec<Selected>> {
        if field.name == "__typename" {
            return Some(vec![typename(field)]);
        }
        let subgraph = at.source?;
        let source = self.model(&at.ty)?.field_in(&field.name, subgraph)?;
        let resolved_by_all = runtime_types.iter().all(|object| {
            self.model(object)
                .and_then(|model| model.field_in(&field.name, subgraph))
                .is_some_and(|source| {
                    self.is_resolved(source) && source.requires.is_none() && source.provides.is_none()
                })
        });
        if !resolved_by_all || !self.is_resolved(source) {
            return None;
        }
        let mut provided = Provided::default();
        if let Some(provides) = &source.provides {
            provided.0.push(self.field_set(provides));
        }
        for object in runtime_types {
            if at.provided.has(object, &field.name) && field.selections.is_some() {
                return None;
            }
        }
        let below = field.selections.as_ref().map(|selections| {
            let ty = source.ty.inner_named_type();
            let value = Value {
                ty,
                source: subgraph,
                provided: &provided,
                rivals: Rivals::new(),
            };
            self.solve(selections, value, at.reach)
        });
        if below.as_ref().is_some_and(|below| !below[0].rest.is_empty()) {
            return None;
        }
        let selected = |below: Option<Rc<Solved>>| Selected {
            field: field.clone(),
            ty: source.ty.clone(),
            below,
        };
        Some(match below {
            None => vec![selected(None)],
            Some(below) => below.iter().map(|below| selected(Some(below.clone()))).collect(),
        })
    }

    /// Solves selections on an interface that the subgraph has as an object. Fields of interface objects are resolved
    /// as on any object; whatever needs the runtime type is looked up where the interface is a real one.
    pub(crate) fn solve_interface_object(
        &mut self,
        at: &Position,
        selections: &Arc<SelectionSet>,
    ) -> Vec<Solved> {
        let common = self.normalizer.collect_common(&selections.entries);
        let (by_type, common): (Vec<_>, Vec<_>) = common
            .into_iter()
            .partition(|field| field.name == "__typename" || !self.is_on_interface_object(at, field));
        let mut solved = self.solve_object(at, &common);
        let typed = selections.entries.iter().filter(|entry| entry.on.is_some());
        let mut remaining: Vec<Entry> = by_type
            .into_iter()
            .map(|field| Entry { on: None, field })
            .collect();
        remaining.extend(typed.cloned());
        remaining.append(&mut solved[0].rest);
        if remaining.is_empty() {
            return solved;
        }
        let remaining = self.normalizer.set(remaining);
        let resolved = self.resolve_runtime_type(at, &solved, &remaining);
        if !resolved.is_empty() {
            return resolved;
        }
        for solved in &mut solved {
            solved.rest.clone_from(&remaining.entries);
        }
        solved
    }

    fn is_on_interface_object(&self, at: &Position, field: &FieldNode) -> bool {
        let Some(model) = self.model(&at.ty) else {
            return false;
        };
        model.fields.get(&field.name).is_some_and(|definition| {
            definition
                .sources
                .iter()
                .any(|(&id, source)| model.is_interface_object_in(id) && self.is_resolved(source))
        })
    }

    /// Adds a hop to a subgraph where the interface is a real one; empty where none can be reached.
    fn resolve_runtime_type(
        &mut self,
        at: &Position,
        solved: &[Solved],
        remaining: &Arc<SelectionSet>,
    ) -> Vec<Solved> {
        let Some(model) = self.model(&at.ty).filter(|_| at.reach == Reach::Anywhere) else {
            return Vec::new();
        };
        let mut found: Vec<Solved> = Vec::new();
        for (&subgraph, source) in &model.sources {
            if source.is_interface_object {
                continue;
            }
            let provided = Provided::default();
            let value = Value {
                ty: &at.ty,
                source: subgraph,
                provided: &provided,
                rivals: Rivals::new(),
            };
            let alternatives = self.solve(remaining, value, Reach::Anywhere);
            for (solved, below) in solved
                .iter()
                .flat_map(|s| alternatives.iter().map(move |b| (s, b)))
            {
                found.extend(self.with_runtime_type(at, solved, subgraph, below));
            }
        }
        let least = found.iter().map(|solved| solved.rest.len()).min();
        found.retain(|solved| Some(solved.rest.len()) == least);
        self.prune(found, MAX_ALTERNATIVES, |solved| &solved.cost)
    }

    fn with_runtime_type(
        &mut self,
        at: &Position,
        solved: &Solved,
        subgraph: SubgraphId,
        below: &Rc<Solved>,
    ) -> Option<Solved> {
        let mut draft = Draft {
            inline: solved.inline.clone(),
            hops: solved.hops.clone(),
        };
        let hop = self.open_plain_hop(at, &mut draft, subgraph, &at.ty)?;
        draft.hops[hop].resolved = Some(below.clone());
        let cost = draft.cost();
        Some(Solved {
            inline: draft.inline,
            hops: draft.hops,
            rest: below.rest.clone(),
            cost,
            ..Solved::default()
        })
    }
}

/// What is left of a runtime type. A leaf must come from one subgraph for every runtime type: selected for all, it is
/// left for all.
fn rest_of_variant(others: &[Entry], object: &Name, rest: Vec<Entry>) -> impl Iterator<Item = Entry> {
    let on: Arc<[Name]> = Arc::from([object.clone()]);
    rest.into_iter().map(move |entry| {
        let whole = entry.field.selections.is_none() && is_untyped(others, &entry.field);
        let on = (!whole).then(|| on.clone());
        Entry { on, ..entry }
    })
}

fn is_untyped(entries: &[Entry], field: &FieldNode) -> bool {
    entries
        .iter()
        .any(|entry| entry.on.is_none() && entry.field.response_key == field.response_key)
}

/// Data types to which a hop from an interface object applies: before and after its runtime type is known.
pub(crate) fn data_types(session: &Session<'_>, ty: &Name) -> Vec<Name> {
    let possible = session.supergraph.possible_types(ty);
    let names: BTreeSet<&Name> = possible.iter().chain([ty]).collect();
    names.into_iter().cloned().collect()
}

/// The inputs of a hop, keys first.
pub(crate) fn ordered_inputs(hop: &Hop) -> impl Iterator<Item = &Input> {
    let keys = hop.inputs.iter().filter(|input| input.is_key);
    keys.chain(hop.inputs.iter().filter(|input| !input.is_key))
}
