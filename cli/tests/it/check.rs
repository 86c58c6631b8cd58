//! `fondaco check`, `lint` and `contract`: exit codes, wrong use, and what they are compared with.

use crate::program::{Folder, Run};

const BEFORE: &str = "type Query {\n  a: Int\n  b: Int\n  kind: Kind\n}\n\nenum Kind {\n  ONE\n}\n";

/// A folder with the graph of [`BEFORE`] in `old/`, and with `after` as it is now.
fn changed(after: &str) -> Folder {
    let folder = Folder::new();
    folder.write_graph(&[("a", after)]);
    folder.write("old/a.graphql", BEFORE);
    folder
}

fn check(folder: &Folder, more: &[&str]) -> Run {
    folder.fondaco(
        &[
            &["check", "--config", "supergraph.yaml", "--against", "old"],
            more,
        ]
        .concat(),
    )
}

#[test]
fn exit_codes_are_those_documented() {
    let dangerous = BEFORE.replace("ONE", "ONE\n  TWO");
    let breaking = BEFORE.replace("  b: Int\n", "");
    for (after, arguments, code, said) in [
        (
            BEFORE,
            &[][..],
            0,
            "check: 0 breaking, 0 dangerous, 0 safe by usage, 0 safe",
        ),
        (
            &BEFORE.replace("a: Int", "a: Int c: Int"),
            &[],
            0,
            "1 safe (listed with --all)",
        ),
        (
            &BEFORE.replace("a: Int", "a: Int c: Int"),
            &["--all"],
            0,
            "safe FIELD_ADDED",
        ),
        (&dangerous, &[], 0, "dangerous ENUM_VALUE_ADDED"),
        (
            &dangerous,
            &["--fail-on-dangerous"],
            1,
            "dangerous ENUM_VALUE_ADDED",
        ),
        (
            &breaking,
            &[],
            1,
            "breaking FIELD_REMOVED: Field Query.b was removed\n  at a.graphql:1:1",
        ),
        (&BEFORE.replace("b: Int", "b: Nothing"), &[], 2, "a.graphql:3:6"),
        ("type Query {", &[], 2, "a.graphql:1:"),
        ("", &[], 2, "a.graphql"),
    ] {
        check(&changed(after), arguments).expect(code, said);
    }
}

/// A graph that did not change, beside files that are wrong in one way each.
fn beside_wrong_files() -> Folder {
    let folder = changed(BEFORE);
    folder.write("empty.yaml", "");
    folder.write("typo.yaml", "check: { rules: { FIELD_GONE: off } }");
    folder.write("unknown.yaml", "chekc: {}");
    folder.write("one.yaml", "extends: two.yaml");
    folder.write("two.yaml", "extends: one.yaml");
    folder.write("text.txt", "text");
    folder.write("broken.jsonl", "{\n");
    folder.write("latin1.graphql", b"# \xe9\n");
    folder.write("latin1/supergraph.yaml", b"subgraphs: { \xe9: {} }");
    folder.write("empty/notes", "");
    folder.write("queries/a.graphql", "query A { a }\n\nquery B {");
    folder
}

#[test]
fn wrong_use_is_named() {
    let folder = beside_wrong_files();
    for (arguments, said) in [
        (&["check"][..], "--config"),
        (&["check", "--config", "supergraph.yaml"], "--against"),
        (
            &["check", "--config", "supergraph.yaml", "--against", ""],
            "--against",
        ),
        (
            &["check", "--config", "none.yaml", "--against", "old"],
            "none.yaml",
        ),
        (
            &["check", "--config", "empty.yaml", "--against", "old"],
            "empty.yaml",
        ),
        (
            &["check", "--config", "latin1/supergraph.yaml", "--against", "old"],
            "latin1/supergraph.yaml",
        ),
        (&["lint", "--config", "none.yaml"], "none.yaml"),
        (
            &["lint", "--config", "supergraph.yaml", "--all", "--against", "old"],
            "cannot be used with",
        ),
        (
            &["lint", "--config", "supergraph.yaml", "--settings", "typo.yaml"],
            "FIELD_GONE",
        ),
        (&["lint", "--config", "supergraph.yaml"], "in no repository"),
        (&["contract", "--config", "supergraph.yaml"], "--include"),
        (
            &["contract", "--config", "none.yaml", "--include", "x"],
            "none.yaml",
        ),
        (&["publish"], "--registry"),
        (&["history"], "--registry"),
    ] {
        folder.fondaco(arguments).expect(3, said);
    }
}

#[test]
fn wrong_options_of_a_check_are_named() {
    let folder = beside_wrong_files();
    for (arguments, said) in [
        (
            &["--format", "xml"][..],
            "[possible values: text, json, github, sarif, junit]",
        ),
        (&["--nonsense"], "--nonsense"),
        (&["--min-count", "many"], "--min-count"),
        (&["--min-share", "NaN"], "--min-share"),
        (&["--min-share", "101"], "--min-share"),
        (&["--max-age-days=-1"], "--max-age-days"),
        (&["--settings", "none.yaml"], "none.yaml"),
        (
            &["--settings", "typo.yaml"],
            "there is no check rule \"FIELD_GONE\"",
        ),
        (&["--settings", "unknown.yaml"], "chekc"),
        (&["--settings", "one.yaml"], "in a circle"),
        (&["--usage", "none.jsonl"], "none.jsonl"),
        (&["--usage", "broken.jsonl"], "broken.jsonl:1"),
        (
            &["--usage", "redis://:hunter2@127.0.0.1:1"],
            "the log of operations in redis://127.0.0.1:1 cannot be read",
        ),
        (&["--operations", "none"], "none"),
        (&["--operations", "text.txt"], "text.txt"),
        (&["--operations", "queries"], "queries/a.graphql:3"),
        (&["--operations", "latin1.graphql"], "latin1.graphql"),
    ] {
        let run = check(&folder, arguments).expect(3, said);
        assert!(!run.err.contains("hunter2"), "{}", run.err);
    }
}

#[test]
fn what_is_no_earlier_graph_is_an_error() {
    let folder = beside_wrong_files();
    for against in [
        "none",
        "empty",
        "text.txt",
        "old/a.graphql",
        "latin1.graphql",
        "git:main",
        "git:",
    ] {
        folder
            .fondaco(&["check", "--config", "supergraph.yaml", "--against", against])
            .expect(3, "error: ");
    }
}

#[test]
fn help_is_no_failure() {
    let folder = Folder::new();
    for command in ["check", "lint", "contract", "publish", "history"] {
        folder.fondaco(&[command, "--help"]).expect(0, "Usage: fondaco");
    }
}

/// A repository whose first commit, tagged `v1`, has the graph of [`BEFORE`].
fn repository() -> Folder {
    let folder = Folder::new();
    folder.write_graph(&[("a", BEFORE)]);
    for arguments in [
        &["init", "--quiet", "--initial-branch", "main"][..],
        &["add", "."],
        &["commit", "--quiet", "-m", "first"],
        &["tag", "v1"],
    ] {
        folder.run("git", arguments).expect(0, "");
    }
    folder
}

#[test]
fn commits_are_named_as_git_names_them() {
    let folder = repository();
    folder.write("a.graphql", BEFORE.replace("  b: Int\n", ""));
    folder
        .run("git", &["commit", "--quiet", "-am", "second"])
        .expect(0, "");
    let against =
        |reference: &str| folder.fondaco(&["check", "--config", "supergraph.yaml", "--against", reference]);
    for reference in ["git:v1", "git:HEAD~1", "git:main^", "git:refs/tags/v1"] {
        against(reference).expect(1, "FIELD_REMOVED");
    }
    for reference in ["git:HEAD", "git:main", "git:@"] {
        against(reference).expect(0, "0 breaking");
    }
    for reference in [
        "git:nowhere",
        "git:--help",
        "git:v1:a.graphql",
        "git:HEAD~9",
        "git: ",
        "git:v1\n",
    ] {
        against(reference).expect(3, "there is no commit, branch or tag");
    }
    folder.write(
        "new/supergraph.yaml",
        "subgraphs: { a: { routing_url: 'http://a', schema: { file: ../a.graphql } } }",
    );
    let new = ["check", "--config", "new/supergraph.yaml", "--against", "git:v1"];
    folder
        .fondaco(&new)
        .expect(3, "cannot read new/supergraph.yaml at v1");
}

#[test]
fn lint_looks_at_changed_lines() {
    let folder = repository();
    let lint = |more: &[&str]| folder.fondaco(&[&["lint", "--config", "supergraph.yaml"], more].concat());
    lint(&[]).expect(0, "lint: 0 errors, 0 warnings");
    lint(&["--all"]).expect(0, "field-description");
    folder.write(
        "a.graphql",
        BEFORE.replace("  b: Int\n", "  b: Int\n  Bad_name: Int\n"),
    );
    let bad = lint(&[]).expect(1, "error field-name");
    assert!(bad.out.contains("at a.graphql:4:3"), "{}", bad.out);
    lint(&["--against", "git:nowhere"]).expect(3, "there is no commit");
    folder.write(
        "a.graphql",
        BEFORE.replace(
            "  b: Int\n",
            "  b: Int\n  Bad_name: Int # lint: allow(field-name) as it is known\n",
        ),
    );
    let allowed = lint(&[]).expect(0, "lint: 0 errors");
    assert!(!allowed.out.contains("error field-name"), "{}", allowed.out);
    folder.write("a.graphql", "type Query {");
    lint(&[]).expect(2, "a.graphql:1:");
}

#[test]
fn contracts_run_on_the_router_as_they_are() {
    let folder = Folder::new();
    let link = "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\", import: [\"@tag\"])\n";
    folder.write_graph(&[(
        "a",
        &format!("{link}type Query {{ a: Int @tag(name: \"public\") b: Int }}\n"),
    )]);
    let contract =
        |more: &[&str]| folder.fondaco(&[&["contract", "--config", "supergraph.yaml"], more].concat());
    contract(&["--include", "public", "--output", "public.graphql"]).expect(0, "");
    let api = folder
        .fondaco(&["api-schema", "--supergraph", "public.graphql"])
        .expect(0, "a: Int");
    assert!(!api.out.contains("b: Int"), "{}", api.out);
    let without = contract(&["--exclude", "public"]).expect(0, "@inaccessible");
    assert_eq!(without.out, contract(&["--exclude", "public"]).out);
    contract(&["--include", "nobody"]).expect(3, "error: ");
    folder.write("a.graphql", "type Query { a: Nothing }");
    contract(&["--include", "public"]).expect(2, "a.graphql:1:");
}
