//! `fondaco publish` and `fondaco history`.

use serde_json::Value;

use crate::program::Folder;

fn publish(folder: &Folder, more: &[&str]) -> crate::program::Run {
    let arguments = ["publish", "--registry", "registry", "--publisher", "ada"];
    folder.fondaco(&[&arguments, more].concat())
}

#[test]
fn exit_codes_say_what_came_of_it() {
    let folder = Folder::new();
    folder.write_graph(&[
        ("a", "type Query { a: Int b: Int }\n"),
        ("z", "type Query { z: Int }\n"),
    ]);
    let config = ["--config", "supergraph.yaml"];
    publish(&folder, &config).expect(0, "published version 1: a added, z added");
    publish(&folder, &config).expect(0, "nothing published: version 1 is the same");

    folder.write("a.graphql", "type Query { a: Int c: Int }\n");
    folder.write("z.graphql", "type Query { z: Nothing }\n");
    publish(&folder, &config).expect(2, "z.graphql:1:");
    let one = ["--config", "supergraph.yaml", "--subgraph", "a"];
    let refused = publish(&folder, &one).expect(1, "FIELD_REMOVED: Field Query.b was removed");
    assert!(
        refused.err.contains("the check against version 1 failed"),
        "{}",
        refused.err
    );
    publish(&folder, &[&one[..], &["--force", " "]].concat()).expect(3, "a reason is needed");
    let forced = [&one[..], &["--force", "b was never served"]].concat();
    publish(&folder, &forced).expect(0, "published version 2: a changed");
    publish(&folder, &["--restore", "1"]).expect(1, "Field Query.c was removed");
    publish(&folder, &["--restore", "7"]).expect(3, "no version 7; the newest is 2");
    publish(&folder, &["--remove", "nobody"]).expect(3, "no subgraph \"nobody\"");
    publish(&folder, &[]).expect(3, "--config");
    publish(&folder, &["--config", "supergraph.yaml", "--restore", "1"]).expect(3, "cannot be used with");
    publish(&folder, &["--config", "supergraph.yaml", "--subgraph", "nobody"])
        .expect(3, "supergraph.yaml has no subgraph \"nobody\"");
    publish(&folder, &["--config", "/no/such.yaml"]).expect(3, "/no/such.yaml");
    let elsewhere = ["publish", "--registry", "redis://:hunter2@x", "--restore", "1"];
    let refused = folder.fondaco(&elsewhere).expect(3, "not a redis:// one");
    assert!(!refused.err.contains("hunter2"), "{}", refused.err);
    let closed = "postgres://me:hunter2@127.0.0.1:1/shop";
    let refused = folder.fondaco(&["publish", "--registry", closed, "--restore", "1"]);
    let refused = refused.expect(3, "postgres://127.0.0.1:1/shop cannot be used");
    assert!(!refused.err.contains("hunter2"), "{}", refused.err);
    check_history(&folder);
}

fn check_history(folder: &Folder) {
    let history = |more: &[&str]| folder.fondaco(&[&["history", "--registry", "registry"], more].concat());
    let list = history(&[]).expect(0, "ada: a changed, 1 breaking; forced: b was never served");
    assert_eq!(list.out.lines().count(), 2);
    assert!(
        list.out
            .lines()
            .nth(1)
            .unwrap()
            .ends_with("ada: a added, z added"),
        "{}",
        list.out
    );
    let json: Value = serde_json::from_str(&history(&["--format", "json"]).out).unwrap();
    assert_eq!(json[0]["number"], 2);
    assert_eq!(json[0]["forcedBecause"], "b was never served");
    assert_eq!(
        json[1]["summary"],
        serde_json::json!({ "breaking": 0, "dangerous": 0, "safeByUsage": 0, "safe": 0 })
    );
    let schema = history(&["--version", "1", "--subgraph", "a"]).expect(0, "b: Int");
    assert_eq!(schema.out, "type Query { a: Int b: Int }\n");
    // What is kept is what a router loads.
    folder.write("old.graphql", history(&["--version", "1"]).out);
    folder
        .fondaco(&["api-schema", "--supergraph", "old.graphql"])
        .expect(0, "b: Int");
    history(&["--version", "3"]).expect(3, "no version 3");
    history(&["--version", "1", "--subgraph", "q"]).expect(3, "version 1 has no subgraph \"q\"");
    history(&["--subgraph", "a"]).expect(3, "--version");
    folder
        .fondaco(&["history", "--registry", "nowhere"])
        .expect(3, "no registry at nowhere");
}

#[test]
fn usage_decides_what_may_be_published() {
    let folder = Folder::new();
    folder.write_graph(&[("a", "type Query { a: Int b: Int }\n")]);
    let config = ["--config", "supergraph.yaml"];
    publish(&folder, &config).expect(0, "published version 1");
    folder.write("a.graphql", "type Query { a: Int }\n");
    let record = |field: &str| {
        format!(
            r#"{{"operation":"{{ {field} }}","client":{{"name":"web","version":"1"}},"count":3,"firstSeen":"2026-01-02T03:04:05Z","lastSeen":"2026-01-02T03:04:05Z"}}"#
        )
    };
    folder.write("uses-b.jsonl", record("b"));
    folder.write("uses-a.jsonl", record("a"));
    let with = |log| {
        publish(
            &folder,
            &[&config[..], &["--usage", log, "--format", "json"]].concat(),
        )
    };
    with("uses-b.jsonl").expect(1, "\"web@1\"");
    with("uses-a.jsonl").expect(0, "safe-by-usage");
}
