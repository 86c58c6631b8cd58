//! A provider with Stripe's interface: payment intents and refunds over HTTPS.
//!
//! An intent is made first and its name stored; only then is it confirmed, which is what moves money. Whatever is not answered is asked
//! about by that name, and repeated only where the provider says that it did not happen; the idempotency keys beside it cover calls that
//! are still on their way.
//!
//! | call    | requests, in their order                                                            |
//! |---------|-------------------------------------------------------------------------------------|
//! | charge  | make the intent (key `ORDER`), then confirm it (key `ORDER-confirm`)                |
//! | settle  | read the intent; confirm it where that never happened                               |
//! | confirm | read the intent: the customer confirmed it at the provider                          |
//! | capture | capture (key `ORDER-capture`); where that is refused, read                          |
//! | void    | cancel (key `ORDER-cancel`); where that is refused, read                            |
//! | refund  | look for the refund by its id; make it (key `refund-REFUND`) where there is none    |

mod api;
pub mod webhook;

use fondaco_contracts::OrderId;
use futures::future::{BoxFuture, FutureExt};
use thiserror::Error;

pub use self::api::ApiError;
use self::api::{Api, Intent, Refused};
use super::{Answered, ChargeRequest, NoAnswer, Provider, RefundRequest, Verdict};
use crate::{
    config::StripeConfig,
    store::{Store, StoreError},
};

/// Why nothing is known.
#[derive(Debug, Error)]
enum Unknown {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the provider says {0}")]
    Undecided(String),
}

/// Takes money through an account at Stripe, or at what answers like it.
#[derive(Clone, Debug)]
pub struct Stripe {
    api: Api,
    store: Store,
}

impl Stripe {
    /// For the account in `config`; names of payments are kept in `store`.
    pub fn new(config: &StripeConfig, timeout: std::time::Duration, store: Store) -> Result<Self, ApiError> {
        Ok(Self {
            api: Api::new(config, timeout)?,
            store,
        })
    }

    async fn pay(&self, request: &ChargeRequest) -> Result<Verdict, Unknown> {
        if request.amount.minor_units() == 0 {
            return Ok(free(request));
        }
        let (name, is_new) = match self.store.reference(request.order).await? {
            Some(name) => (name, false),
            None => match self.api.create(request).await? {
                Ok(intent) => (self.store.keep_reference(request.order, &intent.id).await?, true),
                Err(refused) => return Ok(Verdict::Declined(refused.code)),
            },
        };
        if !is_new {
            let intent = self.api.read(&name).await?;
            if intent.is_confirmed() {
                return verdict(&intent);
            }
        }
        match self.api.confirm(&name, request).await? {
            Ok(intent) => verdict(&intent),
            // Somebody else confirmed it meanwhile, or the means of payment is none.
            Err(refused) => {
                let intent = self.api.read(&name).await?;
                if intent.is_confirmed() {
                    verdict(&intent)
                } else {
                    Ok(Verdict::Declined(refused.code))
                }
            }
        }
    }

    async fn read(&self, request: &ChargeRequest) -> Result<Verdict, Unknown> {
        match self.store.reference(request.order).await? {
            Some(name) => verdict(&self.api.read(&name).await?),
            None => Ok(Verdict::Declined("called_off".to_owned())),
        }
    }

    async fn take(&self, request: &ChargeRequest) -> Result<Verdict, Unknown> {
        if request.amount.minor_units() == 0 {
            return Ok(Verdict::Captured);
        }
        let Some(name) = self.store.reference(request.order).await? else {
            return Ok(Verdict::Declined("called_off".to_owned()));
        };
        match self.api.capture(&name, request.order).await? {
            Ok(intent) => verdict(&intent),
            Err(Refused { .. }) => verdict(&self.api.read(&name).await?),
        }
    }

    async fn cancel(&self, order: OrderId) -> Result<Verdict, Unknown> {
        let Some(name) = self.store.reference(order).await? else {
            return Ok(Verdict::Declined("voided".to_owned()));
        };
        match self.api.cancel(&name, order).await? {
            Ok(intent) => verdict(&intent),
            Err(Refused { .. }) => verdict(&self.api.read(&name).await?),
        }
    }

    async fn give_back(&self, request: &RefundRequest) -> Result<(), Unknown> {
        let Some(name) = self.store.reference(request.order).await? else {
            return Err(Unknown::Undecided("nothing of this payment".to_owned()));
        };
        let refunds = self.api.refunds(&name).await?;
        let known = refunds.iter().find(|refund| refund.is(request.refund));
        let refund = match known {
            Some(refund) => refund.clone(),
            None => match self.api.refund(&name, request).await? {
                Ok(refund) => refund,
                Err(refused) => return Err(Unknown::Undecided(refused.code)),
            },
        };
        if refund.is_on_its_way() {
            Ok(())
        } else {
            Err(Unknown::Undecided(format!("the refund is {}", refund.status)))
        }
    }
}

impl Provider for Stripe {
    fn charge<'a>(&'a self, request: &'a ChargeRequest) -> Answered<'a, Verdict> {
        answered("charge", request.order, self.pay(request).boxed())
    }

    fn settle<'a>(&'a self, request: &'a ChargeRequest) -> Answered<'a, Verdict> {
        answered("settle", request.order, self.pay(request).boxed())
    }

    fn confirm<'a>(&'a self, request: &'a ChargeRequest, _confirmation: &'a str) -> Answered<'a, Verdict> {
        answered("confirm", request.order, self.read(request).boxed())
    }

    fn capture<'a>(&'a self, request: &'a ChargeRequest) -> Answered<'a, Verdict> {
        answered("capture", request.order, self.take(request).boxed())
    }

    fn void(&self, order: OrderId) -> Answered<'_, Verdict> {
        answered("void", order, self.cancel(order).boxed())
    }

    fn refund<'a>(&'a self, request: &'a RefundRequest) -> Answered<'a, ()> {
        answered("refund", request.order, self.give_back(request).boxed())
    }
}

fn answered<'a, T: 'a>(
    call: &'static str,
    order: OrderId,
    asked: BoxFuture<'a, Result<T, Unknown>>,
) -> Answered<'a, T> {
    let told = move |error: Unknown| {
        tracing::warn!(call, order.id = %order, error.cause = %error, "no answer from the payment provider");
        NoAnswer
    };
    asked.map(move |outcome| outcome.map_err(told)).boxed()
}

/// What an intent that was confirmed says.
fn verdict(intent: &Intent) -> Result<Verdict, Unknown> {
    match intent.status.as_str() {
        "succeeded" => Ok(Verdict::Captured),
        "requires_capture" => Ok(Verdict::Authorized),
        "requires_action" => Ok(Verdict::ConfirmationRequired(intent.action_url())),
        "requires_payment_method" => Ok(Verdict::Declined(intent.decline_code())),
        "canceled" => Ok(Verdict::Declined("voided".to_owned())),
        // Processing, or a state of a later version.
        other => Err(Unknown::Undecided(other.to_owned())),
    }
}

/// There is nothing to take.
fn free(request: &ChargeRequest) -> Verdict {
    if request.capture {
        Verdict::Captured
    } else {
        Verdict::Authorized
    }
}
