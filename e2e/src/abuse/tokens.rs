//! Access tokens that are wrong in one thing each. The router answers 401 and runs nothing.

use serde_json::{Value, json};

use super::lab::{Key, Lab, hs256, now, part};
use super::{Matrix, send};

const TABLE: &str = "access tokens";

/// Sends every token, and first a good one.
pub async fn run(lab: &Lab, matrix: &mut Matrix) {
    let good = attempt(lab, &[("authorization", bearer(&lab.token(json!({}))))]).await;
    assert_eq!(good.status, 200, "the lab's own token is believed: {}", good.body);
    let tables = [misdescribed(lab), foreign(lab), damaged(lab), misused(lab)];
    for (name, token) in tables.into_iter().flatten() {
        let answer = attempt(lab, &[("authorization", bearer(&token))]).await;
        let held = answer.status == 401 && answer.error_code() == "UNAUTHENTICATED";
        matrix.note(TABLE, name, held, &answer);
    }
    let good = lab.token(json!({}));
    let twice = [
        ("authorization", bearer(&good)),
        ("authorization", bearer(&lab.token(json!({})))),
    ];
    let cases: [(&str, &[(&str, String)]); 4] = [
        ("two Authorization headers", &twice),
        ("another scheme", &[("authorization", format!("Basic {good}"))]),
        ("no scheme", &[("authorization", good.clone())]),
        (
            "two tokens in one header",
            &[("authorization", format!("Bearer {good}, Bearer {good}"))],
        ),
    ];
    for (name, headers) in cases {
        let answer = attempt(lab, headers).await;
        matrix.note(TABLE, name, answer.status == 401, &answer);
    }
    forged_headers(lab, matrix).await;
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

async fn attempt(lab: &Lab, headers: &[(&str, String)]) -> crate::client::Answer {
    let mut request = reqwest::Client::new()
        .post(lab.platform.url("router", "/graphql"))
        .json(&json!({ "query": "{ me { id } orders { edges { node { id } } } }" }));
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    send(request).await
}

/// Tokens whose header says how they are to be verified.
fn misdescribed(lab: &Lab) -> Vec<(&'static str, String)> {
    let (header, claims) = (|changes| lab.header(changes), lab.claims(json!({})));
    let unsigned = |alg: &str| format!("{}.{}.", part(&header(json!({ "alg": alg }))), part(&claims));
    let by_issuer = |changes: Value| lab.key.sign(&header(changes), &claims);
    vec![
        ("alg none", unsigned("none")),
        ("alg None", unsigned("None")),
        ("alg nOnE", unsigned("nOnE")),
        ("alg empty", unsigned("")),
        ("no signature", unsigned("EdDSA")),
        (
            "HS256 under the public key",
            hs256(&lab.key.public, &header(json!({ "alg": "HS256" })), &claims),
        ),
        ("HS256 under the public key's text", {
            let text = lab.key.jwk("lab").to_string();
            hs256(text.as_bytes(), &header(json!({ "alg": "HS256" })), &claims)
        }),
        (
            "HS256 under nothing",
            hs256(b"", &header(json!({ "alg": "HS256" })), &claims),
        ),
        ("another algorithm's name", by_issuer(json!({ "alg": "ES256" }))),
        ("critical extension", by_issuer(json!({ "crit": ["exp"] }))),
        ("another typ", by_issuer(json!({ "typ": "id+jwt" }))),
        ("no typ", by_issuer(json!({ "typ": null }))),
    ]
}

/// Tokens that somebody else signed, with a header that says where the key is.
fn foreign(lab: &Lab) -> Vec<(&'static str, String)> {
    let attacker = Key::generate();
    let (header, claims) = (|changes| lab.header(changes), lab.claims(json!({})));
    let by_attacker = |changes: Value| attacker.sign(&header(changes), &claims);
    let jwks = "https://attacker.example/jwks.json";
    vec![
        ("another key", by_attacker(json!({}))),
        ("embedded jwk", by_attacker(json!({ "jwk": attacker.jwk("lab") }))),
        (
            "embedded jwk without kid",
            by_attacker(json!({ "kid": null, "jwk": attacker.jwk("lab") })),
        ),
        ("jku", by_attacker(json!({ "jku": jwks }))),
        (
            "jku and an unknown kid",
            by_attacker(json!({ "jku": jwks, "kid": "attacker" })),
        ),
        (
            "x5u",
            by_attacker(json!({ "x5u": "https://attacker.example/cert.pem" })),
        ),
        ("x5c", by_attacker(json!({ "x5c": ["MIIB"] }))),
        ("kid unknown", by_attacker(json!({ "kid": "unknown" }))),
        (
            "kid with a path",
            by_attacker(json!({ "kid": "../../../../dev/null" })),
        ),
        (
            "kid with a path, signed by nothing",
            hs256(
                b"",
                &header(json!({ "alg": "HS256", "kid": "/dev/null" })),
                &claims,
            ),
        ),
        (
            "kid with SQL",
            by_attacker(json!({ "kid": "' UNION SELECT 'secret' --" })),
        ),
        ("kid with a command", by_attacker(json!({ "kid": "|id" }))),
        (
            "kid with a line break",
            by_attacker(json!({ "kid": "lab\r\nx: y" })),
        ),
        ("kid of 10 KB", by_attacker(json!({ "kid": "k".repeat(10_000) }))),
        ("kid that is a number", by_attacker(json!({ "kid": 1 }))),
    ]
}

/// Tokens that are not as the issuer signed them.
fn damaged(lab: &Lab) -> Vec<(&'static str, String)> {
    let good = lab.token(json!({}));
    vec![
        ("truncated", good[..good.len() - 20].to_owned()),
        (
            "without its last part",
            good.rsplit_once('.').unwrap().0.to_owned(),
        ),
        ("with a part more", format!("{good}.x")),
        ("payload of another", {
            let parts: Vec<&str> = good.split('.').collect();
            let admin =
                part(&lab.claims(json!({ "roles": ["admin"], "scope": "product:write inventory:write" })));
            format!("{}.{admin}.{}", parts[0], parts[2])
        }),
        ("not a token", "garbage".to_owned()),
        ("empty parts", "..".to_owned()),
        ("100 KB", format!("{good}{}", "a".repeat(100_000))),
        ("20 KB", format!("{good}{}", "a".repeat(20_000))),
    ]
}

/// Tokens that the issuer signed for something else.
fn misused(lab: &Lab) -> Vec<(&'static str, String)> {
    let cases = [
        ("expired", json!({ "exp": now() - 1 })),
        ("expired long ago", json!({ "exp": 1 })),
        ("no expiry", json!({ "exp": null })),
        ("expiry that is text", json!({ "exp": "tomorrow" })),
        ("negative expiry", json!({ "exp": -1 })),
        ("future nbf", json!({ "nbf": now() + 120 })),
        ("another issuer", json!({ "iss": "https://attacker.example" })),
        (
            "our issuer, the lab's key",
            json!({ "iss": "fondaco", "aud": "fondaco" }),
        ),
        ("no issuer", json!({ "iss": null })),
        ("another audience", json!({ "aud": "fondaco" })),
        ("no audience", json!({ "aud": null })),
        ("refresh used as access", json!({ "token_use": "refresh" })),
        ("no use", json!({ "token_use": null })),
        ("use in capitals", json!({ "token_use": "ACCESS" })),
    ];
    let sign = |(name, changes)| (name, lab.token(changes));
    cases.into_iter().map(sign).collect()
}

/// Headers by which a client would be somebody, or somebody else, to a subgraph. They change nothing about the answer.
async fn forged_headers(lab: &Lab, matrix: &mut Matrix) {
    let user = uuid::Uuid::new_v4().to_string();
    let forged = super::lab::identity("auth", Some(&user), json!({ "roles": ["admin"] }));
    for name in [
        "fondaco-caller",
        "Fondaco-Caller",
        "FONDACO-CALLER",
        "fondaco_caller",
        "Fondaco_Caller",
        "fondaco-user",
        "x-user-id",
        "x-fondaco-caller",
    ] {
        for headers in [
            vec![(name, forged.clone())],
            vec![(name, forged.clone()), (name, forged.clone())],
            vec![(name, forged.clone()), ("connection", format!("close, {name}"))],
        ] {
            let attack = format!("{name} x{}, nominated: {}", headers.len(), headers.len() > 1);
            let answer = attempt(lab, &headers).await;
            let anonymous = answer.status == 200 && answer.data()["me"].is_null();
            matrix.note("forged identity headers", attack, anonymous, &answer);
        }
    }
}
