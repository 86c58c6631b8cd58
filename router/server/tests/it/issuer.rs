//! An issuer of access tokens: Ed25519 keys, a JWKS endpoint that counts its readers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::http::StatusCode;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// An issuer with any number of keys, and its published key set.
#[derive(Clone)]
pub struct Issuer {
    published: Arc<Mutex<Published>>,
    pub fetches: Arc<AtomicUsize>,
    pub url: String,
}

/// What the endpoint answers.
#[derive(Clone)]
enum Published {
    Keys(Vec<u8>),
    Failure,
    /// After this long.
    Late(Vec<u8>, Duration),
}

/// A key pair.
pub struct Key {
    id: &'static str,
    private: EncodingKey,
    pub public: Vec<u8>,
}

impl Key {
    pub fn new(id: &'static str) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let document = pair.to_pkcs8().unwrap();
        Self {
            id,
            private: EncodingKey::from_ed_der(document.as_ref()),
            public: pair.public_key().as_ref().to_vec(),
        }
    }

    pub fn jwk(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(&self.public);
        json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.id, "x": x })
    }

    /// A token with good claims, changed by `changes`; null removes a claim.
    pub fn token(&self, changes: Value) -> String {
        let header = Header {
            kid: Some(self.id.to_owned()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, &claims(changes), &self.private).unwrap()
    }
}

/// Claims as auth issues them.
pub fn claims(changes: Value) -> Value {
    let now = now();
    let mut claims = json!({
        "iss": "fondaco", "aud": "fondaco", "token_use": "access", "sub": "0192f1b4-7c3e-7a52-9d4e-6d1b1a2c3d4e",
        "sid": "0192f1b4-7c3e-7a52-9d4e-6d1b1a2c3d4f", "roles": ["customer"], "scope": "write admin",
        "iat": now, "exp": now + 3600,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    claims
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn set(keys: &[&Key]) -> String {
    let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
    json!({ "keys": keys }).to_string()
}

impl Issuer {
    /// Serves its keys on a port of its own.
    pub async fn start(keys: &[&Key]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let issuer = Self {
            published: Arc::new(Mutex::new(Published::Failure)),
            fetches: Arc::default(),
            url,
        };
        issuer.publish(keys);
        let (published, fetches) = (Arc::clone(&issuer.published), Arc::clone(&issuer.fetches));
        let serve = move || {
            fetches.fetch_add(1, Ordering::SeqCst);
            let published = published.lock().unwrap().clone();
            async move {
                match published {
                    Published::Keys(keys) => Ok(keys),
                    Published::Failure => Err(StatusCode::INTERNAL_SERVER_ERROR),
                    Published::Late(keys, delay) => {
                        tokio::time::sleep(delay).await;
                        Ok(keys)
                    }
                }
            }
        };
        let routes = axum::Router::new().route("/jwks.json", get(serve));
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        issuer
    }

    /// Replaces the published keys.
    pub fn publish(&self, keys: &[&Key]) {
        self.answer(set(keys));
    }

    /// From now on answers with this body.
    pub fn answer(&self, body: impl Into<Vec<u8>>) {
        *self.published.lock().unwrap() = Published::Keys(body.into());
    }

    /// From now on answers with status 500.
    pub fn fail(&self) {
        *self.published.lock().unwrap() = Published::Failure;
    }

    /// From now on takes its time to answer with these keys.
    pub fn dawdle(&self, keys: &[&Key], delay: Duration) {
        *self.published.lock().unwrap() = Published::Late(set(keys).into(), delay);
    }

    /// The `authentication` section that trusts this issuer.
    pub fn config(&self) -> String {
        format!(
            "authentication: {{ issuers: [{{ issuer: fondaco, audiences: [fondaco], jwks_url: '{}', \
             min_refresh_seconds: 1, required_claims: {{ token_use: access }} }}] }}",
            self.url
        )
    }
}
