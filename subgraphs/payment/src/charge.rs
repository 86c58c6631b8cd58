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

use fondaco_contracts::{OrderId, RefundId, UserId};
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::time::timeout;

use crate::{
    provider::{ChargeRequest, NoAnswer, Provider, RefundRequest, Verdict},
    status::Status,
    store::{
        Charge, Store, StoreError, Terms,
        refunds::{Planned, Refund},
    },
};

/// What is known about an order's money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is set aside, to be taken by a second step.
    Authorized,
    /// The customer must confirm the payment first.
    ConfirmationRequired,
    /// It is taken; some of it may have been given back.
    Captured,
    /// It was, and all of it was given back.
    Refunded,
    /// It is not, and will not be.
    Declined(String),
    /// It may be taken or not: ask again later.
    Unknown,
}

/// What became of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refunded {
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
    /// All refunds together would be more than was taken.
    #[error("more than is left of this order's charge")]
    RefundExceedsCharge,
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
        if self.store.record(request, terms.clone()).await? {
            let answer = self.ask(self.provider.charge(request)).await;
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

    /// Learns what the provider knows by now: of a payment that is open or waits for the customer, and of refunds under way.
    pub async fn refresh(&self, order: OrderId) -> Result<(), StoreError> {
        let Some(charge) = self.store.find(order).await? else {
            return Ok(());
        };
        if charge.status == Status::RequiresConfirmation {
            let answer = self.ask(self.provider.confirm(&requested(&charge), "")).await;
            if answer.is_ok() {
                self.conclude(order, answer).await?;
            }
            return Ok(());
        }
        self.resolve(&charge).await?;
        for refund in self.store.open_refunds(order).await? {
            self.pay(&refund).await?;
        }
        Ok(())
    }

    /// Completes a payment that waits for its second step: hands the customer's confirmation on, and takes what is set aside. None when
    /// no charge was ever asked for.
    pub async fn complete(&self, order: OrderId, confirmation: &str) -> Result<Option<Outcome>, StoreError> {
        let Some(mut charge) = self.store.find(order).await? else {
            return Ok(None);
        };
        if charge.status.is_open() {
            self.resolve(&charge).await?;
            charge = self.read(order).await?;
        }
        if charge.status == Status::RequiresConfirmation {
            let request = requested(&charge);
            let answer = self.ask(self.provider.confirm(&request, confirmation)).await;
            self.conclude(order, answer).await?;
            charge = self.read(order).await?;
        }
        if charge.status == Status::Authorized {
            self.store.intend_capture(order).await?;
            charge = self.read(order).await?;
        }
        self.resolve(&charge).await.map(Some)
    }

    /// Makes sure that no money is kept for an order: gives back what is left of what was taken, lets go what was set aside, and calls
    /// off what was not asked for yet.
    pub async fn refund(&self, order: OrderId) -> Result<Refunded, ChargeError> {
        self.store.call_off(order).await?;
        let mut outcome = self.outcome(order).await?.expect("charges are never deleted");
        if matches!(outcome, Outcome::Authorized | Outcome::ConfirmationRequired) {
            outcome = self.void(order).await?;
        }
        match outcome {
            Outcome::Captured | Outcome::Refunded => {}
            Outcome::Declined(_) => return Ok(Refunded::NotCharged),
            Outcome::Unknown | Outcome::Authorized | Outcome::ConfirmationRequired => {
                return Ok(Refunded::Unknown);
            }
        }
        // The last refund of an order has the order's id: all that is left can be given back only once.
        let last = RefundId::from(order.as_uuid());
        self.store.plan_refund(order, last, None).await?;
        for refund in self.store.open_refunds(order).await? {
            if !self.pay(&refund).await? {
                return Ok(Refunded::Unknown);
            }
        }
        Ok(Refunded::Refunded)
    }

    /// Gives some of an order's money back, once per refund.
    pub async fn refund_part(
        &self,
        order: OrderId,
        refund: RefundId,
        amount: i64,
    ) -> Result<Refunded, ChargeError> {
        match self.outcome(order).await? {
            Some(Outcome::Captured | Outcome::Refunded) => {}
            Some(Outcome::Unknown) => return Ok(Refunded::Unknown),
            Some(Outcome::Declined(_) | Outcome::Authorized | Outcome::ConfirmationRequired) | None => {
                return Ok(Refunded::NotCharged);
            }
        }
        match self.store.plan_refund(order, refund, Some(amount)).await? {
            Planned::Recorded(recorded) if recorded.paid || self.pay(&recorded).await? => {
                Ok(Refunded::Refunded)
            }
            Planned::Recorded(_) => Ok(Refunded::Unknown),
            Planned::NotCaptured => Ok(Refunded::NotCharged),
            Planned::Exceeds | Planned::NothingLeft => Err(ChargeError::RefundExceedsCharge),
        }
    }

    /// False while the provider does not answer.
    async fn pay(&self, refund: &Refund) -> Result<bool, StoreError> {
        let request = RefundRequest {
            order: refund.order,
            refund: refund.id,
            amount: refund.amount,
        };
        let answered = self.ask(self.provider.refund(&request)).await.is_ok();
        if answered {
            self.store.refund_paid(refund.id).await?;
        }
        Ok(answered)
    }

    /// What was voided is declined from then on.
    async fn void(&self, order: OrderId) -> Result<Outcome, StoreError> {
        match self.ask(self.provider.void(order)).await {
            Ok(Verdict::Declined(_)) => self.store.mark_voided(order).await?,
            Ok(verdict) => drop(self.store.conclude(order, &verdict).await?),
            Err(NoAnswer) => return Ok(Outcome::Unknown),
        }
        let charge = self.read(order).await?;
        Ok(stored_outcome(&charge).unwrap_or(Outcome::Unknown))
    }

    /// Asks the provider what is not known: the answer to a charge, or whether money set aside has been taken as intended.
    async fn resolve(&self, charge: &Charge) -> Result<Outcome, StoreError> {
        if let Some(outcome) = stored_outcome(charge) {
            return Ok(outcome);
        }
        // Whoever recorded it is probably still waiting for the provider.
        if charge.status == Status::Pending && charge.age < self.patience.as_secs_f64() {
            return Ok(Outcome::Unknown);
        }
        let request = requested(charge);
        let answer = if charge.status == Status::Authorized {
            self.ask(self.provider.capture(&request)).await
        } else {
            self.ask(self.provider.settle(&request)).await
        };
        self.conclude(charge.order, answer).await
    }

    async fn ask<T>(&self, call: impl Future<Output = Result<T, NoAnswer>>) -> Result<T, NoAnswer> {
        timeout(self.patience, call).await.unwrap_or(Err(NoAnswer))
    }

    /// Stores the provider's answer; somebody else may have stored one first, then that one counts.
    async fn conclude(
        &self,
        order: OrderId,
        answer: Result<Verdict, NoAnswer>,
    ) -> Result<Outcome, StoreError> {
        match answer {
            Ok(verdict) if self.store.conclude(order, &verdict).await? => Ok(verdict.into()),
            Ok(_) => self.known(order).await,
            Err(NoAnswer) => {
                self.store.mark_unknown(order).await?;
                self.known(order).await
            }
        }
    }

    async fn known(&self, order: OrderId) -> Result<Outcome, StoreError> {
        let charge = self.read(order).await?;
        Ok(stored_outcome(&charge).unwrap_or(Outcome::Unknown))
    }

    async fn read(&self, order: OrderId) -> Result<Charge, StoreError> {
        let charge = self.store.find(order).await?;
        Ok(charge.expect("charges are never deleted"))
    }
}

fn requested(charge: &Charge) -> ChargeRequest {
    charge
        .request()
        .expect("a charge that is open names what is paid")
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Captured => Self::Captured,
            Verdict::Authorized => Self::Authorized,
            Verdict::ConfirmationRequired(_) => Self::ConfirmationRequired,
            Verdict::Declined(code) => Self::Declined(code),
        }
    }
}

fn stored_outcome(charge: &Charge) -> Option<Outcome> {
    Some(match charge.status {
        Status::Pending | Status::Unknown => return None,
        // It may have been taken already.
        Status::Authorized if charge.capture => return None,
        Status::Authorized => Outcome::Authorized,
        Status::RequiresConfirmation => Outcome::ConfirmationRequired,
        Status::Voided => Outcome::Declined("voided".to_owned()),
        Status::Captured | Status::PartiallyRefunded => Outcome::Captured,
        Status::Refunded => Outcome::Refunded,
        Status::Declined => Outcome::Declined(charge.decline_code.clone().expect("declined charges say why")),
        Status::CalledOff => Outcome::Declined("called_off".to_owned()),
    })
}

fn fingerprint(request: &ChargeRequest, customer: UserId) -> Vec<u8> {
    let second_step = if request.capture { "" } else { "\nlater" };
    let parts = format!("{customer}\n{}\n{}{second_step}", request.amount, request.token);
    Sha256::digest(parts).to_vec()
}
