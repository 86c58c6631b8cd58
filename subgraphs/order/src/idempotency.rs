//! Idempotency keys: one operation per key, however often and from wherever it is asked for.
//!
//! A key is claimed before any effect. Whoever claims it works on it under a lease; others with the same key and parameters wait for the
//! answer. When the lease runs out, or the worker gave up after a fault, the next one takes over and resumes where the records say. The
//! lease only saves work: every step is safe when two work on the same key at once.

use std::time::Duration;

use fondaco_chassis::ApiError;
use fondaco_contracts::{ErrorCode, OrderId, UserError, UserId};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};

use crate::{
    error::Stop,
    order::Status,
    store::{Key, Outcome, Record, Store},
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
        /// The order is stored already.
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

/// Claims `key`, for `order` when it is new; waits while somebody else works on it.
pub async fn begin(store: &Store, key: &Key, order: OrderId, lease: Duration) -> Result<Begun, Stop> {
    if store.claim(key, order, lease).await? {
        return Ok(Begun::Ours { order, placed: false });
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
                placed: outcome.is_some(),
            }))
        }
    }
}

fn reused() -> UserError {
    let message = "this key was used for another request; use a new one";
    UserError::on("idempotencyKey", ErrorCode::IdempotencyKeyReused, message)
}
