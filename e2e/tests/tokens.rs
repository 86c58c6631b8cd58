//! Tokens at the built router: truly signed ones, of an issuer of the test's own, so that only the property tested is wrong.

#![allow(clippy::unwrap_used, reason = "for tests: what is wrong fails them")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fondaco_e2e::client::Client;
use fondaco_e2e::platform::supergraph;
use fondaco_e2e::port::free_address;
use fondaco_e2e::program::Program;
use fondaco_e2e::scratch::Scratch;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

struct Issuer {
    key: EncodingKey,
    jwks: Value,
}

impl Issuer {
    fn new() -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let key =
            json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "one", "x": x });
        Self {
            key: EncodingKey::from_ed_der(pair.to_pkcs8().unwrap().as_ref()),
            jwks: json!({ "keys": [key] }),
        }
    }

    /// A token that ends `seconds` from now.
    fn token(&self, seconds: i64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let now = i64::try_from(now).unwrap();
        let claims = json!({
            "iss": "test", "aud": "fondaco", "sub": uuid::Uuid::new_v4(), "iat": now - 3600, "exp": now + seconds,
        });
        let header = Header {
            kid: Some("one".to_owned()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, &claims, &self.key).unwrap()
    }
}

#[tokio::test]
async fn expired_and_garbled_tokens_are_refused_by_name() {
    let (issuer, folder) = (Issuer::new(), Scratch::new("tokens").unwrap());
    let jwks = folder.write("jwks.json", &issuer.jwks.to_string()).unwrap();
    let issuers = json!([{ "issuer": "test", "audiences": ["fondaco"], "jwks_file": jwks }]);
    let config = json!({ "router": { "authentication": { "issuers": issuers } } }).to_string();
    let config = folder.write("fondaco.yaml", &config).unwrap();
    let (config, listen) = (config.to_string_lossy(), free_address());
    let args = [
        "router",
        "--supergraph",
        &supergraph(),
        "--config",
        &config,
        "--listen",
        &listen,
    ];
    let mut router = Program::start("router", folder.path(), &args, &[]).unwrap();
    let ready = format!("http://{listen}/ready");
    router.ready(&ready, Duration::from_secs(20)).await.unwrap();
    let client = Client::new(format!("http://{listen}/graphql"));
    let ask = async |token: &str| client.with_token(token).query("{ __typename }", json!({})).await;

    let good = issuer.token(60);
    let answer = ask(&good).await.unwrap();
    assert_eq!(answer.expect_data()["__typename"], "Query");
    let expired = ask(&issuer.token(-60)).await.unwrap();
    assert_eq!(expired.status, 401, "{}", expired.body);
    assert_eq!(expired.error_code(), "UNAUTHENTICATED");
    let message = expired.errors()[0]["message"].as_str().unwrap();
    assert!(message.contains("expired"), "{message}");

    let signature = good.rfind('.').unwrap();
    let other_signature = format!("{}{}", &good[..signature], &issuer.token(60)[signature..]);
    for token in [&*other_signature, &good[..signature], &good[1..], "garbled"] {
        let garbled = ask(token).await.unwrap();
        assert_eq!(garbled.status, 401, "{token}: {}", garbled.body);
        assert_eq!(garbled.error_code(), "UNAUTHENTICATED");
    }
    // A token that was good when it was first seen ends all the same.
    let short = issuer.token(2);
    assert_eq!(ask(&short).await.unwrap().status, 200);
    tokio::time::sleep(Duration::from_millis(3_100)).await;
    assert_eq!(ask(&short).await.unwrap().status, 401);
    assert!(!router.log().contains("panicked") && !router.log().contains(&good));
}
