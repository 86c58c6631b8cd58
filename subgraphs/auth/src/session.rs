//! Sessions: one a signed-in device, with its chain of refresh tokens ([`refresh_token`](crate::refresh_token)). Ending a session ends its
//! refresh token here and now, and its access token through [`revocation`](crate::revocation).

use std::{net::IpAddr, time::Duration};

use chrono::{DateTime, Utc};
use fondaco_contracts::{SessionId, UserId};
use sqlx::{FromRow, PgConnection, PgPool};
use uuid::Uuid;

use crate::{refresh_token, revocation::Revocations, secret_key::SecretKey};

const MAX_DEVICE_NAME_CHARS: usize = 100;
const MAX_LISTED: i64 = 100;

/// The device a session is on, as far as it tells.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Device {
    /// What its person or program calls it.
    pub name: Option<String>,
    /// The client's address as the router sees it.
    pub address: Option<IpAddr>,
}

impl Device {
    /// A device whose name is shortened and freed of control characters; a blank name is none.
    pub fn new(name: Option<&str>, address: Option<IpAddr>) -> Self {
        let name = name.map(|name| {
            let printable = name.chars().filter(|character| !character.is_control());
            printable.take(MAX_DEVICE_NAME_CHARS).collect::<String>()
        });
        let name = name
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty());
        Self { name, address }
    }

    pub(crate) fn address_text(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }
}

/// A session that has not ended.
#[derive(Clone, PartialEq, Eq, Debug, FromRow)]
pub struct SessionRecord {
    /// Its id.
    pub id: Uuid,
    /// What the device is called.
    pub device_name: Option<String>,
    /// Where it was at the last sign-in or refresh.
    pub address: Option<String>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// The last sign-in or refresh.
    pub last_seen_at: DateTime<Utc>,
}

/// Which sessions of a user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// This one.
    One(SessionId),
    /// All but this one.
    AllBut(SessionId),
    /// All.
    All,
}

/// What a session begins on. It must still hold at that moment: hashes take their time, and accounts change meanwhile.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// The password behind this stored hash.
    Password(&'a str),
    /// A code, a provider's word, or an account just made: there only has to be an account.
    Other,
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

/// Sessions in Postgres. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sessions {
    pub(crate) pool: PgPool,
    pub(crate) key: SecretKey,
    pub(crate) lifetime: Duration,
    pub(crate) grace: Duration,
    pub(crate) revocations: Revocations,
}

impl Sessions {
    /// Sessions behind `pool` whose refresh tokens, hashed under `key`, live for `lifetime` and answer alike for `grace` after their use.
    pub fn new(
        pool: PgPool,
        key: SecretKey,
        lifetime: Duration,
        grace: Duration,
        revocations: Revocations,
    ) -> Self {
        Self {
            pool,
            key,
            lifetime,
            grace,
            revocations,
        }
    }

    /// Begins a session of `user`; `None` where the proof does not hold any more. The account is locked against change until there is a
    /// session, so that a change either comes first and is seen, or comes later and ends this session too.
    pub async fn begin(
        &self,
        user: UserId,
        proof: Proof<'_>,
        device: &Device,
    ) -> Result<Option<Continued>, sqlx::Error> {
        let session = SessionId::new();
        let mut transaction = self.pool.begin().await?;
        if !holds(&mut transaction, user, proof).await? {
            return Ok(None);
        }
        sqlx::query(
            "insert into sessions (id, user_id, device_name, address, expires_at) values ($1, $2, $3, $4, $5)",
        )
        .bind(session.as_uuid())
        .bind(user.as_uuid())
        .bind(&device.name)
        .bind(device.address_text())
        .bind(Utc::now() + self.lifetime)
        .execute(&mut *transaction)
        .await?;
        let refresh_token = refresh_token::random();
        self.keep(&mut transaction, session, &refresh_token).await?;
        transaction.commit().await?;
        Ok(Some(Continued {
            session,
            user,
            refresh_token,
        }))
    }

    /// The user's sessions, the one seen last first; at most 100.
    pub async fn list(&self, user: UserId) -> Result<Vec<SessionRecord>, sqlx::Error> {
        sqlx::query_as(
            "select id, device_name, address, created_at, last_seen_at from sessions
             where user_id = $1 and revoked_at is null and expires_at > now()
             order by last_seen_at desc, id limit $2",
        )
        .bind(user.as_uuid())
        .bind(MAX_LISTED)
        .fetch_all(&self.pool)
        .await
    }

    /// Ends sessions of `user`; gives those that were running.
    pub async fn end(&self, user: UserId, which: Which) -> Result<Vec<SessionId>, sqlx::Error> {
        let ended = end_within(&mut *self.pool.acquire().await?, user, which).await?;
        self.revocations.announce(&ended).await;
        Ok(ended)
    }

    /// When a session of `user` began, if it is running.
    pub async fn began_at(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
        sqlx::query_scalar(
            "select created_at from sessions where id = $1 and user_id = $2 and revoked_at is null",
        )
        .bind(session.as_uuid())
        .bind(user.as_uuid())
        .fetch_optional(&self.pool)
        .await
    }
}

/// Ends sessions of `user` as part of what `connection` is doing; gives those that were running. They are announced once that is committed:
/// at once by whoever commits it, and within a second by [`Revocations::run`] should the process die between.
pub(crate) async fn end_within(
    connection: &mut PgConnection,
    user: UserId,
    which: Which,
) -> Result<Vec<SessionId>, sqlx::Error> {
    let (only, except) = match which {
        Which::One(session) => (Some(session.as_uuid()), None),
        Which::AllBut(session) => (None, Some(session.as_uuid())),
        Which::All => (None, None),
    };
    let ended: Vec<Uuid> = sqlx::query_scalar(
        "update sessions set revoked_at = now()
         where user_id = $1 and revoked_at is null and ($2::uuid is null or id = $2) and ($3::uuid is null or id <> $3)
         returning id",
    )
    .bind(user.as_uuid())
    .bind(only)
    .bind(except)
    .fetch_all(connection)
    .await?;
    Ok(ended.into_iter().map(SessionId::from).collect())
}

async fn holds(connection: &mut PgConnection, user: UserId, proof: Proof<'_>) -> Result<bool, sqlx::Error> {
    let verified = match proof {
        Proof::Password(hash) => Some(hash),
        Proof::Other => None,
    };
    let locked: Option<Uuid> = sqlx::query_scalar(
        "select id from users
         where id = $1 and deleted_at is null and ($2::text is null or password_hash = $2) for share",
    )
    .bind(user.as_uuid())
    .bind(verified)
    .fetch_optional(connection)
    .await?;
    Ok(locked.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_names_are_made_presentable() {
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(Device::new(Some(name), None).name.as_deref(), expected);
        };
        check("  Ada's phone ", Some("Ada's phone"));
        check("a\u{0}\u{1b}[31mb\n", Some("a[31mb"));
        check(" \t ", None);
        check(&"x".repeat(300), Some(&"x".repeat(100)));
        assert_eq!(Device::new(None, None), Device::default());
    }
}
