//! Any text as an operation: what is valid against the API schema gets a plan or a refusal, in bounded time.
#![no_main]

use std::sync::{Arc, LazyLock};

use apollo_compiler::ExecutableDocument;
use fondaco_executor::PreparedOperation;
use fondaco_planner::{OverrideLabels, Planner, PlannerConfig};
use fondaco_supergraph::Supergraph;
use libfuzzer_sys::fuzz_target;

static PLANNER: LazyLock<Planner> = LazyLock::new(|| {
    let sdl = include_str!("../../schema/supergraph.graphql");
    let supergraph = Supergraph::parse(sdl, "supergraph.graphql").expect("the committed supergraph is valid");
    Planner::new(Arc::new(supergraph), PlannerConfig::default())
});

fuzz_target!(|operation: &str| {
    let schema = PLANNER.supergraph().api_schema();
    let Ok(document) = ExecutableDocument::parse_and_validate(schema, operation, "operation.graphql") else {
        return;
    };
    let names = document.operations.named.keys().map(|name| Some(name.as_str()));
    let anonymous = document.operations.anonymous.as_ref().map(|_| None);
    let document = Arc::new(document.clone());
    for name in names.chain(anonymous) {
        if let Ok(plan) = PLANNER.plan(&document, name, &OverrideLabels::default()) {
            let _ = PreparedOperation::new(schema.clone(), document.clone(), name, plan);
        }
    }
});
