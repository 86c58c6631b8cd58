//! One folder a case under `tests/cases`: every `*.graphql` is a subgraph; what is expected is `supergraph.graphql`,
//! `api.graphql` and (where there are any) `hints.txt`, or `errors.txt`. `UPDATE_EXPECT=1` rewrites the expectations.
//! Each case is also composed with its subgraphs in reverse order, which must not change a byte.

use std::path::{Path, PathBuf};

use expect_test::expect_file;
use fondaco_composition::{SubgraphSource, compose};

#[test]
fn every_case_composes_as_expected() {
    let cases = folders(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"));
    assert!(!cases.is_empty(), "there are cases");
    cases.iter().for_each(|case| check(case));
}

fn check(case: &Path) {
    let sources = subgraphs(case);
    let reversed = sources.iter().rev().cloned().collect();
    match (compose(sources), compose(reversed)) {
        (Ok(composed), Ok(again)) => {
            assert_eq!(
                composed.supergraph_sdl,
                again.supergraph_sdl,
                "{} depends on order",
                case.display()
            );
            assert!(
                !case.join("errors.txt").exists(),
                "{} composes, although it must not",
                case.display()
            );
            parses(&composed.supergraph_sdl, case);
            parses(&composed.api_sdl, case);
            expect_file![case.join("supergraph.graphql")].assert_eq(&composed.supergraph_sdl);
            expect_file![case.join("api.graphql")].assert_eq(&composed.api_sdl);
            assert_eq!(composed.hints, again.hints, "{} depends on order", case.display());
            let hints: Vec<String> = composed.hints.iter().map(|hint| format!("{hint}\n")).collect();
            if case.join("hints.txt").exists() || !hints.is_empty() {
                expect_file![case.join("hints.txt")].assert_eq(&hints.concat());
            }
        }
        (Err(errors), Err(again)) => {
            assert_eq!(errors, again, "{} depends on order", case.display());
            let lines: Vec<String> = errors.iter().map(|error| format!("{error}\n")).collect();
            assert!(
                !case.join("supergraph.graphql").exists(),
                "{} fails: {}",
                case.display(),
                lines.concat()
            );
            expect_file![case.join("errors.txt")].assert_eq(&lines.concat());
        }
        _ => panic!("{} depends on the order of its subgraphs", case.display()),
    }
}

/// What is printed must be a valid schema.
fn parses(sdl: &str, case: &Path) {
    if let Err(invalid) = apollo_compiler::Schema::parse_and_validate(sdl, "printed.graphql") {
        panic!(
            "{}: the printed schema is invalid: {}\n{sdl}",
            case.display(),
            invalid.errors
        );
    }
}

fn subgraphs(case: &Path) -> Vec<SubgraphSource> {
    let files = entries(case)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "graphql"));
    let sources = files.map(|path| {
        let name = path
            .file_stem()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned();
        let sdl = std::fs::read_to_string(&path).expect("a case can be read");
        SubgraphSource {
            url: format!("http://{name}"),
            file: Some(format!("{name}.graphql")),
            sdl,
            name,
        }
    });
    sources
        .filter(|source| source.name != "supergraph" && source.name != "api")
        .collect()
}

fn folders(path: &Path) -> Vec<PathBuf> {
    entries(path).into_iter().filter(|path| path.is_dir()).collect()
}

fn entries(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).expect("the folder of cases exists");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry can be read").path())
        .collect();
    paths.sort();
    paths
}
