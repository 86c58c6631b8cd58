//! The formats of reports: each well-formed, each the same from run to run.

use std::path::Path;

use serde_json::Value;

use crate::program::{Folder, Run};

const FORMATS: [&str; 5] = ["text", "json", "github", "sarif", "junit"];

/// A change with everything that is awkward to write: a file name and a message with characters that formats reserve.
fn awkward() -> Folder {
    let folder = Folder::new();
    let file = "a,b 100%:ü&<.graphql";
    let config =
        format!("subgraphs:\n  a:\n    routing_url: http://a.test\n    schema: {{ file: \"{file}\" }}\n");
    let sdl = |fields: &str, url: &str| {
        format!("type Query {{\n  {fields}\n}}\n\nscalar S @specifiedBy(url: \"{url}\")\n")
    };
    folder.write("supergraph.yaml", &config);
    folder.write(file, sdl("s: S", "https://x.test/?a=1,2:3&b=%41\\n<next>"));
    folder.write("old/supergraph.yaml", &config);
    folder.write(&format!("old/{file}"), sdl("s: S gone: Int", "https://x.test/"));
    let used = r#"{"operation":"query \"Q\" { gone }","client":{"name":"a\nb,%","version":""},"count":1,"firstSeen":"2026-01-02T03:04:05Z","lastSeen":"2026-01-02T03:04:05Z"}"#;
    folder.write("usage.jsonl", used.replace("query \\\"Q\\\"", "query Q"));
    folder
}

fn report(folder: &Folder, format: &str) -> Run {
    let arguments = [
        "check",
        "--config",
        "supergraph.yaml",
        "--against",
        "old",
        "--usage",
        "usage.jsonl",
        "--all",
        "--format",
        format,
    ];
    let run = folder.fondaco(&arguments).expect(1, "FIELD_REMOVED");
    assert_eq!(run.err, "", "{format}");
    run
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let folder = awkward();
    for format in FORMATS {
        let first = report(&folder, format).out;
        assert!(first.ends_with('\n'), "{format}");
        for _ in 0..3 {
            assert_eq!(first, report(&folder, format).out, "{format}");
        }
    }
}

#[test]
fn annotations_are_escaped() {
    let github = report(&awkward(), "github").out;
    let lines: Vec<&str> = github.lines().collect();
    assert_eq!(lines.len(), 3, "one command a line: {github}");
    let removed = lines[0];
    assert!(
        removed.starts_with("::error file=a%2Cb 100%25%3Aü&<.graphql,line=1,col=1,title=FIELD_REMOVED (breaking)::Field Query.gone was removed."),
        "{removed}"
    );
    assert!(removed.contains("clients a%0Ab,%25"), "{removed}");
    let url = lines
        .iter()
        .find(|line| line.contains("SPECIFIED_BY_CHANGED"))
        .unwrap();
    assert!(url.starts_with("::notice file="), "{url}");
    assert!(url.contains("https://x.test/?a=1,2:3&b=%2541%0A<next>"), "{url}");
}

#[test]
fn json_has_the_places_and_the_numbers() {
    let json: Value = serde_json::from_str(&report(&awkward(), "json").out).unwrap();
    assert_eq!(
        (&json["tool"], &json["summary"]["errors"]),
        (&"check".into(), &2.into()),
        "{json:#}"
    );
    let removed = &json["findings"][0];
    assert_eq!(removed["rule"], "FIELD_REMOVED");
    assert_eq!(removed["coordinate"], "Query.gone");
    assert_eq!(removed["place"]["file"], "a,b 100%:ü&<.graphql");
    assert_eq!(removed["usage"]["requests"], 1);
}

/// Parsed by Python's, which `./dev` needs anyway.
#[test]
fn junit_is_well_formed() {
    let folder = awkward();
    folder.write("report.xml", report(&folder, "junit").out);
    let program = "import sys, xml.etree.ElementTree as t\n\
                   suites = t.parse('report.xml').getroot()\n\
                   cases = suites.findall('testsuite/testcase')\n\
                   print(suites.tag, suites.get('failures'), len(suites.findall('.//failure')), len(cases) == int(suites.get('tests')))\n\
                   print(suites.find('.//failure').text.splitlines()[1])";
    let parsed = folder
        .run("python3", &["-c", program])
        .expect(0, "testsuites 2 2 True");
    assert!(parsed.out.contains("a,b 100%:ü&<.graphql:1:1"), "{}", parsed.out);
}

#[test]
fn sarif_is_valid_by_its_schema() {
    let folder = awkward();
    folder.write("check.sarif", report(&folder, "sarif").out);
    let lint = [
        "lint",
        "--config",
        "supergraph.yaml",
        "--all",
        "--format",
        "sarif",
    ];
    folder.write(
        "lint.sarif",
        folder.fondaco(&lint).expect(0, "field-description").out,
    );
    folder.write(
        "none.sarif",
        folder
            .fondaco(&[&lint[..], &["--settings", "off.yaml"]].concat())
            .out,
    );
    folder.write("a,b 100%:ü&<.graphql", "type Query { s: Nothing }");
    folder.write(
        "broken.sarif",
        folder.fondaco(&lint).expect(2, "INVALID_GRAPHQL").out,
    );
    let validator = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/check/tests/peers");
    assert!(
        validator.join("node_modules").is_dir(),
        "run `npm ci` in schema/check/tests/peers first, as ./dev test does"
    );
    let validator = validator.join("sarif.js").display().to_string();
    folder
        .run("node", &[&validator, "check.sarif", "lint.sarif", "broken.sarif"])
        .expect(0, "");
    let json: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("check.sarif")).unwrap()).unwrap();
    let result = &json["runs"][0]["results"][0];
    let file = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(file, "a,b%20100%25%3A%C3%BC&%3C.graphql");
    // A validator that accepts anything would prove nothing.
    folder.write(
        "wrong.sarif",
        "{ \"version\": \"2.1.0\", \"runs\": [{ \"tool\": {} }] }",
    );
    folder
        .run("node", &[&validator, "wrong.sarif"])
        .expect(1, "driver");
}
