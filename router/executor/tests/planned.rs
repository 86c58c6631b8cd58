//! Plans of the planner run against canned subgraph answers: what only the two together show.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests are not test functions to clippy"
)]

#[allow(dead_code, reason = "each test uses its part")]
mod support;

use std::path::Path;
use std::sync::Arc;

use apollo_compiler::ExecutableDocument;
use expect_test::{Expect, expect};
use fondaco_executor::{PreparedOperation, SubgraphErrors};
use fondaco_planner::{OverrideLabels, Planner, PlannerConfig};
use fondaco_supergraph::Supergraph;
use support::*;

/// Plans `operation` against the supergraph of a group of planner cases, and runs the plan.
fn check(group: &str, operation: &str, answers: &[(&str, &str)], expected: Expect) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../planner/tests/cases")
        .join(group)
        .join("supergraph.graphql");
    let sdl = std::fs::read_to_string(path).unwrap();
    let supergraph = Arc::new(Supergraph::parse(&sdl, group).unwrap());
    let schema = supergraph.api_schema().clone();
    let document = ExecutableDocument::parse_and_validate(&schema, operation, "operation.graphql").unwrap();
    let plan = Planner::new(supergraph, PlannerConfig::default())
        .plan(&document, None, &OverrideLabels::default())
        .unwrap();
    let prepared = PreparedOperation::new(schema, Arc::new(document), None, plan).unwrap();
    let fake = Arc::new(Fake::new(answers));
    let executor = executor(fake.clone(), "http://subgraph/graphql", SubgraphErrors::Expose);
    let response = run(&executor, &prepared, None);
    let requests = fake.requests.lock().unwrap();
    let lines = requests.iter().map(|(name, body)| format!("{name} < {body}\n"));
    expected.assert_eq(&(lines.collect::<String>() + &response + "\n"));
}

#[test]
fn one_context_needs_one_selection() {
    check(
        "context",
        "{ shop { items { price } } }",
        &[
            (
                "a",
                r#"{"data":{"shop":{"locale":"fr","items":[{"__typename":"Item","id":"1"},{"__typename":"Item","id":"2"}]}}}"#,
            ),
            ("a", r#"{"data":{"_entities":[{"price":1},{"price":2}]}}"#),
        ],
        expect![[r#"
            a < {"query":"{shop{items{__typename id}locale}}","variables":{}}
            a < {"query":"query($representations:[_Any!]!,$_fondaco_locale_1:String){_entities(representations:$representations){...on Item{price(locale:$_fondaco_locale_1)}}}","variables":{"representations":[{"__typename":"Item","id":"1"},{"__typename":"Item","id":"2"}],"_fondaco_locale_1":"fr"}}
            {"data":{"shop":{"items":[{"price":1},{"price":2}]}}}
        "#]],
    );
}

#[test]
fn contexts_that_differ_get_a_selection_each() {
    check(
        "context",
        "{ shops { items { price } } }",
        &[
            (
                "a",
                r#"{"data":{"shops":[{"locale":"fr","items":[{"__typename":"Item","id":"1"}]},
                {"locale":"de","items":[{"__typename":"Item","id":"1"},{"__typename":"Item","id":"2"}]},
                {"locale":"fr","items":[{"__typename":"Item","id":"3"}]}]}}"#,
            ),
            (
                "a",
                r#"{"data":{"_entities":[{"price":1},{"price":3}],"_entities_1":[{"price":10},null]},
                "errors":[{"message":"no price","path":["_entities_1",1,"price"]}]}"#,
            ),
        ],
        expect![[r#"
            a < {"query":"{shops{items{__typename id}locale}}","variables":{}}
            a < {"query":"query($representations: [_Any!]!, $representations_1: [_Any!]!, $_fondaco_locale_1: String, $_fondaco_locale_1_1: String) { _entities(representations: $representations) { ... on Item { price(locale: $_fondaco_locale_1) } } _entities_1: _entities(representations: $representations_1) { ... on Item { price(locale: $_fondaco_locale_1_1) } } }","variables":{"representations":[{"__typename":"Item","id":"1"},{"__typename":"Item","id":"3"}],"_fondaco_locale_1":"fr","representations_1":[{"__typename":"Item","id":"1"},{"__typename":"Item","id":"2"}],"_fondaco_locale_1_1":"de"}}
            {"errors":[{"message":"no price","path":["shops",1,"items",1,"price"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"a"}}],"data":{"shops":[{"items":[{"price":1}]},{"items":[{"price":10},{"price":null}]},{"items":[{"price":3}]}]}}
        "#]],
    );
}

#[test]
fn a_context_is_of_the_type_that_set_it() {
    check(
        "context",
        "{ any { ... on Shop { item { price } } ... on Stall { item { price } } } }",
        &[
            (
                "a",
                r#"{"data":{"any":{"__typename":"Stall","lang":null,"item":{"__typename":"Item","id":"1"}}}}"#,
            ),
            ("a", r#"{"data":{"_e1":[{"price":5}]}}"#),
        ],
        expect![[r#"
            a < {"query":"{any{__typename ...on Shop{item{__typename id}locale}...on Stall{item{__typename id}lang}}}","variables":{}}
            a < {"query":"query($representations1: [_Any!]!, $_fondaco_locale_2: String) { _e1: _entities(representations: $representations1) { ... on Item { price(locale: $_fondaco_locale_2) } } }","variables":{"representations1":[{"__typename":"Item","id":"1"}],"_fondaco_locale_2":null}}
            {"data":{"any":{"item":{"price":5}}}}
        "#]],
    );
}

#[test]
fn root_fields_below_the_root_are_merged_at_every_place() {
    check(
        "query-below",
        "{ list { a b } }",
        &[
            (
                "a",
                r#"{"data":{"list":[{"__typename":"Query","a":1},{"__typename":"Query","a":2}]}}"#,
            ),
            ("b", r#"{"data":{"b":7}}"#),
        ],
        expect![[r#"
            a < {"query":"{list{__typename a}}","variables":{}}
            b < {"query":"{b}","variables":{}}
            {"data":{"list":[{"a":1,"b":7},{"a":2,"b":7}]}}
        "#]],
    );
}

#[test]
fn errors_of_root_fields_below_the_root_have_the_clients_paths() {
    check(
        "query-below",
        "{ self { a b } viewer { query { b } } }",
        &[
            (
                "a",
                r#"{"data":{"self":{"__typename":"Query","a":1},"viewer":{"query":{"__typename":"Query"}}}}"#,
            ),
            (
                "b",
                r#"{"data":{"b":null},"errors":[{"message":"no b","path":["b"]}]}"#,
            ),
        ],
        expect![[r#"
            a < {"query":"{self{__typename a}viewer{query{__typename}}}","variables":{}}
            b < {"query":"{b}","variables":{}}
            {"errors":[{"message":"no b","path":["self","b"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"b"}},{"message":"no b","path":["viewer","query","b"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"b"}}],"data":{"self":{"a":1,"b":null},"viewer":{"query":{"b":null}}}}
        "#]],
    );
}

#[test]
fn a_root_field_below_null_is_not_fetched() {
    check(
        "query-below",
        "{ self { b } }",
        &[("a", r#"{"data":{"self":null}}"#)],
        expect![[r#"
            a < {"query":"{self{__typename}}","variables":{}}
            {"data":{"self":null}}
        "#]],
    );
}

#[test]
fn plain_fields_survive_when_a_required_value_is_missing() {
    check(
        "requires-late",
        "{ t { plain sum } }",
        &[
            ("a", r#"{"data":{"t":{"__typename":"T","id":"1"}}}"#),
            ("b", r#"{"data":null,"errors":[{"message":"down"}]}"#),
            ("c", r#"{"data":{"_e0":[{"plain":3}],"_e1":[]}}"#),
        ],
        expect![[r#"
            a < {"query":"{t{__typename id}}","variables":{}}
            b < {"query":"query($representations:[_Any!]!){_entities(representations:$representations){...on T{x}}}","variables":{"representations":[{"__typename":"T","id":"1"}]}}
            c < {"query":"query($representations0:[_Any!]!,$representations1:[_Any!]!){_e0:_entities(representations:$representations0){...on T{plain}}_e1:_entities(representations:$representations1){...on T{sum}}}","variables":{"representations0":[{"__typename":"T","id":"1"}],"representations1":[]}}
            {"errors":[{"message":"down","path":["t"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"b"}}],"data":{"t":{"plain":3,"sum":null}}}
        "#]],
    );
}

#[test]
fn an_entity_that_is_not_there_is_null_to_those_that_require_it() {
    check(
        "requires-late",
        "{ t { plain sum } }",
        &[
            ("a", r#"{"data":{"t":{"__typename":"T","id":"1"}}}"#),
            ("b", r#"{"data":{"_entities":[null]}}"#),
            ("c", r#"{"data":{"_e0":[{"plain":3}],"_e1":[{"sum":4}]}}"#),
        ],
        expect![[r#"
            a < {"query":"{t{__typename id}}","variables":{}}
            b < {"query":"query($representations:[_Any!]!){_entities(representations:$representations){...on T{x}}}","variables":{"representations":[{"__typename":"T","id":"1"}]}}
            c < {"query":"query($representations0:[_Any!]!,$representations1:[_Any!]!){_e0:_entities(representations:$representations0){...on T{plain}}_e1:_entities(representations:$representations1){...on T{sum}}}","variables":{"representations0":[{"__typename":"T","id":"1"}],"representations1":[{"__typename":"T","id":"1","x":null}]}}
            {"data":{"t":{"plain":3,"sum":4}}}
        "#]],
    );
}

#[test]
fn an_entity_that_failed_is_required_by_nobody() {
    check(
        "requires-late",
        "{ t { plain sum } }",
        &[
            ("a", r#"{"data":{"t":{"__typename":"T","id":"1"}}}"#),
            (
                "b",
                r#"{"data":{"_entities":[null]},"errors":[{"message":"failed","path":["_entities",0]}]}"#,
            ),
            ("c", r#"{"data":{"_e0":[{"plain":3}],"_e1":[]}}"#),
        ],
        expect![[r#"
            a < {"query":"{t{__typename id}}","variables":{}}
            b < {"query":"query($representations:[_Any!]!){_entities(representations:$representations){...on T{x}}}","variables":{"representations":[{"__typename":"T","id":"1"}]}}
            c < {"query":"query($representations0:[_Any!]!,$representations1:[_Any!]!){_e0:_entities(representations:$representations0){...on T{plain}}_e1:_entities(representations:$representations1){...on T{sum}}}","variables":{"representations0":[{"__typename":"T","id":"1"}],"representations1":[]}}
            {"errors":[{"message":"failed","path":["t"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"b"}}],"data":{"t":{"plain":3,"sum":null}}}
        "#]],
    );
}
