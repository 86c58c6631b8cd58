//! Operation in, query plan out: pure, no I/O.
//!
//! - `normalize`, `contexts`: fragments and conditions flattened, values that `@fromContext` takes selected
//! - `solve`, `choices`, `abstract_types`, `key_moves`, `place`: the search for who resolves what, over `position`s by `cost`
//! - `work`: the limit on all of that; `override_labels`: which labels are active
//! - `fetch_graph`, `levels`, `variants`, `selection_tree`: requests and what they select, equal for several types once
//! - `waves`, `optimize`, `write`: requests scheduled, merged into fetches and written
//! - `query_plan`, `display`: the result, and its text and JSON form

mod abstract_types;
mod choices;
mod contexts;
mod cost;
pub mod display;
mod error;
mod fetch_graph;
mod key_moves;
mod levels;
mod normalize;
mod optimize;
mod override_labels;
mod place;
mod position;
pub mod query_plan;
mod selection_tree;
mod solve;
mod variants;
mod waves;
mod work;
mod write;

use std::rc::Rc;
use std::sync::Arc;

use apollo_compiler::ast::OperationType;
use apollo_compiler::executable::Operation;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Name};
use fondaco_supergraph::Supergraph;

pub use error::PlanError;
pub use override_labels::OverrideLabels;

use fetch_graph::{ClientView, Emitter, Request};
use normalize::{FieldNode, Normalizer, SelectionSet};
use position::{Position, Provided, Reach, Rivals, Solved};
use query_plan::QueryPlan;
use solve::Session;
use work::Work;

/// Settings of the planner.
#[derive(Debug, Clone)]
pub struct PlannerConfig {
    /// Drafts the search may try for one operation before it keeps only the best one everywhere.
    pub search_budget: usize,
    /// Steps (fields looked at, drafts tried, fields written) after which an operation is refused as too complex. A step
    /// takes about a microsecond.
    pub max_work: usize,
    /// Levels of nested fields after which an operation is refused as too deep. It bounds the stack that planning needs.
    pub max_depth: usize,
    /// Fields of equal selections that are written out for each of several types; of more, a fragment is made that all spread.
    pub max_repeated_fields: usize,
}

impl Default for PlannerConfig {
    fn default() -> Self {
        PlannerConfig {
            search_budget: 20_000,
            max_work: 400_000,
            max_depth: 128,
            max_repeated_fields: 200,
        }
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

    /// Plans one operation of a document that is valid against the API schema. `labels` are the active progressive
    /// overrides.
    pub fn plan(
        &self,
        document: &Valid<ExecutableDocument>,
        operation_name: Option<&str>,
        labels: &OverrideLabels,
    ) -> Result<QueryPlan, PlanError> {
        let operation = document
            .operations
            .get(operation_name)
            .map_err(|_| PlanError::OperationNotFound(operation_name.map(str::to_owned)))?;
        if operation.operation_type == OperationType::Subscription {
            return Err(PlanError::Subscription);
        }
        let work = Work::new(self.config.max_work, self.config.max_depth);
        let normalizer = Normalizer::new(&self.supergraph, Some(&document.fragments), work);
        let mut session = Session::new(&self.supergraph, &self.config, labels, normalizer);
        let requests = requests(&mut session, operation);
        self.check(&session)?;
        let output = optimize::Output {
            supergraph: &self.supergraph,
            operation,
            max_repeated_fields: self.config.max_repeated_fields,
        };
        Ok(QueryPlan {
            operation_type: operation.operation_type,
            fetches: optimize::fetches(requests?, &output),
            search_exhausted: session.narrowed,
            override_labels: session.asked_labels(),
        })
    }

    /// Whether a limit was passed; what was made of the operation is then incomplete.
    fn check(&self, session: &Session<'_>) -> Result<(), PlanError> {
        let work = &session.normalizer.work;
        if work.is_too_deep() {
            return Err(PlanError::TooDeep(self.config.max_depth));
        }
        if work.is_refused() {
            return Err(PlanError::TooComplex(self.config.max_work));
        }
        Ok(())
    }
}

fn requests(session: &mut Session<'_>, operation: &Operation) -> Result<Vec<Request>, PlanError> {
    let root = operation.object_type();
    let mut selections = session.normalizer.client(&operation.selection_set);
    if session.supergraph.has_contexts() {
        selections = contexts::apply(&session.normalizer, root, &selections);
    }
    let fields = session.normalizer.collect(&selections.entries, root);
    let fields: Vec<_> = fields
        .into_iter()
        .filter(|field| !field.name.starts_with("__"))
        .collect();
    let steps = solve_root(session, operation, &fields)?;
    Ok(emit(session, root, &selections, &steps))
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
    let solved = session.solve_object(at, fields).swap_remove(0);
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
    let view = Rc::new(ClientView::of(std::iter::once(selections)));
    let mut emitter = Emitter::new(session);
    let mut before = 0;
    for step in steps {
        let start = emitter.requests.len();
        emitter.root(step, root, &view);
        // Serial execution: nothing of a step starts before everything of the step before has ended.
        for request in &mut emitter.requests[start..] {
            request.needs.extend(before..start);
        }
        before = start;
    }
    emitter.finish()
}
