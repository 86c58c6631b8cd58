//! Ed25519 keys that sign access tokens: kept in Postgres, so that all instances sign alike, published as a JWKS (RFC 7517, RFC 8037).
//!
//! One key is active and signs. The next one is published with it long before it signs, so that routers know it by then. A replaced key stays
//! published until the last token it signed has expired. Rotation is therefore one step, by command or by age: the next becomes active.

use std::{fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{FromRow, PgConnection, PgPool};
use tokio_util::sync::CancellationToken;

use crate::{
    access_token::LIFETIME_SECONDS,
    audit::{Event, EventKind},
};

/// How soon an instance follows a rotation made by another.
const RELOAD_PAUSE: Duration = Duration::from_secs(10);
/// How long a replaced key is published: its last token's lifetime, with leeway for clocks and for instances that reload.
const PUBLISHED_AFTER: Duration = Duration::from_secs(LIFETIME_SECONDS + 300);

/// The keys. Cheap to clone; clones reload together.
#[derive(Clone)]
pub struct SigningKeys {
    pool: PgPool,
    current: Arc<ArcSwap<KeySet>>,
}

/// What a rotation is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rotation {
    /// The replaced key's tokens stay valid until they expire.
    Routine,
    /// The keys have leaked: all of them are withdrawn at once, and new ones made.
    Compromised,
}

/// Where a key is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyState {
    /// Published, signs after the next rotation.
    Next,
    /// Signs.
    Active,
    /// Published until the tokens it signed have expired.
    Replaced,
}

/// A published key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyInfo {
    /// Its id: the thumbprint of RFC 7638.
    pub kid: String,
    /// Where it is in its life.
    pub state: KeyState,
    /// Since when.
    pub since: DateTime<Utc>,
}

struct KeySet {
    kid: String,
    encoding: EncodingKey,
    public: Vec<StoredKey>,
}

#[derive(Clone, FromRow)]
struct StoredKey {
    kid: String,
    private_key: Option<Vec<u8>>,
    public_key: Vec<u8>,
    created_at: DateTime<Utc>,
    activated_at: Option<DateTime<Utc>>,
    replaced_at: Option<DateTime<Utc>>,
}

/// The table has no key that can sign.
#[derive(Debug, thiserror::Error)]
#[error("no active signing key")]
struct NoActiveKey;

impl SigningKeys {
    /// Reads the keys, making those that are missing. Instances that start at once agree on them.
    pub async fn load_or_create(pool: &PgPool) -> Result<Self, sqlx::Error> {
        let keys = change(pool, async |_| Ok(())).await?;
        Ok(Self {
            pool: pool.clone(),
            current: Arc::new(ArcSwap::from_pointee(KeySet::new(keys)?)),
        })
    }

    /// Lets the next key sign. Other instances follow within ten seconds.
    pub async fn rotate(&self, rotation: Rotation) -> Result<(), sqlx::Error> {
        let reason = match rotation {
            Rotation::Routine => "by command",
            Rotation::Compromised => "compromised",
        };
        let keys = change(&self.pool, async |connection| {
            replace(connection, rotation).await?;
            record(connection, reason).await
        });
        self.adopt(keys.await?)
    }

    /// Reloads, rotates when the active key is older than `max_age`, and withdraws keys whose tokens have expired, until `stop`.
    pub async fn run(self, max_age: Duration, stop: CancellationToken) {
        while stop
            .run_until_cancelled(tokio::time::sleep(RELOAD_PAUSE))
            .await
            .is_some()
        {
            if let Err(error) = self.keep_up(max_age).await {
                tracing::warn!(error.cause = %error, "signing keys could not be reloaded");
            }
        }
    }

    /// One round of [`SigningKeys::run`].
    pub async fn keep_up(&self, max_age: Duration) -> Result<(), sqlx::Error> {
        let keys = load(&mut *self.pool.acquire().await?).await?;
        let now = Utc::now();
        let is_due = |key: &StoredKey| match (key.activated_at, key.replaced_at) {
            (_, Some(replaced)) => replaced + PUBLISHED_AFTER < now,
            (Some(activated), None) => activated + max_age < now,
            (None, None) => false,
        };
        let keys = if keys.iter().any(is_due) {
            change(&self.pool, async |connection| {
                replace_old(connection, max_age).await
            })
            .await?
        } else {
            keys
        };
        self.adopt(keys)
    }

    /// All published keys, the active one first.
    pub fn list(&self) -> Vec<KeyInfo> {
        self.current.load().public.iter().map(StoredKey::info).collect()
    }

    /// The public keys, as `/.well-known/jwks.json` shows them.
    pub fn jwks(&self) -> Value {
        let keys: Vec<Value> = self.current.load().public.iter().map(StoredKey::to_jwk).collect();
        json!({ "keys": keys })
    }

    /// Calls `sign` with the id of the active key and the key.
    pub(crate) fn sign_with<T>(&self, sign: impl FnOnce(&str, &EncodingKey) -> T) -> T {
        let current = self.current.load();
        sign(&current.kid, &current.encoding)
    }

    fn adopt(&self, keys: Vec<StoredKey>) -> Result<(), sqlx::Error> {
        self.current.store(Arc::new(KeySet::new(keys)?));
        Ok(())
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys")
            .field("kid", &self.current.load().kid)
            .finish_non_exhaustive()
    }
}

impl KeySet {
    fn new(mut keys: Vec<StoredKey>) -> Result<Self, sqlx::Error> {
        keys.sort_by_key(|key| (key.state() != KeyState::Active, key.created_at));
        let active = keys.first().filter(|key| key.state() == KeyState::Active);
        let signing = active.and_then(|key| Some((key.kid.clone(), key.private_key.as_ref()?)));
        let (kid, private_key) = signing.ok_or_else(|| sqlx::Error::Decode(Box::new(NoActiveKey)))?;
        let encoding = EncodingKey::from_ed_der(private_key);
        keys.iter_mut().for_each(|key| key.private_key = None);
        Ok(Self {
            kid,
            encoding,
            public: keys,
        })
    }
}

impl StoredKey {
    fn state(&self) -> KeyState {
        match (self.activated_at, self.replaced_at) {
            (_, Some(_)) => KeyState::Replaced,
            (Some(_), None) => KeyState::Active,
            (None, None) => KeyState::Next,
        }
    }

    fn info(&self) -> KeyInfo {
        let since = self.replaced_at.or(self.activated_at).unwrap_or(self.created_at);
        KeyInfo {
            kid: self.kid.clone(),
            state: self.state(),
            since,
        }
    }

    fn to_jwk(&self) -> Value {
        let x = BASE64_URL_SAFE_NO_PAD.encode(&self.public_key);
        json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.kid, "x": x })
    }
}

/// Changes the keys while nobody else does, makes those that are missing afterwards, and gives those that are published.
async fn change(
    pool: &PgPool,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<(), sqlx::Error>,
) -> Result<Vec<StoredKey>, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    sqlx::query("lock table signing_keys in exclusive mode")
        .execute(&mut *transaction)
        .await?;
    work(&mut transaction).await?;
    let mut keys = load(&mut transaction).await?;
    for state in [KeyState::Active, KeyState::Next] {
        if !keys.iter().any(|key| key.state() == state) {
            keys.push(create(&mut transaction, state).await?);
        }
    }
    transaction.commit().await?;
    Ok(keys)
}

async fn load(connection: &mut PgConnection) -> Result<Vec<StoredKey>, sqlx::Error> {
    sqlx::query_as(
        "select kid, private_key, public_key, created_at, activated_at, replaced_at
         from signing_keys where retired_at is null order by created_at, kid",
    )
    .fetch_all(connection)
    .await
}

/// The active key is replaced by the next; a replaced key has no use for its private half.
async fn replace(connection: &mut PgConnection, rotation: Rotation) -> Result<(), sqlx::Error> {
    if rotation == Rotation::Compromised {
        return sqlx::query(
            "update signing_keys set retired_at = now(), replaced_at = coalesce(replaced_at, now()), private_key = null
             where retired_at is null",
        )
        .execute(connection)
        .await
        .map(drop);
    }
    sqlx::query(
        "update signing_keys set replaced_at = now(), private_key = null
         where activated_at is not null and replaced_at is null and retired_at is null",
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "update signing_keys set activated_at = now()
         where kid = (select kid from signing_keys
                      where activated_at is null and retired_at is null order by created_at, kid limit 1)",
    )
    .execute(connection)
    .await
    .map(drop)
}

/// What is due by age, asked again under the lock: of several instances one does it.
async fn replace_old(connection: &mut PgConnection, max_age: Duration) -> Result<(), sqlx::Error> {
    sqlx::query("update signing_keys set retired_at = now() where retired_at is null and replaced_at < $1")
        .bind(Utc::now() - PUBLISHED_AFTER)
        .execute(&mut *connection)
        .await?;
    let due: bool = sqlx::query_scalar(
        "select exists (select from signing_keys
                        where activated_at < $1 and replaced_at is null and retired_at is null)",
    )
    .bind(Utc::now() - max_age)
    .fetch_one(&mut *connection)
    .await?;
    if due {
        tracing::info!("the signing key has reached its age: the next one signs");
        replace(connection, Rotation::Routine).await?;
        record(connection, "by age").await?;
    }
    Ok(())
}

async fn record(connection: &mut PgConnection, reason: &str) -> Result<(), sqlx::Error> {
    let event = Event::new(EventKind::SigningKeyRotated).detail(reason);
    event.write(connection).await
}

async fn create(connection: &mut PgConnection, state: KeyState) -> Result<StoredKey, sqlx::Error> {
    let mut key = generate();
    key.activated_at = (state == KeyState::Active).then_some(key.created_at);
    sqlx::query(
        "insert into signing_keys (kid, private_key, public_key, created_at, activated_at) values ($1, $2, $3, $4, $5)",
    )
    .bind(&key.kid)
    .bind(&key.private_key)
    .bind(&key.public_key)
    .bind(key.created_at)
    .bind(key.activated_at)
    .execute(connection)
    .await?;
    tracing::info!(key.kid, key.state = ?state, "made a signing key");
    Ok(key)
}

fn generate() -> StoredKey {
    let pair = Ed25519KeyPair::generate().expect("the system's random source works");
    let document = pair.to_pkcs8v1().expect("a generated key can be written");
    let public_key = pair.public_key().as_ref().to_vec();
    StoredKey {
        kid: thumbprint(&public_key),
        private_key: Some(document.as_ref().to_vec()),
        public_key,
        created_at: Utc::now(),
        activated_at: None,
        replaced_at: None,
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
