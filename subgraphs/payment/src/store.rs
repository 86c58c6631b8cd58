//! The charges in Postgres: all SQL of this service.
//!
//! Every change of a charge is one statement, conditional on the status it starts from, so that of two actors only the first succeeds
//! and the other reads what it decided.

use fondaco_contracts::{Money, OrderId, PaymentId, UserId};
use sqlx::{FromRow, PgPool, Row, postgres::PgRow};
use thiserror::Error;
use uuid::Uuid;

use crate::provider::{ChargeRequest, Verdict};

/// A database fault.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct StoreError(#[from] pub sqlx::Error);

/// Where a charge stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Recorded; the provider is being asked, or was when the process died.
    Pending,
    /// The provider did not answer in time.
    Unknown,
    /// The money is taken.
    Captured,
    /// The provider refused.
    Declined,
    /// The money was given back.
    Refunded,
    /// The order was given up before anybody asked for a charge.
    CalledOff,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Who pays.
    pub customer: UserId,
    /// How much.
    pub amount: Money,
    /// Fingerprint of everything asked for.
    pub parameters: Vec<u8>,
}

/// A stored charge.
#[derive(Clone, Debug, PartialEq)]
pub struct Charge {
    /// The payment's id.
    pub id: PaymentId,
    /// The order it pays.
    pub order: OrderId,
    /// Where it stands.
    pub status: Status,
    /// What was asked for; absent only when called off.
    pub terms: Option<Terms>,
    /// Kept while the outcome is open.
    pub token: Option<String>,
    /// The provider's reason for declining.
    pub decline_code: Option<String>,
    /// Seconds since the last change.
    pub age: f64,
}

impl Charge {
    /// The request to repeat at the provider, while the outcome is open.
    pub fn open_request(&self) -> Option<ChargeRequest> {
        let (terms, token) = (self.terms.as_ref()?, self.token.clone()?);
        Some(ChargeRequest {
            order: self.order,
            amount: terms.amount,
            token,
        })
    }
}

/// The table of charges.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
}

impl Store {
    /// Over a migrated database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Records a charge before the provider is asked. False when the order has a record already.
    pub async fn record(&self, request: &ChargeRequest, terms: &Terms) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "insert into charge (order_id, id, status, customer_id, amount, currency, parameters, token)
             values ($1, $2, 'PENDING', $3, $4, $5, $6, $7) on conflict (order_id) do nothing",
        )
        .bind(request.order.as_uuid())
        .bind(PaymentId::new().as_uuid())
        .bind(terms.customer.as_uuid())
        .bind(request.amount.minor_units())
        .bind(request.amount.currency.as_str())
        .bind(&terms.parameters)
        .bind(&request.token)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Stores the provider's final answer; changes nothing when one is stored already.
    pub async fn conclude(&self, order: OrderId, verdict: &Verdict) -> Result<bool, StoreError> {
        let (status, code) = match verdict {
            Verdict::Captured => ("CAPTURED", None),
            Verdict::Declined(code) => ("DECLINED", Some(code)),
        };
        let done = sqlx::query(
            "update charge set status = $2, decline_code = $3, token = null, updated_at = now()
             where order_id = $1 and status in ('PENDING', 'UNKNOWN')",
        )
        .bind(order.as_uuid())
        .bind(status)
        .bind(code)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Stores that the provider did not answer.
    pub async fn mark_unknown(&self, order: OrderId) -> Result<(), StoreError> {
        sqlx::query(
            "update charge set status = 'UNKNOWN', updated_at = now()
             where order_id = $1 and status in ('PENDING', 'UNKNOWN')",
        )
        .bind(order.as_uuid())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Stores that the money was given back.
    pub async fn mark_refunded(&self, order: OrderId) -> Result<(), StoreError> {
        sqlx::query(
            "update charge set status = 'REFUNDED', updated_at = now() where order_id = $1 and status = 'CAPTURED'",
        )
        .bind(order.as_uuid())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Makes sure that an order without a charge never gets one.
    pub async fn call_off(&self, order: OrderId) -> Result<(), StoreError> {
        sqlx::query(
            "insert into charge (order_id, id, status) values ($1, $2, 'CALLED_OFF') on conflict (order_id) do nothing",
        )
        .bind(order.as_uuid())
        .bind(PaymentId::new().as_uuid())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The charge of one order.
    pub async fn find(&self, order: OrderId) -> Result<Option<Charge>, StoreError> {
        Ok(self.find_many(&[order]).await?.pop())
    }

    /// The charges of many orders, in one statement; orders without one are left out.
    pub async fn find_many(&self, orders: &[OrderId]) -> Result<Vec<Charge>, StoreError> {
        let ids: Vec<Uuid> = orders.iter().map(OrderId::as_uuid).collect();
        let charges = sqlx::query_as(
            "select id, order_id, status, customer_id, amount, currency, parameters, token, decline_code,
                    extract(epoch from now() - updated_at)::float8 as age
             from charge where order_id = any($1)",
        )
        .bind(ids)
        .fetch_all(&self.pool)
        .await?;
        Ok(charges)
    }
}

impl FromRow<'_, PgRow> for Charge {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get::<Uuid, _>("id")?.into(),
            order: row.try_get::<Uuid, _>("order_id")?.into(),
            status: status(row.try_get("status")?)?,
            terms: terms(row)?,
            token: row.try_get("token")?,
            decline_code: row.try_get("decline_code")?,
            age: row.try_get("age")?,
        })
    }
}

fn terms(row: &PgRow) -> sqlx::Result<Option<Terms>> {
    let Some(customer) = row.try_get::<Option<Uuid>, _>("customer_id")? else {
        return Ok(None);
    };
    let currency: &str = row.try_get("currency")?;
    let currency = currency
        .parse()
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    let amount =
        Money::new(row.try_get("amount")?, currency).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(Some(Terms {
        customer: customer.into(),
        amount,
        parameters: row.try_get("parameters")?,
    }))
}

fn status(name: &str) -> sqlx::Result<Status> {
    Ok(match name {
        "PENDING" => Status::Pending,
        "UNKNOWN" => Status::Unknown,
        "CAPTURED" => Status::Captured,
        "DECLINED" => Status::Declined,
        "REFUNDED" => Status::Refunded,
        "CALLED_OFF" => Status::CalledOff,
        other => {
            return Err(sqlx::Error::Decode(
                format!("unknown charge status {other:?}").into(),
            ));
        }
    })
}
