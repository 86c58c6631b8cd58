//! Accounts in Postgres. A deleted account has a row, because orders refer to it, but no queries find it.

use chrono::{DateTime, Utc};
use fondaco_contracts::{SessionId, UserId};
use sqlx::{FromRow, PgConnection, PgPool};
use uuid::Uuid;

use crate::{
    audit::Event,
    email::Email,
    session::{Which, end_within},
};

/// An account as the rest of the service sees it: without the password's hash.
#[derive(Clone, PartialEq, Eq, Debug, FromRow)]
pub struct Account {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: UserId,
    /// Normalised.
    pub email: String,
    /// Is the address proven?
    pub email_verified: bool,
    /// What to call the person.
    pub name: Option<String>,
    /// `customer`, `merchant`, `admin`.
    pub roles: Vec<String>,
    /// Such as `product:write`; those of the roles go without saying.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What is needed to make an account.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Its address.
    pub email: Email,
    /// Is the address proven?
    pub email_verified: bool,
    /// What to call the person.
    pub name: Option<String>,
    /// PHC string; none for who signs in with an outside provider.
    pub password_hash: Option<String>,
    /// `customer`, `merchant`, `admin`.
    pub roles: Vec<String>,
    /// Such as `product:write`.
    pub scopes: Vec<String>,
}

/// A list of an account that is granted and taken away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grants {
    /// `roles`
    Roles,
    /// `scopes`
    Scopes,
}

macro_rules! account_columns {
    () => {
        "id, email, email_verified_at is not null as email_verified, name, roles, scopes, created_at"
    };
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
        let mut connection = self.pool.acquire().await?;
        insert(&mut connection, new).await
    }

    /// Makes an account that an outside provider proves; `None` where its address is taken.
    pub async fn insert_with_identity(
        &self,
        new: NewAccount,
        provider: &str,
        subject: &str,
    ) -> Result<Option<Account>, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        let Some(account) = insert(&mut transaction, new).await? else {
            return Ok(None);
        };
        link(&mut transaction, account.id, provider, subject).await?;
        transaction.commit().await?;
        Ok(Some(account))
    }

    /// Lets an outside provider prove an account from now on.
    pub async fn link_identity(
        &self,
        user: UserId,
        provider: &str,
        subject: &str,
    ) -> Result<(), sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        link(&mut connection, user, provider, subject).await
    }

    /// The account that an outside provider's `subject` proves.
    pub async fn by_identity(&self, provider: &str, subject: &str) -> Result<Option<Account>, sqlx::Error> {
        sqlx::query_as(concat!(
            "select ",
            account_columns!(),
            " from users join (select user_id from outside_identities where provider = $1 and subject = $2) as identity
              on identity.user_id = users.id where deleted_at is null"
        ))
        .bind(provider)
        .bind(subject)
        .fetch_optional(&self.pool)
        .await
    }

    /// The account of an address.
    pub async fn by_email(&self, email: &Email) -> Result<Option<Account>, sqlx::Error> {
        sqlx::query_as(concat!(
            "select ",
            account_columns!(),
            " from users where email = $1 and deleted_at is null"
        ))
        .bind(email.as_str())
        .fetch_optional(&self.pool)
        .await
    }

    /// The accounts of these ids that exist, in any order.
    pub async fn by_ids(&self, ids: &[UserId]) -> Result<Vec<Account>, sqlx::Error> {
        let ids: Vec<Uuid> = ids.iter().map(UserId::as_uuid).collect();
        sqlx::query_as(concat!(
            "select ",
            account_columns!(),
            " from users where id = any($1) and deleted_at is null"
        ))
        .bind(ids)
        .fetch_all(&self.pool)
        .await
    }

    /// The account of one id.
    pub async fn by_id(&self, id: UserId) -> Result<Option<Account>, sqlx::Error> {
        Ok(self.by_ids(&[id]).await?.pop())
    }

    /// The hash of an account's password, if it has one.
    pub async fn password_hash(&self, id: UserId) -> Result<Option<String>, sqlx::Error> {
        let found: Option<Option<String>> =
            sqlx::query_scalar("select password_hash from users where id = $1 and deleted_at is null")
                .bind(id.as_uuid())
                .fetch_optional(&self.pool)
                .await?;
        Ok(found.flatten())
    }

    /// Changes the password, ends all sessions and writes `event` down: all of it or nothing. Gives the sessions that were running.
    pub async fn set_password(
        &self,
        id: UserId,
        hash: &str,
        event: Event<'_>,
    ) -> Result<Vec<SessionId>, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("update users set password_hash = $2 where id = $1 and deleted_at is null")
            .bind(id.as_uuid())
            .bind(hash)
            .execute(&mut *transaction)
            .await?;
        let ended = end_within(&mut transaction, id, Which::All).await?;
        event.write(&mut transaction).await?;
        transaction.commit().await?;
        Ok(ended)
    }

    /// Changes the password if it is still the one behind `old`, ends the sessions `ending` and writes `event` down. Gives the sessions that
    /// were running; `None` where the password is another by now.
    pub async fn replace_password(
        &self,
        id: UserId,
        (old, new): (&str, &str),
        ending: Which,
        event: Event<'_>,
    ) -> Result<Option<Vec<SessionId>>, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        let replaced = sqlx::query(
            "update users set password_hash = $3 where id = $1 and deleted_at is null and password_hash = $2",
        )
        .bind(id.as_uuid())
        .bind(old)
        .bind(new)
        .execute(&mut *transaction)
        .await?;
        if replaced.rows_affected() == 0 {
            return Ok(None);
        }
        let ended = end_within(&mut transaction, id, ending).await?;
        event.write(&mut transaction).await?;
        transaction.commit().await?;
        Ok(Some(ended))
    }

    /// The address is proven.
    pub async fn set_email_verified(&self, id: UserId) -> Result<(), sqlx::Error> {
        sqlx::query(
            "update users set email_verified_at = coalesce(email_verified_at, now())
             where id = $1 and deleted_at is null",
        )
        .bind(id.as_uuid())
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Changes what the person is called.
    pub async fn set_name(&self, id: UserId, name: Option<&str>) -> Result<(), sqlx::Error> {
        sqlx::query("update users set name = $2 where id = $1 and deleted_at is null")
            .bind(id.as_uuid())
            .bind(name)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// Adds `value` to one of the account's lists and writes `event` down, where it was missing.
    pub async fn grant(
        &self,
        id: UserId,
        list: Grants,
        value: &str,
        event: Event<'_>,
    ) -> Result<(), sqlx::Error> {
        let statement = match list {
            Grants::Roles => {
                "update users set roles = array_append(roles, $2)
                 where id = $1 and deleted_at is null and not $2 = any(roles)"
            }
            Grants::Scopes => {
                "update users set scopes = array_append(scopes, $2)
                 where id = $1 and deleted_at is null and not $2 = any(scopes)"
            }
        };
        self.change(statement, (id, value), false, event).await.map(drop)
    }

    /// Removes `value` from one of the account's lists, ends the sessions whose tokens still have it and writes `event` down, where it was
    /// there. Gives the sessions that were running. The last administrator stays one.
    pub async fn revoke(
        &self,
        id: UserId,
        list: Grants,
        value: &str,
        event: Event<'_>,
    ) -> Result<Vec<SessionId>, sqlx::Error> {
        let statement = match list {
            Grants::Roles => {
                "update users set roles = array_remove(roles, $2)
                 where id = $1 and deleted_at is null and $2 = any(roles)
                   and ($2 <> 'admin' or exists (select from users as other
                        where other.id <> $1 and 'admin' = any(other.roles) and other.deleted_at is null))"
            }
            Grants::Scopes => {
                "update users set scopes = array_remove(scopes, $2)
                 where id = $1 and deleted_at is null and $2 = any(scopes)"
            }
        };
        let ended = self.change(statement, (id, value), true, event).await?;
        Ok(ended.unwrap_or_default())
    }

    /// Makes this account admin where there is none; says whether it was done.
    pub async fn make_first_admin(&self, id: UserId) -> Result<bool, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        lock_admins(&mut transaction).await?;
        let made = sqlx::query(
            "update users set roles = array_append(roles, 'admin')
             where id = $1 and deleted_at is null
               and not exists (select from users where 'admin' = any(roles) and deleted_at is null)",
        )
        .bind(id.as_uuid())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(made.rows_affected() == 1)
    }

    /// Takes everything personal out of the account and out of what is kept about it, ends its sessions and writes `event` down; the id stays,
    /// because orders refer to it. Gives the sessions that were running; `None` where it is the last administrator's, or there is none.
    pub async fn anonymise(
        &self,
        id: UserId,
        event: Event<'_>,
    ) -> Result<Option<Vec<SessionId>>, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        lock_admins(&mut transaction).await?;
        let email: Option<String> = sqlx::query_scalar(
            "select email from users where id = $1 and deleted_at is null
               and (not 'admin' = any(roles) or exists (select from users as other
                    where other.id <> $1 and 'admin' = any(other.roles) and other.deleted_at is null))
             for update",
        )
        .bind(id.as_uuid())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(email) = email else {
            return Ok(None);
        };
        sqlx::query("delete from one_time_codes where email = $1")
            .bind(email)
            .execute(&mut *transaction)
            .await?;
        for statement in [
            "update users set email = null, name = null, password_hash = null, roles = '{}', scopes = '{}',
                    email_verified_at = null, deleted_at = now() where id = $1",
            "delete from outside_identities where user_id = $1",
            "update sessions set device_name = null, address = null where user_id = $1",
            "update refresh_tokens set used_from = null from sessions
             where sessions.id = session_id and user_id = $1",
            "update security_events set address = null where user_id = $1",
        ] {
            sqlx::query(statement)
                .bind(id.as_uuid())
                .execute(&mut *transaction)
                .await?;
        }
        let ended = end_within(&mut transaction, id, Which::All).await?;
        event.write(&mut transaction).await?;
        transaction.commit().await?;
        Ok(Some(ended))
    }

    /// Changes a list with what follows from it, all or nothing: sessions ended where the change takes something away, and `event` written
    /// down. Gives the sessions that were running; `None` where there was nothing to change.
    async fn change(
        &self,
        statement: &'static str,
        (id, value): (UserId, &str),
        takes_away: bool,
        event: Event<'_>,
    ) -> Result<Option<Vec<SessionId>>, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        if value == "admin" {
            lock_admins(&mut transaction).await?;
        }
        let changed = sqlx::query(statement)
            .bind(id.as_uuid())
            .bind(value)
            .execute(&mut *transaction)
            .await?;
        if changed.rows_affected() == 0 {
            return Ok(None);
        }
        let ended = match takes_away {
            true => end_within(&mut transaction, id, Which::All).await?,
            false => Vec::new(),
        };
        event.write(&mut transaction).await?;
        transaction.commit().await?;
        Ok(Some(ended))
    }
}

/// Whether somebody is the last administrator must not change while it is asked: two who resign at once would leave none.
async fn lock_admins(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("select pg_advisory_xact_lock(hashtext('fondaco admins'))")
        .execute(connection)
        .await
        .map(drop)
}

async fn insert(connection: &mut PgConnection, new: NewAccount) -> Result<Option<Account>, sqlx::Error> {
    sqlx::query_as(concat!(
        "insert into users (id, email, email_verified_at, name, password_hash, roles, scopes)
         values ($1, $2, case when $3 then now() end, $4, $5, $6, $7)
         on conflict (email) do nothing
         returning ",
        account_columns!()
    ))
    .bind(UserId::new().as_uuid())
    .bind(new.email.as_str())
    .bind(new.email_verified)
    .bind(new.name)
    .bind(new.password_hash)
    .bind(new.roles)
    .bind(new.scopes)
    .fetch_optional(connection)
    .await
}

async fn link(
    connection: &mut PgConnection,
    user: UserId,
    provider: &str,
    subject: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into outside_identities (provider, subject, user_id) values ($1, $2, $3)
         on conflict (provider, subject) do nothing",
    )
    .bind(provider)
    .bind(subject)
    .bind(user.as_uuid())
    .execute(connection)
    .await
    .map(drop)
}
