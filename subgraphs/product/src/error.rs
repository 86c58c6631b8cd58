//! Why the catalogue cannot be written.

use fondaco_contracts::Sku;

/// A refused or failed write.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Another product has this slug.
    #[error("the slug is taken")]
    SlugTaken,
    /// A variant of another product has this SKU.
    #[error("the SKU {0} belongs to another product")]
    SkuTaken(Sku),
    /// There is no such product.
    #[error("no such product")]
    NotFound,
    /// Variants of one product are priced in one currency.
    #[error("a product's variants are priced in one currency")]
    MixedCurrencies,
    /// A statement failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}
