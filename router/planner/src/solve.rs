//! Decides which subgraph resolves which field: the search.
//!
//! Selection sets are solved bottom-up. A solution depends only on the selection set, the type and the subgraph
//! (with what it provides), so it is remembered by these: the work is linear in fields times subgraphs.
//! Where a field has several sources, a beam search keeps the cheapest drafts of the position.

use std::rc::Rc;
use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::ast::{OperationType, Type};
use apollo_compiler::executable::SelectionSet as FieldSetSource;
use fondaco_supergraph::{FieldSet, FieldSource, SubgraphId, Supergraph, TypeModel};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::PlannerConfig;
use crate::cost::Cost;
use crate::key_moves::Moves;
use crate::normalize::{Entry, FieldNode, Normalizer, SelectionSet};
use crate::position::{Draft, Position, Provided, Reach, Rivals, Selected, Solved};

/// Drafts kept while the sources of a position's fields are chosen.
const BEAM_WIDTH: usize = 16;

/// What a solution depends on.
#[derive(PartialEq, Eq, Hash)]
struct SolutionKey {
    selections: u32,
    ty: Name,
    source: SubgraphId,
    provided: SmallVec<[u32; 2]>,
    rivals: Rivals,
    reach: Reach,
}

/// The value a selection set is solved on.
pub(crate) struct Value<'v> {
    pub(crate) ty: &'v Name,
    pub(crate) source: SubgraphId,
    pub(crate) provided: &'v Provided,
    pub(crate) rivals: Rivals,
}

/// What the moves from a position depend on.
pub(crate) type MovesKey = (Name, Option<SubgraphId>, SmallVec<[u32; 2]>);

/// One run of the planner.
pub(crate) struct Session<'a> {
    pub(crate) supergraph: &'a Supergraph,
    pub(crate) config: &'a PlannerConfig,
    pub(crate) normalizer: Normalizer<'a>,
    pub(crate) moves: FxHashMap<MovesKey, Rc<Moves>>,
    solutions: FxHashMap<SolutionKey, Rc<Solved>>,
    field_sets: FxHashMap<*const FieldSetSource, Arc<SelectionSet>>,
    /// `@requires` being satisfied: a field that requires itself through others is given up.
    pub(crate) requiring: Vec<(Name, SubgraphId, Name)>,
    /// Nesting of keys whose own fields need entity fetches.
    pub(crate) key_depth: usize,
    /// How often a guard cut the search: such partial results are not remembered.
    pub(crate) cuts: usize,
    /// Drafts tried so far.
    pub(crate) steps: usize,
}

/// One way to get a field: usually one part, several where subgraphs share a value and each knows some of its fields.
pub(crate) type Choice = SmallVec<[Part; 1]>;

/// A field, or part of what is below it, from one subgraph.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) subgraph: SubgraphId,
    pub(crate) selected: Selected,
    pub(crate) requires: Option<FieldSet>,
}

/// How one subgraph resolves a field of an object.
pub(crate) struct Resolution {
    pub(crate) ty: Type,
    pub(crate) requires: Option<FieldSet>,
    pub(crate) provided: Provided,
}

impl<'a> Session<'a> {
    pub(crate) fn new(
        supergraph: &'a Supergraph,
        config: &'a PlannerConfig,
        normalizer: Normalizer<'a>,
    ) -> Self {
        Session {
            supergraph,
            config,
            normalizer,
            moves: FxHashMap::default(),
            solutions: FxHashMap::default(),
            field_sets: FxHashMap::default(),
            requiring: Vec::new(),
            key_depth: 0,
            cuts: 0,
            steps: 0,
        }
    }

    /// True when the budget is used up: from then on the first good choice is taken.
    pub(crate) fn exhausted(&self) -> bool {
        self.steps >= self.config.search_budget
    }

    pub(crate) fn model(&self, ty: &Name) -> Option<&'a TypeModel> {
        self.supergraph.type_model(ty)
    }

    /// A field set of the supergraph, normalized once a session.
    pub(crate) fn field_set(&mut self, source: &FieldSet) -> Arc<SelectionSet> {
        let normalizer = &self.normalizer;
        self.field_sets
            .entry(Arc::as_ptr(source))
            .or_insert_with(|| normalizer.internal(source))
            .clone()
    }

    /// Solves `selections` on a value.
    pub(crate) fn solve(
        &mut self,
        selections: &Arc<SelectionSet>,
        value: Value<'_>,
        reach: Reach,
    ) -> Rc<Solved> {
        let Value {
            ty,
            source,
            provided,
            rivals,
        } = value;
        let key = SolutionKey {
            selections: selections.id,
            ty: ty.clone(),
            source,
            provided: provided.ids(),
            rivals: rivals.clone(),
            reach,
        };
        if let Some(known) = self.solutions.get(&key) {
            return known.clone();
        }
        let cuts = self.cuts;
        let at = Position {
            ty: ty.clone(),
            source: Some(source),
            provided: provided.clone(),
            rivals,
            reach,
            operation_type: None,
        };
        let solved = Rc::new(match self.model(ty) {
            Some(model) if model.is_interface_object_in(source) => {
                self.solve_interface_object(&at, selections)
            }
            Some(model) if model.is_abstract => self.solve_abstract(&at, selections),
            _ => {
                let fields = self.normalizer.collect(&selections.entries, ty);
                self.solve_object(&at, &fields)
            }
        });
        if cuts == self.cuts {
            self.solutions.insert(key, solved.clone());
        }
        solved
    }

    /// Solves the fields of one object.
    pub(crate) fn solve_object(&mut self, at: &Position, fields: &[Arc<FieldNode>]) -> Solved {
        let mut draft = Draft::default();
        let mut rest = Vec::new();
        let mut open = Vec::new();
        for field in fields {
            if field.name == "__typename" {
                if at.source.is_some() {
                    draft.select(None, typename(field));
                }
                continue;
            }
            let (choices, left) = self.choices(at, field);
            rest.extend(left);
            match choices.as_slice() {
                [] => {}
                [only] => match self.try_place(at, &draft, only) {
                    Some(placed) => draft = placed,
                    None => rest.push(field.clone()),
                },
                _ => open.push((field, choices)),
            }
        }
        let draft = self.choose(at, draft, &open, &mut rest);
        let cost = draft.cost();
        let rest = rest.into_iter().map(|field| Entry { on: None, field }).collect();
        Solved {
            inline: draft.inline,
            hops: draft.hops,
            cost,
            rest,
            ..Solved::default()
        }
    }

    /// Chooses among the sources of the fields in `open`: a beam search over drafts.
    fn choose(
        &mut self,
        at: &Position,
        draft: Draft,
        open: &[(&Arc<FieldNode>, Vec<Choice>)],
        rest: &mut Vec<Arc<FieldNode>>,
    ) -> Draft {
        let mut beam = vec![draft];
        for (field, choices) in open {
            let mut next: Vec<(Cost, Draft)> = Vec::new();
            for draft in &beam {
                for choice in choices {
                    if let Some(placed) = self.try_place(at, draft, choice) {
                        next.push((placed.cost(), placed));
                    }
                }
            }
            if next.is_empty() {
                rest.push(Arc::clone(field));
                continue;
            }
            next.sort_by(|(a, _), (b, _)| a.cmp(b));
            next.truncate(if self.exhausted() { 1 } else { BEAM_WIDTH });
            beam = next.into_iter().map(|(_, draft)| draft).collect();
        }
        beam.swap_remove(0)
    }

    /// Every sensible way to get `field`, and what of it no way gets.
    pub(crate) fn choices(
        &mut self,
        at: &Position,
        field: &Arc<FieldNode>,
    ) -> (Vec<Choice>, Option<Arc<FieldNode>>) {
        let mut whole: Vec<Choice> = Vec::new();
        let mut partial: Vec<SubgraphId> = Vec::new();
        for subgraph in self.candidates(at, &field.name) {
            let Some((part, left)) = self.part(at, field, subgraph, at.reach) else {
                continue;
            };
            if left > 0 {
                partial.push(subgraph);
                continue;
            }
            let is_free =
                at.source == Some(subgraph) && part.requires.is_none() && part.selected.depth() == 0;
            let choice: Choice = SmallVec::from_iter([part]);
            if is_free {
                return (vec![choice], None);
            }
            whole.push(choice);
        }
        if whole.is_empty() {
            return self.combine(at, field, &partial, at.reach);
        }
        let follow_ups = whole
            .iter()
            .map(|choice| choice[0].selected.depth())
            .min()
            .unwrap_or(0);
        if follow_ups > 0 && self.may_split(at, &whole) {
            let subgraphs: Vec<SubgraphId> = self.candidates(at, &field.name);
            if let (split, None) = self.combine(at, field, &subgraphs, Reach::Inline) {
                whole.extend(split);
            }
        }
        (whole, None)
    }

    /// Whether fetching one value from several subgraphs at once, each a part, is safe and may save a wave.
    fn may_split(&self, at: &Position, whole: &[Choice]) -> bool {
        let lists = whole.iter().any(|choice| choice[0].selected.ty.is_list());
        let mutates = at.operation_type == Some(OperationType::Mutation);
        at.reach == Reach::Anywhere && !lists && !mutates && !self.exhausted()
    }

    /// Joins parts from several subgraphs, each time the one that leaves the least.
    fn combine(
        &mut self,
        at: &Position,
        field: &Arc<FieldNode>,
        subgraphs: &[SubgraphId],
        reach: Reach,
    ) -> (Vec<Choice>, Option<Arc<FieldNode>>) {
        let mutates = at.operation_type == Some(OperationType::Mutation);
        let mut choice = Choice::new();
        let mut left = field.clone();
        let mut left_size = field.selections.as_deref().map_or(1, |set| size(&set.entries));
        let mut subgraphs = subgraphs.to_vec();
        while left_size > 0 && !(mutates && choice.len() == 1) {
            let parts = subgraphs
                .iter()
                .filter_map(|&subgraph| self.part(at, &left, subgraph, reach));
            let Some((part, part_left)) = parts.min_by_key(|(_, left)| *left) else {
                break;
            };
            if part_left >= left_size {
                break;
            }
            left_size = part_left;
            subgraphs.retain(|&subgraph| subgraph != part.subgraph);
            let rest = part
                .selected
                .below
                .as_ref()
                .map(|below| below.rest.clone())
                .unwrap_or_default();
            choice.push(part);
            left = left.with_selections(self.normalizer.set(rest));
        }
        let left = (left_size > 0).then_some(left);
        (
            if choice.is_empty() {
                Vec::new()
            } else {
                vec![choice]
            },
            left,
        )
    }

    /// `field` from `subgraph`, and how many fields below it remain unsolved. `None`: not resolved or reached there.
    fn part(
        &mut self,
        at: &Position,
        field: &Arc<FieldNode>,
        subgraph: SubgraphId,
        reach: Reach,
    ) -> Option<(Part, usize)> {
        let resolution = self.resolution(at, &field.name, subgraph)?;
        let here = at.source == Some(subgraph) && resolution.requires.is_none();
        if at.reach == Reach::Inline && !here {
            return None;
        }
        if !here && at.source.is_some() && !self.moves(at).reaches(subgraph) {
            return None;
        }
        let below = field.selections.as_ref().map(|selections| {
            let rivals = self.rivals(at, &field.name, subgraph);
            let ty = resolution.ty.inner_named_type();
            let value = Value {
                ty,
                source: subgraph,
                provided: &resolution.provided,
                rivals,
            };
            self.solve(selections, value, reach)
        });
        let left = below.as_ref().map_or(0, |below| size(&below.rest));
        let selected = Selected {
            field: field.clone(),
            ty: resolution.ty,
            below,
        };
        Some((
            Part {
                subgraph,
                selected,
                requires: resolution.requires,
            },
            left,
        ))
    }

    /// Subgraphs other than `subgraph` that could have resolved `field`.
    fn rivals(&mut self, at: &Position, field: &str, subgraph: SubgraphId) -> Rivals {
        let mut rivals = Rivals::new();
        if at.operation_type == Some(OperationType::Mutation) {
            return rivals;
        }
        for rival in self.candidates(at, field) {
            if rival == subgraph {
                continue;
            }
            let Some(resolution) = self.resolution(at, field, rival) else {
                continue;
            };
            let reached = at.source.is_none_or(|source| source == rival)
                || at.rivals.iter().any(|(other, _)| *other == rival)
                || self.moves(at).reaches(rival);
            if reached && resolution.requires.is_none() {
                rivals.push((rival, resolution.ty.inner_named_type().clone()));
            }
        }
        rivals
    }

    /// Subgraphs that may resolve a field, the one at hand first.
    fn candidates(&self, at: &Position, field: &str) -> Vec<SubgraphId> {
        let listed = self.model(&at.ty).and_then(|model| model.fields.get(field));
        let listed = listed.iter().flat_map(|field| field.sources.keys().copied());
        let others = listed.filter(|&subgraph| at.source != Some(subgraph));
        at.source.into_iter().chain(others).collect()
    }

    /// How `subgraph` resolves `field` of the object at `at`, if it does.
    pub(crate) fn resolution(
        &mut self,
        at: &Position,
        field: &str,
        subgraph: SubgraphId,
    ) -> Option<Resolution> {
        let model = self.model(&at.ty)?;
        if model.is_abstract && !model.is_interface_object_in(subgraph) {
            return None;
        }
        let definition = model.fields.get(field)?;
        let here = at.source == Some(subgraph);
        let source = definition.sources.get(&subgraph);
        let provided_here = here && at.provided.has(&at.ty, field);
        if !source.is_some_and(|source| self.is_resolved(source)) && !provided_here {
            return None;
        }
        let mut provided = if here {
            at.provided.below(&at.ty, field)
        } else {
            Provided::default()
        };
        if let Some(provides) = source.and_then(|source| source.provides.as_ref()) {
            provided.0.push(self.field_set(provides));
        }
        Some(Resolution {
            ty: source.map_or_else(|| definition.ty.clone(), |source| source.ty.clone()),
            requires: source
                .filter(|_| !provided_here)
                .and_then(|source| source.requires.clone()),
            provided,
        })
    }

    /// Whether the subgraph resolves the field by itself, given the states of override labels.
    pub(crate) fn is_resolved(&self, source: &FieldSource) -> bool {
        let overridden = source
            .override_rule
            .as_ref()
            .is_some_and(|rule| self.config.is_label_active(&rule.label) != rule.active_here);
        !source.external && !overridden
    }
}

/// `__typename`, selected by the client.
pub(crate) fn typename(field: &Arc<FieldNode>) -> Selected {
    Selected {
        field: field.clone(),
        ty: apollo_compiler::ty!(String!),
        below: None,
    }
}

/// Number of leaves and branches in the entries.
fn size(entries: &[Entry]) -> usize {
    let below = |entry: &Entry| {
        entry
            .field
            .selections
            .as_deref()
            .map_or(0, |set| size(&set.entries))
    };
    entries.iter().map(|entry| 1 + below(entry)).sum()
}
