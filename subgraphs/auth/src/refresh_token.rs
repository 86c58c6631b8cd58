//! Refresh tokens: opaque, kept as keyed hashes, used once. Using one twice means that somebody copied it, and ends the session.
//!
//! A client that refreshes twice at once, or never received the answer, is no thief: for a short grace after its use, and from the address
//! that used it, a token answers with the *same* successor again, as long as that successor is unused. A token's successor is computed from
//! it, so the chain never forks and the first use of anything older than the grace still shows a copy.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use fondaco_contracts::{SessionId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::session::{Continued, Device, Sessions};

const TOKEN_BYTES: usize = 32;
/// Ours have 43 characters: nothing longer is worth hashing.
const MAX_TOKEN_CHARS: usize = 64;

/// What became of a refresh token.
#[derive(Debug)]
pub enum Refreshed {
    /// The session goes on.
    Continued(Continued),
    /// Unknown, expired, or of a session that has ended.
    Refused,
    /// It was used before: its session has been ended.
    Reused {
        /// Whose session.
        user: UserId,
        /// The session.
        session: SessionId,
    },
}

#[derive(sqlx::FromRow)]
struct Presented {
    session_id: Uuid,
    user_id: Uuid,
    expires_at: DateTime<Utc>,
    used_at: Option<DateTime<Utc>>,
    used_from: Option<String>,
    revoked_at: Option<DateTime<Utc>>,
}

/// What presenting a token means, apart from its successor.
#[derive(PartialEq, Eq, Debug)]
enum Verdict {
    Continue,
    /// Used a moment ago: fine if nobody has gone further.
    Repeat,
    Refuse,
    Reused,
}

/// A new token: 256 random bits.
pub(crate) fn random() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; TOKEN_BYTES]>())
}

impl Sessions {
    /// Swaps a refresh token for the next one.
    pub async fn refresh(&self, token: &str, device: &Device) -> Result<Refreshed, sqlx::Error> {
        if token.len() > MAX_TOKEN_CHARS {
            return Ok(Refreshed::Refused);
        }
        let mut transaction = self.pool.begin().await?;
        let Some(presented) = lock(&mut transaction, &self.hash(token)).await? else {
            return Ok(Refreshed::Refused);
        };
        let (session, user) = (
            SessionId::from(presented.session_id),
            UserId::from(presented.user_id),
        );
        let successor = self.successor(token);
        let mut verdict = presented.judge(Utc::now(), self.grace, device.address_text().as_deref());
        if verdict == Verdict::Repeat && is_used(&mut transaction, &self.hash(&successor)).await? {
            verdict = Verdict::Reused;
        }
        match verdict {
            Verdict::Refuse => return Ok(Refreshed::Refused),
            Verdict::Reused => {
                revoke(&mut transaction, session).await?;
                transaction.commit().await?;
                self.revocations.announce(&[session]).await;
                tracing::warn!(session.id = %session, "a refresh token was used twice: session ended");
                return Ok(Refreshed::Reused { user, session });
            }
            Verdict::Continue => {
                use_up(&mut transaction, &self.hash(token), device).await?;
                self.keep(&mut transaction, session, &successor).await?;
                touch(&mut transaction, session, device, Utc::now() + self.lifetime).await?;
            }
            Verdict::Repeat => {}
        }
        transaction.commit().await?;
        Ok(Refreshed::Continued(Continued {
            session,
            user,
            refresh_token: successor,
        }))
    }

    /// Keeps a token's hash.
    pub(crate) async fn keep(
        &self,
        connection: &mut PgConnection,
        session: SessionId,
        token: &str,
    ) -> Result<(), sqlx::Error> {
        sqlx::query("insert into refresh_tokens (token_hash, session_id, expires_at) values ($1, $2, $3)")
            .bind(self.hash(token))
            .bind(session.as_uuid())
            .bind(Utc::now() + self.lifetime)
            .execute(connection)
            .await
            .map(drop)
    }

    fn hash(&self, token: &str) -> Vec<u8> {
        self.key.hash(&[b"kept", token.as_bytes()])
    }

    fn successor(&self, token: &str) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.key.hash(&[b"successor", token.as_bytes()]))
    }
}

impl Presented {
    fn judge(&self, now: DateTime<Utc>, grace: Duration, address: Option<&str>) -> Verdict {
        if self.revoked_at.is_some() || self.expires_at <= now {
            return Verdict::Refuse;
        }
        let Some(used_at) = self.used_at else {
            return Verdict::Continue;
        };
        // Where nobody says from where a call comes, nobody can say that it is the same client.
        let is_same_client = address.is_some() && self.used_from.as_deref() == address;
        if now < used_at + grace && is_same_client {
            Verdict::Repeat
        } else {
            Verdict::Reused
        }
    }
}

/// Locks token and session, so that of two who present the same token one is first.
async fn lock(connection: &mut PgConnection, hash: &[u8]) -> Result<Option<Presented>, sqlx::Error> {
    sqlx::query_as(
        "select session_id, user_id, refresh_tokens.expires_at, used_at, used_from, revoked_at
         from refresh_tokens join sessions on sessions.id = session_id
         where token_hash = $1 for update",
    )
    .bind(hash)
    .fetch_optional(connection)
    .await
}

async fn is_used(connection: &mut PgConnection, hash: &[u8]) -> Result<bool, sqlx::Error> {
    let used: Option<bool> =
        sqlx::query_scalar("select used_at is not null from refresh_tokens where token_hash = $1")
            .bind(hash)
            .fetch_optional(connection)
            .await?;
    Ok(used.unwrap_or(true))
}

async fn use_up(connection: &mut PgConnection, hash: &[u8], device: &Device) -> Result<(), sqlx::Error> {
    sqlx::query("update refresh_tokens set used_at = now(), used_from = $2 where token_hash = $1")
        .bind(hash)
        .bind(device.address_text())
        .execute(connection)
        .await
        .map(drop)
}

async fn touch(
    connection: &mut PgConnection,
    session: SessionId,
    device: &Device,
    expires_at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update sessions set last_seen_at = now(), expires_at = $2, address = coalesce($3, address) where id = $1",
    )
    .bind(session.as_uuid())
    .bind(expires_at)
    .bind(device.address_text())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_judged_by_its_use() {
        let now = Utc::now();
        let ago = |seconds| Some(now - Duration::from_secs(seconds));
        let check = |used_at, used_from: Option<&str>, address, expected| {
            let presented = Presented {
                session_id: Uuid::nil(),
                user_id: Uuid::nil(),
                expires_at: now + Duration::from_secs(1),
                used_at,
                used_from: used_from.map(str::to_owned),
                revoked_at: None,
            };
            assert_eq!(
                presented.judge(now, Duration::from_secs(10), address),
                expected,
                "{used_at:?} {used_from:?} {address:?}"
            );
        };
        let (one, other) = (Some("192.0.2.1"), Some("192.0.2.2"));
        check(None, None, one, Verdict::Continue);
        check(None, None, None, Verdict::Continue);
        check(ago(9), one, one, Verdict::Repeat);
        check(ago(9), one, other, Verdict::Reused);
        check(ago(11), one, one, Verdict::Reused);
        for (used_from, address) in [(None, None), (one, None), (None, one)] {
            check(ago(9), used_from, address, Verdict::Reused);
        }
    }
}
