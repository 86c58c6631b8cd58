//! Drafts: orders put together line by line. Nothing is held for them; every change recomputes their total at today's prices.

use fondaco_chassis::ApiError;
use fondaco_contracts::{ErrorCode, OrderId, Sku, UserError, UserId};
use fondaco_messaging::Wake;

use crate::{
    answer::Answer,
    cancellation::order_not_found,
    error::Stop,
    idempotency::{self, stored},
    lines::{self, Demand, Origin},
    order::Status,
    peers::product::Catalogue,
    pricing,
    settlement::ATTEMPTS,
    store::{Draft, Key, Order, Store},
};

/// Creates and changes drafts.
#[derive(Clone)]
pub struct Drafts {
    store: Store,
    catalogue: Catalogue,
    wake: Wake,
}

impl Drafts {
    /// With what the steps need.
    pub fn new(store: Store, catalogue: Catalogue, wake: Wake) -> Self {
        Self {
            store,
            catalogue,
            wake,
        }
    }

    /// A new draft with these lines, once per idempotency key.
    pub async fn create(&self, customer: UserId, key: &str, asked: &[Demand]) -> Result<Answer, ApiError> {
        answer(self.try_create(customer, key, asked).await)
    }

    /// Adds lines to a draft, once per idempotency key.
    pub async fn add(
        &self,
        customer: UserId,
        id: OrderId,
        key: &str,
        more: &[Demand],
    ) -> Result<Answer, ApiError> {
        answer(self.try_add(customer, id, key, more).await)
    }

    /// Sets the quantity of a draft's line; 0 removes it.
    pub async fn update(
        &self,
        customer: UserId,
        id: OrderId,
        sku: &Sku,
        quantity: i32,
    ) -> Result<Answer, ApiError> {
        answer(self.try_update(customer, id, sku, quantity).await)
    }

    async fn try_create(&self, customer: UserId, key: &str, asked: &[Demand]) -> Result<Order, Stop> {
        let lines = lines::summed(asked)?;
        let key = idempotency::key(customer, key, "createOrder", &lines::parameters(&lines))?;
        if let Some(order) = self.repeated(&key).await? {
            return Ok(order);
        }
        let draft = self.price(&lines).await?;
        match self.store.create_draft(&key, OrderId::new(), &draft).await? {
            Some(order) => {
                self.wake.notify();
                Ok(order)
            }
            None => self.first(&key).await,
        }
    }

    async fn try_add(
        &self,
        customer: UserId,
        id: OrderId,
        key: &str,
        more: &[Demand],
    ) -> Result<Order, Stop> {
        let asked = lines::summed(more)?;
        let parameters = format!("{id}\n{}", lines::parameters(&asked));
        let key = idempotency::key(customer, key, "addOrderItems", &parameters)?;
        for _ in 0..ATTEMPTS {
            if let Some(order) = self.repeated(&key).await? {
                return Ok(order);
            }
            let (order, present) = self.editable(customer, id).await?;
            let draft = self.price(&lines::added(&present, &asked)?).await?;
            if let Some(edited) = self.store.edit_draft(Some(&key), &order, &draft).await? {
                return Ok(edited);
            }
        }
        Err(ApiError::unavailable("the draft is being changed by others").into())
    }

    async fn try_update(
        &self,
        customer: UserId,
        id: OrderId,
        sku: &Sku,
        quantity: i32,
    ) -> Result<Order, Stop> {
        if quantity != 0 {
            lines::check_quantity(|| "quantity".to_owned(), quantity)?;
        }
        for _ in 0..ATTEMPTS {
            let (order, mut present) = self.editable(customer, id).await?;
            let line = present.iter_mut().find(|line| line.sku == *sku);
            line.ok_or_else(not_in_draft)?.quantity = quantity;
            present.retain(|line| line.quantity > 0);
            if present.is_empty() {
                return Err(last_line().into());
            }
            let draft = self.price(&present).await?;
            if let Some(edited) = self.store.edit_draft(None, &order, &draft).await? {
                return Ok(edited);
            }
        }
        Err(ApiError::unavailable("the draft is being changed by others").into())
    }

    async fn price(&self, lines: &[Demand]) -> Result<Draft, Stop> {
        Ok(pricing::price(&self.catalogue, lines).await?.into_draft())
    }

    /// A draft of `customer`, with its lines.
    async fn editable(&self, customer: UserId, id: OrderId) -> Result<(Order, Vec<Demand>), Stop> {
        let order = draft_of(&self.store, customer, id).await?;
        Ok((order, demands(&self.store, id).await?))
    }

    /// The order of a key that was used before.
    async fn repeated(&self, key: &Key) -> Result<Option<Order>, Stop> {
        match self.store.record(key).await? {
            None => Ok(None),
            Some(record) if record.parameters != key.parameters => Err(idempotency::reused().into()),
            Some(record) => Ok(Some(stored(&self.store, record.order).await?)),
        }
    }

    async fn first(&self, key: &Key) -> Result<Order, Stop> {
        let order = self.repeated(key).await?;
        order.ok_or_else(|| ApiError::internal("a used key has no record").into())
    }
}

/// An order of `customer` that is still a draft.
pub async fn draft_of(store: &Store, customer: UserId, id: OrderId) -> Result<Order, Stop> {
    let order = store.order(id).await?;
    let order = order
        .filter(|order| order.customer == customer)
        .ok_or_else(order_not_found)?;
    if order.status != Status::Draft {
        let message = format!("an order that is {} is no draft", order.status);
        return Err(UserError::on("orderId", ErrorCode::OrderNotEditable, message).into());
    }
    Ok(order)
}

/// What an order's lines ask for.
pub async fn demands(store: &Store, id: OrderId) -> Result<Vec<Demand>, Stop> {
    let lines = store.lines_of(&[id]).await?;
    let demand = |line: crate::store::Line| Demand {
        sku: line.sku,
        quantity: line.quantity,
        origin: Origin::Draft,
    };
    Ok(lines.into_iter().map(demand).collect())
}

fn answer(ended: Result<Order, Stop>) -> Result<Answer, ApiError> {
    match ended {
        Ok(order) => Ok(Answer::done(order)),
        Err(Stop::Rejected(error)) => Ok(Answer::rejected(error)),
        Err(Stop::Fault(fault)) => Err(fault),
    }
}

fn not_in_draft() -> UserError {
    UserError::on(
        "sku",
        ErrorCode::UnknownSku,
        "this variant is not part of the draft",
    )
}

fn last_line() -> UserError {
    let message = "this is the last line; cancel the order instead";
    UserError::on("quantity", ErrorCode::InvalidInput, message)
}
