//! The walk over all states queries can reach.

use std::collections::VecDeque;

use apollo_compiler::Name;
use rustc_hash::{FxHashMap, FxHashSet};

use super::contexts::{self, Contexts};
use super::labels::Choices;
use super::places::Places;
use super::resolve::Resolver;
use super::runtime_types::{self, Agreement};
use crate::code::{Code, HintCode};
use crate::diagnostic::{Diagnostic, Hint};
use crate::model::{Element, FieldDef, TypeDef};

/// One step of a query.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Operation(&'static str),
    Field(Name),
    Condition(Name),
}

/// A state and how the walk came to it.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) ty: Name,
    pub(super) places: Places,
    pub(super) contexts: Contexts,
    pub(super) choices: Choices,
    pub(super) step: Step,
    pub(super) parent: Option<usize>,
}

/// What has been walked and found so far.
pub(super) struct Walk {
    states: Vec<State>,
    queue: VecDeque<usize>,
    /// States already walked, by type.
    seen: FxHashMap<Name, Vec<usize>>,
    failed: FxHashSet<(Name, Name)>,
    hinted: FxHashSet<(Name, Name)>,
    places: usize,
    most_places: usize,
    /// The limit was met, so that not everything has been walked.
    pub(super) exceeded: bool,
    pub(super) errors: Vec<Diagnostic>,
    pub(super) hints: Vec<Hint>,
}

impl Walk {
    pub(super) fn new(most_places: usize) -> Self {
        Self {
            states: Vec::new(),
            queue: VecDeque::new(),
            seen: FxHashMap::default(),
            failed: FxHashSet::default(),
            hinted: FxHashSet::default(),
            places: 0,
            most_places,
            exceeded: false,
            errors: Vec::new(),
            hints: Vec::new(),
        }
    }

    pub(super) fn enter_roots(&mut self, resolver: &mut Resolver<'_>) {
        let roots = [
            ("query", "Query"),
            ("mutation", "Mutation"),
            ("subscription", "Subscription"),
        ];
        for (operation, root) in roots {
            if let Some(ty) = resolver.supergraph.types.get(root) {
                let state = State {
                    ty: ty.name.clone(),
                    places: resolver.roots(&ty.name),
                    contexts: Contexts::new(),
                    choices: Choices::default(),
                    step: Step::Operation(operation),
                    parent: None,
                };
                self.enter(resolver, state);
            }
        }
    }

    pub(super) fn run(&mut self, resolver: &mut Resolver<'_>) {
        while let Some(index) = self.queue.pop_front() {
            if self.exceeded {
                return;
            }
            self.visit(resolver, index);
        }
    }

    /// Queues a state with all that keys add to its places, once for each choice of labels that matters to them.
    fn enter(&mut self, resolver: &mut Resolver<'_>, state: State) {
        let reached = resolver.under_all_choices(&state.choices, |resolver| {
            resolver.reachable(&state.ty, &state.places)
        });
        for (choices, places) in reached {
            let state = State {
                places,
                choices,
                ..state.clone()
            };
            self.push(state);
        }
    }

    /// Queues a state, unless one that could do no more has been walked.
    fn push(&mut self, state: State) {
        let seen = self.seen.entry(state.ty.clone()).or_default();
        let states = &self.states;
        if seen.iter().any(|walked| covers(&states[*walked], &state)) {
            return;
        }
        self.places += state.places.len();
        self.exceeded |= self.places > self.most_places;
        seen.push(self.states.len());
        self.queue.push_back(self.states.len());
        self.states.push(state);
    }

    fn visit(&mut self, resolver: &mut Resolver<'_>, index: usize) {
        let state = self.states[index].clone();
        let supergraph = resolver.supergraph;
        let def = &supergraph.types[&state.ty];
        if def.kind.is_abstract() {
            return self.visit_objects(resolver, index, &state);
        }
        let below = contexts::below(
            supergraph,
            resolver.members,
            &state.ty,
            &state.places,
            &state.contexts,
        );
        for field in def.fields.values() {
            let target = supergraph.types.get(field.ty.inner_named_type());
            if is_hidden(field) || target.is_some_and(is_hidden) {
                continue;
            }
            let resolved = resolver.under_all_choices(&state.choices, |resolver| {
                resolver.resolve(&state.ty, &field.name, &state.places, &state.contexts)
            });
            for (choices, next) in resolved {
                let next = State {
                    ty: field.ty.inner_named_type().clone(),
                    places: next,
                    contexts: below.clone(),
                    choices,
                    step: Step::Field(field.name.clone()),
                    parent: Some(index),
                };
                self.follow(resolver, index, field, target, next);
            }
        }
    }

    /// What an abstract type turns out to be.
    fn visit_objects(&mut self, resolver: &mut Resolver<'_>, index: usize, state: &State) {
        for object in resolver.runtime_types(&state.ty) {
            // What some place never is, no other place of the same value can be: asking there answers the query.
            if is_hidden(&resolver.supergraph.types[&object]) || resolver.excludes(&state.places, &object) {
                continue;
            }
            let narrowed = resolver.narrow(&state.places, &object);
            if narrowed.is_empty() {
                self.fail_to_tell(resolver, index, object);
            } else {
                let next = State {
                    ty: object.clone(),
                    places: narrowed,
                    step: Step::Condition(object),
                    parent: Some(index),
                    ..state.clone()
                };
                self.enter(resolver, next);
            }
        }
    }

    fn follow(
        &mut self,
        resolver: &mut Resolver<'_>,
        index: usize,
        field: &FieldDef,
        target: Option<&TypeDef>,
        next: State,
    ) {
        if next.places.is_empty() {
            return self.fail(resolver, index, field, &next.choices);
        }
        if target.is_none_or(|target| !target.kind.is_composite()) {
            return;
        }
        let ty = self.states[index].ty.clone();
        match runtime_types::agreement(resolver, &ty, field, &next) {
            Agreement::None => return self.mismatch(resolver, &ty, field),
            Agreement::Partial => self.partial(resolver, &ty, field),
            Agreement::Full => {}
        }
        let subgraphs: FxHashSet<usize> = next.places.iter().map(|place| place.subgraph).collect();
        if ty == "Mutation" && subgraphs.len() > 1 {
            return self.follow_mutation(resolver, index, subgraphs, &next);
        }
        self.enter(resolver, next);
    }

    /// A mutation is called in one subgraph only: it is enough, and necessary, that one of them suffices for all below.
    fn follow_mutation(
        &mut self,
        resolver: &mut Resolver<'_>,
        index: usize,
        subgraphs: FxHashSet<usize>,
        next: &State,
    ) {
        let mut subgraphs: Vec<usize> = subgraphs.into_iter().collect();
        subgraphs.sort_unstable();
        let mut errors = Vec::new();
        for subgraph in subgraphs {
            let mut alone = Self::new(self.most_places);
            alone.states.push(self.states[index].clone());
            alone.states[0].parent = None;
            let mut state = next.clone();
            state.places.retain(|place| place.subgraph == subgraph);
            state.parent = Some(0);
            alone.enter(resolver, state);
            alone.run(resolver);
            self.exceeded |= alone.exceeded;
            self.hints.append(&mut alone.hints);
            if alone.errors.is_empty() {
                return;
            }
            errors.append(&mut alone.errors);
        }
        self.errors.append(&mut errors);
    }

    fn fail(&mut self, resolver: &mut Resolver<'_>, index: usize, field: &FieldDef, choices: &Choices) {
        let ty = self.states[index].ty.clone();
        if !self.failed.insert((ty.clone(), field.name.clone())) {
            return;
        }
        let mut steps = self.steps_to(index);
        steps.push(Step::Field(field.name.clone()));
        let state = State {
            choices: choices.clone(),
            ..self.states[index].clone()
        };
        let message = resolver.explain(&steps, &state, &field.name);
        let (subgraph, span) = resolver.declaration(&ty, &field.name, state.places.iter().next());
        self.errors
            .push(subgraph.error(Code::SatisfiabilityError, span, message));
    }

    /// Only interface objects are at hand, and no subgraph can tell what they are.
    fn fail_to_tell(&mut self, resolver: &Resolver<'_>, index: usize, object: Name) {
        let state = &self.states[index];
        if !self
            .failed
            .insert((state.ty.clone(), Name::new_unchecked("__typename")))
        {
            return;
        }
        let mut steps = self.steps_to(index);
        steps.push(Step::Condition(object));
        let message = resolver.explain_interface_objects(&steps, &state.ty, &state.places);
        let place = state.places.iter().next().expect("a state has places");
        let subgraph = &resolver.members[place.subgraph].subgraph;
        let span = resolver.type_at(place).and_then(|ty| ty.span);
        self.errors
            .push(subgraph.error(Code::SatisfiabilityError, span, message));
    }

    fn steps_to(&self, index: usize) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut at = Some(index);
        while let Some(state) = at.map(|at| &self.states[at]) {
            steps.push(state.step.clone());
            at = state.parent;
        }
        steps.reverse();
        steps
    }

    fn mismatch(&mut self, resolver: &Resolver<'_>, ty: &Name, field: &FieldDef) {
        if self.failed.insert((ty.clone(), field.name.clone())) {
            let message = format!(
                "\"{ty}.{}\" is shared, but no object type is possible for it in all subgraphs that resolve it",
                field.name
            );
            let (subgraph, span) = resolver.declaration(ty, &field.name, None);
            let code = Code::ShareableHasMismatchedRuntimeTypes;
            self.errors.push(subgraph.error(code, span, message));
        }
    }

    fn partial(&mut self, resolver: &Resolver<'_>, ty: &Name, field: &FieldDef) {
        if self.hinted.insert((ty.clone(), field.name.clone())) {
            let message = format!(
                "\"{ty}.{}\" is shared, but its subgraphs differ in what object types are possible for it; only common ones are safe",
                field.name
            );
            let (subgraph, span) = resolver.declaration(ty, &field.name, None);
            let code = HintCode::InconsistentRuntimeTypesForShareableReturn;
            self.hints.push(subgraph.hint(code, span, message));
        }
    }
}

/// Whether everything that can be resolved from `walked` can be from `state`, so that the latter shows nothing new.
fn covers(walked: &State, state: &State) -> bool {
    walked.places.is_subset(&state.places)
        && walked.choices.cover(&state.choices)
        && walked
            .contexts
            .iter()
            .all(|context| state.contexts.contains(context))
}

fn is_hidden<T: Element>(element: &T) -> bool {
    element.directives().has("federation__inaccessible")
}
