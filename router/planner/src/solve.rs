//! Decides which subgraph resolves which field: the search.
//!
//! Selection sets are solved bottom-up. A solution depends only on the selection set, the type and the subgraph
//! (with what it provides), so it is remembered by these: the work is linear in fields times subgraphs.
//! Where a field has several sources, drafts of the position are grown field by field. A draft that another dominates
//! is dropped; what is left at the end are the position's alternatives, among which the position above chooses.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::executable::SelectionSet as FieldSetSource;
use fondaco_supergraph::{FieldSet, SubgraphId, Supergraph, TypeModel};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::PlannerConfig;
use crate::choices::{OpenField, open_field};
use crate::cost::Cost;
use crate::key_moves::Moves;
use crate::normalize::{Entry, FieldNode, Normalizer, SelectionSet};
use crate::override_labels::OverrideLabels;
use crate::position::{Draft, Position, Provided, Reach, Rivals, Selected, Solved};

/// Drafts kept while the sources of a position's fields are chosen, none of which dominates another.
const MAX_DRAFTS: usize = 32;

/// Alternatives kept of a solved position.
pub(crate) const MAX_ALTERNATIVES: usize = 8;

/// Solutions of one selection set, the cheapest first; never empty.
pub(crate) type Alternatives = Rc<[Rc<Solved>]>;

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
    config: &'a PlannerConfig,
    labels: &'a OverrideLabels,
    /// Labels that were asked for: the plan depends on them and on no other.
    asked_labels: RefCell<BTreeSet<Arc<str>>>,
    pub(crate) normalizer: Normalizer<'a>,
    pub(crate) moves: FxHashMap<MovesKey, Rc<Moves>>,
    solutions: FxHashMap<SolutionKey, Alternatives>,
    field_sets: FxHashMap<*const FieldSetSource, Arc<SelectionSet>>,
    /// `@requires` being satisfied: a field that requires itself through others is given up.
    pub(crate) requiring: Vec<(Name, SubgraphId, Name)>,
    /// Nesting of keys whose own fields need entity fetches.
    pub(crate) key_depth: usize,
    /// How often a guard cut the search: such partial results are not remembered.
    pub(crate) cuts: usize,
    /// Drafts tried so far.
    steps: usize,
    /// Whether a draft was dropped that might have led to a better plan.
    pub(crate) narrowed: bool,
}

impl<'a> Session<'a> {
    pub(crate) fn new(
        supergraph: &'a Supergraph,
        config: &'a PlannerConfig,
        labels: &'a OverrideLabels,
        normalizer: Normalizer<'a>,
    ) -> Self {
        Session {
            supergraph,
            config,
            labels,
            asked_labels: RefCell::default(),
            normalizer,
            moves: FxHashMap::default(),
            solutions: FxHashMap::default(),
            field_sets: FxHashMap::default(),
            requiring: Vec::new(),
            key_depth: 0,
            cuts: 0,
            steps: 0,
            narrowed: false,
        }
    }

    /// Counts a draft.
    pub(crate) fn step(&mut self) {
        self.steps += 1;
        self.normalizer.work.spend(1);
    }

    /// True when the budget is used up: from then on the first good choice is taken.
    pub(crate) fn exhausted(&self) -> bool {
        self.steps >= self.config.search_budget
    }

    pub(crate) fn model(&self, ty: &Name) -> Option<&'a TypeModel> {
        self.supergraph.type_model(ty)
    }

    /// Whether a progressive override is in force.
    pub(crate) fn is_label_active(&self, label: &Arc<str>) -> bool {
        let mut asked = self.asked_labels.borrow_mut();
        if !asked.contains(label) {
            asked.insert(label.clone());
        }
        self.labels.is_active(label)
    }

    /// Labels that were asked for, sorted.
    pub(crate) fn asked_labels(&self) -> Vec<Arc<str>> {
        self.asked_labels.borrow().iter().cloned().collect()
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
    ) -> Alternatives {
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
        if self.normalizer.work.is_refused() || !self.normalizer.work.enter() {
            return Rc::from([Rc::new(Solved::unsolved(selections))]);
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
        let solved = match self.model(ty) {
            Some(model) if model.is_interface_object_in(source) => {
                self.solve_interface_object(&at, selections)
            }
            Some(model) if model.is_abstract => self.solve_abstract(&at, selections),
            _ => {
                let fields = self.normalizer.collect(&selections.entries, ty);
                self.solve_object(&at, &fields)
            }
        };
        self.normalizer.work.leave();
        let solved: Alternatives = solved.into_iter().map(Rc::new).collect();
        if cuts == self.cuts {
            self.solutions.insert(key, solved.clone());
        }
        solved
    }

    /// Solves the fields of one object.
    pub(crate) fn solve_object(&mut self, at: &Position, fields: &[Arc<FieldNode>]) -> Vec<Solved> {
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
                _ => open_field(&mut open, field, choices),
            }
        }
        let drafts = self.choose(at, draft, &open, &mut rest);
        let rest: Vec<Entry> = rest.into_iter().map(|field| Entry { on: None, field }).collect();
        let solved = |(cost, draft): (Cost, Draft)| Solved {
            inline: draft.inline,
            hops: draft.hops,
            cost,
            rest: rest.clone(),
            ..Solved::default()
        };
        drafts.into_iter().map(solved).collect()
    }

    /// Chooses among the sources of the fields in `open`. The drafts left are the position's alternatives.
    fn choose(
        &mut self,
        at: &Position,
        draft: Draft,
        open: &[OpenField],
        rest: &mut Vec<Arc<FieldNode>>,
    ) -> Vec<(Cost, Draft)> {
        let mut drafts = vec![(draft.cost(), draft)];
        for field in open {
            let mut next: Vec<(Cost, Draft)> = Vec::new();
            for (_, draft) in &drafts {
                for choice in 0..field.choices_of_each[0].len() {
                    let alike = field.choices_of_each.iter().map(|choices| &choices[choice]);
                    if let Some(placed) = self.try_place_all(at, draft, alike) {
                        next.push((placed.cost(), placed));
                    }
                }
            }
            if next.is_empty() {
                rest.extend(field.occurrences.iter().cloned());
                continue;
            }
            drafts = self.prune(next, MAX_DRAFTS, |(cost, _)| cost);
        }
        self.prune(drafts, MAX_ALTERNATIVES, |(cost, _)| cost)
    }

    /// Drops candidates that others dominate, then the most expensive beyond `width`; the cheapest comes first.
    pub(crate) fn prune<T>(&mut self, mut candidates: Vec<T>, width: usize, cost: fn(&T) -> &Cost) -> Vec<T> {
        let width = if self.exhausted() { 1 } else { width };
        candidates.sort_by(|a, b| cost(a).cmp(cost(b)));
        let mut kept: Vec<T> = Vec::new();
        for candidate in candidates {
            if kept.iter().any(|other| cost(other).dominates(cost(&candidate))) {
                continue;
            }
            if kept.len() == width {
                self.narrowed = true;
                break;
            }
            kept.push(candidate);
        }
        kept
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
