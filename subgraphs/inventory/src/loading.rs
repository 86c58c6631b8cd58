//! Making counters in Redis from what Postgres says.

use std::{collections::HashMap, sync::Arc};

use fondaco_chassis::ApiError;
use fondaco_contracts::Sku;
use futures::future::try_join_all;

use crate::{
    counters::Counters,
    epoch::Guard,
    store::{CustomerUnits, OpenHold, Store, limited_units, lock_stock, open_holds},
};

/// Counters that are written at the same time: more would keep the last of them waiting for longer than Redis is given.
const SKUS_AT_ONCE: usize = 8;

/// What became of a missing counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loaded {
    /// It is there; so many units are available.
    Now(i64),
    /// There is no stock of this SKU.
    Unknown,
    /// It is missing because Redis has lost what it was told: sales are closed.
    Closed,
}

/// Loads the counters that buyers found missing: because they were to be made anew, or because Redis has forgotten all it knew.
pub async fn load_all(
    store: Store,
    counters: Arc<Counters>,
    guard: Arc<Guard>,
    mut skus: Vec<Sku>,
) -> Result<Vec<Loaded>, ApiError> {
    let wanted = skus.clone();
    skus.sort();
    skus.dedup();
    let before = counters.epoch();
    guard.look().await?;
    // Whoever was admitted before is refused in the end, so nobody is admitted by the new counters on the way.
    if before != counters.epoch() {
        return Ok(vec![Loaded::Closed; wanted.len()]);
    }
    let found = load(&store, &counters, &skus).await?;
    let loaded = |sku| {
        found
            .get(sku)
            .map_or(Loaded::Unknown, |units| Loaded::Now(*units))
    };
    Ok(wanted.iter().map(loaded).collect())
}

/// Loads the counters of `skus` where they are missing, under the locks of their stock rows; what is available of those that have stock.
pub async fn load(store: &Store, counters: &Counters, skus: &[Sku]) -> Result<HashMap<Sku, i64>, ApiError> {
    let mut transaction = store.begin().await?;
    let stock = lock_stock(&mut transaction, skus).await?;
    if stock.is_empty() {
        return Ok(HashMap::new());
    }
    let mut holds: HashMap<Sku, Vec<OpenHold>> = HashMap::new();
    for hold in open_holds(&mut transaction, skus).await? {
        holds.entry(hold.sku.clone()).or_default().push(hold);
    }
    let mut customers: HashMap<Sku, Vec<CustomerUnits>> = HashMap::new();
    for one in limited_units(&mut transaction, skus).await? {
        customers.entry(one.sku.clone()).or_default().push(one);
    }
    let mut loaded = HashMap::with_capacity(stock.len());
    for rows in stock.chunks(SKUS_AT_ONCE) {
        let loads = rows.iter().map(|row| {
            let holds = holds.get(&row.sku).map_or(&[][..], Vec::as_slice);
            let customers = customers.get(&row.sku).map_or(&[][..], Vec::as_slice);
            counters.load(row, holds, customers)
        });
        let available = try_join_all(loads).await?;
        loaded.extend(rows.iter().map(|row| row.sku.clone()).zip(available));
    }
    transaction.rollback().await?;
    Ok(loaded)
}
