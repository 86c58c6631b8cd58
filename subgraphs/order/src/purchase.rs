//! The purchase: its table, then its steps.
//!
//! | # | step                     | effect                                              | undo                                      | idempotency key         |
//! |---|--------------------------|-----------------------------------------------------|-------------------------------------------|-------------------------|
//! | 1 | validate the input       | none                                                | –                                         | –                       |
//! | 2 | claim the key            | idempotency record, with a new order id             | lease runs out, or is given up on a fault | customer and key        |
//! | 3 | price                    | none: read from product                             | –                                         | –                       |
//! | 4 | reserve                  | hold at inventory                                   | release; else it lapses                   | order id                |
//! | 5 | place                    | order PENDING, lines, event; record ORDERED         | step 6 decides                            | the record's outcome    |
//! | 6 | charge                   | money taken                                         | refund                                    | order id                |
//! | 7 | conclude                 | CONFIRMED, or FAILED and released; with its event   | cancel                                    | order status, version   |
//!
//! | the process dies after | what is left                            | who finishes it                                                            |
//! |------------------------|------------------------------------------|-----------------------------------------------------------------------------|
//! | 2 or 3                 | a record under lease                     | a repeated call takes over when the lease ends; otherwise nothing happened  |
//! | 4                      | also a hold                              | the repeated call finds its own hold (same order id), or renames the order when it has lapsed |
//! | 5                      | an order PENDING, nobody charged         | the repeated call charges; otherwise the sweeper calls it off and fails it  |
//! | 6                      | an order PENDING, its charge at payment  | the repeated call gets the charge's first answer; otherwise the sweeper     |
//! | 7                      | everything                               | the relay publishes the event; a repeated call reads the answer             |
//!
//! A rejection (sold out, unknown SKU, sale not started, …) is stored as the key's outcome and replayed; a fault is not an answer, and
//! the same key may be tried again. Prices come from product alone. The answer of an order follows from the order, so a purchase that was
//! answered with PAYMENT_PENDING is answered with the outcome once there is one.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use fondaco_chassis::{ApiError, CallError};
use fondaco_contracts::{ErrorCode, Money, OrderId, Sku, UserError, UserId};
use fondaco_messaging::Wake;

use crate::{
    answer::Answer,
    config::OrderConfig,
    error::Stop,
    idempotency::{self, Begun},
    order::Status,
    peers::{
        inventory::{Demand, HoldLine, Inventory, Outcome as Held, Reservation},
        payment::{Charge, Payment},
        product::{Catalogue, LimitedDrop, Variant},
    },
    settlement::Settlement,
    store::{Key, NewLine, NewOrder, Order, Outcome, Store},
};

/// The most lines of one purchase.
pub const MAX_LINES: usize = 50;
/// The most of one variant in one purchase.
pub const MAX_QUANTITY: i32 = 1_000;

/// What a customer asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Chosen by the customer: one purchase per key.
    pub idempotency_key: String,
    /// What to buy.
    pub lines: Vec<Demand>,
    /// The means of payment at the provider.
    pub payment_token: String,
}

/// Carries purchases out.
#[derive(Clone)]
pub struct Purchases {
    store: Store,
    catalogue: Catalogue,
    inventory: Inventory,
    payment: Payment,
    settlement: Settlement,
    wake: Wake,
    config: OrderConfig,
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
            store,
            catalogue,
            inventory,
            payment,
            settlement,
            wake,
            config,
        }
    }

    /// Buys what `customer` wishes, once per idempotency key.
    pub async fn purchase(&self, customer: UserId, wish: Wish) -> Result<Answer, ApiError> {
        let (key, lines) = match validate(customer, &wish) {
            Ok(valid) => valid,
            Err(error) => return Ok(Answer::rejected(error)),
        };
        match idempotency::begin(&self.store, &key, OrderId::new(), self.config.lease()).await {
            Ok(Begun::Ended { order, outcome }) => self.replay(order, outcome).await,
            Ok(Begun::Ours { order, placed }) => {
                let ended = self.steps(&key, order, placed, &lines, &wish.payment_token).await;
                self.answer(&key, ended).await
            }
            Err(Stop::Rejected(error)) => Ok(Answer::rejected(error)),
            Err(Stop::Fault(fault)) => Err(fault),
        }
    }

    /// Steps 3 to 7; a resumed purchase whose order is stored continues at 6.
    async fn steps(
        &self,
        key: &Key,
        id: OrderId,
        placed: bool,
        lines: &[Demand],
        token: &str,
    ) -> Result<Order, Stop> {
        let order = if placed {
            self.stored(id).await?
        } else {
            let priced = self.price(lines).await?;
            let total = total(&priced)?;
            let (id, held_until) = self.reserve(key, id, &priced).await?;
            let new = NewOrder {
                id,
                total,
                held_until,
                lines: priced.into_iter().map(|priced| priced.line).collect(),
            };
            self.place(key, &new).await?
        };
        if order.status != Status::Pending {
            return Ok(order);
        }
        let charge = self.charge(&order, token).await;
        Ok(self.settlement.conclude(order, charge).await?)
    }

    async fn price(&self, lines: &[Demand]) -> Result<Vec<Priced>, Stop> {
        let skus: Vec<Sku> = lines.iter().map(|line| line.sku.clone()).collect();
        let variants = self.catalogue.variants(&skus).await?;
        let priced = lines.iter().zip(variants).enumerate();
        priced
            .map(|(index, (line, variant))| Ok(price(index, line, variant)?))
            .collect()
    }

    /// The order id in whose name the lines are held, and until when.
    async fn reserve(
        &self,
        key: &Key,
        id: OrderId,
        lines: &[Priced],
    ) -> Result<(OrderId, DateTime<Utc>), Stop> {
        let wanted: Vec<HoldLine> = lines.iter().map(Priced::to_hold).collect();
        let mut id = id;
        let mut hold = self.hold(key, id, &wanted).await?;
        if hold.outcome == Held::KeyReused {
            // A resumed purchase whose hold has ended meanwhile: the parameters are the same, or it would not have been resumed.
            id = self.rename(key, id).await?;
            hold = self.hold(key, id, &wanted).await?;
        }
        match hold.outcome {
            Held::Reserved => Ok((id, hold.expires_at.unwrap_or_else(Utc::now))),
            Held::SoldOut => Err(sold_out(lines, &hold).into()),
            Held::SaleNotStarted => Err(not_started(lines, &hold).into()),
            Held::LimitExceeded => Err(limit_exceeded(lines, &hold).into()),
            Held::UnknownSku => Err(unknown_sku(position(lines, hold.sku.as_ref())).into()),
            Held::NotReady => Err(ApiError::unavailable("inventory is not ready").into()),
            Held::KeyReused => {
                Err(ApiError::internal("inventory knows an order id that was just made").into())
            }
        }
    }

    async fn hold(&self, key: &Key, id: OrderId, lines: &[HoldLine]) -> Result<Reservation, CallError> {
        self.inventory
            .reserve(id, key.customer, lines, self.config.hold_seconds)
            .await
    }

    async fn rename(&self, key: &Key, old: OrderId) -> Result<OrderId, Stop> {
        let new = OrderId::new();
        if self.store.rename(key, old, new).await? {
            Ok(new)
        } else {
            Err(overtaken_unfinished().into())
        }
    }

    async fn place(&self, key: &Key, new: &NewOrder) -> Result<Order, Stop> {
        match self.store.place(key, new, self.config.settle_after()).await? {
            Some(order) => {
                self.wake.notify();
                Ok(order)
            }
            None => self.overtaken(key).await,
        }
    }

    /// Somebody took over, believing us dead, and was faster. They used the same order id.
    async fn overtaken(&self, key: &Key) -> Result<Order, Stop> {
        let record = self
            .store
            .record(key)
            .await?
            .ok_or_else(|| ApiError::internal("a claimed key has no record"))?;
        match record.outcome {
            Some(Outcome::Rejected(error)) => {
                self.inventory.release(record.order).await?;
                Err(error.into())
            }
            Some(Outcome::Ordered(_)) => Ok(self.stored(record.order).await?),
            None => Err(overtaken_unfinished().into()),
        }
    }

    /// An answer that does not arrive leaves the outcome unknown.
    async fn charge(&self, order: &Order, token: &str) -> Charge {
        self.payment
            .charge(order.id, order.customer, order.total, token)
            .await
            .unwrap_or_else(|error| {
                tracing::warn!(order.id = %order.id, error.cause = %error, "charge without an answer");
                Charge::Unknown
            })
    }

    /// Stores a rejection, and gives the key back where the end is not an answer or not final.
    async fn answer(&self, key: &Key, ended: Result<Order, Stop>) -> Result<Answer, ApiError> {
        match ended {
            Ok(order) => {
                if order.status == Status::Pending {
                    self.store.give_up(key).await?;
                }
                Ok(Answer::of_purchase(order))
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
        let record = self
            .store
            .record(key)
            .await?
            .ok_or_else(|| ApiError::internal("a claimed key has no record"))?;
        let outcome = record
            .outcome
            .ok_or_else(|| ApiError::internal("a rejection was not stored for no reason"))?;
        self.replay(record.order, outcome).await
    }

    async fn replay(&self, order: OrderId, outcome: Outcome) -> Result<Answer, ApiError> {
        match outcome {
            Outcome::Rejected(error) => Ok(Answer::rejected(error)),
            Outcome::Ordered(_) => Ok(Answer::of_purchase(self.stored(order).await?)),
        }
    }

    async fn stored(&self, id: OrderId) -> Result<Order, ApiError> {
        self.store
            .order(id)
            .await?
            .ok_or_else(|| ApiError::internal("an order vanished"))
    }
}

fn overtaken_unfinished() -> ApiError {
    ApiError::unavailable("somebody else took this purchase over and has not finished it")
}

/// Step 1. The lines come back with duplicates summed, each SKU at its first place.
fn validate(customer: UserId, wish: &Wish) -> Result<(Key, Vec<Demand>), UserError> {
    idempotency::check_text("paymentToken", &wish.payment_token)?;
    let lines = summed(&wish.lines)?;
    let asked = lines
        .iter()
        .map(|line| format!("{} {}\n", line.sku, line.quantity));
    let parameters: String = asked.chain([wish.payment_token.clone()]).collect();
    let key = idempotency::key(customer, &wish.idempotency_key, "purchase", &parameters)?;
    Ok((key, lines))
}

fn summed(lines: &[Demand]) -> Result<Vec<Demand>, UserError> {
    if lines.is_empty() || lines.len() > MAX_LINES {
        return Err(UserError::on(
            "lines",
            ErrorCode::InvalidInput,
            "a purchase has 1 to 50 lines",
        ));
    }
    let mut summed: Vec<Demand> = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        check_quantity(index, line.quantity)?;
        match summed.iter_mut().find(|other| other.sku == line.sku) {
            Some(other) => {
                other.quantity += line.quantity;
                check_quantity(index, other.quantity)?;
            }
            None => summed.push(line.clone()),
        }
    }
    Ok(summed)
}

fn check_quantity(index: usize, quantity: i32) -> Result<(), UserError> {
    if (1..=MAX_QUANTITY).contains(&quantity) {
        return Ok(());
    }
    let message = "the quantity of a variant is 1 to 1000";
    Err(UserError::on(
        format!("lines.{index}.quantity"),
        ErrorCode::InvalidInput,
        message,
    ))
}

/// A line with its price and the terms of its sale.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Priced {
    line: NewLine,
    drop: Option<LimitedDrop>,
}

impl Priced {
    fn to_hold(&self) -> HoldLine {
        HoldLine {
            sku: self.line.sku.clone(),
            quantity: self.line.quantity,
            per_customer_limit: self.drop.as_ref().map(|drop| drop.per_customer_limit),
            opens_at: self.drop.as_ref().map(|drop| drop.starts_at),
        }
    }
}

/// What one line costs now, if it is in the catalogue. Window and limit of a drop are for inventory to enforce, by its clock and books.
fn price(index: usize, line: &Demand, variant: Option<Arc<Variant>>) -> Result<Priced, UserError> {
    let variant = variant
        .filter(|variant| variant.active)
        .ok_or_else(|| unknown_sku(index))?;
    let (sku, name) = (line.sku.clone(), variant.name.clone());
    let line = NewLine {
        sku,
        name,
        quantity: line.quantity,
        unit_price: variant.price,
    };
    Ok(Priced {
        line,
        drop: variant.drop.clone(),
    })
}

fn total(lines: &[Priced]) -> Result<Money, UserError> {
    let mut costs = lines.iter().map(|priced| &priced.line);
    let currency = costs
        .clone()
        .next()
        .expect("a valid purchase has lines")
        .unit_price
        .currency;
    costs
        .try_fold(Money::zero(currency), |sum, line| {
            sum.checked_add(line.unit_price.checked_mul(line.quantity.into())?)
        })
        .map_err(|error| UserError::on("lines", ErrorCode::InvalidInput, error.to_string()))
}

fn unknown_sku(index: usize) -> UserError {
    UserError::on(
        format!("lines.{index}.sku"),
        ErrorCode::UnknownSku,
        "no such variant is for sale",
    )
}

fn not_started(lines: &[Priced], hold: &Reservation) -> UserError {
    let index = position(lines, hold.sku.as_ref());
    let message = match &lines[index].drop {
        Some(drop) => format!("the sale starts at {}", drop.starts_at.to_rfc3339()),
        None => "the sale has not started".to_owned(),
    };
    UserError::on(format!("lines.{index}.sku"), ErrorCode::SaleNotStarted, message)
}

fn limit_exceeded(lines: &[Priced], hold: &Reservation) -> UserError {
    let index = position(lines, hold.sku.as_ref());
    let limit = lines[index]
        .drop
        .as_ref()
        .map_or(0, |drop| drop.per_customer_limit);
    let message = match hold.available {
        Some(left) if left > 0 => format!("at most {limit} per customer; you may have {left} more"),
        _ => format!("at most {limit} per customer, in all orders together"),
    };
    UserError::on(
        format!("lines.{index}.quantity"),
        ErrorCode::LimitExceeded,
        message,
    )
}

fn sold_out(lines: &[Priced], hold: &Reservation) -> UserError {
    let field = format!("lines.{}.quantity", position(lines, hold.sku.as_ref()));
    let message = match hold.available {
        Some(left) if left > 0 => format!("only {left} left"),
        _ => "sold out".to_owned(),
    };
    UserError::on(field, ErrorCode::SoldOut, message)
}

fn position(lines: &[Priced], sku: Option<&Sku>) -> usize {
    lines
        .iter()
        .position(|priced| Some(&priced.line.sku) == sku)
        .unwrap_or(0)
}
