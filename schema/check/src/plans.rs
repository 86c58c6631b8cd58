//! Query plans before and after: fetches, waves, and how much is asked for.

use apollo_compiler::ExecutableDocument;
use apollo_compiler::ast::{Definition, Document, Selection};
use apollo_compiler::validation::Valid;
use fondaco_planner::query_plan::QueryPlan;
use fondaco_planner::{OverrideLabels, Planner};
use serde::Serialize;

/// The size of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PlanSize {
    /// Requests to subgraphs.
    pub fetches: usize,
    /// Requests that wait for each other: the longest chain.
    pub waves: usize,
    /// Fields asked of subgraphs, those of keys included: what the requests cost.
    pub cost: usize,
}

/// A plan that became worse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlanChange {
    /// The operation's name.
    pub(crate) operation: String,
    pub(crate) before: PlanSize,
    pub(crate) after: PlanSize,
}

/// The operations of a document that need more fetches or waves, or as many with more fields.
pub(crate) fn compare_plans(
    before: &Planner,
    after: &Planner,
    old: &Valid<ExecutableDocument>,
    new: &Valid<ExecutableDocument>,
) -> Vec<PlanChange> {
    let labels = OverrideLabels::default();
    let mut changes = Vec::new();
    for operation in old.operations.iter() {
        let name = operation.name.as_ref().map(|name| name.as_str());
        // What cannot be planned on one side, such as a subscription, cannot be compared.
        let plans = (before.plan(old, name, &labels), after.plan(new, name, &labels));
        let (Ok(old), Ok(new)) = plans else {
            continue;
        };
        if old.fetches == new.fetches {
            continue;
        }
        let (before, after) = (size(&old), size(&new));
        if is_worse(before, after) {
            changes.push(PlanChange {
                operation: name.unwrap_or("(anonymous)").to_owned(),
                before,
                after,
            });
        }
    }
    changes
}

fn is_worse(before: PlanSize, after: PlanSize) -> bool {
    after.fetches > before.fetches
        || after.waves > before.waves
        || (after.fetches, after.waves) == (before.fetches, before.waves) && after.cost > before.cost
}

fn size(plan: &QueryPlan) -> PlanSize {
    let cost = plan.fetches.iter().map(|fetch| fields(&fetch.operation)).sum();
    PlanSize {
        fetches: plan.fetch_count(),
        waves: plan.wave_count(),
        cost,
    }
}

/// Fields of a subgraph request.
fn fields(operation: &str) -> usize {
    let Ok(document) = Document::parse(operation, "fetch.graphql") else {
        return 0;
    };
    let sets = document.definitions.iter().map(|definition| match definition {
        Definition::OperationDefinition(operation) => count(&operation.selection_set),
        Definition::FragmentDefinition(fragment) => count(&fragment.selection_set),
        _ => 0,
    });
    sets.sum()
}

fn count(selections: &[Selection]) -> usize {
    let one = |selection: &Selection| match selection {
        Selection::Field(field) => 1 + count(&field.selection_set),
        Selection::InlineFragment(fragment) => count(&fragment.selection_set),
        Selection::FragmentSpread(_) => 0,
    };
    selections.iter().map(one).sum()
}
