//! Charges by order, one statement per tick of a request.

use std::collections::HashMap;

use dataloader::{BatchFn, cached::Loader};
use fondaco_chassis::{ApiError, data_loader::YIELDS};
use fondaco_contracts::OrderId;

use crate::store::{Charge, Store};

/// The charge of an order, or why it cannot be known.
pub type Loaded = Result<Option<Charge>, ApiError>;

/// Lives for one request.
pub type ChargeLoader = Loader<OrderId, Loaded, ChargesByOrder>;

/// Reads the charges of a batch of orders.
pub struct ChargesByOrder(Store);

/// A loader for one request.
pub fn charge_loader(store: Store) -> ChargeLoader {
    Loader::new(ChargesByOrder(store)).with_yield_count(YIELDS)
}

impl BatchFn<OrderId, Loaded> for ChargesByOrder {
    async fn load(&mut self, orders: &[OrderId]) -> HashMap<OrderId, Loaded> {
        match self.0.find_many(orders).await {
            Err(error) => {
                let error = ApiError::from(error);
                orders.iter().map(|order| (*order, Err(error.clone()))).collect()
            }
            Ok(charges) => {
                let mut found: HashMap<_, _> =
                    charges.into_iter().map(|charge| (charge.order, charge)).collect();
                orders
                    .iter()
                    .map(|order| (*order, Ok(found.remove(order))))
                    .collect()
            }
        }
    }
}
