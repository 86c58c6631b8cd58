//! The workflow and the hook of `docs/ci`, run as they are written there, in a repository with pull requests.

use std::collections::BTreeMap;
use std::process::Command;

use serde::Deserialize;

use crate::program::{Folder, Run};

const WORKFLOW: &str = include_str!("../../../docs/ci/schema-check.yaml");
const HOOK: &str = include_str!("../../../docs/ci/pre-commit");

const CATALOG: &str = "type Query {\n  \"Everything on sale.\"\n  products(first: Int): [Product]\n}\n\n\"What is sold.\"\ntype Product @key(fields: \"id\") {\n  id: ID!\n  name: String\n  legacyCode: String\n  state: State\n}\n\n\"Whether it is sold.\"\nenum State {\n  \"It is.\"\n  ON_SALE\n}\n";

/// What the workflow file says, as far as a runner of `run` steps needs it.
#[derive(Deserialize)]
struct Workflow {
    env: BTreeMap<String, String>,
    jobs: BTreeMap<String, Job>,
}

#[derive(Deserialize)]
struct Job {
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    name: Option<String>,
    run: Option<String>,
    r#if: Option<String>,
}

/// A clone of a repository whose `main` has the catalogue, and the runs of the workflow.
struct Repository {
    folder: Folder,
}

impl Repository {
    fn new() -> Self {
        let repository = Self {
            folder: Folder::new(),
        };
        repository.write_schema(CATALOG);
        let config = "subgraphs:\n  catalog:\n    routing_url: http://catalog.test\n    schema: { file: catalog.graphql }\n";
        repository.folder.write("schema/supergraph.yaml", config);
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository.commit("The catalogue");
        repository.git(&["remote", "add", "origin", "."]);
        repository.git(&["fetch", "--quiet"]);
        repository
    }

    fn write_schema(&self, sdl: &str) {
        self.folder.write("schema/catalog.graphql", sdl);
    }

    fn git(&self, arguments: &[&str]) -> Run {
        self.folder.run("git", arguments).expect(0, "")
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "-m", message]);
    }

    /// A branch off main with one commit.
    fn pull_request(&self, name: &str, from: &str, to: &str) {
        assert!(CATALOG.contains(from));
        self.git(&["checkout", "--quiet", "-b", name, "main"]);
        self.write_schema(&CATALOG.replace(from, to));
        self.commit(name);
    }

    /// Runs every step as a runner does: `bash -e`, and after a failure only what says `always()`. Gives the names of the steps that
    /// failed, and the annotations.
    fn run_workflow(&self, evidence: &str) -> (Vec<String>, String) {
        let workflow: Workflow = serde_saphyr::from_str(WORKFLOW).unwrap();
        let (mut failed, mut printed) = (Vec::new(), String::new());
        for step in &workflow.jobs["check"].steps {
            let Some(script) = &step.run else {
                continue;
            };
            let always = step
                .r#if
                .as_deref()
                .is_some_and(|condition| condition.contains("always()"));
            if !failed.is_empty() && !always {
                continue;
            }
            let mut command = Command::new("bash");
            command.args(["-e", "-c", script]);
            let command = self.folder.prepare(&mut command);
            for (name, value) in &workflow.env {
                let value = value.replace("${{ github.base_ref }}", "main");
                command.env(name, if name == "EVIDENCE" { evidence } else { &value });
            }
            let run = command.output().unwrap();
            let lines = String::from_utf8(run.stdout).unwrap();
            let annotations = lines.lines().filter(|line| line.starts_with("::"));
            printed.extend(annotations.flat_map(|line| [line, "\n"]));
            if !run.status.success() {
                failed.push(step.name.clone().unwrap());
            }
        }
        println!("{printed}");
        (failed, printed)
    }

    fn sarif_results(&self) -> usize {
        let sarif = std::fs::read_to_string(self.folder.path().join("fondaco.sarif")).unwrap();
        let sarif: serde_json::Value = serde_json::from_str(&sarif).unwrap();
        sarif["runs"][0]["results"].as_array().unwrap().len()
    }
}

const NOTHING: [String; 0] = [];

#[test]
fn a_safe_pull_request_passes() {
    let repository = Repository::new();
    repository.pull_request("safe", "  name: String\n", "  name: String\n  weight: Int\n");
    let (failed, printed) = repository.run_workflow("");
    assert_eq!(
        (failed, printed.as_str()),
        (NOTHING.to_vec(), ""),
        "an annotation asks for attention"
    );
    assert_eq!(repository.sarif_results(), 1);
}

#[test]
fn a_dangerous_pull_request_passes_with_a_warning() {
    let repository = Repository::new();
    repository.pull_request(
        "dangerous",
        "  ON_SALE\n",
        "  ON_SALE\n  \"No longer.\"\n  SOLD_OUT\n",
    );
    let (failed, printed) = repository.run_workflow("");
    assert_eq!(failed, NOTHING);
    assert!(
        printed.starts_with("::warning file=schema/catalog.graphql,line=19,"),
        "{printed}"
    );
}

#[test]
fn a_breaking_pull_request_fails_where_it_breaks() {
    let repository = Repository::new();
    repository.pull_request("breaking", "  legacyCode: String\n", "");
    let (failed, printed) = repository.run_workflow("");
    assert_eq!(failed, ["Check"]);
    assert!(
        printed.starts_with("::error file=schema/catalog.graphql,line=6,"),
        "{printed}"
    );
    assert_eq!(
        repository.sarif_results(),
        1,
        "the report is written though the check failed"
    );
}

#[test]
fn a_breaking_pull_request_that_nobody_notices_passes() {
    let repository = Repository::new();
    let record = |operation: &str| {
        format!(
            "{{\"operation\":\"{operation}\",\"client\":{{\"name\":\"web\",\"version\":\"1\"}},\"count\":7,\"firstSeen\":\"2026-01-02T03:04:05Z\",\"lastSeen\":\"2026-01-02T03:04:05Z\"}}\n"
        )
    };
    repository
        .folder
        .write("operations.jsonl", record("{ products { name } }"));
    repository.pull_request("unused", "  legacyCode: String\n", "");
    let (failed, printed) = repository.run_workflow("--usage operations.jsonl");
    assert_eq!(failed, NOTHING);
    assert!(printed.contains("FIELD_REMOVED (safe-by-usage)"), "{printed}");
    repository
        .folder
        .write("operations.jsonl", record("{ products { legacyCode } }"));
    let (failed, printed) = repository.run_workflow("--usage operations.jsonl");
    assert_eq!(failed, ["Check"]);
    assert!(printed.contains("clients web@1"), "{printed}");
}

#[test]
fn a_pull_request_against_conventions_fails() {
    let repository = Repository::new();
    repository.pull_request(
        "convention",
        "  name: String\n",
        "  name: String\n  Net_Weight: Int\n",
    );
    let (failed, printed) = repository.run_workflow("");
    assert_eq!(failed, ["Lint changed lines"]);
    assert!(printed.contains("title=field-name (error)"), "{printed}");
}

#[test]
fn the_hook_refuses_commits_that_break() {
    let repository = Repository::new();
    repository.folder.write(".git/hooks/pre-commit", HOOK);
    repository
        .folder
        .run("chmod", &["+x", ".git/hooks/pre-commit"])
        .expect(0, "");
    repository.write_schema(&CATALOG.replace("  legacyCode: String\n", ""));
    let commit = || {
        repository
            .folder
            .run("git", &["commit", "--quiet", "-am", "change"])
    };
    commit().expect(1, "FIELD_REMOVED");
    repository.write_schema(&CATALOG.replace("  name: String\n", "  name: Strng\n"));
    commit().expect(1, "catalog.graphql:9:");
    repository.write_schema(&CATALOG.replace("  name: String\n", "  name: String\n  weight: Int\n"));
    commit().expect(0, "0 breaking");
}
