//! Accounts in Postgres.

use chrono::{DateTime, Utc};
use fondaco_contracts::UserId;
use sqlx::{PgPool, Row, postgres::PgRow};
use uuid::Uuid;

use crate::email::Email;

/// An account as the rest of the service sees it: without the password's hash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Its id.
    pub id: UserId,
    /// Normalised.
    pub email: String,
    /// What to call the person.
    pub name: Option<String>,
    /// `customer`, `merchant`, `admin`.
    pub roles: Vec<String>,
    /// Such as `product:write`.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What is needed to make an account.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Its address.
    pub email: Email,
    /// What to call the person.
    pub name: Option<String>,
    /// PHC string.
    pub password_hash: String,
    /// `customer`, `merchant`, `admin`.
    pub roles: Vec<String>,
    /// Such as `product:write`.
    pub scopes: Vec<String>,
}

/// All SQL about accounts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
}

impl Store {
    /// The accounts behind `pool`.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Makes an account; `None` where its address is taken.
    pub async fn insert(&self, new: NewAccount) -> Result<Option<Account>, sqlx::Error> {
        let row = sqlx::query(
            "insert into users (id, email, name, password_hash, roles, scopes) values ($1, $2, $3, $4, $5, $6)
             on conflict (email) do nothing
             returning id, email, name, roles, scopes, created_at",
        )
        .bind(UserId::new().as_uuid())
        .bind(new.email.as_str())
        .bind(new.name)
        .bind(new.password_hash)
        .bind(new.roles)
        .bind(new.scopes)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(read_account).transpose()
    }

    /// The account of an address, with its password's hash.
    pub async fn by_email(&self, email: &Email) -> Result<Option<(Account, String)>, sqlx::Error> {
        let row = sqlx::query(
            "select id, email, name, roles, scopes, created_at, password_hash from users where email = $1",
        )
        .bind(email.as_str())
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref()
            .map(|row| Ok((read_account(row)?, row.try_get("password_hash")?)))
            .transpose()
    }

    /// The accounts of these ids that exist, in any order.
    pub async fn by_ids(&self, ids: &[UserId]) -> Result<Vec<Account>, sqlx::Error> {
        let ids: Vec<Uuid> = ids.iter().map(UserId::as_uuid).collect();
        let rows =
            sqlx::query("select id, email, name, roles, scopes, created_at from users where id = any($1)")
                .bind(ids)
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(read_account).collect()
    }

    /// The account of one id.
    pub async fn by_id(&self, id: UserId) -> Result<Option<Account>, sqlx::Error> {
        Ok(self.by_ids(&[id]).await?.pop())
    }
}

fn read_account(row: &PgRow) -> Result<Account, sqlx::Error> {
    let id: Uuid = row.try_get("id")?;
    Ok(Account {
        id: id.into(),
        email: row.try_get("email")?,
        name: row.try_get("name")?,
        roles: row.try_get("roles")?,
        scopes: row.try_get("scopes")?,
        created_at: row.try_get("created_at")?,
    })
}
