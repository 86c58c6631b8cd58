//! The audit log: security events in Postgres, without secrets, tokens, or addresses of mail.

use std::net::IpAddr;

use async_graphql::Enum;
use chrono::{DateTime, Utc};
use fondaco_contracts::{SessionId, UserId};
use sqlx::{FromRow, PgConnection, PgPool};
use uuid::Uuid;

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum, sqlx::Type)]
#[graphql(name = "SecurityEventKind")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum EventKind {
    /// An account was made.
    SignedUp,
    /// A password or a provider proved the user.
    SignedIn,
    /// A wrong password, or one for no account.
    SignInFailed,
    /// A refresh token was used twice; its session has ended.
    RefreshTokenReused,
    /// One or more sessions were ended.
    SessionsEnded,
    /// The user has proven the address.
    EmailVerified,
    /// A wrong, old or used code was entered.
    CodeRefused,
    /// The user changed the password.
    PasswordChanged,
    /// A code to choose a new password was asked for.
    PasswordResetRequested,
    /// A new password was chosen with a code.
    PasswordReset,
    /// An outside provider was linked to the account.
    ProviderLinked,
    /// The answer of an outside provider was refused.
    ProviderRefused,
    /// A role was granted.
    RoleGranted,
    /// A role was taken away.
    RoleRevoked,
    /// A scope was granted.
    ScopeGranted,
    /// A scope was taken away.
    ScopeRevoked,
    /// The account was deleted.
    AccountDeleted,
    /// The next key signs.
    SigningKeyRotated,
}

/// Something to write down.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    kind: EventKind,
    user: Option<UserId>,
    actor: Option<UserId>,
    session: Option<SessionId>,
    address: Option<IpAddr>,
    detail: Option<&'a str>,
}

impl<'a> Event<'a> {
    /// An event that concerns nobody yet.
    pub fn new(kind: EventKind) -> Self {
        Self {
            kind,
            user: None,
            actor: None,
            session: None,
            address: None,
            detail: None,
        }
    }

    /// Whose account it is about.
    #[must_use]
    pub fn of(self, user: UserId) -> Self {
        Self {
            user: Some(user),
            ..self
        }
    }

    /// Who did it, where that is somebody else.
    #[must_use]
    pub fn by(self, actor: UserId) -> Self {
        Self {
            actor: Some(actor),
            ..self
        }
    }

    /// In which session.
    #[must_use]
    pub fn in_session(self, session: Option<SessionId>) -> Self {
        Self { session, ..self }
    }

    /// From which client address.
    #[must_use]
    pub fn from(self, address: Option<IpAddr>) -> Self {
        Self { address, ..self }
    }

    /// What else there is to know: a role, a scope, a provider's name. Nothing secret.
    #[must_use]
    pub fn detail(self, detail: &'a str) -> Self {
        Self {
            detail: Some(detail),
            ..self
        }
    }

    /// Writes it down as part of what `connection` is doing: both happen, or neither.
    pub(crate) async fn write(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query(
            "insert into security_events (id, kind, user_id, actor_id, session_id, address, detail)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(Uuid::now_v7())
        .bind(self.kind)
        .bind(self.user.map(Uuid::from))
        .bind(self.actor.map(Uuid::from))
        .bind(self.session.map(Uuid::from))
        .bind(self.address.map(|address| address.to_string()))
        .bind(self.detail)
        .execute(connection)
        .await
        .map(drop)
    }
}

/// An event as it was written down.
#[derive(Clone, Debug, FromRow)]
pub struct Recorded {
    /// Its id: later events have greater ones.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub kind: EventKind,
    /// Whose account.
    #[sqlx(rename = "user_id")]
    pub user: Option<Uuid>,
    /// Who did it, where that is somebody else.
    #[sqlx(rename = "actor_id")]
    pub actor: Option<Uuid>,
    /// In which session.
    #[sqlx(rename = "session_id")]
    pub session: Option<Uuid>,
    /// From which client address.
    pub address: Option<String>,
    /// A role, a scope, a provider's name.
    pub detail: Option<String>,
}

/// The log. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AuditLog {
    pool: PgPool,
}

impl AuditLog {
    /// The log behind `pool`.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Writes one event down. What cannot be written down has not been done: callers answer with the error.
    pub async fn record(&self, event: Event<'_>) -> Result<(), sqlx::Error> {
        event.write(&mut *self.pool.acquire().await?).await
    }

    /// The latest events, of one account or of all.
    pub async fn latest(&self, user: Option<UserId>, count: i64) -> Result<Vec<Recorded>, sqlx::Error> {
        sqlx::query_as(
            "select id, at, kind, user_id, actor_id, session_id, address, detail from security_events
             where $1::uuid is null or user_id = $1 order by at desc, id desc limit $2",
        )
        .bind(user.map(Uuid::from))
        .bind(count)
        .fetch_all(&self.pool)
        .await
    }
}
