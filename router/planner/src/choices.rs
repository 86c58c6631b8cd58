//! Ways to get one field: from which subgraph, with which alternatives below it, whole or in parts.

use std::rc::Rc;
use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::ast::{OperationType, Type};
use fondaco_supergraph::{ContextArgument, FieldSet, FieldSource, SubgraphId};
use smallvec::SmallVec;

use crate::contexts::ContextUse;
use crate::key_moves::Moves;
use crate::normalize::{Entry, FieldNode};
use crate::position::{Position, Provided, Reach, Rivals, Selected, Solved};
use crate::solve::{Session, Value};

/// One way to get a field: usually one part, several where subgraphs share a value and each knows some of its fields.
pub(crate) type Choice = SmallVec<[Part; 1]>;

/// A field with several sources, under every response key under which it is selected alike. All are taken from the same
/// source: taking two from different ones is never better than taking both from one of the two.
pub(crate) struct OpenField {
    pub(crate) occurrences: Vec<Arc<FieldNode>>,
    /// For each occurrence the same choices, apart from the key.
    pub(crate) choices_of_each: Vec<Vec<Choice>>,
}

impl OpenField {
    fn takes(&self, field: &FieldNode, choices: &[Choice]) -> bool {
        let first = &self.occurrences[0];
        let alike = |(a, b): (&Choice, &Choice)| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.subgraph == b.subgraph)
        };
        first.name == field.name
            && first.arguments == field.arguments
            && first.directives == field.directives
            && first.conditions == field.conditions
            && first.contexts == field.contexts
            && first.selections == field.selections
            && self.choices_of_each[0].len() == choices.len()
            && self.choices_of_each[0].iter().zip(choices).all(alike)
    }
}

/// Adds a field to those that are open.
pub(crate) fn open_field(open: &mut Vec<OpenField>, field: &Arc<FieldNode>, choices: Vec<Choice>) {
    match open.iter_mut().find(|known| known.takes(field, &choices)) {
        Some(known) => {
            known.occurrences.push(field.clone());
            known.choices_of_each.push(choices);
        }
        None => open.push(OpenField {
            occurrences: vec![field.clone()],
            choices_of_each: vec![choices],
        }),
    }
}

/// A field, or part of what is below it, from one subgraph.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) subgraph: SubgraphId,
    /// What the object may be called there: its type, or interface objects that have the field.
    pub(crate) typenames: SmallVec<[Name; 1]>,
    pub(crate) selected: Selected,
    pub(crate) requires: Option<FieldSet>,
    /// Contexts that arguments of the field take values from in this subgraph.
    pub(crate) contexts: Vec<ContextUse>,
}

impl Part {
    /// Whether the field needs a look-up of its own, even in the subgraph at hand.
    pub(crate) fn is_special(&self) -> bool {
        self.requires.is_some() || !self.contexts.is_empty()
    }
}

/// How one subgraph resolves a field of an object.
pub(crate) struct Resolution {
    /// What the object may be called there.
    pub(crate) typenames: SmallVec<[Name; 1]>,
    pub(crate) ty: Type,
    pub(crate) requires: Option<FieldSet>,
    pub(crate) provided: Provided,
    /// Names of arguments that take their values from contexts.
    pub(crate) contexts: Arc<[ContextArgument]>,
}

impl Session<'_> {
    /// Every sensible way to get `field`, and what of it no way gets.
    pub(crate) fn choices(
        &mut self,
        at: &Position,
        field: &Arc<FieldNode>,
    ) -> (Vec<Choice>, Option<Arc<FieldNode>>) {
        let mut whole: Vec<Choice> = Vec::new();
        let mut partial: Vec<SubgraphId> = Vec::new();
        for subgraph in self.candidates(at, &field.name) {
            let Some((parts, left)) = self.parts(at, field, subgraph, at.reach) else {
                continue;
            };
            if left > 0 {
                partial.push(subgraph);
                continue;
            }
            let is_free =
                |part: &Part| at.source == Some(subgraph) && !part.is_special() && part.selected.depth() == 0;
            if let Some(free) = parts.iter().find(|part| is_free(part)) {
                return (vec![SmallVec::from_iter([free.clone()])], None);
            }
            whole.extend(parts.into_iter().map(|part| SmallVec::from_iter([part])));
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
                .filter_map(|&subgraph| self.parts(at, &left, subgraph, reach));
            let best = parts.min_by_key(|(_, left)| *left);
            let Some((part, part_left)) = best.map(|(mut parts, left)| (parts.swap_remove(0), left)) else {
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

    /// `field` from `subgraph` with every alternative below it, the cheapest first, and how many fields below remain
    /// unsolved. `None`: not resolved or reached there.
    fn parts(
        &mut self,
        at: &Position,
        field: &Arc<FieldNode>,
        subgraph: SubgraphId,
        reach: Reach,
    ) -> Option<(Vec<Part>, usize)> {
        let resolution = self.resolution(at, &field.name, subgraph)?;
        let contexts = contexts_of(field, &resolution);
        let here = at.source == Some(subgraph) && resolution.requires.is_none() && contexts.is_empty();
        if at.reach == Reach::Inline && !here {
            return None;
        }
        let mut typenames = resolution.typenames.clone();
        if !here && at.source.is_some() {
            let moves = self.moves(at);
            typenames.retain(|typename| moves.reaches(subgraph, typename));
            if typenames.is_empty() {
                return None;
            }
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
        let left = below.as_ref().map_or(0, |below| size(&below[0].rest));
        let part = |below: Option<Rc<Solved>>| Part {
            subgraph,
            typenames: typenames.clone(),
            selected: Selected {
                field: field.clone(),
                ty: resolution.ty.clone(),
                below,
            },
            requires: resolution.requires.clone(),
            contexts: contexts.clone(),
        };
        let parts = match &below {
            None => vec![part(None)],
            Some(below) => below.iter().map(|below| part(Some(below.clone()))).collect(),
        };
        Some((parts, left))
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
            let by_key = |moves: &Moves| {
                let mut typenames = resolution.typenames.iter();
                typenames.any(|typename| moves.reaches(rival, typename))
            };
            let reached = at.source.is_none_or(|source| source == rival)
                || at.rivals.iter().any(|(other, _)| *other == rival)
                || by_key(&self.moves(at));
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
        let typenames = match source {
            Some(source) if !source.via_interfaces.is_empty() => {
                source.via_interfaces.iter().cloned().collect()
            }
            _ => SmallVec::from_iter([at.ty.clone()]),
        };
        Some(Resolution {
            typenames,
            ty: source.map_or_else(|| definition.ty.clone(), |source| source.ty.clone()),
            requires: source
                .filter(|_| !provided_here)
                .and_then(|source| source.requires.clone()),
            provided,
            contexts: source.map_or_else(Arc::default, |source| source.context_arguments.clone()),
        })
    }

    /// Whether the subgraph resolves the field by itself, given the states of override labels.
    pub(crate) fn is_resolved(&self, source: &FieldSource) -> bool {
        let overridden = source
            .override_rule
            .as_ref()
            .is_some_and(|rule| self.is_label_active(&rule.label) != rule.active_here);
        !source.external && !overridden
    }
}

/// What `field` takes from contexts, where the subgraph has such arguments.
fn contexts_of(field: &FieldNode, resolution: &Resolution) -> Vec<ContextUse> {
    let has = |used: &&ContextUse| {
        resolution
            .contexts
            .iter()
            .any(|argument| argument.name == used.argument)
    };
    field.contexts.iter().filter(has).cloned().collect()
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
