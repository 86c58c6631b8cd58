//! Taking money once: a charge is recorded, asked for, and its outcome stored.
//!
//! | step                          | when the process dies after it                                                          |
//! |-------------------------------|-----------------------------------------------------------------------------------------|
//! | record the charge as PENDING  | [`Charges::outcome`] repeats the request at the provider under the same idempotency key |
//! | ask the provider              | the same: the provider answers as it did the first time                                 |
//! | store the outcome             | nothing is left to do                                                                   |
//!
//! A charge that was never recorded can be called off ([`Charges::refund`]): the record that takes its place declines it should it arrive
//! later, so that giving up an order and charging it cannot both succeed.

use std::{sync::Arc, time::Duration};

use fondaco_contracts::{OrderId, UserId};
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::time::timeout;

use crate::{
    provider::{ChargeRequest, NoAnswer, Provider, Verdict},
    store::{Charge, Status, Store, StoreError, Terms},
};

/// What is known about an order's money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is taken.
    Captured,
    /// It was, and was given back.
    Refunded,
    /// It is not, and will not be.
    Declined(String),
    /// It may be taken or not: ask again later.
    Unknown,
}

/// What became of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refund {
    /// The money was given back, now or before.
    Refunded,
    /// No money was taken, and none will be.
    NotCharged,
    /// Not known yet: ask again later.
    Unknown,
}

/// Why a charge was not carried out.
#[derive(Debug, Error)]
pub enum ChargeError {
    /// The order has a charge with other parameters.
    #[error("this order was charged with other parameters")]
    ParametersDiffer,
    /// A database fault.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The charges of all orders: the table and the provider.
pub struct Charges {
    store: Store,
    provider: Arc<dyn Provider>,
    patience: Duration,
}

impl Charges {
    /// `patience`: how long to wait for the provider before the outcome counts as unknown.
    pub fn new(store: Store, provider: Arc<dyn Provider>, patience: Duration) -> Self {
        Self {
            store,
            provider,
            patience,
        }
    }

    /// Charges `customer`, once per order: a repeated call returns the first answer.
    pub async fn charge(&self, request: &ChargeRequest, customer: UserId) -> Result<Outcome, ChargeError> {
        let terms = Terms {
            customer,
            amount: request.amount,
            parameters: fingerprint(request, customer),
        };
        if self.store.record(request, &terms).await? {
            let answer = timeout(self.patience, self.provider.charge(request))
                .await
                .unwrap_or(Err(NoAnswer));
            return Ok(self.conclude(request.order, answer).await?);
        }
        let first = self
            .store
            .find(request.order)
            .await?
            .expect("charges are never deleted");
        if first
            .terms
            .as_ref()
            .is_some_and(|first| first.parameters != terms.parameters)
        {
            return Err(ChargeError::ParametersDiffer);
        }
        Ok(self.resolve(&first).await?)
    }

    /// What became of an order's charge, asking the provider when that is still open. None when no charge was ever asked for.
    pub async fn outcome(&self, order: OrderId) -> Result<Option<Outcome>, StoreError> {
        let Some(charge) = self.store.find(order).await? else {
            return Ok(None);
        };
        self.resolve(&charge).await.map(Some)
    }

    /// Makes sure that no money is kept for an order: gives back what was taken, and calls off what was not asked for yet.
    pub async fn refund(&self, order: OrderId) -> Result<Refund, StoreError> {
        self.store.call_off(order).await?;
        match self.outcome(order).await?.expect("charges are never deleted") {
            Outcome::Captured => self.give_back(order).await,
            Outcome::Refunded => Ok(Refund::Refunded),
            Outcome::Declined(_) => Ok(Refund::NotCharged),
            Outcome::Unknown => Ok(Refund::Unknown),
        }
    }

    async fn give_back(&self, order: OrderId) -> Result<Refund, StoreError> {
        match timeout(self.patience, self.provider.refund(order)).await {
            Ok(Ok(())) => {
                self.store.mark_refunded(order).await?;
                Ok(Refund::Refunded)
            }
            Ok(Err(NoAnswer)) | Err(_) => Ok(Refund::Unknown),
        }
    }

    async fn resolve(&self, charge: &Charge) -> Result<Outcome, StoreError> {
        if let Some(outcome) = stored_outcome(charge) {
            return Ok(outcome);
        }
        // Whoever recorded it is probably still waiting for the provider.
        if charge.status == Status::Pending && charge.age < self.patience.as_secs_f64() {
            return Ok(Outcome::Unknown);
        }
        let request = charge
            .open_request()
            .expect("open charges keep their terms and token");
        let answer = timeout(self.patience, self.provider.settle(&request))
            .await
            .unwrap_or(Err(NoAnswer));
        self.conclude(charge.order, answer).await
    }

    /// Stores the provider's answer; somebody else may have stored one first, then that one counts.
    async fn conclude(
        &self,
        order: OrderId,
        answer: Result<Verdict, NoAnswer>,
    ) -> Result<Outcome, StoreError> {
        match answer {
            Ok(verdict) if self.store.conclude(order, &verdict).await? => Ok(verdict.into()),
            Ok(_) => self.read(order).await,
            Err(NoAnswer) => {
                self.store.mark_unknown(order).await?;
                self.read(order).await
            }
        }
    }

    async fn read(&self, order: OrderId) -> Result<Outcome, StoreError> {
        let charge = self.store.find(order).await?.expect("charges are never deleted");
        Ok(stored_outcome(&charge).unwrap_or(Outcome::Unknown))
    }
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Captured => Self::Captured,
            Verdict::Declined(code) => Self::Declined(code),
        }
    }
}

fn stored_outcome(charge: &Charge) -> Option<Outcome> {
    Some(match charge.status {
        Status::Pending | Status::Unknown => return None,
        Status::Captured => Outcome::Captured,
        Status::Refunded => Outcome::Refunded,
        Status::Declined => Outcome::Declined(charge.decline_code.clone().expect("declined charges say why")),
        Status::CalledOff => Outcome::Declined("called_off".to_owned()),
    })
}

fn fingerprint(request: &ChargeRequest, customer: UserId) -> Vec<u8> {
    let parts = format!("{customer}\n{}\n{}", request.amount, request.token);
    Sha256::digest(parts).to_vec()
}
