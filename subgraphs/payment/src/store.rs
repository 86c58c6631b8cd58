//! The charges in Postgres: all SQL of this service.
//!
//! - [`batches`]: what every charge takes, for many at a time
//! - [`refunds`]: refunds and the ledger
//! - [`provider`]: what the provider calls things
//!
//! Every change of a charge is one statement, conditional on the status it starts from, so that of two actors only the first succeeds
//! and the other reads what it decided.

mod batches;
pub mod provider;
pub mod refunds;

use std::{sync::Arc, time::Duration};

use fondaco_chassis::{ApiError, Batcher, Batching};
use fondaco_contracts::{Money, OrderId, PaymentId, UserId};
use sqlx::{FromRow, PgPool, Row, postgres::PgRow};
use thiserror::Error;
use uuid::Uuid;

use self::batches::{Conclusion, NewCharge, conclude_all, find_all, record_all};
use crate::{
    provider::{ChargeRequest, Verdict},
    status::{Event, Status},
};

/// A database fault.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct StoreError(#[from] pub ApiError);

impl From<sqlx::Error> for StoreError {
    fn from(fault: sqlx::Error) -> Self {
        Self(fault.into())
    }
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
    /// How much was given back, in minor units.
    pub refunded_amount: i64,
    /// The money is, or was, to be taken at once.
    pub capture: bool,
    /// Where the customer confirms the payment, while that is awaited.
    pub confirmation_url: Option<String>,
    /// Seconds since the last change.
    pub age: f64,
}

impl Charge {
    /// The request to repeat at the provider; none for a charge that was never asked for. Its token is kept only while the outcome is
    /// open: afterwards the provider knows the order.
    pub fn request(&self) -> Option<ChargeRequest> {
        let terms = self.terms.as_ref()?;
        Some(ChargeRequest {
            order: self.order,
            amount: terms.amount,
            token: self.token.clone().unwrap_or_default(),
            capture: self.capture,
        })
    }
}

/// How writes share statements.
const WRITES: Batching = Batching {
    max: 100,
    lanes: 1,
    pace: Duration::from_millis(10),
};
/// How reads do.
const READS: Batching = Batching {
    max: 100,
    lanes: 4,
    pace: Duration::from_millis(2),
};

/// The table of charges. What every purchase does is done for many at a time: what arrives while others are being stored shares the next
/// statement. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
    reads: Arc<Batcher<Vec<OrderId>, Vec<Charge>>>,
    records: Arc<Batcher<NewCharge, bool>>,
    conclusions: Arc<Batcher<Conclusion, bool>>,
}

impl Store {
    /// Over a migrated database. Must be called within a tokio runtime.
    pub fn new(pool: PgPool) -> Self {
        let (reads, records, conclusions) = (pool.clone(), pool.clone(), pool.clone());
        Self {
            pool,
            reads: Arc::new(Batcher::new(READS, move |some| find_all(reads.clone(), some))),
            records: Arc::new(Batcher::new(WRITES, move |some| {
                record_all(records.clone(), some)
            })),
            conclusions: Arc::new(Batcher::new(WRITES, move |some| {
                conclude_all(conclusions.clone(), some)
            })),
        }
    }

    /// Records a charge before the provider is asked. False when the order has a record already.
    pub async fn record(&self, request: &ChargeRequest, terms: Terms) -> Result<bool, StoreError> {
        let new = NewCharge {
            order: request.order,
            terms,
            token: request.token.clone(),
            capture: request.capture,
        };
        Ok(self.records.submit(new).await?)
    }

    /// Stores the provider's answer, and books what it took; changes nothing where the charge is beyond that already.
    pub async fn conclude(&self, order: OrderId, verdict: &Verdict) -> Result<bool, StoreError> {
        let verdict = verdict.clone();
        Ok(self.conclusions.submit(Conclusion { order, verdict }).await?)
    }

    /// Stores that the provider did not answer.
    pub async fn mark_unknown(&self, order: OrderId) -> Result<(), StoreError> {
        self.step(order, Event::NoAnswer).await
    }

    /// Stores that the provider has let the money go.
    pub async fn mark_voided(&self, order: OrderId) -> Result<(), StoreError> {
        self.step(order, Event::Voided).await
    }

    async fn step(&self, order: OrderId, event: Event) -> Result<(), StoreError> {
        sqlx::query(
            "update charge set status = $2, confirmation_url = null, updated_at = now()
             where order_id = $1 and status = any($3)",
        )
        .bind(order.as_uuid())
        .bind(event.leads_to().as_str())
        .bind(names(event))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Stores, before the provider is asked, that money set aside is to be taken. From then on it is never assumed untaken.
    pub async fn intend_capture(&self, order: OrderId) -> Result<(), StoreError> {
        sqlx::query("update charge set capture = true where order_id = $1 and not capture")
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

    /// The charges of many orders; orders without one are left out.
    pub async fn find_many(&self, orders: &[OrderId]) -> Result<Vec<Charge>, StoreError> {
        Ok(self.reads.submit(orders.to_vec()).await?)
    }
}

impl FromRow<'_, PgRow> for Charge {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get::<Uuid, _>("id")?.into(),
            order: row.try_get::<Uuid, _>("order_id")?.into(),
            status: row
                .try_get::<&str, _>("status")?
                .parse()
                .map_err(|error: String| sqlx::Error::Decode(error.into()))?,
            terms: terms(row)?,
            token: row.try_get("token")?,
            decline_code: row.try_get("decline_code")?,
            refunded_amount: row.try_get("refunded_amount")?,
            capture: row.try_get("capture")?,
            confirmation_url: row.try_get("confirmation_url")?,
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

/// The states in which `event` is possible, as stored.
fn names(event: Event) -> Vec<&'static str> {
    event.possible_in().iter().map(|status| status.as_str()).collect()
}
