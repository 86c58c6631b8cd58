//! Runs random cases, many operations on each random graph.

use std::path::Path;

use fastrand::Rng;

use crate::case::{Case, Schemas};
use crate::graph::{Failure, Graph, Stage};
use crate::operation::Operation;
use crate::random_operation::random_operation;
use crate::random_world::random_world;
use crate::shrink::Failing;
use crate::transport::{Fault, FaultKind};

/// Operations tried on each graph.
pub const OPERATIONS: usize = 12;

/// What a run came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Operations checked.
    pub cases: usize,
    /// What failed, with the seed of its graph.
    pub failures: Vec<(u64, Failing)>,
}

/// Checks the graph of one seed; of several failures of a kind one is kept.
pub fn run_seed(seed: u64) -> Outcome {
    let mut outcome = Outcome::default();
    let world = random_world(seed);
    let failing = |operation, fault, failure| Failing {
        world: world.clone(),
        operation,
        fault,
        failure,
    };
    let graph = match Graph::new(&Schemas::of(&world)) {
        Ok(graph) => graph,
        Err(failure) => {
            outcome.cases = OPERATIONS;
            outcome
                .failures
                .push((seed, failing(Operation::default(), None, failure)));
            return outcome;
        }
    };
    let mut rng = Rng::with_seed(seed ^ 0x5eed);
    for _ in 0..OPERATIONS {
        let Some(operation) = valid_operation(&graph, &mut rng) else {
            continue;
        };
        let fault = (rng.u8(..4) == 0).then(|| random_fault(&mut rng));
        outcome.cases += 1;
        if let Err(failure) = graph.check(&operation.text(), &operation.variables(), fault) {
            let known = outcome
                .failures
                .iter()
                .any(|(_, other)| other.failure.kind() == failure.kind());
            if !known {
                let fault = fault.filter(|_| failure.stage == Stage::Fault);
                outcome.failures.push((seed, failing(operation, fault, failure)));
            }
        }
    }
    outcome
}

/// The first cases of a seed.
pub fn samples(seed: u64) -> Vec<(Case, Graph)> {
    let schemas = Schemas::of(&random_world(seed));
    let mut rng = Rng::with_seed(seed ^ 0x5eed);
    let mut out = Vec::new();
    for _ in 0..3 {
        let Ok(graph) = Graph::new(&schemas) else { break };
        let Some(operation) = valid_operation(&graph, &mut rng) else {
            break;
        };
        let case = Case {
            schemas: schemas.clone(),
            operation: operation.text(),
            variables: operation.variables(),
            fault: None,
        };
        out.push((case, graph));
    }
    out
}

/// A random operation that is valid; those with fields in conflict are thrown away.
fn valid_operation(graph: &Graph, rng: &mut Rng) -> Option<Operation> {
    (0..30)
        .map(|_| random_operation(graph.schema(), rng))
        .find(|operation| graph.is_valid(&operation.text()))
}

fn random_fault(rng: &mut Rng) -> Fault {
    let kinds = [
        FaultKind::Refused,
        FaultKind::Status,
        FaultKind::Html,
        FaultKind::NullData,
        FaultKind::NoData,
        FaultKind::ShortEntities,
    ];
    Fault {
        call: rng.usize(..4),
        kind: kinds[rng.usize(..kinds.len())],
    }
}

/// Writes a failing case to a folder.
pub fn keep(failing: &Failing, folder: &Path) -> std::io::Result<Case> {
    let case = Case {
        schemas: Schemas::of(&failing.world),
        operation: failing.operation.text(),
        variables: failing.operation.variables(),
        fault: failing.fault,
    };
    case.write(folder)?;
    Ok(case)
}

/// Replays a case.
pub fn replay(case: &Case) -> Result<(), Failure> {
    Graph::new(&case.schemas)?.check(&case.operation, &case.variables, case.fault)
}
