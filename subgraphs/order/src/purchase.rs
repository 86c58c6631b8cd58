//! The purchase: its table, then its steps.
//!
//! | # | step                     | effect                                              | undo                                      | idempotency key         |
//! |---|--------------------------|-----------------------------------------------------|-------------------------------------------|-------------------------|
//! | 1 | validate the input       | none                                                | –                                         | –                       |
//! | 2 | claim the key            | idempotency record: order id, name of the hold      | lease runs out, or is given up on a fault | customer and key        |
//! | 3 | gather and price         | none: draft or wishlist read, prices from product   | –                                         | –                       |
//! | 4 | reserve                  | hold at inventory                                   | release; else it lapses                   | reservation id          |
//! | 5 | place                    | order PENDING, lines, event; record ORDERED         | step 6 decides                            | the record's outcome    |
//! | 6 | charge                   | money taken                                         | refund                                    | order id                |
//! | 7 | conclude                 | CONFIRMED, or FAILED and released; with its event   | cancel                                    | order status, version   |
//!
//! | the process dies after | what is left                            | who finishes it                                                            |
//! |------------------------|------------------------------------------|-----------------------------------------------------------------------------|
//! | 2 or 3                 | a record under lease                     | a repeated call takes over when the lease ends; otherwise nothing happened  |
//! | 4                      | also a hold                              | the repeated call finds its own hold (same name), or names a new one when it has lapsed    |
//! | 5                      | an order PENDING, nobody charged         | the repeated call charges; otherwise the sweeper calls it off and fails it  |
//! | 6                      | an order PENDING, its charge at payment  | the repeated call gets the charge's first answer; otherwise the sweeper     |
//! | 7                      | everything                               | the relay publishes the event; a repeated call reads the answer             |
//!
//! A rejection (sold out, unknown SKU, sale not started, …) is stored as the key's outcome and replayed; a fault is not an answer, and
//! the same key may be tried again. Prices come from product alone. The answer of an order follows from the order, so a purchase that was
//! answered with PAYMENT_PENDING is answered with the outcome once there is one.
//!
//! `startPayment` takes the same steps, but has the money only set aside in step 6; [`completion`](crate::completion) is the second step.

use std::sync::Arc;

use fondaco_chassis::ApiError;
use fondaco_contracts::{ErrorCode, OrderId, ReservationId, UserError, UserId};
use fondaco_messaging::Wake;

use crate::{
    answer::Answer,
    config::OrderConfig,
    draft::{demands, draft_of},
    error::Stop,
    hold::{Hold, Holds},
    idempotency::{self, Begun, stored},
    lines::{self, Demand, Origin},
    order::Status,
    peers::{
        inventory::Inventory,
        payment::{Charge, Payment},
        product::Catalogue,
    },
    pricing::{self, PriceList},
    settlement::Settlement,
    store::{Key, NewOrder, Order, Outcome, PlacedDraft, Store},
};

/// What a customer asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Chosen by the customer: one purchase per key.
    pub idempotency_key: String,
    /// What to buy.
    pub basket: Basket,
    /// The means of payment at the provider.
    pub payment_token: String,
    /// Take the money at once; otherwise it is set aside until the payment is completed.
    pub capture: bool,
}

/// Where the lines of a purchase come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basket {
    /// From the request.
    Lines(Vec<Demand>),
    /// From a draft, which becomes the order.
    Draft(OrderId),
    /// From the customer's wishlist, which is emptied of them when they are paid.
    Wishlist,
}

/// Carries purchases out.
#[derive(Clone)]
pub struct Purchases {
    store: Store,
    catalogue: Catalogue,
    holds: Holds,
    payment: Payment,
    settlement: Settlement,
    wake: Wake,
    config: Arc<OrderConfig>,
}

/// A purchase that this process works on.
struct Attempt<'a> {
    wish: &'a Wish,
    key: &'a Key,
    basket: &'a Basket,
    order: OrderId,
    reservation: ReservationId,
}

impl Purchases {
    /// With what the steps need.
    pub fn new(
        store: Store,
        catalogue: Catalogue,
        inventory: Inventory,
        payment: Payment,
        settlement: Settlement,
        wake: Wake,
        config: OrderConfig,
    ) -> Self {
        Self {
            holds: Holds::new(store.clone(), inventory, config.hold_seconds),
            store,
            catalogue,
            payment,
            settlement,
            wake,
            config: Arc::new(config),
        }
    }

    /// Buys what `customer` wishes, once per idempotency key.
    pub async fn purchase(&self, customer: UserId, wish: Wish) -> Result<Answer, ApiError> {
        let (key, basket) = match validate(customer, &wish) {
            Ok(valid) => valid,
            Err(error) => return Ok(Answer::rejected(error)),
        };
        let (id, name) = names(&basket);
        match idempotency::begin(&self.store, &key, id, name, self.config.lease()).await {
            Ok(Begun::Ended { order, outcome }) => self.replay(order, outcome).await,
            Ok(Begun::Ours {
                order,
                reservation,
                placed,
            }) => {
                let attempt = Attempt {
                    wish: &wish,
                    key: &key,
                    basket: &basket,
                    order,
                    reservation,
                };
                let ended = self.steps(&attempt, placed).await;
                self.answer(&key, ended).await
            }
            Err(Stop::Rejected(error)) => Ok(Answer::rejected(error)),
            Err(Stop::Fault(fault)) => Err(fault),
        }
    }

    /// Steps 3 to 7; a resumed purchase whose order is stored continues at 6.
    async fn steps(&self, attempt: &Attempt<'_>, placed: bool) -> Result<Answer, Stop> {
        let order = if placed {
            stored(&self.store, attempt.order).await?
        } else {
            self.place(attempt).await?
        };
        if order.status != Status::Pending {
            return Ok(Answer::of_purchase(order));
        }
        let charge = self.charge(&order, attempt.wish).await;
        let order = self.settlement.conclude(order, charge.clone()).await?;
        Ok(Answer::of_payment(order, &charge))
    }

    /// Steps 3 to 5.
    async fn place(&self, attempt: &Attempt<'_>) -> Result<Order, Stop> {
        let draft = match attempt.basket {
            Basket::Draft(id) => Some(draft_of(&self.store, attempt.key.customer, *id).await?),
            Basket::Lines(_) | Basket::Wishlist => None,
        };
        let lines = self.gather(attempt).await?;
        let priced = pricing::price(&self.catalogue, &lines).await?;
        let hold = self
            .holds
            .hold(attempt.key, attempt.reservation, &priced.lines)
            .await?;
        let placed = match &draft {
            Some(draft) => self.store_draft(attempt.key, draft, &hold, priced).await?,
            None => self.store_new(attempt, &hold, priced).await?,
        };
        match placed {
            Some(order) => {
                self.wake.notify();
                Ok(order)
            }
            None => self.overtaken(attempt.key, &hold).await,
        }
    }

    async fn gather(&self, attempt: &Attempt<'_>) -> Result<Vec<Demand>, Stop> {
        match attempt.basket {
            Basket::Lines(lines) => Ok(lines.clone()),
            Basket::Draft(id) => demands(&self.store, *id).await,
            Basket::Wishlist => {
                let items = self.store.wishlist(attempt.key.customer).await?;
                if items.is_empty() {
                    let message = "the wishlist is empty";
                    return Err(UserError::on("wishlist", ErrorCode::InvalidInput, message).into());
                }
                let demand = |item: crate::store::WishlistItem| Demand {
                    sku: item.sku,
                    quantity: item.quantity,
                    origin: Origin::Wishlist,
                };
                Ok(items.into_iter().map(demand).collect())
            }
        }
    }

    async fn store_new(
        &self,
        attempt: &Attempt<'_>,
        hold: &Hold,
        priced: PriceList,
    ) -> Result<Option<Order>, Stop> {
        let priced = priced.into_draft();
        let new = NewOrder {
            id: attempt.order,
            reservation: hold.reservation,
            total: priced.total,
            held_until: hold.until,
            lines: priced.lines,
            from_wishlist: *attempt.basket == Basket::Wishlist,
        };
        Ok(self
            .store
            .place(attempt.key, new, self.config.settle_after())
            .await?)
    }

    async fn store_draft(
        &self,
        key: &Key,
        draft: &Order,
        hold: &Hold,
        priced: PriceList,
    ) -> Result<Option<Order>, Stop> {
        let placed = PlacedDraft {
            order: draft,
            reservation: hold.reservation,
            held_until: hold.until,
            priced: priced.into_draft(),
        };
        Ok(self
            .store
            .place_draft(key, &placed, self.config.settle_after())
            .await?)
    }

    /// Somebody took over, believing us dead, and was faster; or the draft was changed meanwhile.
    async fn overtaken(&self, key: &Key, hold: &Hold) -> Result<Order, Stop> {
        let record = self.store.record(key).await?;
        let record = record.ok_or_else(|| ApiError::internal("a claimed key has no record"))?;
        match record.outcome {
            Some(Outcome::Rejected(error)) => {
                self.holds.release(hold.reservation).await?;
                Err(error.into())
            }
            Some(Outcome::Ordered(_) | Outcome::Done) => Ok(stored(&self.store, record.order).await?),
            None if record.reservation == hold.reservation => {
                self.holds.release(hold.reservation).await?;
                let message = "the order was changed while it was being bought; look at it and try again";
                Err(UserError::on("orderId", ErrorCode::OrderChanged, message).into())
            }
            None => Err(ApiError::unavailable(
                "somebody else took this purchase over and has not finished it",
            )
            .into()),
        }
    }

    /// An answer that does not arrive leaves the outcome unknown.
    async fn charge(&self, order: &Order, wish: &Wish) -> Charge {
        self.payment
            .charge(
                order.id,
                order.customer,
                order.total,
                &wish.payment_token,
                wish.capture,
            )
            .await
            .unwrap_or_else(|error| {
                tracing::warn!(order.id = %order.id, error.cause = %error, "charge without an answer");
                Charge::Unknown
            })
    }

    /// Stores a rejection, and gives the key back where the end is not an answer or not final.
    async fn answer(&self, key: &Key, ended: Result<Answer, Stop>) -> Result<Answer, ApiError> {
        match ended {
            Ok(answer) => {
                let order = answer.order.as_ref();
                if order.is_some_and(|order| order.status == Status::Pending) {
                    self.store.give_up(key).await?;
                }
                Ok(answer)
            }
            Err(Stop::Rejected(error)) => self.reject(key, error).await,
            Err(Stop::Fault(fault)) => {
                if let Err(error) = self.store.give_up(key).await {
                    tracing::warn!(error.cause = %error, "the lease of an idempotency key must run out");
                }
                Err(fault)
            }
        }
    }

    async fn reject(&self, key: &Key, error: UserError) -> Result<Answer, ApiError> {
        if self.store.reject(key, &error).await? {
            return Ok(Answer::rejected(error));
        }
        let record = self.store.record(key).await?;
        let record = record.ok_or_else(|| ApiError::internal("a claimed key has no record"))?;
        let outcome = record
            .outcome
            .ok_or_else(|| ApiError::internal("a rejection was not stored for no reason"))?;
        self.replay(record.order, outcome).await
    }

    async fn replay(&self, order: OrderId, outcome: Outcome) -> Result<Answer, ApiError> {
        match outcome {
            Outcome::Rejected(error) => Ok(Answer::rejected(error)),
            Outcome::Ordered(_) | Outcome::Done => Ok(Answer::of_purchase(stored(&self.store, order).await?)),
        }
    }
}

/// The order's id and the name of its hold, should the key be new. A draft has its id; its hold has another, since a draft may be tried
/// more than once.
fn names(basket: &Basket) -> (OrderId, ReservationId) {
    match basket {
        Basket::Draft(id) => (*id, ReservationId::new()),
        Basket::Lines(_) | Basket::Wishlist => {
            let id = OrderId::new();
            (id, id.into())
        }
    }
}

/// Step 1. Lines come back with duplicates summed, each SKU at its first place.
fn validate(customer: UserId, wish: &Wish) -> Result<(Key, Basket), UserError> {
    idempotency::check_text("paymentToken", &wish.payment_token)?;
    let (basket, what) = match &wish.basket {
        Basket::Lines(lines) => {
            let lines = lines::summed(lines)?;
            let what = lines::parameters(&lines);
            (Basket::Lines(lines), what)
        }
        Basket::Draft(id) => (Basket::Draft(*id), format!("draft {id}\n")),
        Basket::Wishlist => (Basket::Wishlist, "wishlist\n".to_owned()),
    };
    let parameters = what + &wish.payment_token;
    let operation = if wish.capture { "purchase" } else { "startPayment" };
    let key = idempotency::key(customer, &wish.idempotency_key, operation, &parameters)?;
    Ok((key, basket))
}
