//! Idempotency keys: one operation per key, however often and from wherever it is asked for.
//!
//! A key is claimed before any effect. Whoever claims it works on it under a lease; others with the same key and parameters wait for the
//! answer. When the lease runs out, or the worker gave up after a fault, the next one takes over and resumes where the records say. The
//! lease only saves work: every step is safe when two work on the same key at once.

use std::time::Duration;

use fondaco_chassis::ApiError;
use fondaco_contracts::{ErrorCode, OrderId, ReservationId, UserError, UserId};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};

use crate::{
    error::Stop,
    order::Status,
    store::{Key, Order, Outcome, Record, Store},
};

/// How long a duplicate waits for the first one's answer.
const WAIT: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
/// As text columns and HTTP headers elsewhere in the world allow.
pub const MAX_LENGTH: usize = 255;

/// What [`begin`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The operation is ours to carry out, or to resume.
    Ours {
        /// The order the key stands for.
        order: OrderId,
        /// The name of its hold at inventory, where it buys.
        reservation: ReservationId,
        /// The order is stored as placed already.
        placed: bool,
    },
    /// It has ended before.
    Ended {
        /// The order the key stands for.
        order: OrderId,
        /// How.
        outcome: Outcome,
    },
}

/// The key of an operation with these parameters, unless its text is unusable.
pub fn key(customer: UserId, text: &str, operation: &str, parameters: &str) -> Result<Key, UserError> {
    check_text("idempotencyKey", text)?;
    let mut digest = Sha256::new();
    digest.update(operation);
    digest.update([0]);
    digest.update(parameters);
    Ok(Key {
        customer,
        text: text.to_owned(),
        parameters: digest.finalize().to_vec(),
    })
}

/// Refuses text that is empty, too long, or has control characters (Postgres stores no NUL).
pub fn check_text(field: &str, text: &str) -> Result<(), UserError> {
    let problem = if text.trim().is_empty() {
        "must not be empty"
    } else if text.len() > MAX_LENGTH {
        "must have at most 255 bytes"
    } else if text.chars().any(char::is_control) {
        "must not have control characters"
    } else {
        return Ok(());
    };
    Err(UserError::on(field, ErrorCode::InvalidInput, problem))
}

/// Claims `key`, for `order` and `reservation` when it is new; waits while somebody else works on it.
pub async fn begin(
    store: &Store,
    key: &Key,
    order: OrderId,
    reservation: ReservationId,
    lease: Duration,
) -> Result<Begun, Stop> {
    if store.claim(key, order, reservation, lease).await? {
        return Ok(Begun::Ours {
            order,
            reservation,
            placed: false,
        });
    }
    let (deadline, mut pause) = (Instant::now() + WAIT, FIRST_PAUSE);
    loop {
        let record = store
            .record(key)
            .await?
            .ok_or_else(|| ApiError::internal("a claimed key has no record"))?;
        if let Some(begun) = judge(store, key, record, lease).await? {
            return Ok(begun);
        }
        if Instant::now() > deadline {
            return Err(ApiError::unavailable("the same idempotency key is being worked on").into());
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// None while somebody else works on it.
async fn judge(store: &Store, key: &Key, record: Record, lease: Duration) -> Result<Option<Begun>, Stop> {
    if record.parameters != key.parameters {
        return Err(reused().into());
    }
    let order = record.order;
    match record.outcome {
        Some(outcome) if outcome != Outcome::Ordered(Status::Pending) => {
            Ok(Some(Begun::Ended { order, outcome }))
        }
        _ if record.leased => Ok(None),
        outcome => {
            let ours = store.take_over(key, lease).await?;
            Ok(ours.then_some(Begun::Ours {
                order,
                reservation: record.reservation,
                placed: outcome.is_some(),
            }))
        }
    }
}

/// Carries `steps` out on a stored order, once per key: they end with a transition that completes the key. The order as it then is, or
/// the error that was the first answer.
pub async fn once(
    store: &Store,
    key: &Key,
    order: OrderId,
    lease: Duration,
    steps: impl Future<Output = Result<Order, Stop>>,
) -> Result<Result<Order, UserError>, ApiError> {
    match begin(store, key, order, order.into(), lease).await {
        Ok(Begun::Ours { .. }) => {
            let ended = steps.await;
            end(store, key, ended).await
        }
        Ok(Begun::Ended {
            outcome: Outcome::Rejected(error),
            ..
        }) => Ok(Err(error)),
        Ok(Begun::Ended { order, .. }) => stored(store, order).await.map(Ok),
        Err(Stop::Rejected(error)) => Ok(Err(error)),
        Err(Stop::Fault(fault)) => Err(fault),
    }
}

async fn end(
    store: &Store,
    key: &Key,
    ended: Result<Order, Stop>,
) -> Result<Result<Order, UserError>, ApiError> {
    match ended {
        Ok(order) => Ok(Ok(order)),
        Err(Stop::Rejected(error)) => {
            // Unless somebody took over and has carried it out meanwhile: then that is the answer.
            if store.reject(key, &error).await? {
                return Ok(Err(error));
            }
            match store.record(key).await? {
                Some(record) if matches!(record.outcome, Some(Outcome::Done | Outcome::Ordered(_))) => {
                    stored(store, record.order).await.map(Ok)
                }
                _ => Ok(Err(error)),
            }
        }
        Err(Stop::Fault(fault)) => {
            if let Err(error) = store.give_up(key).await {
                tracing::warn!(error.cause = %error, "the lease of an idempotency key must run out");
            }
            Err(fault)
        }
    }
}

/// An order that is known to be there.
pub async fn stored(store: &Store, id: OrderId) -> Result<Order, ApiError> {
    let order = store.order(id).await?;
    order.ok_or_else(|| ApiError::internal("an order vanished"))
}

/// The answer to a key that was used for something else.
pub fn reused() -> UserError {
    let message = "this key was used for another request; use a new one";
    UserError::on("idempotencyKey", ErrorCode::IdempotencyKeyReused, message)
}
