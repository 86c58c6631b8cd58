//! One folder a case under `tests/cases`: every `*.graphql` is a subgraph; what is expected is `supergraph.graphql`,
//! `api.graphql` and (where there are any) `hints.txt`, or `errors.txt`. `UPDATE_EXPECT=1` rewrites the expectations.
//! Each case is also composed with its subgraphs in other orders, which must not change a byte.

use std::path::{Path, PathBuf};

use expect_test::expect_file;
use fondaco_composition::{Code, HintCode, SubgraphSource, compose};

#[test]
fn every_case_composes_as_expected() {
    let cases = folders();
    assert!(cases.len() >= 220, "there are only {} cases", cases.len());
    cases.iter().for_each(|case| check(case));
}

/// Every code but the limit on paths, which no readable case can exceed: it has a test beside the limit.
#[test]
fn every_code_has_a_case() {
    let mut errors = String::new();
    let mut hints = String::new();
    for case in folders() {
        errors += &std::fs::read_to_string(case.join("errors.txt")).unwrap_or_default();
        hints += &std::fs::read_to_string(case.join("hints.txt")).unwrap_or_default();
    }
    let begins = |text: &str, code: &str| {
        text.lines()
            .any(|line| line.starts_with(&format!("{code} [")) || line.starts_with(&format!("{code}:")))
    };
    let without: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| **code != Code::MaxValidationSubgraphPathsExceeded)
        .map(|code| code.as_str())
        .filter(|code| !begins(&errors, code))
        .chain(
            HintCode::ALL
                .iter()
                .map(|code| code.as_str())
                .filter(|code| !begins(&hints, code)),
        )
        .collect();
    assert!(without.is_empty(), "no case shows {without:?}");
}

/// What a case composes to, as text.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Composed {
        supergraph: String,
        api: String,
        hints: String,
    },
    Failed(String),
}

fn outcome(sources: Vec<SubgraphSource>) -> Outcome {
    fn lines<T: std::fmt::Display>(items: &[T]) -> String {
        items.iter().map(|item| format!("{item}\n")).collect()
    }
    match compose(sources) {
        Ok(composed) => Outcome::Composed {
            supergraph: composed.supergraph_sdl,
            api: composed.api_sdl,
            hints: lines(&composed.hints),
        },
        Err(errors) => {
            let placed = errors
                .iter()
                .all(|error| error.subgraph.is_some() && error.line.is_some());
            assert!(placed, "an error without a position: {errors:?}");
            Outcome::Failed(lines(&errors))
        }
    }
}

fn check(case: &Path) {
    let sources = subgraphs(case);
    let found = outcome(sources.clone());
    for shuffled in permutations(&sources).into_iter().skip(1).take(24) {
        assert_eq!(outcome(shuffled), found, "{} depends on order", case.display());
    }
    match found {
        Outcome::Composed {
            supergraph,
            api,
            hints,
        } => {
            assert!(
                !case.join("errors.txt").exists(),
                "{} composes, although it must not",
                case.display()
            );
            parses(&supergraph, case);
            if let Err(error) = fondaco_supergraph::Supergraph::parse(&supergraph, "supergraph.graphql") {
                panic!("{}: the router cannot read it: {error}", case.display());
            }
            parses(&api, case);
            expect_file![case.join("supergraph.graphql")].assert_eq(&supergraph);
            expect_file![case.join("api.graphql")].assert_eq(&api);
            if case.join("hints.txt").exists() || !hints.is_empty() {
                expect_file![case.join("hints.txt")].assert_eq(&hints);
            }
        }
        Outcome::Failed(errors) => {
            assert!(
                !case.join("supergraph.graphql").exists(),
                "{} fails: {errors}",
                case.display()
            );
            expect_file![case.join("errors.txt")].assert_eq(&errors);
        }
    }
}

/// All orders of the subgraphs, the given one first.
fn permutations(sources: &[SubgraphSource]) -> Vec<Vec<SubgraphSource>> {
    if sources.len() <= 1 {
        return vec![sources.to_vec()];
    }
    let mut all = Vec::new();
    for first in 0..sources.len() {
        let mut rest = sources.to_vec();
        let chosen = rest.remove(first);
        for mut order in permutations(&rest) {
            order.insert(0, chosen.clone());
            all.push(order);
        }
    }
    all
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

fn folders() -> Vec<PathBuf> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    entries(&cases).into_iter().filter(|path| path.is_dir()).collect()
}

fn entries(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).expect("the folder of cases exists");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry can be read").path())
        .collect();
    paths.sort();
    paths
}
