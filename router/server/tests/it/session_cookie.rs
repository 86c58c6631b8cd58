//! Browser apps: a token in a cookie that scripts cannot read, and that other sites' pages cannot use.

use axum::http::Method;
use serde_json::json;

use crate::client::{Answer, Client};
use crate::issuer::{Issuer, Key, now};

const BODY: &str = r#"{"query":"{ account }"}"#;
const GET: &str = "/graphql?query=%7Baccount%7D";

async fn set(client: &Client, headers: &[(&str, &str)]) -> Answer {
    client.call(Method::POST, "/session", headers, "").await
}

/// A router with the session cookie, and a token for it.
async fn start() -> (Issuer, Client, String) {
    let key = Key::new("one");
    let issuer = Issuer::start(&[&key]).await;
    let config = issuer
        .config()
        .replace("authentication: {", "authentication: { session_cookie: {},");
    let token = key.token(json!({ "exp": now() + 100 }));
    (issuer, Client::new(&config), token)
}

#[tokio::test]
async fn a_token_is_traded_for_a_cookie() {
    let (_issuer, client, token) = start().await;
    let answer = set(&client, &[("authorization", &format!("Bearer {token}"))]).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    let cookie = answer.header("set-cookie").to_owned();
    for part in [
        "; Path=/",
        "; HttpOnly",
        "; SameSite=Strict",
        "; Secure",
        "; Max-Age=",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let pair = cookie.split(';').next().unwrap();
    assert_eq!(pair, format!("__Host-fondaco={token}"));

    // The cookie cannot renew itself, nor can a token that is not valid become one.
    for headers in [
        vec![("cookie", pair)],
        vec![],
        vec![("authorization", "Bearer x")],
    ] {
        let answer = set(&client, &headers).await;
        assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (401, ""));
    }
    let cleared = client.call(Method::DELETE, "/session", &[], "").await;
    assert!(
        cleared
            .header("set-cookie")
            .starts_with("__Host-fondaco=; Path=/; Max-Age=0;")
    );
}

#[tokio::test]
async fn the_cookie_signs_in_whom_no_other_site_sends() {
    let (_issuer, client, token) = start().await;
    let pair = format!("__Host-fondaco={token}");
    let both = format!("{pair}; {pair}");
    let json = ("content-type", "application/json");
    let text = ("content-type", "text/plain");
    let (with, csrf) = (("cookie", &*pair), ("x-fondaco-csrf", "1"));
    let (get, post) = ((Method::GET, GET), (Method::POST, "/graphql"));
    type Case<'a> = (&'a str, (Method, &'a str), Vec<(&'a str, &'a str)>, u16);
    let cases: [Case<'_>; 8] = [
        ("by POST", post.clone(), vec![json, with], 200),
        ("by GET with a header", get.clone(), vec![with, csrf], 200),
        ("by GET as a forged page would", get.clone(), vec![with], 415),
        ("by POST as a form would", post.clone(), vec![text, with], 415),
        ("twice", post.clone(), vec![json, ("cookie", &both)], 401),
        (
            "garbled",
            post.clone(),
            vec![json, ("cookie", "__Host-fondaco=x")],
            401,
        ),
        ("GET without a cookie", get, vec![], 200),
        (
            "with a bad header",
            post,
            vec![json, with, ("authorization", "Bearer x")],
            401,
        ),
    ];
    for (name, (method, uri), headers, status) in cases {
        let body = if method == Method::POST { BODY } else { "" };
        let answer = client.call(method, uri, &headers, body).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.json());
        let signed_in = answer.json()["data"]["account"] == "account";
        assert_eq!(
            signed_in,
            status == 200 && name != "GET without a cookie",
            "{name}"
        );
    }
}

#[tokio::test]
async fn there_is_no_such_address_unless_configured() {
    let client = Client::new("{}");
    assert_eq!(set(&client, &[]).await.status, 404);
}
