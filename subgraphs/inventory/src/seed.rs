//! Stock for the demo catalogue, known to this service by its SKUs only.

use std::collections::BTreeMap;

use fondaco_contracts::Sku;

use crate::store::Store;

const STOCK: &str = include_str!("../seed/stock.json");

/// Gives those demo SKUs stock that have none.
pub async fn load(store: &Store) -> Result<(), sqlx::Error> {
    let (skus, totals): (Vec<Sku>, Vec<i64>) = stock().into_iter().unzip();
    store.seed(&skus, &totals).await
}

fn stock() -> BTreeMap<Sku, i64> {
    serde_json::from_str(STOCK).expect("the demo stock is well-formed: a test reads it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_stock_is_believable() {
        let stock = stock();
        assert!(stock.len() > 200);
        assert!(stock.values().all(|total| (0..=50_000).contains(total)));
        assert!(stock.values().any(|total| *total == 0), "something is sold out");
        let edition: Sku = "EDITION01-M".parse().unwrap();
        assert_eq!(stock[&edition], 100);
    }
}
