//! Adjusting totals: once a key, and never below what is sold or held.

use fondaco_contracts::{Sku, UserId};
use sqlx::{PgConnection, Row};

use super::{StockRow, lock_stock};

/// The largest total: quantities are GraphQL's 32-bit integers.
const MAX_TOTAL: i64 = i32::MAX as i64;

/// What a merchant wants changed.
#[derive(Clone, Debug)]
pub struct Adjustment {
    /// A repeat with this key is the same adjustment.
    pub idempotency_key: String,
    /// Who wants it.
    pub actor: UserId,
    /// Of what.
    pub sku: Sku,
    /// By how much; not zero.
    pub delta: i64,
    /// Why.
    pub reason: String,
}

/// Why a total stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum AdjustError {
    /// The key was used for another adjustment.
    #[error("the idempotency key was used for another adjustment")]
    KeyReused,
    /// There is nothing to take from.
    #[error("this SKU has no stock")]
    UnknownSku,
    /// Units that are sold or held cannot be taken away.
    #[error("only {0} units are neither sold nor held")]
    BelowCommitted(i64),
    /// The total would be too large.
    #[error("the total would exceed {MAX_TOTAL}")]
    TooMuch,
    /// A statement failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// What [`adjust`] found.
#[derive(Clone, Debug)]
pub enum Adjusted {
    /// The stock after the change; its row stays locked until the transaction ends.
    Now(StockRow),
    /// The answer given before.
    Before(StockRow),
}

/// Changes a total, or finds that it was changed before.
pub async fn adjust(connection: &mut PgConnection, wanted: &Adjustment) -> Result<Adjusted, AdjustError> {
    if !claim(connection, wanted).await? {
        return earlier(connection, wanted).await.map(Adjusted::Before);
    }
    if wanted.delta > 0 {
        sqlx::query("INSERT INTO stock (sku, total) VALUES ($1, 0) ON CONFLICT (sku) DO NOTHING")
            .bind(wanted.sku.as_str())
            .execute(&mut *connection)
            .await?;
    }
    let locked = lock_stock(connection, std::slice::from_ref(&wanted.sku)).await?;
    let mut stock = locked.into_iter().next().ok_or(AdjustError::UnknownSku)?;
    if stock.available() + wanted.delta < 0 {
        return Err(AdjustError::BelowCommitted(stock.available()));
    }
    stock.total += wanted.delta;
    if stock.total > MAX_TOTAL {
        return Err(AdjustError::TooMuch);
    }
    write(connection, wanted, &stock).await?;
    Ok(Adjusted::Now(stock))
}

/// The first to use a key holds it; a concurrent repeat waits here for the outcome.
async fn claim(connection: &mut PgConnection, wanted: &Adjustment) -> Result<bool, sqlx::Error> {
    let claimed = sqlx::query(
        "INSERT INTO adjustment (idempotency_key, actor, sku, delta, reason, total, sold, held)
         VALUES ($1, $2, $3, $4, $5, 0, 0, 0) ON CONFLICT (idempotency_key) DO NOTHING",
    )
    .bind(&wanted.idempotency_key)
    .bind(wanted.actor.as_uuid())
    .bind(wanted.sku.as_str())
    .bind(wanted.delta)
    .bind(&wanted.reason)
    .execute(connection)
    .await?;
    Ok(claimed.rows_affected() == 1)
}

async fn earlier(connection: &mut PgConnection, wanted: &Adjustment) -> Result<StockRow, AdjustError> {
    let row = sqlx::query(
        "SELECT total, sold, held, actor = $2 AND sku = $3 AND delta = $4 AND reason = $5 AS same
         FROM adjustment WHERE idempotency_key = $1",
    )
    .bind(&wanted.idempotency_key)
    .bind(wanted.actor.as_uuid())
    .bind(wanted.sku.as_str())
    .bind(wanted.delta)
    .bind(&wanted.reason)
    .fetch_one(connection)
    .await?;
    if !row.try_get::<bool, _>("same")? {
        return Err(AdjustError::KeyReused);
    }
    Ok(StockRow {
        sku: wanted.sku.clone(),
        total: row.try_get("total")?,
        sold: row.try_get("sold")?,
        held: row.try_get("held")?,
    })
}

async fn write(
    connection: &mut PgConnection,
    wanted: &Adjustment,
    stock: &StockRow,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE stock SET total = $2 WHERE sku = $1")
        .bind(stock.sku.as_str())
        .bind(stock.total)
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE adjustment SET total = $2, sold = $3, held = $4 WHERE idempotency_key = $1")
        .bind(&wanted.idempotency_key)
        .bind(stock.total)
        .bind(stock.sold)
        .bind(stock.held)
        .execute(connection)
        .await?;
    Ok(())
}
