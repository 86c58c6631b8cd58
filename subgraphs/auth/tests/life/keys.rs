//! Signing keys: rotation by command and by age, seen from two instances.

use std::time::Duration;

use fondaco_auth::signing_key::{KeyState, Rotation, SigningKeys};
use fondaco_chassis::testing;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::Value;

use crate::support::Auth;

const NEVER: Duration = Duration::from_secs(1_000_000_000);

async fn jwks(auth: &Auth) -> JwkSet {
    let (_, jwks) = testing::get(&auth.service.router, "/.well-known/jwks.json").await;
    assert!(!jwks.to_string().contains("\"d\""), "private halves stay private");
    serde_json::from_value(jwks).unwrap()
}

fn kid(token: &str) -> String {
    decode_header(token).unwrap().kid.unwrap()
}

fn verifies(token: &str, jwks: &JwkSet) -> bool {
    let Some(key) = jwks.find(&kid(token)) else {
        return false;
    };
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&["fondaco"]);
    decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation).is_ok()
}

async fn fresh_token(auth: &Auth) -> String {
    let person = auth.person().await;
    let signed_in = auth.sign_in(&person.email, crate::support::PASSWORD).await;
    signed_in["tokens"]["accessToken"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_rotation_costs_no_token() {
    let auth = Auth::start().await;
    let pool = auth.database().await;
    let command = SigningKeys::load_or_create(&pool).await.unwrap();
    let states: Vec<KeyState> = command.list().iter().map(|key| key.state).collect();
    assert_eq!(states, [KeyState::Active, KeyState::Next]);
    let (old, published) = (fresh_token(&auth).await, jwks(&auth).await);
    assert_eq!(published.keys.len(), 2);

    command.rotate(Rotation::Routine).await.unwrap();
    let before_reload = fresh_token(&auth).await;
    assert_eq!(
        kid(&before_reload),
        kid(&old),
        "the instance has not heard of it yet"
    );
    tokio::time::sleep(Duration::from_secs(11)).await;
    let new = fresh_token(&auth).await;
    assert_ne!(kid(&new), kid(&old));
    // Whoever read the keys before the rotation, or after, verifies both.
    for keys in [published, jwks(&auth).await] {
        assert!(verifies(&old, &keys) && verifies(&before_reload, &keys) && verifies(&new, &keys));
    }
    assert_eq!(jwks(&auth).await.keys.len(), 3, "active, next, replaced");
    let private: i64 = sqlx::query_scalar("select count(*) from signing_keys where private_key is not null")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(private, 2);
    assert_eq!(rotations(&auth).await, ["by command"]);
}

/// Why keys were rotated, as the audit log has it.
async fn rotations(auth: &Auth) -> Vec<String> {
    let kept = "select detail from security_events where kind = 'signing_key_rotated' order by id";
    sqlx::query_scalar(kept)
        .fetch_all(&auth.database().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn keys_age() {
    let auth = Auth::start().await;
    let pool = auth.database().await;
    let keys = SigningKeys::load_or_create(&pool).await.unwrap();
    let other = SigningKeys::load_or_create(&pool).await.unwrap();
    let before = keys.list();
    keys.keep_up(NEVER).await.unwrap();
    assert_eq!(keys.list(), before);

    // Of several instances that find the key too old, one replaces it.
    let age = Duration::from_secs(3600);
    let old =
        "update signing_keys set activated_at = now() - interval '2 hours' where activated_at is not null";
    sqlx::query(old).execute(&pool).await.unwrap();
    let (one, two) = tokio::join!(keys.keep_up(age), other.keep_up(age));
    one.and(two).unwrap();
    keys.keep_up(age).await.unwrap();
    other.keep_up(age).await.unwrap();
    assert_eq!(keys.list(), other.list());
    assert_eq!(keys.list()[0].kid, before[1].kid, "the next key signs");
    assert_eq!(keys.list().len(), 3);
    assert_eq!(rotations(&auth).await, ["by age"]);

    let expire =
        "update signing_keys set replaced_at = now() - interval '3901 seconds' where replaced_at is not null";
    sqlx::query(expire).execute(&pool).await.unwrap();
    keys.keep_up(NEVER).await.unwrap();
    assert!(
        keys.list().iter().all(|key| key.kid != before[0].kid),
        "its tokens have expired"
    );
}

#[tokio::test]
async fn compromised_keys_are_withdrawn_at_once() {
    let auth = Auth::start().await;
    let keys = SigningKeys::load_or_create(&auth.database().await).await.unwrap();
    let before = keys.list();
    keys.rotate(Rotation::Compromised).await.unwrap();
    let after = keys.list();
    assert_eq!(after.len(), 2);
    assert!(
        after
            .iter()
            .all(|key| before.iter().all(|old| old.kid != key.kid))
    );
    assert_eq!(rotations(&auth).await, ["compromised"]);
}
