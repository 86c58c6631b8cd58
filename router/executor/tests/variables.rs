//! Coercion of variables: what a subgraph is sent, or why the request is refused.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests are not test functions to clippy"
)]

#[allow(dead_code, reason = "each test uses its part")]
mod support;

use std::sync::Arc;

use fondaco_executor::SubgraphErrors;
use support::{Fake, executor, name, prepare, root, run};

const SCHEMA: &str = r#"
    type Query { f(i: Int, x: Float, s: String, b: Boolean, id: ID, c: Color, l: [[Int]], t: Tag, j: JSON, n: Filter): Int }
    input Tag @oneOf { label: String number: Int }
    input Filter { color: Color! tags: [Int!] nested: Filter limit: Int! = 3 }
    enum Color { RED GREEN }
    scalar JSON
    directive @oneOf on INPUT_OBJECT
"#;

/// `Ok`: the variables in the subgraph's request. `Err`: part of the message.
fn check(ty: &str, variables: &str, expected: Result<&str, &str>) {
    let argument = match ty
        .trim_end_matches('!')
        .split(' ')
        .next()
        .unwrap()
        .trim_end_matches('!')
    {
        "Int" => "i",
        "Float" => "x",
        "String" => "s",
        "Boolean" => "b",
        "ID" => "id",
        "Color" => "c",
        "[[Int]]" => "l",
        "Tag" => "t",
        "JSON" => "j",
        _ => "n",
    };
    let mut fetch = root("a", "{f}");
    fetch.variables = vec![name("v")];
    let operation = prepare(
        SCHEMA,
        &format!("query($v: {ty}) {{ f({argument}: $v) }}"),
        vec![fetch],
    );
    let fake = Arc::new(Fake::new(&[("a", r#"{"data":{"f":1}}"#)]));
    let executor = executor(fake.clone(), "http://subgraph/graphql", SubgraphErrors::Expose);
    let response = run(&executor, &operation, Some(variables));
    let requests = fake.requests.lock().unwrap();
    match expected {
        Ok(sent) => {
            assert_eq!(response, r#"{"data":{"f":1}}"#, "{ty} {variables}");
            assert_eq!(
                requests[0].1,
                format!(r#"{{"query":"{{f}}","variables":{sent}}}"#),
                "{ty} {variables}"
            );
        }
        Err(message) => {
            assert!(requests.is_empty(), "{ty} {variables}");
            assert!(response.contains(message), "{ty} {variables}: {response}");
            assert!(
                response.contains("BAD_USER_INPUT") && !response.contains("data"),
                "{response}"
            );
        }
    }
}

/// A type, the variables sent, and those passed on or what is said.
type Case = (&'static str, &'static str, Result<&'static str, &'static str>);

fn check_all(cases: &[Case]) {
    for (ty, variables, expected) in cases {
        check(ty, variables, *expected);
    }
}

#[test]
fn scalars_and_enums_are_coerced() {
    check_all(&[
        ("Int", "{}", Ok("{}")),
        ("Int", "null", Ok("{}")),
        ("Int", r#"{"v":null}"#, Ok(r#"{"v":null}"#)),
        ("Int = 7", "{}", Ok(r#"{"v":7}"#)),
        ("Int = 7", r#"{"v":null}"#, Ok(r#"{"v":null}"#)),
        ("Int!", "{}", Err("was not provided")),
        ("Int!", r#"{"v":null}"#, Err("found null")),
        ("Int", r#"{"v":2147483647}"#, Ok(r#"{"v":2147483647}"#)),
        (
            "Int",
            r#"{"v":2147483648}"#,
            Err("Int cannot represent 2147483648"),
        ),
        ("Int", r#"{"v":1.0}"#, Ok(r#"{"v":1}"#)),
        ("Int", r#"{"v":1.5}"#, Err("Int cannot represent 1.5")),
        ("Int", r#"{"v":"1"}"#, Err("expected a value of type")),
        (
            "Float",
            r#"{"v":0.1000000000000000000000001}"#,
            Ok(r#"{"v":0.1000000000000000000000001}"#),
        ),
        ("Float", r#"{"v":1e999}"#, Err("Float cannot represent")),
        ("String", r#"{"v":"a\"\u00e9"}"#, Ok(r#"{"v":"a\"\u00e9"}"#)),
        ("String", r#"{"v":1}"#, Err("expected a value of type")),
        ("String = \"q\\\"\\n\"", "{}", Ok(r#"{"v":"q\"\n"}"#)),
        ("Boolean", r#"{"v":"true"}"#, Err("expected a value of type")),
        (
            "ID",
            r#"{"v":12345678901234567890}"#,
            Ok(r#"{"v":"12345678901234567890"}"#),
        ),
        ("ID", r#"{"v":1.5}"#, Err("ID cannot represent")),
        ("Color", r#"{"v":"RED"}"#, Ok(r#"{"v":"RED"}"#)),
        ("Color = GREEN", "{}", Ok(r#"{"v":"GREEN"}"#)),
        ("Color", r#"{"v":"BLUE"}"#, Err("does not exist in enum")),
        ("Color", r#"{"v":1}"#, Err("given as a string")),
    ]);
}

#[test]
fn lists_and_input_objects_are_coerced() {
    check_all(&[
        ("[[Int]]", r#"{"v":5}"#, Ok(r#"{"v":[[5]]}"#)),
        ("[[Int]]", r#"{"v":[1,[2,null]]}"#, Ok(r#"{"v":[[1],[2,null]]}"#)),
        ("[[Int]]", r#"{"v":[[1,"x"]]}"#, Err(r#"at \"v[0][1]\""#)),
        ("Tag", r#"{"v":{"label":"x"}}"#, Ok(r#"{"v":{"label":"x"}}"#)),
        ("Tag", r#"{"v":{"label":"x","number":1}}"#, Err("exactly one")),
        ("Tag", r#"{"v":{"label":null}}"#, Err("exactly one")),
        (
            "JSON",
            r#"{"v":{"a":[1e400,99999999999999999999]}}"#,
            Ok(r#"{"v":{"a":[1e400,99999999999999999999]}}"#),
        ),
        (
            "Filter",
            r#"{"v":{"color":"RED","nested":{"color":"GREEN","tags":1}}}"#,
            Ok(r#"{"v":{"color":"RED","nested":{"color":"GREEN","tags":[1]}}}"#),
        ),
        (
            "Filter",
            r#"{"v":{"color":"RED","nested":{"color":"NO"}}}"#,
            Err(r#"at \"v.nested.color\""#),
        ),
        ("Filter", r#"{"v":{}}"#, Err("required type")),
        (
            "Filter",
            r#"{"v":{"color":"RED","size":1}}"#,
            Err("is not defined by type"),
        ),
        ("Filter", r#"{"v":[]}"#, Err("expected an object")),
    ]);
}

#[test]
fn what_is_no_object_of_variables_is_refused() {
    check_all(&[
        ("Int", r#"[1]"#, Err("must be a JSON object")),
        ("Int", r#"{"v":"#, Err("could not be read")),
    ]);
}
