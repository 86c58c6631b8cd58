//! Puts chosen fields into a draft, opening the hops they need with their keys and required fields.

use apollo_compiler::Name;
use fondaco_supergraph::SubgraphId;
use std::sync::Arc;

use crate::choices::{Choice, Part};
use crate::key_moves::{KeyField, KeySource, Move};
use crate::normalize::FieldNode;
use crate::position::{Draft, Hop, Input, Position, Slot};
use crate::query_plan::Condition;
use crate::solve::Session;

impl Session<'_> {
    /// The draft with `choice` added; `None` where a key or a required field cannot be had.
    pub(crate) fn try_place(&mut self, at: &Position, draft: &Draft, choice: &Choice) -> Option<Draft> {
        self.try_place_all(at, draft, std::iter::once(choice))
    }

    /// The draft with all of `choices` added.
    pub(crate) fn try_place_all<'c>(
        &mut self,
        at: &Position,
        draft: &Draft,
        choices: impl Iterator<Item = &'c Choice>,
    ) -> Option<Draft> {
        let mut draft = draft.clone();
        for choice in choices {
            self.step();
            for part in choice {
                self.place_part(at, &mut draft, part)?;
            }
        }
        Some(draft)
    }

    fn place_part(&mut self, at: &Position, draft: &mut Draft, part: &Part) -> Option<Slot> {
        let hop = if part.is_special() {
            Some(self.open_special_hop(at, draft, part)?)
        } else if at.source == Some(part.subgraph) {
            None
        } else {
            let typename = preferred_typename(draft, part);
            Some(self.open_plain_hop(at, draft, part.subgraph, typename)?)
        };
        Some(draft.select(hop, part.selected.clone()))
    }

    /// Places a field from its cheapest source.
    fn place_best(&mut self, at: &Position, draft: &mut Draft, field: &Arc<FieldNode>) -> Option<Vec<Slot>> {
        if field.name == "__typename" {
            return Some(vec![draft.select(None, crate::solve::typename(field))]);
        }
        let (choices, left) = self.choices(at, field);
        if left.is_some() {
            return None;
        }
        let mut best: Option<(crate::cost::Cost, Draft, Vec<Slot>)> = None;
        for choice in &choices {
            self.step();
            let mut trial = draft.clone();
            let slots: Option<Vec<Slot>> = choice
                .iter()
                .map(|part| self.place_part(at, &mut trial, part))
                .collect();
            let Some(slots) = slots else { continue };
            let cost = trial.cost();
            if best.as_ref().is_none_or(|(least, ..)| cost < *least) {
                best = Some((cost, trial, slots));
            }
        }
        let (_, placed, slots) = best?;
        *draft = placed;
        Some(slots)
    }

    /// A hop whose representations carry the fields that `part` requires, or whose request carries contexts.
    fn open_special_hop(&mut self, at: &Position, draft: &mut Draft, part: &Part) -> Option<usize> {
        let field = &part.selected.field;
        let step = (at.ty.clone(), part.subgraph, field.name.clone());
        if self.requiring.contains(&step) {
            self.cuts += 1;
            return None;
        }
        self.requiring.push(step);
        let hop = self.open_with_requirements(at, draft, part);
        self.requiring.pop();
        hop
    }

    fn open_with_requirements(&mut self, at: &Position, draft: &mut Draft, part: &Part) -> Option<usize> {
        let field = &part.selected.field;
        let mut inputs = Vec::new();
        let mut needs = Vec::new();
        if let Some(requires) = &part.requires {
            let set = self.field_set(requires);
            for required in self.normalizer.collect(&set.entries, &at.ty) {
                let required = required.with_conditions(&field.conditions);
                needs.extend(self.place_best(at, draft, &required)?);
                inputs.push(Input {
                    field: required,
                    is_key: false,
                });
            }
        }
        let new = Hop {
            inputs,
            needs,
            contexts: part.contexts.clone(),
            ..hop(part.subgraph, part.typenames[0].clone(), &field.conditions)
        };
        self.open_hop(at, draft, new)
    }

    pub(crate) fn open_plain_hop(
        &mut self,
        at: &Position,
        draft: &mut Draft,
        subgraph: SubgraphId,
        typename: &Name,
    ) -> Option<usize> {
        let plain = |hop: &Hop| enters(hop, subgraph, typename) && hop.is_plain();
        if let Some(known) = draft.hops.iter().position(plain) {
            return Some(known);
        }
        let new = hop(subgraph, typename.clone(), &[]);
        if at.source.is_none() {
            draft.hops.push(new);
            return Some(draft.hops.len() - 1);
        }
        self.open_hop(at, draft, new)
    }

    /// Opens a hop through the cheapest key, which joins what it carries already.
    fn open_hop(&mut self, at: &Position, draft: &mut Draft, new: Hop) -> Option<usize> {
        let moves = self.moves(at);
        let mut best: Option<(crate::cost::Cost, Draft)> = None;
        for way in moves.to(new.subgraph, &new.typename) {
            self.step();
            let mut trial = draft.clone();
            let Some(key_slots) = self.place_key(at, &mut trial, way) else {
                continue;
            };
            let mut new = new.clone();
            new.needs.extend(key_slots);
            new.inputs.extend(way.key.iter().map(|key| Input {
                field: key.field.clone(),
                is_key: true,
            }));
            new.wave = 1 + new.needs.iter().map(|&slot| trial.ready(slot)).max().unwrap_or(0);
            trial.hops.push(new);
            let cost = trial.cost();
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, trial));
            }
        }
        let (_, mut opened) = best?;
        let last = opened.hops.len() - 1;
        let twin = opened.hops[..last]
            .iter()
            .position(|other| same_request(other, &opened.hops[last]));
        if twin.is_some() {
            opened.hops.truncate(last);
        }
        *draft = opened;
        Some(twin.unwrap_or(last))
    }

    /// Selects the fields of a key, where possible in fetches that exist already.
    fn place_key(&mut self, at: &Position, draft: &mut Draft, way: &Move) -> Option<Vec<Slot>> {
        way.key
            .iter()
            .map(|key| {
                let source = preferred(at, draft, key)?;
                if source.requires.is_some() {
                    return self.place_part(at, draft, &source.part());
                }
                let hop = if at.source == Some(source.subgraph) {
                    None
                } else {
                    Some(self.open_plain_hop(at, draft, source.subgraph, &source.typename)?)
                };
                Some(draft.select(hop, source.selected.clone()))
            })
            .collect()
    }
}

/// Where to read a key field: in the fetch at hand, in an open hop, or where it is soonest.
fn preferred<'k>(at: &Position, draft: &Draft, key: &'k KeyField) -> Option<&'k KeySource> {
    let free = || key.sources.iter().filter(|source| source.requires.is_none());
    let here = free().find(|source| at.source == Some(source.subgraph));
    let is_open = |source: &&KeySource| {
        draft
            .hops
            .iter()
            .any(|hop| enters(hop, source.subgraph, &source.typename))
    };
    let open = || free().find(is_open);
    here.or_else(open).or_else(|| key.sources.first())
}

fn enters(hop: &Hop, subgraph: SubgraphId, typename: &Name) -> bool {
    hop.subgraph == subgraph && hop.typename == *typename
}

/// Of several interface objects with the field, one that is looked up anyway.
fn preferred_typename<'p>(draft: &Draft, part: &'p Part) -> &'p Name {
    let is_open = |typename: &&Name| {
        let mut hops = draft.hops.iter();
        hops.any(|hop| enters(hop, part.subgraph, typename) && hop.is_plain())
    };
    part.typenames.iter().find(is_open).unwrap_or(&part.typenames[0])
}

/// A hop in the first wave that carries nothing yet.
fn hop(subgraph: SubgraphId, typename: Name, conditions: &[Condition]) -> Hop {
    Hop {
        subgraph,
        wave: 1,
        inputs: Vec::new(),
        needs: Vec::new(),
        typename,
        conditions: conditions.to_vec(),
        contexts: Vec::new(),
        selected: Vec::new(),
        resolved: None,
    }
}

/// Whether two hops send the same representations.
fn same_request(a: &Hop, b: &Hop) -> bool {
    let same_input = |(a, b): (&Input, &Input)| {
        a.is_key == b.is_key
            && a.field.name == b.field.name
            && a.field.arguments == b.field.arguments
            && a.field.conditions == b.field.conditions
            && a.field.selections.as_ref().map(|set| set.id) == b.field.selections.as_ref().map(|set| set.id)
    };
    a.subgraph == b.subgraph
        && a.typename == b.typename
        && a.conditions == b.conditions
        && a.contexts == b.contexts
        && a.inputs.len() == b.inputs.len()
        && a.inputs.iter().zip(&b.inputs).all(same_input)
}
