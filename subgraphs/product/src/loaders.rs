//! Data loaders: what the resolvers of one request ask for by key is read in one statement per kind.

use std::{collections::HashMap, hash::Hash};

use async_graphql::Request;
use dataloader::{BatchFn, non_cached::Loader};
use fondaco_chassis::{ApiError, data_loader::YIELDS};
use fondaco_contracts::{ProductId, Sku};

use crate::{
    product::{Product, Variant},
    store::Store,
};

/// More keys than this are read in several statements.
const MAX_BATCH: usize = 1_000;

type Loaded<V> = Result<V, ApiError>;

/// Finds products by id.
pub type ProductById = Loader<ProductId, Loaded<Option<Product>>, ById>;
/// Finds products by slug.
pub type ProductBySlug = Loader<String, Loaded<Option<Product>>, BySlug>;
/// Finds variants by SKU.
pub type VariantBySku = Loader<Sku, Loaded<Option<Variant>>, BySku>;
/// Finds the variants of products.
pub type VariantsOfProduct = Loader<ProductId, Loaded<Vec<Variant>>, OfProduct>;

/// Gives a request its loaders.
pub fn attach(request: Request, store: &Store) -> Request {
    request
        .data(
            ProductById::new(ById(store.clone()))
                .with_max_batch_size(MAX_BATCH)
                .with_yield_count(YIELDS),
        )
        .data(
            ProductBySlug::new(BySlug(store.clone()))
                .with_max_batch_size(MAX_BATCH)
                .with_yield_count(YIELDS),
        )
        .data(
            VariantBySku::new(BySku(store.clone()))
                .with_max_batch_size(MAX_BATCH)
                .with_yield_count(YIELDS),
        )
        .data(
            VariantsOfProduct::new(OfProduct(store.clone()))
                .with_max_batch_size(MAX_BATCH)
                .with_yield_count(YIELDS),
        )
}

/// Batch function of [`ProductById`].
pub struct ById(Store);

impl BatchFn<ProductId, Loaded<Option<Product>>> for ById {
    async fn load(&mut self, ids: &[ProductId]) -> HashMap<ProductId, Loaded<Option<Product>>> {
        one_each(ids, self.0.products_by_id(ids).await, |product| product.id)
    }
}

/// Batch function of [`ProductBySlug`].
pub struct BySlug(Store);

impl BatchFn<String, Loaded<Option<Product>>> for BySlug {
    async fn load(&mut self, slugs: &[String]) -> HashMap<String, Loaded<Option<Product>>> {
        one_each(slugs, self.0.products_by_slug(slugs).await, |product| {
            product.slug.clone()
        })
    }
}

/// Batch function of [`VariantBySku`].
pub struct BySku(Store);

impl BatchFn<Sku, Loaded<Option<Variant>>> for BySku {
    async fn load(&mut self, skus: &[Sku]) -> HashMap<Sku, Loaded<Option<Variant>>> {
        one_each(skus, self.0.variants_by_sku(skus).await, |variant| {
            variant.sku.clone()
        })
    }
}

/// Batch function of [`VariantsOfProduct`].
pub struct OfProduct(Store);

impl BatchFn<ProductId, Loaded<Vec<Variant>>> for OfProduct {
    async fn load(&mut self, products: &[ProductId]) -> HashMap<ProductId, Loaded<Vec<Variant>>> {
        let variants = match self.0.variants_of(products).await.map_err(ApiError::from) {
            Ok(variants) => variants,
            Err(error) => return products.iter().map(|id| (*id, Err(error.clone()))).collect(),
        };
        let mut found: HashMap<ProductId, Vec<Variant>> =
            products.iter().map(|id| (*id, Vec::new())).collect();
        for variant in variants {
            found.entry(variant.product_id).or_default().push(variant);
        }
        found
            .into_iter()
            .map(|(id, variants)| (id, Ok(variants)))
            .collect()
    }
}

/// An answer for every key: what was found under it, nothing, or the error of the whole batch.
fn one_each<K: Clone + Eq + Hash, V>(
    keys: &[K],
    found: Result<Vec<V>, sqlx::Error>,
    key: impl Fn(&V) -> K,
) -> HashMap<K, Loaded<Option<V>>> {
    match found.map_err(ApiError::from) {
        Ok(found) => {
            let mut by_key: HashMap<K, V> = found.into_iter().map(|value| (key(&value), value)).collect();
            keys.iter()
                .map(|key| (key.clone(), Ok(by_key.remove(key))))
                .collect()
        }
        Err(error) => keys.iter().map(|key| (key.clone(), Err(error.clone()))).collect(),
    }
}
