//! Idempotency records: what a customer's key stands for, and who works on it.

use std::{collections::HashSet, time::Duration};

use async_graphql::resolver_utils::EnumType;
use fondaco_chassis::{ApiError, batch::column};
use fondaco_contracts::{ErrorCode, OrderId, ReservationId, UserError, UserId};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool, Row, postgres::PgRow, types::Json};
use uuid::Uuid;

use super::{Store, StoreError, undecodable};
use crate::order::Status;

/// A customer's idempotency key together with what it was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Whose.
    pub customer: UserId,
    /// As the customer chose it.
    pub text: String,
    /// Fingerprint of operation and parameters.
    pub parameters: Vec<u8>,
}

/// What is stored about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The order it stands for.
    pub order: OrderId,
    /// The name of that order's hold at inventory, where it buys.
    pub reservation: ReservationId,
    /// The fingerprint it was first used with.
    pub parameters: Vec<u8>,
    /// How it ended; none while under way.
    pub outcome: Option<Outcome>,
    /// Somebody is working on it.
    pub leased: bool,
}

/// How the operation behind a key ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The order exists in this state; the answer follows from it.
    Ordered(Status),
    /// The operation on the order was carried out.
    Done,
    /// The answer is this error.
    Rejected(UserError),
}

impl Store {
    /// Claims a key that was never used. False when it was.
    pub async fn claim(
        &self,
        key: &Key,
        order: OrderId,
        reservation: ReservationId,
        lease: Duration,
    ) -> Result<bool, ApiError> {
        let claim = Claim {
            key: key.clone(),
            order,
            reservation,
            lease,
        };
        self.claims.submit(claim).await
    }

    /// What is stored about a key.
    pub async fn record(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        let row = sqlx::query(
            "select r.order_id, coalesce(r.reservation_id, r.order_id) as reservation_id, r.parameters, r.outcome, r.rejection, r.leased_until > now() as leased, o.status
             from idempotency_record r left join orders o on o.id = r.order_id
             where r.customer_id = $1 and r.idempotency_key = $2",
        )
        .bind(key.customer.as_uuid())
        .bind(&key.text)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.as_ref().map(record).transpose()?)
    }

    /// Gives an unfinished key another reservation, after the one in the old name has ended. False when somebody else has.
    pub async fn renew_reservation(
        &self,
        key: &Key,
        old: ReservationId,
        new: ReservationId,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "update idempotency_record set reservation_id = $4
             where customer_id = $1 and idempotency_key = $2 and coalesce(reservation_id, order_id) = $3 and outcome is null",
        )
        .bind(key.customer.as_uuid())
        .bind(&key.text)
        .bind(old.as_uuid())
        .bind(new.as_uuid())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes over a key that nobody works on any more. False when somebody else was faster.
    pub async fn take_over(&self, key: &Key, lease: Duration) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "update idempotency_record set leased_until = now() + make_interval(secs => $3)
             where customer_id = $1 and idempotency_key = $2 and leased_until <= now()",
        )
        .bind(key.customer.as_uuid())
        .bind(&key.text)
        .bind(lease.as_secs_f64())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Lets others take the key over at once, after a fault or while a payment is pending.
    pub async fn give_up(&self, key: &Key) -> Result<(), StoreError> {
        sqlx::query(
            "update idempotency_record set leased_until = now() where customer_id = $1 and idempotency_key = $2",
        )
        .bind(key.customer.as_uuid())
        .bind(&key.text)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Stores that the operation was carried out: from now on its order gives the answer.
    pub async fn finish(&self, key: &Key) -> Result<(), StoreError> {
        sqlx::query(
            "update idempotency_record set outcome = 'DONE'
             where customer_id = $1 and idempotency_key = $2 and outcome is null",
        )
        .bind(key.customer.as_uuid())
        .bind(&key.text)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Stores the error that is the answer from now on. False when there is an outcome already.
    pub async fn reject(&self, key: &Key, error: &UserError) -> Result<bool, ApiError> {
        self.rejections.submit((key.clone(), error.clone())).await
    }
}

/// A key to be claimed, and what it is to stand for.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    key: Key,
    order: OrderId,
    reservation: ReservationId,
    lease: Duration,
}

/// Claims those keys that were never used, and says which.
///
/// The commit is not waited for: a claim that a crash of Postgres loses was followed by nothing durable, because whatever is committed
/// after it would have made it durable too. Then the hold made in its name lapses, and the key is free again.
pub(super) async fn claim_all(pool: PgPool, claims: Vec<Claim>) -> Result<Vec<bool>, ApiError> {
    let claimed: Vec<(Uuid, String)> = sqlx::query_as(
        "with durability as (select set_config('synchronous_commit', 'off', true))
         insert into idempotency_record (customer_id, idempotency_key, parameters, order_id, leased_until, reservation_id)
         select customer_id, idempotency_key, parameters, order_id, now() + make_interval(secs => lease), reservation_id
         from durability, unnest($1::uuid[], $2::text[], $3::bytea[], $4::uuid[], $5::float8[], $6::uuid[])
            as claim (customer_id, idempotency_key, parameters, order_id, lease, reservation_id)
         on conflict (customer_id, idempotency_key) do nothing
         returning customer_id, idempotency_key",
    )
    .bind(column(&claims, |claim| claim.key.customer.as_uuid()))
    .bind(column(&claims, |claim| claim.key.text.as_str()))
    .bind(column(&claims, |claim| claim.key.parameters.as_slice()))
    .bind(column(&claims, |claim| claim.order.as_uuid()))
    .bind(column(&claims, |claim| claim.lease.as_secs_f64()))
    .bind(column(&claims, |claim| claim.reservation.as_uuid()))
    .fetch_all(&pool)
    .await?;
    let mut claimed: HashSet<(Uuid, String)> = claimed.into_iter().collect();
    // Of several with one key it is the first that claimed it.
    let is_first = |claim: Claim| claimed.remove(&(claim.key.customer.as_uuid(), claim.key.text));
    Ok(claims.into_iter().map(is_first).collect())
}

/// Stores those errors whose keys have no outcome, and says which.
pub(super) async fn reject_all(pool: PgPool, rejected: Vec<(Key, UserError)>) -> Result<Vec<bool>, ApiError> {
    // Of several about one key the first is stored.
    let mut seen = HashSet::new();
    let firsts: Vec<&(Key, UserError)> = rejected
        .iter()
        .filter(|(key, _)| seen.insert((key.customer, key.text.as_str())))
        .collect();
    let stored: Vec<(Uuid, String)> = sqlx::query_as(
        "update idempotency_record record set outcome = 'REJECTED', rejection = rejected.rejection
         from unnest($1::uuid[], $2::text[], $3::jsonb[]) as rejected (customer_id, idempotency_key, rejection)
         where record.customer_id = rejected.customer_id and record.idempotency_key = rejected.idempotency_key
            and record.outcome is null
         returning record.customer_id, record.idempotency_key",
    )
    .bind(column(&firsts, |(key, _)| key.customer.as_uuid()))
    .bind(column(&firsts, |(key, _)| key.text.as_str()))
    .bind(column(&firsts, |(_, error)| Json(Rejection::of(error))))
    .fetch_all(&pool)
    .await?;
    let mut stored: HashSet<(Uuid, String)> = stored.into_iter().collect();
    let is_first = |(key, _): (Key, UserError)| stored.remove(&(key.customer.as_uuid(), key.text));
    Ok(rejected.into_iter().map(is_first).collect())
}

/// Records in the transaction of its effect that an operation was carried out. False when the key was used before.
pub(super) async fn record_done(
    connection: &mut PgConnection,
    key: &Key,
    order: OrderId,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "insert into idempotency_record (customer_id, idempotency_key, parameters, order_id, leased_until, outcome)
         values ($1, $2, $3, $4, now(), 'DONE') on conflict (customer_id, idempotency_key) do nothing",
    )
    .bind(key.customer.as_uuid())
    .bind(&key.text)
    .bind(&key.parameters)
    .bind(order.as_uuid())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

fn record(row: &PgRow) -> sqlx::Result<Record> {
    Ok(Record {
        order: row.try_get::<Uuid, _>("order_id")?.into(),
        reservation: row.try_get::<Uuid, _>("reservation_id")?.into(),
        parameters: row.try_get("parameters")?,
        outcome: outcome(row)?,
        leased: row.try_get("leased")?,
    })
}

fn outcome(row: &PgRow) -> sqlx::Result<Option<Outcome>> {
    let Some(outcome) = row.try_get::<Option<&str>, _>("outcome")? else {
        return Ok(None);
    };
    if outcome == "REJECTED" {
        let Json(rejection) = row.try_get::<Json<Rejection>, _>("rejection")?;
        return rejection.into_error().map(Outcome::Rejected).map(Some);
    }
    if outcome == "DONE" {
        return Ok(Some(Outcome::Done));
    }
    let status: &str = row.try_get("status")?;
    status
        .parse()
        .map(Outcome::Ordered)
        .map(Some)
        .map_err(undecodable)
}

/// A user error as stored.
#[derive(Serialize, Deserialize)]
struct Rejection {
    code: String,
    field: Option<String>,
    message: String,
}

impl Rejection {
    fn of(error: &UserError) -> Self {
        let code = ErrorCode::items()
            .iter()
            .find(|item| item.value == error.code)
            .expect("items are all values");
        Self {
            code: code.name.to_owned(),
            field: error.field.clone(),
            message: error.message.clone(),
        }
    }

    fn into_error(self) -> sqlx::Result<UserError> {
        let known = ErrorCode::items().iter().find(|item| item.name == self.code);
        let code = known
            .ok_or_else(|| undecodable(format!("unknown error code {:?}", self.code)))?
            .value;
        Ok(UserError {
            code,
            field: self.field,
            message: self.message,
        })
    }
}
