//! One folder a case under `tests/lint`: `NAME.graphql` is a subgraph, `before/NAME.graphql` what it was where only changed
//! lines count, `settings.yaml` severities; `report.txt` is expected. `UPDATE_EXPECT=1` rewrites the expectations.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use fondaco_check::lint::{LintRule, Scope, lint};
use fondaco_check::settings::{LintSettings, Settings};
use fondaco_check::{Format, Graph, Style};
use fondaco_composition::SubgraphSource;

#[test]
fn every_case_is_reported_as_expected() {
    let mut reported = BTreeSet::new();
    for case in entries(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint")) {
        let graph =
            Graph::compose(subgraphs(&case)).unwrap_or_else(|error| panic!("{}: {error:?}", case.display()));
        let before = case.join("before");
        let before = before.exists().then(|| subgraphs(&before));
        let scope = before.as_deref().map_or(Scope::Everything, Scope::ChangedSince);
        let report = lint(&graph, &scope, &settings(&case));
        let style = Style {
            colour: false,
            all: true,
            folder: Some(case.clone()),
        };
        expect_file![case.join("report.txt")].assert_eq(&report.write(Format::Text, &style));
        reported.extend(report.findings.iter().map(|finding| finding.rule));
    }
    let silent: Vec<&str> = LintRule::ALL
        .iter()
        .map(|rule| rule.as_str())
        .filter(|rule| !reported.contains(rule))
        .collect();
    assert!(silent.is_empty(), "rules without a case: {silent:?}");
}

fn subgraphs(folder: &Path) -> Vec<SubgraphSource> {
    let files = entries(folder)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "graphql"));
    let sources = files.map(|path| {
        let name = path
            .file_stem()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned();
        SubgraphSource {
            url: format!("http://{name}"),
            file: Some(format!("{name}.graphql")),
            sdl: std::fs::read_to_string(&path).expect("a case can be read"),
            name,
        }
    });
    sources.collect()
}

fn settings(case: &Path) -> LintSettings {
    let file = case.join("settings.yaml");
    if !file.exists() {
        return LintSettings::default();
    }
    Settings::load(&file).expect("the settings can be read").lint
}

fn entries(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry can be read").path())
        .collect();
    paths.sort();
    paths
}
