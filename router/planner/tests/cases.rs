//! Plans every case under `tests/cases` and compares with its `plan.txt` (`UPDATE_EXPECT=1` rewrites them).
//!
//! A folder with an `operation.graphql` is a case. It plans against the `supergraph.graphql` beside it or, so that
//! several operations can share one, in the folder above. `labels.txt` lists active override labels, one a line.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use apollo_compiler::ExecutableDocument;
use expect_test::expect_file;
use fondaco_planner::{OverrideLabels, Planner, PlannerConfig};
use fondaco_supergraph::Supergraph;

#[test]
fn cases() {
    let mut cases = Vec::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"),
        &mut cases,
    );
    cases.sort();
    assert!(cases.len() >= 150, "{} cases", cases.len());
    let mut planners = HashMap::new();
    for case in cases {
        expect_file![case.join("plan.txt")].assert_eq(&plan(&case, &mut planners));
    }
}

fn collect(folder: &Path, cases: &mut Vec<PathBuf>) {
    if folder.join("operation.graphql").exists() {
        cases.push(folder.to_owned());
    }
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, cases);
        }
    }
}

fn plan(case: &Path, planners: &mut HashMap<PathBuf, Planner>) -> String {
    let folders = [case, case.parent().unwrap()];
    let folder = folders
        .into_iter()
        .find(|folder| folder.join("supergraph.graphql").exists())
        .unwrap();
    let planner = planners
        .entry(folder.to_owned())
        .or_insert_with(|| planner(folder));
    let operation = fs::read_to_string(case.join("operation.graphql")).unwrap();
    let document = ExecutableDocument::parse_and_validate(
        planner.supergraph().api_schema(),
        operation,
        case.join("operation.graphql"),
    )
    .unwrap_or_else(|invalid| panic!("{}", invalid.errors));
    let name = document.operations.named.keys().next().map(|name| name.as_str());
    match planner.plan(&document, name, &labels(case)) {
        Ok(plan) => plan.to_string(),
        Err(error) => format!("error: {error}\n"),
    }
}

fn planner(folder: &Path) -> Planner {
    let path = folder.join("supergraph.graphql");
    let sdl = fs::read_to_string(&path).unwrap();
    let supergraph = Supergraph::parse(&sdl, path.to_str().unwrap()).unwrap();
    Planner::new(Arc::new(supergraph), PlannerConfig::default())
}

fn labels(case: &Path) -> OverrideLabels {
    let text = fs::read_to_string(case.join("labels.txt")).unwrap_or_default();
    text.lines().map(Arc::from).collect()
}
