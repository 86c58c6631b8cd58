//! Ed25519 keys that sign access tokens: kept in Postgres, so that all instances sign alike, published as a JWKS (RFC 7517, RFC 8037).

use std::{fmt, sync::Arc};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool};

/// The newest key signs; all that are not retired verify.
#[derive(Clone)]
pub struct SigningKeys {
    active: Arc<ActiveKey>,
    public: Arc<[PublicKey]>,
}

struct ActiveKey {
    kid: String,
    encoding: EncodingKey,
}

struct PublicKey {
    kid: String,
    bytes: Vec<u8>,
}

#[derive(sqlx::FromRow)]
struct StoredKey {
    kid: String,
    private_key: Vec<u8>,
    public_key: Vec<u8>,
}

impl SigningKeys {
    /// Reads the keys, making the first one where there is none. Instances that start at once agree on it.
    pub async fn load_or_create(pool: &PgPool) -> Result<Self, sqlx::Error> {
        let mut transaction = pool.begin().await?;
        sqlx::query("lock table signing_keys in exclusive mode")
            .execute(&mut *transaction)
            .await?;
        let mut stored = load(&mut transaction).await?;
        if stored.is_empty() {
            stored.push(create(&mut transaction).await?);
        }
        transaction.commit().await?;
        Ok(Self::from_stored(stored))
    }

    fn from_stored(stored: Vec<StoredKey>) -> Self {
        let newest = stored.first().expect("a key is made where there is none");
        let active = ActiveKey {
            kid: newest.kid.clone(),
            encoding: EncodingKey::from_ed_der(&newest.private_key),
        };
        let public = stored
            .into_iter()
            .map(|key| PublicKey {
                kid: key.kid,
                bytes: key.public_key,
            })
            .collect();
        Self {
            active: Arc::new(active),
            public,
        }
    }

    /// The id of the key that signs.
    pub fn kid(&self) -> &str {
        &self.active.kid
    }

    pub(crate) fn encoding_key(&self) -> &EncodingKey {
        &self.active.encoding
    }

    /// The public keys, as `/.well-known/jwks.json` shows them.
    pub fn jwks(&self) -> Value {
        let keys: Vec<Value> = self.public.iter().map(PublicKey::to_jwk).collect();
        json!({ "keys": keys })
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys")
            .field("kid", &self.active.kid)
            .finish_non_exhaustive()
    }
}

impl PublicKey {
    fn to_jwk(&self) -> Value {
        let x = BASE64_URL_SAFE_NO_PAD.encode(&self.bytes);
        json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.kid, "x": x })
    }
}

async fn load(connection: &mut PgConnection) -> Result<Vec<StoredKey>, sqlx::Error> {
    sqlx::query_as(
        "select kid, private_key, public_key from signing_keys
         where retired_at is null order by created_at desc, kid",
    )
    .fetch_all(connection)
    .await
}

async fn create(connection: &mut PgConnection) -> Result<StoredKey, sqlx::Error> {
    let key = generate();
    sqlx::query("insert into signing_keys (kid, private_key, public_key) values ($1, $2, $3)")
        .bind(&key.kid)
        .bind(&key.private_key)
        .bind(&key.public_key)
        .execute(connection)
        .await?;
    tracing::info!(key.kid, "made a signing key");
    Ok(key)
}

fn generate() -> StoredKey {
    let pair = Ed25519KeyPair::generate().expect("the system's random source works");
    let document = pair.to_pkcs8v1().expect("a generated key can be written");
    let public_key = pair.public_key().as_ref().to_vec();
    StoredKey {
        kid: thumbprint(&public_key),
        private_key: document.as_ref().to_vec(),
        public_key,
    }
}

/// RFC 7638.
fn thumbprint(public_key: &[u8]) -> String {
    let x = BASE64_URL_SAFE_NO_PAD.encode(public_key);
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 8037, appendix A.3.
    #[test]
    fn thumbprints_are_those_of_the_rfc() {
        let public_key = BASE64_URL_SAFE_NO_PAD
            .decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
            .unwrap();
        assert_eq!(
            thumbprint(&public_key),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }
}
