//! The product service: prices and sale windows, through a batching data loader that all purchases share.
//!
//! Whoever asks while a call is under way, or within the freshness after it, shares one call. The loader is cached with an expiry rather
//! than the crate's uncached one, which keeps an entry for every key it ever loaded.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use dataloader::{
    BatchFn,
    cached::{Cache, Loader},
};
use fondaco_chassis::{ApiError, CallError, Repeat, Runtime, ServiceClient};
use fondaco_contracts::{Money, Sku};
use serde::Deserialize;
use serde_json::json;

/// A variant as the catalogue sells it now.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Variant {
    /// The key.
    pub sku: Sku,
    /// Shown on the order.
    pub name: String,
    /// The price of one.
    pub price: Money,
    /// Set when it is sold from a certain time on.
    pub drop: Option<LimitedDrop>,
    /// False when it is not for sale.
    pub active: bool,
}

/// A limited drop.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitedDrop {
    /// When the sale begins.
    pub starts_at: DateTime<Utc>,
    /// How many one order may hold.
    pub per_customer_limit: i32,
}

type Loaded = Result<Option<Arc<Variant>>, Arc<CallError>>;

/// The product service.
#[derive(Clone)]
pub struct Catalogue {
    loader: Loader<Sku, Loaded, VariantsBySku, FreshCache>,
}

/// A waiter can find its answer gone when it wakes after the freshness has passed; then it asks again.
const ATTEMPTS: usize = 5;

impl Catalogue {
    /// Reached through the runtime's peers.
    pub fn new(runtime: &Runtime, freshness: Duration) -> Self {
        let client = ServiceClient::new(runtime, "order", "product");
        let cache = FreshCache {
            freshness,
            entries: HashMap::new(),
        };
        Self {
            loader: Loader::with_cache(VariantsBySku(client), cache),
        }
    }

    /// The variants of `skus`, in their order; none where the catalogue has no such SKU.
    pub async fn variants(&self, skus: &[Sku]) -> Result<Vec<Option<Arc<Variant>>>, ApiError> {
        for _ in 0..ATTEMPTS {
            let Ok(mut found) = self.loader.try_load_many(skus.to_vec()).await else {
                continue;
            };
            let in_order = skus.iter().map(|sku| found.remove(sku).unwrap_or(Ok(None)));
            return in_order.collect::<Result<_, _>>().map_err(unavailable);
        }
        Err(ApiError::unavailable(
            "the catalogue answers more slowly than its answers stay fresh",
        ))
    }
}

fn unavailable(error: Arc<CallError>) -> ApiError {
    if error.is_retryable() {
        ApiError::unavailable(error)
    } else {
        ApiError::internal(error)
    }
}

struct VariantsBySku(ServiceClient);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VariantsData {
    purchasable_variants: Vec<Option<Variant>>,
}

impl BatchFn<Sku, Loaded> for VariantsBySku {
    async fn load(&mut self, skus: &[Sku]) -> HashMap<Sku, Loaded> {
        const VARIANTS: &str = "query Purchasable($skus: [ID!]!) { purchasableVariants(skus: $skus) { \
            sku name price { amount currency } drop { startsAt perCustomerLimit } active } }";
        match self
            .0
            .call::<VariantsData>(VARIANTS, &json!({ "skus": skus }), Repeat::Safe)
            .await
        {
            Ok(data) => {
                let mut loaded: HashMap<_, _> = skus.iter().map(|sku| (sku.clone(), Ok(None))).collect();
                let found = data.purchasable_variants.into_iter().flatten();
                loaded.extend(found.map(|variant| (variant.sku.clone(), Ok(Some(Arc::new(variant))))));
                loaded
            }
            Err(error) => {
                let error = Arc::new(error);
                skus.iter()
                    .map(|sku| (sku.clone(), Err(Arc::clone(&error))))
                    .collect()
            }
        }
    }
}

/// Forgets what is no longer fresh.
struct FreshCache {
    freshness: Duration,
    entries: HashMap<Sku, (Instant, Loaded)>,
}

/// Stale entries are swept when there are more than this.
const SWEEP_ABOVE: usize = 1_000;

impl Cache for FreshCache {
    type Key = Sku;
    type Val = Loaded;

    fn get(&mut self, sku: &Sku) -> Option<&Loaded> {
        let (loaded_at, loaded) = self.entries.get(sku)?;
        (loaded_at.elapsed() <= self.freshness).then_some(loaded)
    }

    fn insert(&mut self, sku: Sku, loaded: Loaded) {
        if self.entries.len() > SWEEP_ABOVE {
            let freshness = self.freshness;
            self.entries
                .retain(|_, (loaded_at, _)| loaded_at.elapsed() <= freshness);
        }
        self.entries.insert(sku, (Instant::now(), loaded));
    }

    fn remove(&mut self, sku: &Sku) -> Option<Loaded> {
        self.entries.remove(sku).map(|(_, loaded)| loaded)
    }

    fn clear(&mut self) {
        self.entries.clear();
    }
}
