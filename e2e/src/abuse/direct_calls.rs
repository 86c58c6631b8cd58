//! Calls to each subgraph that go around the router: unsigned, forged, replayed elsewhere or later.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::lab::{Lab, identity, identity_under, now, part};
use super::{Matrix, send};
use crate::platform::SUBGRAPHS;

const TABLE: &str = "direct calls to subgraphs";

/// Makes every call to every subgraph, and first a good one.
pub async fn run(lab: &Lab, matrix: &mut Matrix) {
    let user = uuid::Uuid::new_v4().to_string();
    for subgraph in SUBGRAPHS {
        let call = || {
            reqwest::Client::new()
                .post(lab.platform.url(subgraph, "/graphql"))
                .json(&json!({ "query": "{ __typename }" }))
        };
        let signed = identity(subgraph, Some(&user), json!({}));
        let good = send(call().header("fondaco-caller", &signed)).await;
        assert_eq!(good.status, 200, "{subgraph}: {}", good.body);
        for (attack, request) in attacks(subgraph, &user, &call) {
            let answer = send(request).await;
            let codes = ["UNAUTHENTICATED", "CLOCKS_DIFFER"];
            let held =
                answer.status == 401 && codes.contains(&answer.error_code()) && answer.data().is_null();
            matrix.note(TABLE, format!("{subgraph}: {attack}"), held, &answer);
        }
    }
}

fn attacks(
    subgraph: &str,
    user: &str,
    call: &dyn Fn() -> RequestBuilder,
) -> Vec<(&'static str, RequestBuilder)> {
    let good = identity(subgraph, Some(user), json!({}));
    let with = |changes: Value| call().header("fondaco-caller", identity(subgraph, Some(user), changes));
    let elsewhere = SUBGRAPHS.into_iter().find(|name| *name != subgraph).unwrap();
    let claims = json!({ "iss": "router", "aud": subgraph, "iat": now(), "exp": now() + 10, "htm": "POST", "htu": "/graphql", "sub": user });
    let unsigned = format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims));
    let other_secret = identity_under(
        "a secret that an attacker made up, long enough",
        subgraph,
        Some(user),
        json!({}),
    );
    vec![
        ("no signature", call()),
        (
            "only other headers",
            call()
                .header("x-user-id", user)
                .header("authorization", format!("Bearer {good}")),
        ),
        (
            "underscore instead of dash",
            call().header("fondaco_caller", &good),
        ),
        ("alg none", call().header("fondaco-caller", unsigned)),
        ("another secret", call().header("fondaco-caller", other_secret)),
        ("a service, under another secret", {
            let service = identity_under(
                "a secret that an attacker made up, long enough",
                subgraph,
                None,
                json!({ "iss": "order" }),
            );
            call().header("fondaco-caller", service)
        }),
        (
            "replayed from another subgraph",
            call().header("fondaco-caller", identity(elsewhere, Some(user), json!({}))),
        ),
        (
            "replayed late",
            with(json!({ "iat": now() - 60, "exp": now() - 50 })),
        ),
        ("for an hour", with(json!({ "exp": now() + 3600 }))),
        (
            "from the future",
            with(json!({ "iat": now() + 60, "exp": now() + 70 })),
        ),
        ("no expiry", with(json!({ "exp": null }))),
        ("for another method", with(json!({ "htm": "GET" }))),
        ("for another path", with(json!({ "htu": "/admin" }))),
        (
            "sent twice",
            call()
                .header("fondaco-caller", &good)
                .header("fondaco-caller", &good),
        ),
        (
            "truncated",
            call().header("fondaco-caller", &good[..good.len() - 3]),
        ),
        ("empty", call().header("fondaco-caller", "")),
    ]
}
