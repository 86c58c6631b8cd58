//! Every kind of bad request is answered with a status and a code that name the cause, and nothing of the inside.

use axum::http::Method;
use serde_json::json;

use crate::client::Client;

const JSON: (&str, &str) = ("content-type", "application/json");
const NEW: (&str, &str) = ("accept", "application/graphql-response+json");
const OLD: (&str, &str) = ("accept", "application/json");

struct Case {
    name: &'static str,
    method: Method,
    uri: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
    status: u16,
    code: &'static str,
}

fn case(
    name: &'static str,
    headers: &[(&'static str, &'static str)],
    body: impl ToString,
    status: u16,
    code: &'static str,
) -> Case {
    Case {
        name,
        method: Method::POST,
        uri: "/graphql",
        headers: headers.to_vec(),
        body: body.to_string(),
        status,
        code,
    }
}

fn get(name: &'static str, uri: &'static str, status: u16, code: &'static str) -> Case {
    Case {
        method: Method::GET,
        uri,
        ..case(name, &[NEW], "", status, code)
    }
}

fn with_method(method: Method, name: &'static str) -> Case {
    Case {
        method,
        ..case(name, &[JSON, NEW], "", 405, "BAD_REQUEST")
    }
}

fn query(query: &str) -> String {
    json!({ "query": query }).to_string()
}

fn http_cases() -> Vec<Case> {
    [methods(), content_types(), accepted_types(), bodies()]
        .into_iter()
        .flatten()
        .collect()
}

fn methods() -> Vec<Case> {
    vec![
        with_method(Method::PUT, "put"),
        with_method(Method::DELETE, "delete"),
        with_method(Method::PATCH, "patch"),
        with_method(Method::OPTIONS, "options"),
        get("get without query", "/graphql", 400, "BAD_REQUEST"),
        get(
            "get with bad variables",
            "/graphql?query=%7Bproduct%7Bid%7D%7D&variables=x",
            400,
            "BAD_REQUEST",
        ),
        get(
            "get with a mutation",
            "/graphql?query=mutation%7Berase%7D",
            405,
            "BAD_REQUEST",
        ),
    ]
}

fn content_types() -> Vec<Case> {
    let ok = query("{ product { id } }");
    let cross_site = "CROSS_SITE_REQUEST";
    vec![
        case("no content type", &[NEW], &ok, 415, cross_site),
        case(
            "text/plain",
            &[("content-type", "text/plain"), NEW],
            &ok,
            415,
            cross_site,
        ),
        case(
            "form",
            &[("content-type", "application/x-www-form-urlencoded"), NEW],
            &ok,
            415,
            cross_site,
        ),
        case(
            "multipart",
            &[("content-type", "multipart/form-data; boundary=a"), NEW],
            &ok,
            415,
            cross_site,
        ),
        case(
            "xml",
            &[("content-type", "application/xml"), NEW],
            &ok,
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        case(
            "latin1",
            &[("content-type", "application/json; charset=iso-8859-1"), NEW],
            &ok,
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
    ]
}

fn accepted_types() -> Vec<Case> {
    let ok = query("{ product { id } }");
    vec![
        case(
            "accept an image",
            &[JSON, ("accept", "image/png")],
            &ok,
            406,
            "NOT_ACCEPTABLE",
        ),
        case(
            "accept html only",
            &[JSON, ("accept", "text/html")],
            &ok,
            406,
            "NOT_ACCEPTABLE",
        ),
        case(
            "accept latin1",
            &[JSON, ("accept", "application/json; charset=latin1")],
            &ok,
            406,
            "NOT_ACCEPTABLE",
        ),
    ]
}

fn bodies() -> Vec<Case> {
    let ok = query("{ product { id } }");
    vec![
        case(
            "10 MB body",
            &[JSON, NEW],
            query(&format!("{{ product {{ id }} }} #{}", "x".repeat(10_000_000))),
            413,
            "PAYLOAD_TOO_LARGE",
        ),
        case("empty body", &[JSON, NEW], "", 400, "BAD_REQUEST"),
        case("empty body, json", &[JSON, OLD], "", 400, "BAD_REQUEST"),
        case(
            "malformed json",
            &[JSON, NEW],
            "{ \"query\": ",
            400,
            "BAD_REQUEST",
        ),
        case(
            "malformed json, json",
            &[JSON, OLD],
            "{ \"query\": ",
            400,
            "BAD_REQUEST",
        ),
        case("a batch", &[JSON, NEW], format!("[{ok}]"), 400, "BAD_REQUEST"),
        case("no query", &[JSON, NEW], "{}", 400, "BAD_REQUEST"),
        case(
            "query is a number",
            &[JSON, OLD],
            json!({ "query": 1 }),
            400,
            "BAD_REQUEST",
        ),
        case(
            "variables are a list",
            &[JSON, OLD],
            json!({ "query": "{ a }", "variables": [] }),
            400,
            "BAD_REQUEST",
        ),
        case(
            "variables are text",
            &[JSON, OLD],
            json!({ "query": "{ a }", "variables": "{}" }),
            400,
            "BAD_REQUEST",
        ),
        case(
            "operationName is an object",
            &[JSON, OLD],
            json!({ "query": "{ a }", "operationName": {} }),
            400,
            "BAD_REQUEST",
        ),
        case(
            "extensions are false",
            &[JSON, OLD],
            json!({ "query": "{ a }", "extensions": false }),
            400,
            "BAD_REQUEST",
        ),
    ]
}

/// Refused with 400, and under the older media type with 200.
fn both(cases: Vec<(&'static str, String, &'static str)>) -> Vec<Case> {
    let pair = |(name, body, code): (&'static str, String, &'static str)| {
        [
            case(name, &[JSON, NEW], &body, 400, code),
            case(name, &[JSON, OLD], &body, 200, code),
        ]
    };
    cases.into_iter().flat_map(pair).collect()
}

fn graphql_cases() -> Vec<Case> {
    [documents(), sizes(), variables()]
        .into_iter()
        .flat_map(both)
        .collect()
}

fn documents() -> Vec<(&'static str, String, &'static str)> {
    let cycle = "{ product { ...A } } fragment A on Product { ...B } fragment B on Product { ...A }";
    let named = json!({ "query": "query A { product { id } }", "operationName": "B" });
    let parse = "GRAPHQL_PARSE_FAILED";
    let validation = "GRAPHQL_VALIDATION_FAILED";
    let resolution = "OPERATION_RESOLUTION_FAILURE";
    let two = query("query A { product { id } } query B { product { id } }");
    vec![
        ("syntax error", query("{"), parse),
        ("not graphql", query("SELECT * FROM users"), parse),
        ("empty document", query(""), parse),
        ("nul byte", query("{ product\u{0} { id } }"), parse),
        ("unknown field", query("{ nothing }"), validation),
        (
            "unknown type",
            query("{ product { ... on Nothing { id } } }"),
            validation,
        ),
        ("cyclic fragments", query(cycle), validation),
        ("schema definition", query("type A { a: Int }"), validation),
        ("unknown operation", named.to_string(), resolution),
        ("which operation", two, resolution),
    ]
}

fn sizes() -> Vec<(&'static str, String, &'static str)> {
    let deep = format!("{}{}{}", "{ product ".repeat(200), "{ id }", "}".repeat(200));
    let deep_value = format!("{{ price(of: {}1{}) }}", "[".repeat(5_000), "]".repeat(5_000));
    let aliases: String = (0..201).map(|n| format!("a{n}: product {{ id }} ")).collect();
    let roots = "product { id } ".repeat(101);
    let fields: String = (0..50)
        .map(|n| format!("fragment F{n} on Product {{ ...F{0} ...F{0} }} ", n + 1))
        .collect();
    let bomb = format!("{{ product {{ ...F0 }} }} {fields} fragment F50 on Product {{ id }}");
    let tokens = format!("{{ product {{ {} }} }}", "id ".repeat(20_001));
    let braced = |roots: &str| query(&format!("{{ {roots} }}"));
    vec![
        ("200 levels", query(&deep), "OPERATION_TOO_DEEP"),
        ("5,000 nested lists", query(&deep_value), "OPERATION_TOO_DEEP"),
        ("201 aliases", braced(&aliases), "OPERATION_TOO_MANY_ALIASES"),
        (
            "101 root fields",
            braced(&roots),
            "OPERATION_TOO_MANY_ROOT_FIELDS",
        ),
        ("fragment bomb", query(&bomb), "OPERATION_TOO_MANY_FIELDS"),
        ("many tokens", query(&tokens), "OPERATION_TOO_MANY_TOKENS"),
    ]
}

fn variables() -> Vec<(&'static str, String, &'static str)> {
    let text = "query($n: Int!) { price(of: $n) }";
    let with = |value: serde_json::Value| json!({ "query": text, "variables": { "n": value } }).to_string();
    let deep = format!(
        r#"{{"query":"{text}","variables":{{"n":{}1{}}}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let code = "BAD_USER_INPUT";
    vec![
        ("variable of wrong type", with(json!("one")), code),
        ("variable missing", query(text), code),
        ("variable out of range", with(json!(2_147_483_648_u32)), code),
        ("deeply nested variable", deep, code),
    ]
}

#[tokio::test]
async fn bad_requests_are_refused_by_name() {
    let client = Client::new("{}");
    for case in http_cases().into_iter().chain(graphql_cases()) {
        let answer = client.call(case.method, case.uri, &case.headers, case.body).await;
        let name = format!(
            "{}: {}",
            case.name,
            String::from_utf8_lossy(&answer.body[..answer.body.len().min(300)])
        );
        assert_eq!(answer.status.as_u16(), case.status, "{name}");
        assert_eq!(answer.code(), case.code, "{name}");
        assert!(answer.json().get("data").is_none(), "{name}");
        assert!(
            answer.header("content-type").contains("json; charset=utf-8"),
            "{name}"
        );
        assert!(!answer.header("x-request-id").is_empty(), "{name}");
        assert!(client.subgraphs.calls().is_empty(), "{name}");
    }
}

#[tokio::test]
async fn method_refusals_say_what_is_allowed() {
    let client = Client::new("{}");
    let put = client.call(Method::PUT, "/graphql", &[JSON], "").await;
    assert_eq!(put.header("allow"), "GET, POST");
    let get = client
        .call(Method::GET, "/graphql?query=mutation%7Berase%7D", &[NEW], "")
        .await;
    assert_eq!(get.header("allow"), "POST");
}

#[tokio::test]
async fn a_simple_content_type_passes_with_a_header_that_needs_asking_first() {
    let client = Client::new("{}");
    let headers = [("content-type", "text/plain"), NEW, ("x-fondaco-csrf", "1")];
    let answer = client.post(&headers, query("{ product { id } }")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn introspection_can_be_switched_off() {
    let client = Client::new("introspection: false");
    for hidden in [
        "{ __schema { types { name } } }",
        "{ a: __type(name: \"Query\") { name } }",
        "{ ...F } fragment F on Query { __schema { types { name } } }",
    ] {
        let answer = client.query(hidden, &[]).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, "INTROSPECTION_DISABLED"),
            "{hidden}"
        );
    }
    assert_eq!(
        client
            .query("{ __typename product { __typename } }", &[])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn errors_carry_places_in_the_document() {
    let client = Client::new("{}");
    let answer = client.query("{\n  nothing\n}", &[]).await;
    assert_eq!(
        answer.json()["errors"][0]["locations"],
        json!([{ "line": 2, "column": 3 }])
    );
}
