//! Data loaders: what the resolvers of one request ask for by key is read in one go per kind.

use std::{collections::HashMap, hash::Hash};

use async_graphql::Request;
use dataloader::{BatchFn, non_cached::Loader};
use fondaco_chassis::{ApiError, data_loader::YIELDS};
use fondaco_contracts::{ProductId, Sku};

use crate::{
    catalogue::Catalogue,
    product::{Product, Variant},
};

/// More keys than this are read in several goes.
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
pub fn attach(request: Request, catalogue: &Catalogue) -> Request {
    request
        .data(loader(ById(catalogue.clone())))
        .data(loader(BySlug(catalogue.clone())))
        .data(loader(BySku(catalogue.clone())))
        .data(loader(OfProduct(catalogue.clone())))
}

fn loader<K, V, F>(batch: F) -> Loader<K, V, F>
where
    K: Eq + Hash + Clone + std::fmt::Debug,
    V: Clone,
    F: BatchFn<K, V>,
{
    Loader::new(batch)
        .with_max_batch_size(MAX_BATCH)
        .with_yield_count(YIELDS)
}

/// Batch function of [`ProductById`].
pub struct ById(Catalogue);

impl BatchFn<ProductId, Loaded<Option<Product>>> for ById {
    async fn load(&mut self, ids: &[ProductId]) -> HashMap<ProductId, Loaded<Option<Product>>> {
        answers(ids, self.0.products_by_id(ids).await)
    }
}

/// Batch function of [`ProductBySlug`].
pub struct BySlug(Catalogue);

impl BatchFn<String, Loaded<Option<Product>>> for BySlug {
    async fn load(&mut self, slugs: &[String]) -> HashMap<String, Loaded<Option<Product>>> {
        answers(slugs, self.0.products_by_slug(slugs).await)
    }
}

/// Batch function of [`VariantBySku`].
pub struct BySku(Catalogue);

impl BatchFn<Sku, Loaded<Option<Variant>>> for BySku {
    async fn load(&mut self, skus: &[Sku]) -> HashMap<Sku, Loaded<Option<Variant>>> {
        answers(skus, self.0.variants_by_sku(skus).await)
    }
}

/// Batch function of [`VariantsOfProduct`].
pub struct OfProduct(Catalogue);

impl BatchFn<ProductId, Loaded<Vec<Variant>>> for OfProduct {
    async fn load(&mut self, products: &[ProductId]) -> HashMap<ProductId, Loaded<Vec<Variant>>> {
        answers(products, self.0.variants_of(products).await)
    }
}

/// What was found under each key, or the error of the whole batch under every key.
fn answers<K: Clone + Eq + Hash, V>(
    keys: &[K],
    found: Result<HashMap<K, V>, sqlx::Error>,
) -> HashMap<K, Loaded<V>> {
    match found.map_err(ApiError::from) {
        Ok(found) => found.into_iter().map(|(key, value)| (key, Ok(value))).collect(),
        Err(error) => keys.iter().map(|key| (key.clone(), Err(error.clone()))).collect(),
    }
}
