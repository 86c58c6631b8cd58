//! One folder a case under `tests/cases`: `before/*.graphql` and `after/*.graphql` are the subgraphs, `usage.jsonl` what
//! was recorded, `operations/` what is committed, `settings.yaml` settings; `report.txt` is expected. `UPDATE_EXPECT=1`
//! rewrites the expectations. A second run must give the same bytes, and no file may be left unread.

mod case;

use std::collections::BTreeSet;
use std::path::Path;

use expect_test::expect_file;
use fondaco_check::operations::{Operation, documents, usage_log};
use fondaco_check::settings::{CheckSettings, Settings};
use fondaco_check::{Evidenced, Format, Report, Rule, Style, check};

use crate::case::{entries, graph};

#[test]
fn every_case_is_reported_as_expected() {
    let cases = entries(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"));
    assert!(cases.len() >= 120, "{} cases", cases.len());
    let mut reported = BTreeSet::new();
    for case in &cases {
        let report = run(case);
        assert_eq!(report, run(case), "{} differs from run to run", case.display());
        let style = Style {
            colour: false,
            all: true,
            folder: Some(case.clone()),
        };
        expect_file![case.join("report.txt")].assert_eq(&report.write(Format::Text, &style));
        reported.extend(report.findings.iter().map(|finding| finding.rule));
    }
    let silent: Vec<&str> = Rule::ALL
        .iter()
        .map(|rule| rule.as_str())
        .filter(|rule| !reported.contains(rule))
        .collect();
    assert_eq!(
        silent,
        ["ROOT_TYPE_CHANGED"],
        "rules without a case (roots are renamed by composition)"
    );
}

fn run(case: &Path) -> Report {
    let (before, after) = (graph(case, "before"), graph(case, "after"));
    check(&before, &after, &evidence(case), &settings(case))
}

fn evidence(case: &Path) -> Evidenced {
    let log = case.join("usage.jsonl");
    let mut operations: Vec<Operation> = Vec::new();
    if log.exists() {
        let text = std::fs::read_to_string(&log).expect("a case can be read");
        operations.extend(usage_log::parse(&text, "usage.jsonl").expect("the log can be read"));
    }
    let folder = case.join("operations");
    if folder.exists() {
        let manifest = folder.join("manifest.json");
        let path = if manifest.exists() { manifest } else { folder };
        let mut committed = documents::read(&path).expect("the operations can be read");
        committed
            .iter_mut()
            .for_each(|operation| operation.relative_to(case));
        operations.extend(committed);
    }
    Evidenced { operations }
}

fn settings(case: &Path) -> CheckSettings {
    let file = case.join("settings.yaml");
    if !file.exists() {
        return CheckSettings::default();
    }
    Settings::load(&file).expect("the settings can be read").check
}
