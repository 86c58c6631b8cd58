//! Operation in, query plan out: pure, no I/O.
//!
//! - `normalize`: fragments and conditions flattened
//! - `solve`, `abstract_types`, `key_moves`, `place`: the search for who resolves what, over `position`s by `cost`
//! - `fetch_graph`, `selection_tree`: requests and what they select
//! - `optimize`, `write`: requests merged into fetches and written
//! - `query_plan`, `display`: the result, and its text and JSON form

mod abstract_types;
mod cost;
pub mod display;
mod error;
mod fetch_graph;
mod key_moves;
mod normalize;
mod optimize;
mod place;
mod position;
pub mod query_plan;
mod selection_tree;
mod solve;
mod write;

use std::sync::Arc;

use apollo_compiler::ast::OperationType;
use apollo_compiler::executable::Operation;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Name};
use fondaco_supergraph::Supergraph;
use rustc_hash::FxHashSet;

pub use error::PlanError;

use fetch_graph::{ClientView, Emitter, Request};
use normalize::{FieldNode, Normalizer, SelectionSet};
use position::{Position, Provided, Reach, Rivals, Solved};
use query_plan::QueryPlan;
use solve::Session;

/// Settings of the planner.
#[derive(Debug, Clone)]
pub struct PlannerConfig {
    /// Drafts the search may try for one operation before it takes the first good choice everywhere.
    pub search_budget: usize,
    /// Labels of progressive `@override`s that are active. `percent(100)` always is; others are not by default.
    pub active_override_labels: FxHashSet<String>,
}

impl Default for PlannerConfig {
    fn default() -> Self {
        PlannerConfig {
            search_budget: 20_000,
            active_override_labels: FxHashSet::default(),
        }
    }
}

impl PlannerConfig {
    fn is_label_active(&self, label: &str) -> bool {
        label == "percent(100)" || self.active_override_labels.contains(label)
    }
}

/// Plans operations against one supergraph.
#[derive(Debug, Clone)]
pub struct Planner {
    supergraph: Arc<Supergraph>,
    config: PlannerConfig,
}

impl Planner {
    /// A planner for this supergraph.
    pub fn new(supergraph: Arc<Supergraph>, config: PlannerConfig) -> Planner {
        Planner { supergraph, config }
    }

    /// The supergraph planned against.
    pub fn supergraph(&self) -> &Arc<Supergraph> {
        &self.supergraph
    }

    /// Plans one operation of a document that is valid against the API schema.
    pub fn plan(
        &self,
        document: &Valid<ExecutableDocument>,
        operation_name: Option<&str>,
    ) -> Result<QueryPlan, PlanError> {
        let operation = document
            .operations
            .get(operation_name)
            .map_err(|_| PlanError::OperationNotFound(operation_name.map(str::to_owned)))?;
        if operation.operation_type == OperationType::Subscription {
            return Err(PlanError::Subscription);
        }
        let normalizer = Normalizer::new(&self.supergraph, Some(&document.fragments));
        let mut session = Session::new(&self.supergraph, &self.config, normalizer);
        let root = operation.object_type();
        let selections = session.normalizer.client(&operation.selection_set);
        let fields = session.normalizer.collect(&selections.entries, root);
        let fields: Vec<_> = fields
            .into_iter()
            .filter(|field| !field.name.starts_with("__"))
            .collect();
        let steps = solve_root(&mut session, operation, &fields)?;
        let requests = emit(&session, root, &selections, &steps);
        let output = optimize::Output {
            supergraph: &self.supergraph,
            operation_type: operation.operation_type,
            variables: &operation.variables,
        };
        Ok(QueryPlan {
            operation_type: operation.operation_type,
            fetches: optimize::fetches(requests, &output),
            search_exhausted: session.exhausted(),
        })
    }
}

/// Solves the root fields: of a query all at once, of a mutation one after the other.
fn solve_root(
    session: &mut Session<'_>,
    operation: &Operation,
    fields: &[Arc<FieldNode>],
) -> Result<Vec<Solved>, PlanError> {
    let at = Position {
        ty: operation.object_type().clone(),
        source: None,
        provided: Provided::default(),
        rivals: Rivals::new(),
        reach: Reach::Anywhere,
        operation_type: Some(operation.operation_type),
    };
    if operation.operation_type != OperationType::Mutation {
        return Ok(vec![solve_step(session, &at, fields)?]);
    }
    let mut steps: Vec<Solved> = Vec::new();
    for field in fields {
        let step = solve_step(session, &at, std::slice::from_ref(field))?;
        match steps.last_mut() {
            Some(last) if runs_in_one_request(last, &step) => {
                last.hops[0]
                    .selected
                    .extend(step.hops[0].selected.iter().cloned());
                last.cost.join(&step.cost, 0);
            }
            _ => steps.push(step),
        }
    }
    Ok(steps)
}

/// Neighbouring mutation fields of one subgraph share a request, unless the first needs more before the second may run.
fn runs_in_one_request(first: &Solved, second: &Solved) -> bool {
    first.hops.len() == 1
        && second.hops.len() == 1
        && first.hops[0].subgraph == second.hops[0].subgraph
        && first.cost.depth() == 1
}

fn solve_step(
    session: &mut Session<'_>,
    at: &Position,
    fields: &[Arc<FieldNode>],
) -> Result<Solved, PlanError> {
    let solved = session.solve_object(at, fields);
    match solved.rest.first() {
        None => Ok(solved),
        Some(entry) => Err(PlanError::Unreachable {
            field: error::path_of(&at.ty, &entry.field),
        }),
    }
}

fn emit(
    session: &Session<'_>,
    root: &Name,
    selections: &Arc<SelectionSet>,
    steps: &[Solved],
) -> Vec<Request> {
    let view = ClientView::of(std::iter::once(selections));
    let mut emitter = Emitter::new(session);
    let mut before = 0;
    for step in steps {
        let start = emitter.requests.len();
        emitter.position(step, root, None, &view, &[]);
        // Serial execution: nothing of a step starts before everything of the step before has ended.
        for request in &mut emitter.requests[start..] {
            request.needs.extend(before..start);
        }
        before = start;
    }
    emitter.requests
}
