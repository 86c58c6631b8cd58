//! The catalogue's own terms: products, variants and limited drops.

use async_graphql::{Enum, InputObject, SimpleObject};
use chrono::{DateTime, Utc};
use fondaco_contracts::{Money, ProductId, Sku};
use serde::{Deserialize, Serialize};

/// Where a product stands in its life.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Enum)]
pub enum ProductStatus {
    /// Being prepared: seen by merchants only.
    Draft,
    /// On sale.
    Active,
    /// No longer sold, still shown in past orders.
    Archived,
}

impl ProductStatus {
    /// As the database stores it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Active => "ACTIVE",
            Self::Archived => "ARCHIVED",
        }
    }

    /// From what the database stores.
    pub fn from_stored(text: &str) -> Option<Self> {
        [Self::Draft, Self::Active, Self::Archived]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

/// A product without its variants.
#[derive(Clone, Debug)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Its name in addresses, unique.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Plain text.
    pub description: String,
    /// Such as `Coats`.
    pub category: String,
    /// Where it stands in its life.
    pub status: ProductStatus,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

/// One of the forms in which a product is sold.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its key, shared with inventory and order.
    pub sku: Sku,
    /// The product it is a form of.
    pub product_id: ProductId,
    /// What tells it from its siblings, such as `M / Navy`.
    pub name: String,
    /// The same, part by part.
    pub options: Vec<ProductOption>,
    /// For one unit.
    pub price: Money,
    /// Present when it is sold as a limited drop.
    pub drop: Option<LimitedDrop>,
}

/// One choice that makes a variant, such as Size: M.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, SimpleObject, InputObject)]
#[graphql(input_name = "ProductOptionInput")]
pub struct ProductOption {
    /// What is chosen, such as `Size`.
    pub name: String,
    /// What it is, such as `M`.
    pub value: String,
}

/// A sale that begins at an instant, with a limit per customer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, SimpleObject, InputObject)]
#[graphql(input_name = "LimitedDropInput")]
pub struct LimitedDrop {
    /// Nothing is sold before.
    pub starts_at: DateTime<Utc>,
    /// Units that one customer may buy in all; at least 1.
    pub per_customer_limit: i32,
}

/// What the order service needs to know to sell a variant.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(inaccessible)]
pub struct PurchasableVariant {
    /// The variant.
    pub sku: Sku,
    /// The product's and the variant's name, as an order line shows it.
    pub name: String,
    /// The product.
    pub product_id: ProductId,
    /// For one unit, now.
    pub price: Money,
    /// Present when it is sold as a limited drop.
    pub drop: Option<LimitedDrop>,
    /// Is the product on sale?
    pub active: bool,
}
