//! A small OpenID Connect provider on a socket: discovery, keys, authorization (everybody consents), tokens. It checks what a provider checks,
//! and lies on demand.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::{
    Json, Router,
    extract::{Query, State},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use fondaco_auth::config::{OidcProviderConfig, Secret};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub const CLIENT_ID: &str = "fondaco-shop";
pub const CLIENT_SECRET: &str = "the provider's secret for us, long enough";
pub const REDIRECT_URL: &str = "https://shop.example.com/signed-in";

/// What the provider says that is not so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lie {
    None,
    /// The ID token carries the nonce of another flow.
    Nonce,
    Audience,
    Issuer,
    Expired,
    /// `alg: none`, without a signature.
    Unsigned,
    /// Signed by a key that is not published.
    OtherKey,
    /// HS256 under the client secret.
    ClientSecret,
    /// HS256 under the published public key.
    PublicKey,
    NoIdToken,
    /// What it tells apart from the ID token is about somebody else.
    UserInfo,
    /// That is larger than anything anybody would read.
    Endless,
}

/// The person who consents.
#[derive(Clone, Debug)]
pub struct Subject {
    pub id: String,
    pub email: String,
    pub email_verified: bool,
    /// The ID token leaves the address out; it is told to whom has the access token.
    pub apart: bool,
}

#[derive(Clone, Debug)]
struct Grant {
    nonce: String,
    challenge: String,
    subject: Subject,
}

pub struct Provider {
    pub issuer: String,
    shared: Arc<Shared>,
}

struct Shared {
    issuer: String,
    key: Mutex<Key>,
    lie: Mutex<Lie>,
    subject: Mutex<Subject>,
    grants: Mutex<HashMap<String, Grant>>,
    /// By access token.
    known: Mutex<HashMap<String, Subject>>,
    pub exchanges: Mutex<u32>,
}

struct Key {
    kid: String,
    encoding: EncodingKey,
    public: Vec<u8>,
}

type Parameters = HashMap<String, String>;

impl Provider {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            issuer: issuer.clone(),
            key: Mutex::new(new_key()),
            lie: Mutex::new(Lie::None),
            subject: Mutex::new(subject()),
            grants: Mutex::default(),
            known: Mutex::default(),
            exchanges: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/user", get(user_info))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { issuer, shared }
    }

    pub fn config(&self) -> OidcProviderConfig {
        OidcProviderConfig {
            issuer: self.issuer.clone(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: Some(Secret::from(CLIENT_SECRET)),
            redirect_url: REDIRECT_URL.to_owned(),
        }
    }

    pub fn lie(&self, lie: Lie) {
        *self.shared.lie.lock().unwrap() = lie;
    }

    /// Who consents from now on.
    pub fn set_subject(&self, subject: Subject) {
        *self.shared.subject.lock().unwrap() = subject;
    }

    pub fn rotate_key(&self) {
        *self.shared.key.lock().unwrap() = new_key();
    }

    /// Codes that were swapped for tokens.
    pub fn exchanges(&self) -> u32 {
        *self.shared.exchanges.lock().unwrap()
    }
}

/// Somebody new whose address is proven.
pub fn subject() -> Subject {
    Subject {
        id: Uuid::new_v4().to_string(),
        email: crate::support::random_email(),
        email_verified: true,
        apart: false,
    }
}

/// What a browser does: follows the URL and gives the parameters of the redirect that comes back.
pub async fn consent(authorization_url: &str) -> Result<HashMap<String, String>, StatusCode> {
    let browser = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let response = browser.get(authorization_url).send().await.unwrap();
    let Some(location) = response.headers().get(header::LOCATION) else {
        return Err(response.status());
    };
    let location: Uri = location.to_str().unwrap().parse().unwrap();
    assert!(location.to_string().starts_with(REDIRECT_URL));
    Ok(Query::<Parameters>::try_from_uri(&location).unwrap().0)
}

fn new_key() -> Key {
    let pair = Ed25519KeyPair::generate().unwrap();
    Key {
        kid: Uuid::new_v4().to_string(),
        encoding: EncodingKey::from_ed_der(pair.to_pkcs8v1().unwrap().as_ref()),
        public: pair.public_key().as_ref().to_vec(),
    }
}

async fn discovery(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let issuer = &shared.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "userinfo_endpoint": format!("{issuer}/user"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
    }))
}

async fn keys(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let key = shared.key.lock().unwrap();
    let x = BASE64_URL_SAFE_NO_PAD.encode(&key.public);
    Json(
        json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key.kid, "x": x }] }),
    )
}

async fn authorize(State(shared): State<Arc<Shared>>, Query(asked): Query<Parameters>) -> Response {
    let is = |name: &str, expected: &str| asked.get(name).is_some_and(|value| value == expected);
    let known = is("client_id", CLIENT_ID) && is("redirect_uri", REDIRECT_URL);
    if !known || !is("response_type", "code") || !is("code_challenge_method", "S256") {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let code = Uuid::new_v4().to_string();
    let grant = Grant {
        nonce: asked["nonce"].clone(),
        challenge: asked["code_challenge"].clone(),
        subject: shared.subject.lock().unwrap().clone(),
    };
    shared.grants.lock().unwrap().insert(code.clone(), grant);
    Redirect::to(&format!("{REDIRECT_URL}?code={code}&state={}", asked["state"])).into_response()
}

async fn token(State(shared): State<Arc<Shared>>, headers: axum::http::HeaderMap, body: String) -> Response {
    let uri: Uri = format!("http://form/?{body}").parse().unwrap();
    let Query(form) = Query::<Parameters>::try_from_uri(&uri).unwrap();
    let basic = headers
        .get(header::AUTHORIZATION)
        .map(|value| value.to_str().unwrap().to_owned());
    let refuse = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    if !basic.is_some_and(|basic| basic.starts_with("Basic ")) {
        return refuse("invalid_client");
    }
    let grant = shared.grants.lock().unwrap().remove(&form["code"]);
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes()));
    let Some(grant) =
        grant.filter(|grant| grant.challenge == challenge && form["redirect_uri"] == REDIRECT_URL)
    else {
        return refuse("invalid_grant");
    };
    *shared.exchanges.lock().unwrap() += 1;
    let access_token = Uuid::new_v4().to_string();
    let mut answer = json!({ "access_token": access_token, "token_type": "Bearer", "expires_in": 300 });
    shared
        .known
        .lock()
        .unwrap()
        .insert(format!("Bearer {access_token}"), grant.subject.clone());
    if let Some(id_token) = id_token(&shared, grant) {
        answer["id_token"] = json!(id_token);
    }
    Json(answer).into_response()
}

async fn user_info(State(shared): State<Arc<Shared>>, headers: axum::http::HeaderMap) -> Response {
    let bearer = headers[header::AUTHORIZATION].to_str().unwrap();
    let known = shared.known.lock().unwrap().get(bearer).cloned();
    let Some(subject) = known else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let id = match *shared.lie.lock().unwrap() {
        Lie::UserInfo => "somebody else".to_owned(),
        Lie::Endless => "x".repeat(2_000_000),
        _ => subject.id,
    };
    Json(json!({ "sub": id, "email": subject.email, "email_verified": subject.email_verified }))
        .into_response()
}

fn id_token(shared: &Shared, grant: Grant) -> Option<String> {
    let lie = *shared.lie.lock().unwrap();
    let now = jsonwebtoken::get_current_timestamp();
    let pick = |on: Lie, wrong: &str, right: &str| {
        if lie == on {
            wrong.to_owned()
        } else {
            right.to_owned()
        }
    };
    let mut claims = json!({
        "iss": pick(Lie::Issuer, "https://elsewhere.example.com", &shared.issuer),
        "aud": pick(Lie::Audience, "another-client", CLIENT_ID),
        "nonce": pick(Lie::Nonce, "of another flow", &grant.nonce),
        "iat": now - 600,
        "exp": if lie == Lie::Expired { now - 60 } else { now + 300 },
        "sub": grant.subject.id,
        "email": grant.subject.email,
        "email_verified": grant.subject.email_verified,
        "name": "Ada Outside",
    });
    if grant.subject.apart {
        claims
            .as_object_mut()
            .unwrap()
            .retain(|name, _| !name.starts_with("email"));
    }
    let key = shared.key.lock().unwrap();
    let signed = |algorithm, encoding: &EncodingKey| {
        let mut header = Header::new(algorithm);
        header.kid = Some(key.kid.clone());
        encode(&header, &claims, encoding).unwrap()
    };
    Some(match lie {
        Lie::NoIdToken => return None,
        Lie::Unsigned => {
            let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
            format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims))
        }
        Lie::OtherKey => signed(Algorithm::EdDSA, &new_key().encoding),
        Lie::ClientSecret => signed(
            Algorithm::HS256,
            &EncodingKey::from_secret(CLIENT_SECRET.as_bytes()),
        ),
        Lie::PublicKey => signed(Algorithm::HS256, &EncodingKey::from_secret(&key.public)),
        _ => signed(Algorithm::EdDSA, &key.encoding),
    })
}
