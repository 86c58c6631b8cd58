//! The demo catalogue: loaded once, product by product, so that a start after an interrupted one completes it and never touches what exists.

use chrono::{DateTime, Duration, Utc};
use fondaco_contracts::{CurrencyCode, Money, Sku, money::Amount};
use serde::Deserialize;

use crate::{
    draft::{ProductDraft, VariantDraft},
    error::WriteError,
    product::{LimitedDrop, ProductOption, ProductStatus},
    store::Store,
};

const CATALOGUE: &str = include_str!("../seed/catalogue.json");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedProduct {
    slug: String,
    name: String,
    category: String,
    description: String,
    added_days_ago: i64,
    drop: Option<SeedDrop>,
    variants: Vec<SeedVariant>,
}

/// Relative to the moment of loading, so that a fresh demo always has past and future drops.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedDrop {
    starts_in_hours: i64,
    per_customer_limit: i32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedVariant {
    sku: Sku,
    name: String,
    options: Vec<ProductOption>,
    price: Amount,
}

/// Adds those products of the demo catalogue that are missing.
pub async fn load(store: &Store) -> Result<(), WriteError> {
    let now = Utc::now();
    for product in catalogue() {
        let created_at = now - Duration::days(product.added_days_ago);
        match store.create(&product.into_draft(now), created_at).await {
            Ok(_) | Err(WriteError::SlugTaken) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn catalogue() -> Vec<SeedProduct> {
    serde_json::from_str(CATALOGUE).expect("the demo catalogue is well-formed: a test reads it")
}

impl SeedProduct {
    fn into_draft(self, now: DateTime<Utc>) -> ProductDraft {
        let drop = self.drop.map(|drop| LimitedDrop {
            starts_at: now + Duration::hours(drop.starts_in_hours),
            per_customer_limit: drop.per_customer_limit,
        });
        let variant = |seed: SeedVariant| VariantDraft {
            sku: seed.sku,
            name: seed.name,
            options: seed.options,
            price: Money {
                amount: seed.price,
                currency: CurrencyCode::EUR,
            },
            drop,
        };
        ProductDraft {
            variants: self.variants.into_iter().map(variant).collect(),
            name: self.name,
            slug: self.slug,
            description: self.description,
            category: self.category,
            status: ProductStatus::Active,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::draft::is_slug;

    #[test]
    fn the_demo_catalogue_is_believable() {
        let products = catalogue();
        assert_eq!(products.len(), 60);
        let slugs: HashSet<_> = products.iter().map(|product| &product.slug).collect();
        assert_eq!(slugs.len(), 60);
        assert!(slugs.iter().all(|slug| is_slug(slug)));
        let skus: Vec<_> = products
            .iter()
            .flat_map(|product| &product.variants)
            .map(|v| &v.sku)
            .collect();
        assert_eq!(skus.iter().collect::<HashSet<_>>().len(), skus.len());
        assert!(
            products
                .iter()
                .all(|product| (2..=6).contains(&product.variants.len()))
        );
        assert!(
            products
                .iter()
                .filter(|product| product.category == "Coats")
                .count()
                >= 12
        );
        let starts: Vec<_> = products
            .iter()
            .filter_map(|product| product.drop)
            .map(|d| d.starts_in_hours)
            .collect();
        assert!(starts.iter().any(|hours| *hours < 0) && starts.iter().any(|hours| *hours > 0));
    }
}
