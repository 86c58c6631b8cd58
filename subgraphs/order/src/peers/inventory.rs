//! The inventory service. A reservation is named before it is asked for, so every call may be repeated.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use fondaco_chassis::{ApiError, Batcher, Batching, CallError, Repeat, Runtime, ServiceClient};
use fondaco_contracts::{ReservationId, Sku, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A line to be held, with the terms of its sale, which inventory enforces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HoldLine {
    /// Which.
    pub sku: Sku,
    /// How many.
    pub quantity: i32,
    /// How many one customer may have, in all orders together.
    pub per_customer_limit: Option<i32>,
    /// When the sale opens.
    pub opens_at: Option<DateTime<Utc>>,
}

/// The answer to a wish for stock.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    /// Held or not.
    pub outcome: Outcome,
    /// Which line it failed on.
    pub sku: Option<Sku>,
    /// How many of it are left; where a limit was exceeded, to this customer.
    pub available: Option<i32>,
    /// When the hold lapses; a repeated call does not put it off.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Held or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// All lines are held.
    Reserved,
    /// Not enough is left of one.
    SoldOut,
    /// The sale of one has not opened.
    SaleNotStarted,
    /// More of one than this customer may have.
    LimitExceeded,
    /// One has no stock record.
    UnknownSku,
    /// Stock is being rebuilt: try again.
    NotReady,
    /// The reservation exists with other lines, or has ended.
    KeyReused,
}

/// A wish for stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HoldRequest {
    /// Its name; a repeated request returns the hold that is there.
    pub reservation_id: ReservationId,
    /// Whose it is.
    pub customer_id: UserId,
    /// All are held, or none.
    pub lines: Vec<HoldLine>,
    /// For so long.
    pub ttl_seconds: u32,
}

/// How requests share calls. There are lanes so that a slow call does not hold all others up.
const BATCHES: Batching = Batching {
    max: 100,
    lanes: 4,
    pace: Duration::from_millis(5),
};

/// The inventory service.
#[derive(Clone, Debug)]
pub struct Inventory {
    client: ServiceClient,
    holds: Arc<Batcher<HoldRequest, Reservation>>,
}

impl Inventory {
    /// Reached through the runtime's peers.
    pub fn new(runtime: &Runtime) -> Self {
        let client = ServiceClient::new(runtime, "order", "inventory");
        let caller = client.clone();
        Self {
            client,
            holds: Arc::new(Batcher::new(BATCHES, move |requests| {
                reserve_all(caller.clone(), requests)
            })),
        }
    }

    /// Holds all lines, or none. What is asked for at the same time shares a call.
    pub async fn reserve(&self, request: HoldRequest) -> Result<Reservation, ApiError> {
        self.holds.submit(request).await
    }

    /// Turns the hold into a sale at once. False when it has ended.
    pub async fn confirm(&self, reservation: ReservationId) -> Result<bool, CallError> {
        const CONFIRM: &str = "mutation Confirm($id: ID!) { confirmStock(reservationId: $id) { status } }";
        let data: ConfirmData = self
            .client
            .call(CONFIRM, &json!({ "id": reservation }), Repeat::Safe)
            .await?;
        Ok(data.confirm_stock.status.as_deref() == Some("CONFIRMED"))
    }

    /// Gives the hold back. Nothing happens when there is none.
    pub async fn release(&self, reservation: ReservationId) -> Result<(), CallError> {
        const RELEASE: &str =
            "mutation Release($id: ID!) { releaseStock(reservationId: $id) { __typename } }";
        let _: serde_json::Value = self
            .client
            .call(RELEASE, &json!({ "id": reservation }), Repeat::Safe)
            .await?;
        Ok(())
    }
}

async fn reserve_all(
    client: ServiceClient,
    requests: Vec<HoldRequest>,
) -> Result<Vec<Reservation>, ApiError> {
    const RESERVE: &str = "mutation Reserve($inputs: [ReserveStockInput!]!) { \
        reserveStock(inputs: $inputs) { outcome sku available expiresAt } }";
    let data: ReserveData = client
        .call(RESERVE, &json!({ "inputs": requests }), Repeat::Safe)
        .await?;
    Ok(data.reserve_stock)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReserveData {
    reserve_stock: Vec<Reservation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConfirmData {
    confirm_stock: ConfirmPayload,
}

#[derive(Deserialize)]
struct ConfirmPayload {
    status: Option<String>,
}
