//! Satisfiability: every query the supergraph offers must be resolvable by its subgraphs.
//!
//! A breadth-first walk over states: a supergraph type together with every place (subgraph and type) where an entity
//! met on the way can be. The first query to reach a field that no place resolves is therefore a shortest one.

mod explain;
mod places;
mod resolve;

use std::collections::VecDeque;

use apollo_compiler::Name;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::diagnostic::{Code, Diagnostic};
use crate::merge::{Member, Supergraph};
use crate::model::TypeDef;
use places::{Place, Places};
use resolve::Resolver;

/// One step of a query.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Operation(&'static str),
    Field(Name),
    Condition(Name),
}

/// A state and how the walk came to it.
struct State {
    ty: Name,
    places: Places,
    step: Step,
    parent: Option<usize>,
}

/// Every shortest query that cannot be resolved, one a field.
pub(crate) fn check_satisfiability(supergraph: &Supergraph, members: &[Member]) -> Vec<Diagnostic> {
    let mut walk = Walk {
        resolver: Resolver::new(supergraph, members),
        states: Vec::new(),
        queue: VecDeque::new(),
        seen: FxHashMap::default(),
        failed: FxHashSet::default(),
        errors: Vec::new(),
    };
    for (operation, root) in [
        ("query", "Query"),
        ("mutation", "Mutation"),
        ("subscription", "Subscription"),
    ] {
        if let Some(ty) = supergraph.types.get(root) {
            let places = walk.resolver.roots(&ty.name);
            walk.enter(ty.name.clone(), places, Step::Operation(operation), None);
        }
    }
    while let Some(index) = walk.queue.pop_front() {
        walk.visit(index);
    }
    walk.errors
}

struct Walk<'a> {
    resolver: Resolver<'a>,
    states: Vec<State>,
    queue: VecDeque<usize>,
    /// Place sets already walked, by type.
    seen: FxHashMap<Name, Vec<Places>>,
    failed: FxHashSet<(Name, Name)>,
    errors: Vec<Diagnostic>,
}

impl Walk<'_> {
    /// Queues a state, unless one with no more places has been walked: it could do no more than that one.
    fn enter(&mut self, ty: Name, places: Places, step: Step, parent: Option<usize>) {
        let places = self.resolver.reachable(&ty, &places);
        let seen = self.seen.entry(ty.clone()).or_default();
        if seen
            .iter()
            .any(|walked| walked.iter().all(|place| places.contains(place)))
        {
            return;
        }
        seen.push(places.clone());
        self.states.push(State {
            ty,
            places,
            step,
            parent,
        });
        self.queue.push_back(self.states.len() - 1);
    }

    fn visit(&mut self, index: usize) {
        let supergraph = self.resolver.supergraph;
        let (ty, places) = (self.states[index].ty.clone(), self.states[index].places.clone());
        let def = &supergraph.types[&ty];
        if def.kind.is_abstract() {
            for object in self.resolver.runtime_types(&ty) {
                let narrowed = self.resolver.narrow(&places, &object);
                if !narrowed.is_empty() && !is_hidden(&supergraph.types[&object]) {
                    self.enter(object.clone(), narrowed, Step::Condition(object), Some(index));
                }
            }
            return;
        }
        for field in def.fields.values() {
            let target = supergraph.types.get(field.ty.inner_named_type());
            if field.directives.has("federation__inaccessible") || target.is_some_and(is_hidden) {
                continue;
            }
            let next = self.resolver.resolve(&ty, &field.name, &places);
            if next.is_empty() {
                self.fail(index, &ty, &field.name);
            } else if let Some(target) = target.filter(|target| target.kind.is_composite()) {
                self.enter(
                    target.name.clone(),
                    next,
                    Step::Field(field.name.clone()),
                    Some(index),
                );
            }
        }
    }

    fn fail(&mut self, index: usize, ty: &Name, field: &Name) {
        if !self.failed.insert((ty.clone(), field.clone())) {
            return;
        }
        let mut steps = vec![Step::Field(field.clone())];
        let mut at = Some(index);
        while let Some(state) = at.map(|at| &self.states[at]) {
            steps.push(state.step.clone());
            at = state.parent;
        }
        steps.reverse();
        let places = self.states[index].places.clone();
        let message = self.resolver.explain(&steps, ty, field, &places);
        let place: Option<&Place> = places.iter().next();
        let (subgraph, span) = self.resolver.declaration(ty, field, place);
        self.errors
            .push(subgraph.error(Code::SatisfiabilityError, span, message));
    }
}

fn is_hidden(ty: &TypeDef) -> bool {
    ty.directives.has("federation__inaccessible")
}
