//! What becomes of each operation: is it still valid, what does it use, how is it planned before and after?

use apollo_compiler::ExecutableDocument;
use apollo_compiler::validation::{DiagnosticData, DiagnosticList, Valid};
use fondaco_planner::{Planner, PlannerConfig};

use crate::graph::Graph;
use crate::operations::{Facts, Operation};
use crate::plans::{PlanChange, compare_plans};

/// An operation, judged.
#[derive(Debug)]
pub(crate) struct Judged<'a> {
    pub(crate) operation: &'a Operation,
    /// What it uses of the old schema, where it is valid there.
    pub(crate) facts: Option<Facts>,
    /// Why it is not valid against the new schema.
    pub(crate) invalid: Option<String>,
    /// Plans that differ for the worse.
    pub(crate) plans: Vec<PlanChange>,
}

/// Both graphs, ready to judge.
pub(crate) struct Judge<'a> {
    before: &'a Graph,
    after: &'a Graph,
    /// Absent where both plan alike.
    planners: Option<(Planner, Planner)>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(before: &'a Graph, after: &'a Graph) -> Self {
        let planner = |graph: &Graph| Planner::new(graph.supergraph.clone(), PlannerConfig::default());
        let planners = (before.sdl != after.sdl).then(|| (planner(before), planner(after)));
        Self {
            before,
            after,
            planners,
        }
    }

    /// Judges all operations, on as many threads as the machine has cores. The order is kept.
    pub(crate) fn all(&self, operations: &'a [Operation]) -> Vec<Judged<'a>> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let chunk = operations.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let judge = |part: &'a [Operation]| part.iter().map(|one| self.one(one)).collect::<Vec<_>>();
            let running: Vec<_> = operations
                .chunks(chunk)
                .map(|part| scope.spawn(move || judge(part)))
                .collect();
            running
                .into_iter()
                .flat_map(|thread| thread.join().expect("judging does not panic"))
                .collect()
        })
    }

    fn one(&self, operation: &'a Operation) -> Judged<'a> {
        let old = validate(operation, self.before);
        let new = if self.planners.is_none() {
            None
        } else {
            Some(validate(operation, self.after))
        };
        let facts = old
            .as_ref()
            .ok()
            .map(|document| Facts::of(document, &self.before.supergraph));
        let plans = match (&old, &new, &self.planners) {
            (Ok(old), Some(Ok(new)), Some((before, after))) => compare_plans(before, after, old, new),
            _ => Vec::new(),
        };
        let invalid = new.unwrap_or_else(|| old.clone()).err();
        Judged {
            operation,
            facts,
            invalid,
            plans,
        }
    }
}

/// The document against the schema clients see, or the first thing that is wrong with it.
fn validate(operation: &Operation, graph: &Graph) -> Result<Valid<ExecutableDocument>, String> {
    let schema = graph.supergraph.api_schema();
    operation
        .document
        .to_executable_validate(schema)
        .map_err(|failed| problem(&failed.errors))
}

/// The first error. A field that does not exist is also taken for one without the subselection it needs: that comes last.
fn problem(errors: &DiagnosticList) -> String {
    let is_cause = |error: &DiagnosticData| error.unstable_error_name() != Some("MissingSubselection");
    let mut errors: Vec<_> = errors.iter().map(|error| error.error).collect();
    errors.sort_by_key(|error| !is_cause(error));
    errors
        .first()
        .map_or_else(|| "it cannot be validated".to_owned(), ToString::to_string)
}
