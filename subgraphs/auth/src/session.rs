//! Sessions: a signed-in device and its chain of refresh tokens. A refresh token is opaque, stored as a hash, and used once; using one
//! twice means that somebody copied it, and ends the session.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use fondaco_contracts::{SessionId, UserId};
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

const TOKEN_BYTES: usize = 32;

/// Sessions in Postgres. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sessions {
    pool: PgPool,
    lifetime: Duration,
}

/// A session and the one refresh token that continues it.
#[derive(Debug)]
pub struct Continued {
    /// The session.
    pub session: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// Opaque, for the client; nowhere else in clear.
    pub refresh_token: String,
}

#[derive(sqlx::FromRow)]
struct Presented {
    session_id: Uuid,
    user_id: Uuid,
    expires_at: DateTime<Utc>,
    used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

/// What presenting a refresh token means.
enum Verdict {
    Continue,
    Refuse,
    Reused,
}

impl Sessions {
    /// Sessions behind `pool` whose refresh tokens live for `lifetime`.
    pub fn new(pool: PgPool, lifetime: Duration) -> Self {
        Self { pool, lifetime }
    }

    /// Begins a session of `user`.
    pub async fn begin(&self, user: UserId) -> Result<Continued, sqlx::Error> {
        let session = SessionId::new();
        let mut transaction = self.pool.begin().await?;
        sqlx::query("insert into sessions (id, user_id) values ($1, $2)")
            .bind(session.as_uuid())
            .bind(user.as_uuid())
            .execute(&mut *transaction)
            .await?;
        let refresh_token = self.issue(&mut transaction, session).await?;
        transaction.commit().await?;
        Ok(Continued {
            session,
            user,
            refresh_token,
        })
    }

    /// Swaps a refresh token for the next one; `None` where it is unknown, expired, used or revoked.
    pub async fn refresh(&self, token: &str) -> Result<Option<Continued>, sqlx::Error> {
        let hash = hash(token);
        let mut transaction = self.pool.begin().await?;
        let Some(presented) = lock(&mut transaction, &hash).await? else {
            return Ok(None);
        };
        let session = SessionId::from(presented.session_id);
        let continued = match presented.judge(Utc::now()) {
            Verdict::Refuse => return Ok(None),
            Verdict::Reused => {
                revoke(&mut transaction, session).await?;
                tracing::warn!(session.id = %session, "a refresh token was used twice: session revoked");
                None
            }
            Verdict::Continue => {
                use_up(&mut transaction, &hash, session).await?;
                let refresh_token = self.issue(&mut transaction, session).await?;
                Some(Continued {
                    session,
                    user: presented.user_id.into(),
                    refresh_token,
                })
            }
        };
        transaction.commit().await?;
        Ok(continued)
    }

    async fn issue(&self, connection: &mut PgConnection, session: SessionId) -> Result<String, sqlx::Error> {
        let token = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; TOKEN_BYTES]>());
        sqlx::query("insert into refresh_tokens (token_hash, session_id, expires_at) values ($1, $2, $3)")
            .bind(hash(&token))
            .bind(session.as_uuid())
            .bind(Utc::now() + self.lifetime)
            .execute(connection)
            .await?;
        Ok(token)
    }
}

impl Presented {
    fn judge(&self, now: DateTime<Utc>) -> Verdict {
        if self.revoked_at.is_some() || self.expires_at <= now {
            Verdict::Refuse
        } else if self.used_at.is_some() {
            Verdict::Reused
        } else {
            Verdict::Continue
        }
    }
}

/// Locks token and session, so that of two who present the same token one is first.
async fn lock(connection: &mut PgConnection, hash: &[u8]) -> Result<Option<Presented>, sqlx::Error> {
    sqlx::query_as(
        "select session_id, user_id, expires_at, used_at, revoked_at
         from refresh_tokens join sessions on sessions.id = session_id
         where token_hash = $1 for update",
    )
    .bind(hash)
    .fetch_optional(connection)
    .await
}

async fn use_up(connection: &mut PgConnection, hash: &[u8], session: SessionId) -> Result<(), sqlx::Error> {
    sqlx::query("update refresh_tokens set used_at = now() where token_hash = $1")
        .bind(hash)
        .execute(&mut *connection)
        .await?;
    sqlx::query("update sessions set last_seen_at = now() where id = $1")
        .bind(session.as_uuid())
        .execute(connection)
        .await
        .map(drop)
}

async fn revoke(connection: &mut PgConnection, session: SessionId) -> Result<(), sqlx::Error> {
    sqlx::query("update sessions set revoked_at = now() where id = $1 and revoked_at is null")
        .bind(session.as_uuid())
        .execute(connection)
        .await
        .map(drop)
}

/// The token has 256 random bits: a fast hash is enough.
fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
