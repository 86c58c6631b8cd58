//! Plans every case under `tests/cases` and compares with its `plan.txt` (`UPDATE_EXPECT=1` rewrites them).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use apollo_compiler::ExecutableDocument;
use expect_test::expect_file;
use fondaco_planner::{Planner, PlannerConfig};
use fondaco_supergraph::Supergraph;

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    for case in cases {
        expect_file![case.join("plan.txt")].assert_eq(&plan(&case));
    }
}

fn plan(case: &Path) -> String {
    let sdl = fs::read_to_string(case.join("supergraph.graphql")).unwrap();
    let operation = fs::read_to_string(case.join("operation.graphql")).unwrap();
    let supergraph = Arc::new(Supergraph::parse(&sdl, "supergraph.graphql").unwrap());
    let document =
        ExecutableDocument::parse_and_validate(supergraph.api_schema(), operation, "operation.graphql")
            .unwrap();
    match Planner::new(supergraph, PlannerConfig::default()).plan(&document, None) {
        Ok(plan) => plan.to_string(),
        Err(error) => format!("error: {error}\n"),
    }
}
