//! What graphql-js and graphql-inspector say about the cases of `tests/cases`, beside what we say. `tests/peers/differences.txt` lists
//! every case in which a peer finds something breaking or dangerous where we do not, or the other way round, with the reason.
//! `UPDATE_EXPECT=1` rewrites it; a difference without a reason fails in any case.

#![allow(clippy::unwrap_used, reason = "for tests: what is wrong fails them")]

mod case;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use expect_test::expect_file;
use fondaco_check::settings::CheckSettings;
use fondaco_check::{Evidenced, Report, check};
use serde::{Deserialize, Serialize};

use crate::case::{entries, graph};

/// Schemas that clients see, of one case.
#[derive(Serialize)]
struct Pair {
    name: String,
    before: String,
    after: String,
}

/// Kinds of changes, by level.
#[derive(Debug, Default, PartialEq, Deserialize)]
struct Verdict {
    breaking: BTreeSet<String>,
    dangerous: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Peers {
    graphql_js: Verdict,
    inspector: Verdict,
}

const FEDERATION: &str = "the peers compare what clients see, and directives of the federation are not in it";
const NO_DEFAULT: &str =
    "operations that relied on the default are no longer valid; the peers see only that the default changed";
const NOT_THERE_BEFORE: &str = "no operation can give what there was not, and none means anything else now";
const BREAKING_FOR_US: &str = "we call the same change breaking";
const ONLY_RECEIVED: &str = "clients only receive the enum: no operation becomes invalid";

/// Why we say something else, by what one side finds: a rule of ours, or a peer's type of change. The first that applies counts.
const REASONS: [(&str, &str); 33] = [
    ("AUTHORIZATION_TIGHTENED", FEDERATION),
    ("AUTHORIZATION_LOOSENED", FEDERATION),
    ("COST_CHANGED", FEDERATION),
    ("TAGS_CHANGED", FEDERATION),
    ("KEY_REMOVED", FEDERATION),
    ("SUBGRAPH_URL_CHANGED", FEDERATION),
    ("REQUIRES_CHANGED", FEDERATION),
    ("OVERRIDE_LABEL_CHANGED", FEDERATION),
    ("INTERFACE_OBJECT_CHANGED", FEDERATION),
    ("ARGUMENT_BECAME_REQUIRED", NO_DEFAULT),
    ("INPUT_FIELD_BECAME_REQUIRED", NO_DEFAULT),
    ("ARG_DEFAULT_VALUE_CHANGE", BREAKING_FOR_US),
    ("FIELD_ARGUMENT_DEFAULT_CHANGED", BREAKING_FOR_US),
    ("INPUT_FIELD_DEFAULT_VALUE_CHANGED", BREAKING_FOR_US),
    ("OPTIONAL_ARG_ADDED", NOT_THERE_BEFORE),
    ("FIELD_ARGUMENT_ADDED", NOT_THERE_BEFORE),
    ("OPTIONAL_INPUT_FIELD_ADDED", NOT_THERE_BEFORE),
    ("INPUT_FIELD_ADDED", NOT_THERE_BEFORE),
    ("VALUE_REMOVED_FROM_ENUM", ONLY_RECEIVED),
    ("ENUM_VALUE_REMOVED", ONLY_RECEIVED),
    ("ENUM_VALUE_REMOVED_FROM_RESULTS", ONLY_RECEIVED),
    (
        "VALUE_ADDED_TO_ENUM",
        "clients only send the enum: they cannot meet the value",
    ),
    (
        "ENUM_VALUE_ADDED",
        "clients only send the enum: they cannot meet the value",
    ),
    ("SPECIFIED_BY_CHANGED", "the peer does not look at @specifiedBy"),
    ("ONE_OF_ADDED", "the peer does not look at @oneOf"),
    (
        "ARGUMENT_DEFAULT_CHANGED",
        "operations that leave the argument out mean something else; the peer does not look at new defaults",
    ),
    (
        "INPUT_FIELD_DEFAULT_CHANGED",
        "the peer does not look at defaults of input fields",
    ),
    (
        "DIRECTIVE_ARGUMENT_DEFAULT_CHANGED",
        "the peer does not look at defaults of directives' arguments",
    ),
    (
        "DIRECTIVE_ARGUMENT_TYPE_CHANGED",
        "the peer does not look at types of directives' arguments",
    ),
    (
        "DEPRECATION_REMOVED",
        "for the peers a note; clients that were told to leave want to know",
    ),
    (
        "DIRECTIVE_NO_LONGER_REPEATABLE",
        "uses in one place more than once are no longer valid",
    ),
    ("DIRECTIVE_REPEATABLE_REMOVED", BREAKING_FOR_US),
    (
        "DIRECTIVE_USAGE_ARGUMENT_REMOVED",
        "the reason of a deprecation is for people",
    ),
];

#[test]
fn every_difference_from_other_tools_has_a_reason() {
    let cases = entries(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"));
    let (mut pairs, mut ours) = (Vec::new(), BTreeMap::new());
    for case in &cases {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let (before, after) = (graph(case, "before"), graph(case, "after"));
        let report = check(&before, &after, &Evidenced::default(), &CheckSettings::default());
        ours.insert(name.clone(), verdict(&report));
        let [before, after] = [before, after].map(|graph| graph.supergraph.api_schema().to_string());
        pairs.push(Pair { name, before, after });
    }
    let mut text = String::new();
    for (name, peers) in ask(&pairs) {
        let differences = differences(&ours[&name], &peers);
        for difference in differences {
            let _ = writeln!(text, "{name}: {difference}");
        }
    }
    expect_file!["peers/differences.txt"].assert_eq(&text);
}

fn verdict(report: &Report) -> Verdict {
    let with = |level: &str| {
        let findings = report.findings.iter().filter(|finding| finding.level == level);
        findings.map(|finding| finding.rule.to_owned()).collect()
    };
    Verdict {
        breaking: with("breaking"),
        dangerous: with("dangerous"),
    }
}

fn ask(pairs: &[Pair]) -> BTreeMap<String, Peers> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
    assert!(
        project.join("node_modules").is_dir(),
        "run `npm ci` in schema/check/tests/peers first, as ./dev test does"
    );
    let mut node = Command::new("node")
        .arg("changes.js")
        .current_dir(project)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = serde_json::to_vec(pairs).unwrap();
    node.stdin.take().unwrap().write_all(&input).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Lines about levels at which only one side finds something.
fn differences(ours: &Verdict, peers: &Peers) -> Vec<String> {
    let mut lines = Vec::new();
    for (peer, theirs) in [
        ("graphql-js", &peers.graphql_js),
        ("graphql-inspector", &peers.inspector),
    ] {
        for (level, we, they) in [
            ("breaking", &ours.breaking, &theirs.breaking),
            ("dangerous", &ours.dangerous, &theirs.dangerous),
        ] {
            let (who, kinds) = match (we.is_empty(), they.is_empty()) {
                (false, true) => (format!("only we, not {peer}"), we),
                (true, false) => (format!("only {peer}, not we"), they),
                _ => continue,
            };
            lines.push(format!("{level}: {who}: {}", reasoned(kinds)));
        }
    }
    lines
}

fn reasoned(kinds: &BTreeSet<String>) -> String {
    let list = kinds.iter().cloned().collect::<Vec<_>>().join(", ");
    let reason = REASONS.iter().find(|(kind, _)| kinds.contains(*kind));
    let (_, reason) = reason.unwrap_or_else(|| panic!("{list}: nobody has said why"));
    format!("{list}: {reason}")
}
