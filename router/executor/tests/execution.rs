//! Plans run against canned subgraph answers.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests are not test functions to clippy"
)]

#[allow(dead_code, reason = "each test uses its part")]
mod support;

use expect_test::{Expect, expect};
use fondaco_executor::{GraphqlError, SubgraphErrors};
use fondaco_planner::query_plan::{Condition, Fetch, FetchId, FetchTarget, OutputRewrite, PathSegment};
use std::sync::Arc;
use support::*;

fn check(operation: &str, fetches: Vec<Fetch>, answers: &[(&str, &str)], expected: Expect) {
    expected.assert_eq(&transcript(operation, fetches, answers, None));
}

fn check_root(operation: &str, answer: &str, expected: Expect) {
    check(operation, vec![root("a", "{…}")], &[("a", answer)], expected);
}

const ENTITIES: &str = "query($representations:[_Any!]!){_entities(representations:$representations){…}}";

fn stock(path: &str) -> Vec<Fetch> {
    vec![
        root("a", "{products{…}}"),
        entities("b", path, &["Product", "User"], ENTITIES),
    ]
}

#[test]
fn entities_are_deduplicated_and_merged_at_every_place() {
    check(
        "{ products { name stock } }",
        stock("products"),
        &[
            (
                "a",
                r#"{"data":{"products":[{"__typename":"Product","id":"1","name":"x"},{"__typename":"Product","id":"2"},
                {"__typename":"Product","id":"1","name":"y"}]}}"#,
            ),
            ("b", r#"{"data":{"_entities":[{"stock":7},{"stock":8}]}}"#),
        ],
        expect![[r#"
            a < {"query":"{products{…}}","variables":{}}
            b < {"query":"query($representations:[_Any!]!){_entities(representations:$representations){…}}","variables":{"representations":[{"__typename":"Product","id":"1"},{"__typename":"Product","id":"2"}]}}
            {"data":{"products":[{"name":"x","stock":7},{"name":null,"stock":8},{"name":"y","stock":7}]}}
        "#]],
    );
}

#[test]
fn entities_without_key_are_not_asked_for() {
    check(
        "{ product { name price { amount } } }",
        vec![
            root("a", "{product{…}}"),
            entities("b", "product", &["Product"], ENTITIES),
        ],
        &[(
            "a",
            r#"{"data":{"product":{"__typename":"Product","id":null,"name":"x"}}}"#,
        )],
        expect![[r#"
            a < {"query":"{product{…}}","variables":{}}
            {"data":{"product":{"name":"x","price":null}}}
        "#]],
    );
}

#[test]
fn error_paths_of_entities_become_client_paths() {
    let product = r#"{"__typename":"Product","id":"1"}"#;
    check(
        "{ products { id price { amount } related { stock } } }",
        stock("products"),
        &[
            (
                "a",
                &format!(r#"{{"data":{{"products":[{product},{product}]}}}}"#),
            ),
            (
                "b",
                r#"{"data":{"_entities":[{"price":null}]},"errors":[{"message":"no price","path":["_entities",0,"price"],
                "locations":[{"line":1,"column":2}],"extensions":{"code":"X","big":12345678901234567890123}},
                {"message":"no path"},{"message":"hidden","path":["_entities",0,"internal"]}]}"#,
            ),
        ],
        expect![[r#"
            a < {"query":"{products{…}}","variables":{}}
            b < {"query":"query($representations:[_Any!]!){_entities(representations:$representations){…}}","variables":{"representations":[{"__typename":"Product","id":"1"}]}}
            {"errors":[{"message":"no price","path":["products",0,"price"],"extensions":{"code":"X","big":12345678901234567890123,"service":"b"}},{"message":"no price","path":["products",1,"price"],"extensions":{"code":"X","big":12345678901234567890123,"service":"b"}},{"message":"no path","path":["products"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"b"}},{"message":"hidden","path":["products",0],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"b"}},{"message":"hidden","path":["products",1],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"b"}}],"data":{"products":[{"id":"1","price":null,"related":null},{"id":"1","price":null,"related":null}]}}
        "#]],
    );
}

#[test]
fn failed_fetch_keeps_the_rest_and_names_the_subgraph() {
    check(
        "{ product { id name } me { email } }",
        vec![root("a", "{product{…}}"), root("c", "{me{email}}")],
        &[("a", r#"{"data":{"product":{"id":"1","name":"x"}}}"#)],
        expect![[r#"
            a < {"query":"{product{…}}","variables":{}}
            c < {"query":"{me{email}}","variables":{}}
            {"errors":[{"message":"Subgraph \"c\": the subgraph could not be reached: connection refused","path":["me"],"extensions":{"code":"SUBREQUEST_HTTP_ERROR","service":"c"}}],"data":{"product":{"id":"1","name":"x"},"me":null}}
        "#]],
    );
    check(
        "{ products { name stock } }",
        stock("products"),
        &[(
            "a",
            r#"{"data":{"products":[{"__typename":"Product","id":"1"},{"__typename":"Product","id":"2"}]}}"#,
        )],
        expect![[r#"
            a < {"query":"{products{…}}","variables":{}}
            b < {"query":"query($representations:[_Any!]!){_entities(representations:$representations){…}}","variables":{"representations":[{"__typename":"Product","id":"1"},{"__typename":"Product","id":"2"}]}}
            {"errors":[{"message":"Subgraph \"b\": the subgraph could not be reached: connection refused","path":["products"],"extensions":{"code":"SUBREQUEST_HTTP_ERROR","service":"b"}}],"data":null}
        "#]],
    );
}

#[test]
fn malformed_entities_are_told_apart() {
    for answer in [
        r#"{"data":{"_entities":[]}}"#,
        r#"{"data":{"_entities":[{},{}]}}"#,
        r#"{"data":{"_entities":null}}"#,
        r#"{"data":{"_entities":{}}}"#,
        r#"{"data":{"_entities":[5]}}"#,
        r#"{"data":{"_entities":[{"__typename":"Ghost"}]}}"#,
        r#"{"data":null}"#,
        r#"{"errors":[{"path":[]}]}"#,
        r#"{"errors":[]}"#,
        r#"[]"#,
        r#"{"data":"#,
    ] {
        let fetches = vec![
            root("a", "{product{…}}"),
            entities("b", "product", &["Product"], ENTITIES),
        ];
        let answers = [
            (
                "a",
                r#"{"data":{"product":{"__typename":"Product","id":"1","name":"x"}}}"#,
            ),
            ("b", answer),
        ];
        let transcript = transcript("{ product { name weight } }", fetches, &answers, None);
        assert!(
            transcript.contains(r#""data":{"product":{"name":"x","weight":null}}"#),
            "{transcript}"
        );
        assert!(
            transcript.contains(r#""path":["product"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE""#),
            "{transcript}"
        );
        assert!(transcript.contains(r#""service":"b""#), "{transcript}");
    }
}

#[test]
fn nulls_propagate_to_the_nearest_nullable_parent() {
    let expected = [
        (
            r#"{"products":[],"product":{"id":"1","price":{"amount":null}}}"#,
            expect![[r#"
            a < {"query":"{…}","variables":{}}
            {"errors":[{"message":"cannot return null for a non-nullable field","path":["product","price","amount"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}],"data":{"products":[],"product":{"id":"1","price":null,"tags":null,"related":null}}}
        "#]],
        ),
        (
            r#"{"products":[],"product":{"id":null}}"#,
            expect![[r#"
            a < {"query":"{…}","variables":{}}
            {"errors":[{"message":"cannot return null for a non-nullable field","path":["product","id"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}],"data":{"products":[],"product":null}}
        "#]],
        ),
        (
            r#"{"products":[{"id":"1"},{"id":null}]}"#,
            expect![[r#"
            a < {"query":"{…}","variables":{}}
            {"errors":[{"message":"cannot return null for a non-nullable field","path":["products",1,"id"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}],"data":null}
        "#]],
        ),
        (
            r#"{"products":[],"product":{"id":"1","tags":["a",null]}}"#,
            expect![[r#"
                a < {"query":"{…}","variables":{}}
                {"errors":[{"message":"cannot return null for a non-nullable field","path":["product","tags",1],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}],"data":{"products":[],"product":{"id":"1","price":null,"tags":null,"related":null}}}
            "#]],
        ),
        (
            r#"{"products":[],"product":{"id":"1","related":[{"id":"2"},{"id":null},null]}}"#,
            expect![[r#"
                a < {"query":"{…}","variables":{}}
                {"errors":[{"message":"cannot return null for a non-nullable field","path":["product","related",1,"id"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}],"data":{"products":[],"product":{"id":"1","price":null,"tags":null,"related":[{"id":"2"},null,null]}}}
            "#]],
        ),
        (
            r#"{"products":7,"product":7}"#,
            expect![[r#"
            a < {"query":"{…}","variables":{}}
            {"errors":[{"message":"expected a list","path":["products"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}],"data":null}
        "#]],
        ),
    ];
    for (data, expected) in expected {
        check_root(
            "query($p: Boolean = true) { products @include(if: $p) { id } product { id price { amount } tags related { id } } }",
            &format!(r#"{{"data":{data}}}"#),
            expected,
        );
    }
}

#[test]
fn leaves_are_coerced_and_big_numbers_unharmed() {
    check_root(
        "{ product { id name stock weight flag color ids json } }",
        r#"{"data":{"product":{"id":12345678901234567890,"name":"é\n\"","stock":1.0,"weight":0.1000000000000000055511151231257827021181583404541015625,
        "flag":true,"color":"RED","ids":["a",1],"json":{"b":99999999999999999999999999,"a":[1e400,null],"b":1}}}}"#,
        expect![[r#"
            a < {"query":"{…}","variables":{}}
            {"data":{"product":{"id":"12345678901234567890","name":"é\n\"","stock":1,"weight":0.1000000000000000055511151231257827021181583404541015625,"flag":true,"color":"RED","ids":["a","1"],"json":{"b":99999999999999999999999999,"a":[1e400,null],"b":1}}}}
        "#]],
    );
    check_root(
        "{ product { name weight flag color } other: product { color json } }",
        r#"{"data":{"product":{"name":1,"weight":"1","flag":0,"color":"SECRET"},"other":{"color":"\u0052\u0045D","json":"\u00e9"}}}"#,
        expect![[r#"
            a < {"query":"{…}","variables":{}}
            {"errors":[{"message":"String cannot represent the value received","path":["product","name"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}},{"message":"Float cannot represent the value received","path":["product","weight"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}},{"message":"Boolean cannot represent the value received","path":["product","flag"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}},{"message":"enum \"Color\" cannot represent the value received","path":["product","color"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}],"data":{"product":{"name":null,"weight":null,"flag":null,"color":null},"other":{"color":"RED","json":"\u00e9"}}}
        "#]],
    );
}

#[test]
fn abstract_types_choose_fields_by_typename() {
    check_root(
        "query($s: Boolean = true) { search { __typename ... on Node { id } ...P ... on User { email n: name @skip(if: $s) } } node { t: __typename ...P } }
         fragment P on Product { name stock: id name }",
        r#"{"data":{"search":[{"__typename":"User","id":"u","email":"e","name":"n"},{"__typename":"Product","name":"p","id":"1","stock":"1"},
        {"__typename":"Ghost"},{"id":"1"},null],"node":{"__typename":"User","hidden":1}}}"#,
        expect![[r#"
            a < {"query":"{…}","variables":{}}
            {"errors":[{"message":"the object's type is not a possible type of \"Result\"","path":["search",2],"extensions":{"code":"INTERNAL_SERVER_ERROR"}},{"message":"the object's type is not a possible type of \"Result\"","path":["search",3],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}],"data":{"search":[{"__typename":"User","id":"u","email":"e"},{"__typename":"Product","id":"1","name":"p","stock":"1"},null,null,null],"node":{"t":"User"}}}
        "#]],
    );
}

#[test]
fn fields_merge_across_fragments_in_document_order() {
    check_root(
        "query($a: Boolean = true, $b: Boolean = false) {
            product @include(if: $a) { price { amount } }
            product @include(if: $b) { name }
            __typename
            product { ... @skip(if: $b) { price { currency } } ... on Node { id } }
        }",
        r#"{"data":{"product":{"id":"1","name":"n","price":{"currency":"EUR","amount":3}}}}"#,
        expect![[r#"
            a < {"query":"{…}","variables":{}}
            {"data":{"product":{"price":{"amount":3,"currency":"EUR"},"id":"1"},"__typename":"Query"}}
        "#]],
    );
}

#[test]
fn conditions_decide_which_occurrence_comes_first() {
    let operation = |late: bool| {
        format!(
            "query($late: Boolean = {late}) {{
                me {{ name }}
                product @skip(if: $late) {{ name }}
                ... @include(if: $late) {{ me {{ email }} __typename }}
                product {{ id name @include(if: $late) }}
            }}"
        )
    };
    let answer = r#"{"data":{"product":{"id":"1","name":"n"},"me":{"name":"m","email":"e"}}}"#;
    check_root(
        &operation(true),
        answer,
        expect![[r#"
            a < {"query":"{…}","variables":{}}
            {"data":{"me":{"name":"m","email":"e"},"__typename":"Query","product":{"id":"1","name":"n"}}}
        "#]],
    );
    check_root(
        &operation(false),
        answer,
        expect![[r#"
            a < {"query":"{…}","variables":{}}
            {"data":{"me":{"name":"m"},"product":{"name":"n","id":"1"}}}
        "#]],
    );
}

#[test]
fn integers_out_of_range_and_repeated_keys_of_an_answer() {
    check_root(
        "{ product { id price { amount } } products { stock } }",
        r#"{"data":{"product":{"id":"1","id":"2","price":{"amount":2147483648}},"products":[{"stock":-2147483648}]}}"#,
        expect![[r#"
            a < {"query":"{…}","variables":{}}
            {"errors":[{"message":"Int cannot represent the value received","path":["product","price","amount"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}],"data":{"product":{"id":"1","price":null},"products":[{"stock":-2147483648}]}}
        "#]],
    );
}

#[test]
fn introspection_is_answered_here() {
    check(
        r#"query($n: String = "Money") { product { id } __type(name: $n) { name fields { name } } s: __schema { queryType { name } } }"#,
        vec![root("a", "{product{id}}")],
        &[("a", r#"{"data":{"product":{"id":"1"}}}"#)],
        expect![[r#"
            a < {"query":"{product{id}}","variables":{}}
            {"data":{"product":{"id":"1"},"__type":{"name":"Money","fields":[{"name":"amount"},{"name":"currency"}]},"s":{"queryType":{"name":"Query"}}}}
        "#]],
    );
}

#[test]
fn conditions_and_rewrites_of_the_plan_are_followed() {
    let mut skipped = root("a", "{me{email}}");
    skipped.conditions = vec![Condition {
        variable: name("m"),
        expected: true,
    }];
    let mut renamed = root("b", "query($l:Int){product{tags:tags_1 …}}");
    renamed.variables = vec![name("l"), name("absent")];
    renamed.operation_name = Some(name("Q"));
    renamed.output_rewrites = vec![OutputRewrite::RenameKey {
        path: vec![PathSegment::Key(name("product"))],
        from: name("tags_1"),
        to: name("tags"),
    }];
    check(
        "query($m: Boolean = false, $l: Int = 3, $absent: Int) { me @include(if: $m) { email } product { tags(limit: $l) n: tags(limit: $absent) } }",
        vec![skipped, renamed],
        &[(
            "b",
            r#"{"data":{"product":{"tags_1":null}},"errors":[{"message":"m","path":["product","tags_1",0]}]}"#,
        )],
        expect![[r#"
            b < {"query":"query($l:Int){product{tags:tags_1 …}}","operationName":"Q","variables":{"l":3}}
            {"errors":[{"message":"m","path":["product","tags",0],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"b"}}],"data":{"product":{"tags":null,"n":null}}}
        "#]],
    );
}

#[test]
fn one_request_carries_several_entity_selections() {
    let mut fetch = entities("b", "products", &["Product"], "query($r1,$r2,$r3){…}");
    fetch.target = FetchTarget::Entities(vec![
        selection("e1", "r1", "products", &["Product"]),
        selection("e2", "r2", "me", &["User"]),
        selection("e3", "r3", "node", &["User"]),
    ]);
    check(
        "{ products { name } me { name } }",
        vec![root("a", "{products{…}me{…}}"), fetch],
        &[
            (
                "a",
                r#"{"data":{"products":[{"__typename":"Product","id":"1"}],"me":{"__typename":"User","id":"u"}}}"#,
            ),
            (
                "b",
                r#"{"data":{"e1":[{"name":"n"}],"e2":[null]},"errors":[{"message":"gone","path":["e2",0,"name"]}]}"#,
            ),
        ],
        expect![[r#"
            a < {"query":"{products{…}me{…}}","variables":{}}
            b < {"query":"query($r1,$r2,$r3){…}","variables":{"r1":[{"__typename":"Product","id":"1"}],"r2":[{"__typename":"User","id":"u"}],"r3":[]}}
            {"errors":[{"message":"gone","path":["me","name"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"b"}}],"data":{"products":[{"name":"n"}],"me":null}}
        "#]],
    );
}

#[test]
fn mutations_wait_for_their_turn() {
    let mut second = root("b", "mutation{b}");
    second.depends_on = vec![FetchId(0)];
    check(
        "mutation { a b }",
        vec![root("a", "mutation{a}"), second],
        &[("a", r#"{"data":{"a":1}}"#), ("b", r#"{"data":{"b":2}}"#)],
        expect![[r#"
            a < {"query":"mutation{a}","variables":{}}
            b < {"query":"mutation{b}","variables":{}}
            {"data":{"a":1,"b":2}}
        "#]],
    );
}

#[test]
fn interface_object_learns_its_type_from_the_entity_fetch() {
    let fetches = vec![root("a", "{node{…}}"), entities("b", "node", &["Node"], ENTITIES)];
    check(
        "{ node { __typename id ... on User { email } } }",
        fetches,
        &[
            ("a", r#"{"data":{"node":{"__typename":"Node","id":"1"}}}"#),
            (
                "b",
                r#"{"data":{"_entities":[{"__typename":"User","email":"e"}]}}"#,
            ),
        ],
        expect![[r#"
            a < {"query":"{node{…}}","variables":{}}
            b < {"query":"query($representations:[_Any!]!){_entities(representations:$representations){…}}","variables":{"representations":[{"__typename":"Node","id":"1"}]}}
            {"data":{"node":{"__typename":"User","id":"1","email":"e"}}}
        "#]],
    );
}

#[test]
fn errors_from_before_execution_explain_missing_values() {
    let denied =
        GraphqlError::new("denied", "UNAUTHORIZED_FIELD_OR_TYPE").at(vec!["products".into(), "stock".into()]);
    let fake = Arc::new(Fake::new(&[("a", r#"{"data":{"products":[{"id":"1"}]}}"#)]));
    let executor = executor(fake, "http://subgraph/graphql", SubgraphErrors::Expose);
    let operation = prepare(
        SCHEMA,
        "{ products { id stock } }",
        vec![root("a", "{products{id}}")],
    );
    expect![[r#"{"errors":[{"message":"denied","path":["products","stock"],"extensions":{"code":"UNAUTHORIZED_FIELD_OR_TYPE"}}],"data":null}"#]].assert_eq(&run_with(&executor, &operation, None, vec![denied]));
}

#[test]
fn masked_errors_keep_only_their_code() {
    let fake = Arc::new(Fake::new(&[(
        "a",
        r#"{"data":null,"errors":[{"message":"secret","path":["me"],"extensions":{"code":"X","stack":"secret"}}]}"#,
    )]));
    let executor = executor(fake, "http://subgraph/graphql", SubgraphErrors::Mask);
    let operation = prepare(SCHEMA, "{ me { id } }", vec![root("a", "{me{id}}")]);
    expect![[r#"{"errors":[{"message":"Subgraph \"a\" reported an error","path":["me"],"extensions":{"code":"X","service":"a"}}],"data":{"me":null}}"#]].assert_eq(&run(&executor, &operation, None));
}
