//! An issuer that the router trusts, run by the test, so that tokens can be wrong in one thing only; and the identity secret.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::platform::Platform;
use crate::provider::Provider;
use crate::scratch::Scratch;

/// Name of the issuer, and of the audience it issues for.
const NAME: &str = "lab";
/// Secret shared by router and subgraphs.
const SECRET: &str = "the secret of the abuse matrix, long enough";

/// A key pair.
pub struct Key {
    private: EncodingKey,
    /// The public half, as bytes.
    pub public: Vec<u8>,
}

impl Key {
    /// A new pair.
    pub fn generate() -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        Self {
            private: EncodingKey::from_ed_der(pair.to_pkcs8().unwrap().as_ref()),
            public: pair.public_key().as_ref().to_vec(),
        }
    }

    /// The public half as a JSON Web Key.
    pub fn jwk(&self, id: &str) -> Value {
        let x = URL_SAFE_NO_PAD.encode(&self.public);
        json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": id, "x": x })
    }

    /// A token with this header and these claims.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.private, Algorithm::EdDSA);
        format!("{signed}.{}", signature.unwrap())
    }
}

/// The platform with the lab's key among those that the router trusts, and an outside provider.
pub struct Lab {
    /// The platform.
    pub platform: Platform,
    /// The issuer's key.
    pub key: Key,
    _folder: Scratch,
    _provider: Provider,
}

impl Lab {
    /// Starts the platform.
    pub async fn start() -> Self {
        let (key, provider) = (Key::generate(), Provider::start().await);
        let folder = Scratch::new("lab").unwrap();
        folder
            .write("keys.json", &json!({ "keys": [key.jwk(NAME)] }).to_string())
            .unwrap();
        let file = folder.path().join("keys.json");
        let platform = Platform::start_configured(|config| {
            config["auth"]["oidc"] = provider.config();
            config["identity"] = json!({ "secret": SECRET, "require": true });
            let issuers = config["router"]["authentication"]["issuers"]
                .as_array_mut()
                .unwrap();
            issuers.push(json!({
                "issuer": NAME, "audiences": [NAME], "jwks_file": file, "token_types": ["JWT"],
                "required_claims": { "token_use": "access" },
            }));
        });
        Self {
            platform: platform.await.unwrap(),
            key,
            _folder: folder,
            _provider: provider,
        }
    }

    /// Claims of a good token, changed; null takes a claim away.
    pub fn claims(&self, changes: Value) -> Value {
        let claims = json!({
            "iss": NAME, "aud": NAME, "sub": uuid::Uuid::new_v4().to_string(), "sid": uuid::Uuid::new_v4().to_string(),
            "token_use": "access", "roles": ["customer"], "scope": "", "iat": now(), "exp": now() + 600,
        });
        changed(claims, changes)
    }

    /// The header of a good token, changed.
    pub fn header(&self, changes: Value) -> Value {
        changed(json!({ "alg": "EdDSA", "typ": "JWT", "kid": NAME }), changes)
    }

    /// A token that is good but for the changes to its claims.
    pub fn token(&self, changes: Value) -> String {
        self.key.sign(&self.header(json!({})), &self.claims(changes))
    }
}

/// A `fondaco-caller` value as the router signs it for `subgraph` on behalf of `user`, changed.
pub fn identity(subgraph: &str, user: Option<&str>, changes: Value) -> String {
    identity_under(SECRET, subgraph, user, changes)
}

/// The same under another secret.
pub fn identity_under(secret: &str, subgraph: &str, user: Option<&str>, changes: Value) -> String {
    let claims = json!({
        "iss": "router", "aud": subgraph, "iat": now(), "exp": now() + 10, "htm": "POST", "htu": "/graphql",
        "sub": user, "roles": ["customer"], "scope": "",
    });
    let claims = changed(claims, changes);
    jsonwebtoken::encode(
        &Header::default(),
        &claims,
        &EncodingKey::from_secret(secret.as_bytes()),
    )
    .unwrap()
}

/// What a token says, unverified.
pub fn claims(token: &str) -> Value {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

/// A part of a token.
pub fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token signed with HS256 under any bytes.
pub fn hs256(key: &[u8], header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", part(header), part(claims));
    let key = EncodingKey::from_secret(key);
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{signed}.{signature}")
}

/// Unix seconds.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn changed(mut value: Value, changes: Value) -> Value {
    let object = value.as_object_mut().unwrap();
    if let Value::Object(changes) = changes {
        object.extend(changes);
    }
    object.retain(|_, value| !value.is_null());
    value
}
