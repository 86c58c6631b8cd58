//! Good requests: media types, methods, headers in both directions, the playground.

use axum::http::Method;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::{Value, json};

use crate::client::{Client, SECRET};

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn answers_in_the_format_asked_for() {
    let client = Client::new("{}");
    let cases = [
        (vec![JSON], "application/json; charset=utf-8"),
        (vec![JSON, ("accept", "*/*")], "application/json; charset=utf-8"),
        (
            vec![
                JSON,
                (
                    "accept",
                    "application/graphql-response+json, application/json;q=0.9",
                ),
            ],
            "application/graphql-response+json; charset=utf-8",
        ),
        (
            vec![
                ("content-type", "application/json; charset=utf-8"),
                ("accept", "application/json"),
            ],
            "application/json; charset=utf-8",
        ),
    ];
    for (headers, content_type) in cases {
        let body = json!({ "query": "query Q { product { id name stars } __typename }", "operationName": "Q", "variables": null }).to_string();
        let answer = client.post(&headers, body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, content_type)
        );
        assert_eq!(
            answer.json(),
            json!({ "data": { "product": { "id": "1", "name": "Lamp", "stars": 5 }, "__typename": "Query" } })
        );
    }
}

#[tokio::test]
async fn queries_may_come_by_get() {
    let client = Client::new("{}");
    let uri = "/graphql?query=query(%24n%3AInt!)%7Bprice(of%3A%24n)%7D&variables=%7B%22n%22%3A4%7D";
    let answer = client.call(Method::GET, uri, &[], "").await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()),
        (200, json!({ "data": { "price": 8 } }))
    );
}

#[tokio::test]
async fn mutations_and_partial_data() {
    let client = Client::new("{}");
    let renamed = client
        .query("mutation { rename(name: \"Chair\") { name stars } }", &[])
        .await;
    assert_eq!(
        renamed.json(),
        json!({ "data": { "rename": { "name": "Chair", "stars": 5 } } })
    );
    let partial = client.query("{ broken product { id } }", &[]).await;
    assert_eq!(partial.status, 200);
    assert_eq!(
        partial.json()["data"],
        json!({ "broken": null, "product": { "id": "1" } })
    );
    assert_eq!(partial.json()["errors"][0]["path"], json!(["broken"]));
}

#[tokio::test]
async fn introspection_answers_from_the_api_schema() {
    let client = Client::new("{}");
    let answer = client
        .query(
            "{ __type(name: \"Grade\") { enumValues { name } } __schema { directives { name } } }",
            &[],
        )
        .await;
    assert_eq!(
        answer.json()["data"]["__type"],
        json!({ "enumValues": [{ "name": "A" }, { "name": "B" }] })
    );
    assert!(!answer.json().to_string().contains("join__"));
}

#[tokio::test]
async fn the_same_operation_is_planned_once_and_answers_for_each_request() {
    let client = Client::new("{}");
    for n in 0..20 {
        let body = json!({ "query": "query($n: Int!) { price(of: $n) }", "variables": { "n": n } });
        assert_eq!(client.request(body, &[]).await.json()["data"]["price"], n * 2);
    }
}

#[tokio::test]
async fn request_ids_reach_subgraphs_and_come_back() {
    let client = Client::new("{}");
    let answer = client
        .query("{ product { id stars } }", &[("x-request-id", "abc-1")])
        .await;
    assert_eq!(answer.header("x-request-id"), "abc-1");
    let calls = client.subgraphs.calls();
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|call| call.headers["x-request-id"] == "abc-1"));

    let generated = client
        .query("{ product { id } }", &[("x-request-id", "not sane\"")])
        .await;
    assert_eq!(generated.header("x-request-id").len(), 36);
    assert_eq!(
        client.subgraphs.calls()[0].headers["x-request-id"],
        generated.header("x-request-id")
    );
}

#[tokio::test]
async fn only_configured_headers_reach_subgraphs() {
    let client = Client::new("headers: { propagate: [accept-language, x-tenant] }");
    let sent = [
        ("accept-language", "de"),
        ("x-tenant", "a"),
        ("cookie", "c"),
        ("authorization", "Basic x"),
        ("fondaco-admin", "1"),
        ("fondaco_caller", "x"),
        ("connection", "x-tenant"),
    ];
    client.query("{ product { id } }", &sent).await;
    let headers = &client.subgraphs.calls()[0].headers;
    assert_eq!(headers["accept-language"], "de");
    for absent in [
        "x-tenant",
        "cookie",
        "authorization",
        "fondaco-admin",
        "fondaco_caller",
        "connection",
    ] {
        assert!(!headers.contains_key(absent), "{absent}");
    }
}

#[tokio::test]
async fn anonymous_callers_are_signed_for_too() {
    let client = Client::new("{}");
    client
        .query("{ product { id stars } }", &[("fondaco-caller", "forged")])
        .await;
    for call in client.subgraphs.calls() {
        let values: Vec<_> = call.headers.get_all("fondaco-caller").iter().collect();
        assert_eq!(values.len(), 1);
        let mut validation = Validation::default();
        validation.set_audience(&[call.subgraph]);
        validation.set_issuer(&["router"]);
        let claims = jsonwebtoken::decode::<Value>(
            values[0].as_bytes(),
            &DecodingKey::from_secret(SECRET.as_bytes()),
            &validation,
        )
        .unwrap()
        .claims;
        assert_eq!(
            (&claims["htm"], &claims["htu"]),
            (&json!("POST"), &json!("/graphql"))
        );
        assert_eq!(
            claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(),
            10
        );
        assert!(claims.get("sub").is_none() && claims.get("sid").is_none());
    }
}

#[tokio::test]
async fn other_sites_may_call_only_if_configured() {
    let preflight = [
        ("origin", "https://shop.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    let closed = Client::new("{}")
        .call(Method::OPTIONS, "/graphql", &preflight, "")
        .await;
    assert_eq!(
        (
            closed.status.as_u16(),
            closed.header("access-control-allow-origin")
        ),
        (405, "")
    );

    let client = Client::new("cors: { origins: ['https://shop.example'], credentials: true }");
    let open = client.call(Method::OPTIONS, "/graphql", &preflight, "").await;
    assert_eq!(
        (open.status.as_u16(), open.header("access-control-allow-origin")),
        (200, "https://shop.example")
    );
    assert!(
        open.header("access-control-allow-headers")
            .contains("authorization")
    );
    let answer = client
        .query("{ product { id } }", &[("origin", "https://shop.example")])
        .await;
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "https://shop.example"
    );
    let stranger = client
        .query("{ product { id } }", &[("origin", "https://evil.example")])
        .await;
    assert_eq!(stranger.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn a_browser_gets_the_playground() {
    let browser = [(
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    )];
    let client = Client::new("playground: { default_query: '{ a } # </script>' }");
    let page = client.call(Method::GET, "/graphql", &browser, "").await;
    assert_eq!(
        (page.status.as_u16(), page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    assert!(!String::from_utf8_lossy(&page.body).contains("# </script>"));
    let missing = client
        .call(Method::GET, "/playground/assets/none.js", &[], "")
        .await;
    assert_eq!(missing.status, 404);
    let off = Client::new("playground: { enabled: false }")
        .call(Method::GET, "/graphql", &browser, "")
        .await;
    assert_eq!(off.status, 400);
}
