//! Which fetches may start: those whose dependencies are all merged.

use std::collections::VecDeque;

use fondaco_planner::query_plan::{FetchId, QueryPlan};

/// Progress through the graph of fetches.
#[derive(Debug)]
pub(crate) struct Schedule {
    ready: VecDeque<FetchId>,
    /// For each fetch, how many dependencies are not merged yet.
    waiting_for: Vec<usize>,
    /// For each fetch, the fetches that depend on it.
    dependents: Vec<Vec<FetchId>>,
}

impl Schedule {
    /// At the start of a plan.
    pub(crate) fn new(plan: &QueryPlan) -> Self {
        let mut dependents = vec![Vec::new(); plan.fetches.len()];
        for (index, fetch) in plan.fetches.iter().enumerate() {
            for dependency in &fetch.depends_on {
                dependents[dependency.0].push(FetchId(index));
            }
        }
        let waiting_for: Vec<_> = plan.fetches.iter().map(|fetch| fetch.depends_on.len()).collect();
        let ready = (0..waiting_for.len())
            .filter(|index| waiting_for[*index] == 0)
            .map(FetchId)
            .collect();
        Self {
            ready,
            waiting_for,
            dependents,
        }
    }

    /// The next fetch that may start.
    pub(crate) fn next_ready(&mut self) -> Option<FetchId> {
        self.ready.pop_front()
    }

    /// Notes that a fetch is merged, or that it was left out.
    pub(crate) fn finish(&mut self, id: FetchId) {
        for &dependent in &self.dependents[id.0] {
            self.waiting_for[dependent.0] -= 1;
            if self.waiting_for[dependent.0] == 0 {
                self.ready.push_back(dependent);
            }
        }
    }
}
