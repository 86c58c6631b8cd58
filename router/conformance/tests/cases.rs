//! Every failure ever found, one folder each, replayed.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests are not test functions to clippy"
)]

use std::path::Path;

use fondaco_conformance::case::Case;
use fondaco_conformance::run::replay;

#[test]
fn kept_cases_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut failed = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        count += 1;
        if let Err(failure) = replay(&Case::read(&path).unwrap()) {
            failed.push(format!("{}\n{failure}", path.display()));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    assert!(count > 0, "no case was found");
}
