//! Calling the subgraph directly, with an identity that is forged, replayed or borrowed; and reaching for what is another's.

use axum::http::StatusCode;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use fondaco_chassis::{identity::CallerClaims, testing};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::{Attack, Rows, World, row};
use crate::support::codes;

const ME: &str = "{ me { id email } sessions { id } }";

pub fn rows(world: &World) -> Rows<'_> {
    let mut rows = Rows::new();
    for (name, forge) in forgeries() {
        rows.push(row(format!("direct call: {name}"), async move {
            let header = forge(world);
            let body = json!({ "query": ME }).to_string();
            let (status, answer) = testing::post(&world.auth.service.router, Some(&header), body).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{answer}");
            // Of another time but well signed: clocks may be to blame.
            let code = answer["errors"][0]["extensions"]["code"].as_str();
            assert!(
                matches!(code, Some("UNAUTHENTICATED" | "CLOCKS_DIFFER")),
                "{answer}"
            );
        }));
    }
    rows.push(row("direct call: no identity", anonymous(world)));
    rows.push(row("another's session: revokeSession", revoke_anothers(world)));
    rows.push(row(
        "another's session: revokeSession by alias beside one's own",
        revoke_by_alias(world),
    ));
    rows.push(row("another's address: _entities", anothers_entity(world)));
    rows
}

type Forge = fn(&World) -> String;

fn forgeries() -> Vec<(&'static str, Forge)> {
    vec![
        ("expired, replayed", |world| {
            changed(world, |claims| {
                (claims.iat, claims.exp) = (claims.iat - 60, claims.exp - 60)
            })
        }),
        ("from the future", |world| {
            changed(world, |claims| {
                (claims.iat, claims.exp) = (claims.iat + 60, claims.exp + 60)
            })
        }),
        ("valid for an hour", |world| {
            changed(world, |claims| claims.exp = claims.iat + 3600)
        }),
        ("for another subgraph", |world| {
            changed(world, |claims| claims.aud = "order".into())
        }),
        ("for another method", |world| {
            changed(world, |claims| claims.htm = "GET".into())
        }),
        ("for another path", |world| {
            changed(world, |claims| claims.htu = "/.well-known/jwks.json".into())
        }),
        ("alg none", unsigned),
        ("HS512 under the right secret", |world| {
            signed(world, Algorithm::HS512, SECRET)
        }),
        ("another secret", |world| {
            signed(
                world,
                Algorithm::HS256,
                "another secret of more than 32 bytes, really",
            )
        }),
        ("the client's access token", |_| {
            "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.AAAA".to_owned()
        }),
        ("a bare user id", |world| world.victim.id.to_string()),
        ("of 100 KB", |_| "a".repeat(100_000)),
    ]
}

/// What the test runtime signs with.
const SECRET: &str = "a secret for tests, of more than 32 bytes";

fn claims(world: &World) -> CallerClaims {
    world
        .auth
        .test
        .runtime
        .identity
        .claims(&world.victim.caller, "auth")
}

fn changed(world: &World, change: impl FnOnce(&mut CallerClaims)) -> String {
    let mut claims = claims(world);
    change(&mut claims);
    world.auth.test.runtime.identity.sign_claims(&claims)
}

fn signed(world: &World, algorithm: Algorithm, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::new(algorithm), &claims(world), &key).unwrap()
}

fn unsigned(world: &World) -> String {
    let part = |value: String| BASE64_URL_SAFE_NO_PAD.encode(value);
    let claims = serde_json::to_string(&claims(world)).unwrap();
    format!(
        "{}.{}.",
        part(json!({ "alg": "none", "typ": "JWT" }).to_string()),
        part(claims)
    )
}

fn anonymous(world: &World) -> Attack<'_> {
    Box::pin(async {
        let body = json!({ "query": ME }).to_string();
        let (_, answer) = testing::post(&world.auth.service.router, None, body).await;
        assert_eq!(answer["data"]["me"], Value::Null);
        assert_eq!(answer["data"]["sessions"], Value::Null);
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    })
}

async fn revoke_anothers(world: &World) {
    let input = json!({ "sessionId": world.victim.session });
    let revoked = world
        .auth
        .mutate(&world.attacker.caller, "revokeSession", input)
        .await;
    assert_eq!(codes(&revoked), ["NOT_FOUND"]);
    let unknown = json!({ "sessionId": uuid::Uuid::now_v7() });
    let none = world
        .auth
        .mutate(&world.attacker.caller, "revokeSession", unknown)
        .await;
    assert_eq!(revoked, none, "another's and none are not told apart");
}

async fn revoke_by_alias(world: &World) {
    let own = world.auth.device_of(&world.attacker).await;
    let query = format!(
        "mutation {{ own: revokeSession(input: {{ sessionId: \"{}\" }}) {{ userErrors {{ code }} }}
                    other: revokeSession(input: {{ sessionId: \"{}\" }}) {{ userErrors {{ code }} }} }}",
        own.session, world.victim.session
    );
    let answer = world.auth.ask(&world.attacker.caller, &query, Value::Null).await;
    assert!(codes(&answer["data"]["own"]).is_empty(), "{answer}");
    assert_eq!(codes(&answer["data"]["other"]), ["NOT_FOUND"]);
}

async fn anothers_entity(world: &World) {
    let query = "query($users: [_Any!]!) { _entities(representations: $users) {
        ... on User { id email emailVerified scopes } again: __typename ... on User { alias: email } } }";
    let forged = json!({ "__typename": "User", "id": world.victim.id, "email": world.attacker.email, "is_caller": true });
    let answer = world
        .auth
        .ask(&world.attacker.caller, query, json!({ "users": [forged] }))
        .await;
    let seen = &answer["data"]["_entities"][0];
    assert_eq!(seen["id"], json!(world.victim.id), "{answer}");
    for private in ["email", "emailVerified", "scopes", "alias"] {
        assert_eq!(seen[private], Value::Null, "{private}");
    }
}
