//! All SQL of the catalogue: reading by key. Listing and writing have files of their own.

mod listing;
mod write;

use chrono::{DateTime, Utc};
use fondaco_contracts::{CurrencyCode, Money, ProductId, Sku};
use sqlx::{FromRow, PgPool, Row, postgres::PgRow, types::Json};
use uuid::Uuid;

pub use listing::{Filter, Listing, Page, ProductSort, Span};

use crate::product::{LimitedDrop, Product, ProductOption, ProductStatus, PurchasableVariant, Variant};

/// The catalogue's database.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
}

impl Store {
    /// A store on an open, migrated pool.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The products among `ids` that exist, in any order.
    pub async fn products_by_id(&self, ids: &[ProductId]) -> Result<Vec<Product>, sqlx::Error> {
        let ids: Vec<Uuid> = ids.iter().map(ProductId::as_uuid).collect();
        sqlx::query_as(
            "SELECT id, slug, name, description, category, status, created_at FROM product WHERE id = ANY($1)",
        )
        .bind(ids)
        .fetch_all(&self.pool)
        .await
    }

    /// The products among `slugs` that exist, in any order.
    pub async fn products_by_slug(&self, slugs: &[String]) -> Result<Vec<Product>, sqlx::Error> {
        sqlx::query_as(
            "SELECT id, slug, name, description, category, status, created_at FROM product WHERE slug = ANY($1)",
        )
        .bind(slugs)
        .fetch_all(&self.pool)
        .await
    }

    /// The variants among `skus` that exist, in any order.
    pub async fn variants_by_sku(&self, skus: &[Sku]) -> Result<Vec<Variant>, sqlx::Error> {
        let skus: Vec<&str> = skus.iter().map(Sku::as_str).collect();
        sqlx::query_as(
            "SELECT sku, product_id, name, options, price, currency, drop_starts_at, drop_limit
             FROM variant WHERE sku = ANY($1)",
        )
        .bind(skus)
        .fetch_all(&self.pool)
        .await
    }

    /// All variants of `products`; those of one product in the merchant's order.
    pub async fn variants_of(&self, products: &[ProductId]) -> Result<Vec<Variant>, sqlx::Error> {
        let ids: Vec<Uuid> = products.iter().map(ProductId::as_uuid).collect();
        sqlx::query_as(
            "SELECT sku, product_id, name, options, price, currency, drop_starts_at, drop_limit
             FROM variant WHERE product_id = ANY($1) ORDER BY product_id, position",
        )
        .bind(ids)
        .fetch_all(&self.pool)
        .await
    }

    /// What the order service needs to know of those of `skus` that exist, in any order.
    pub async fn purchasable(&self, skus: &[Sku]) -> Result<Vec<PurchasableVariant>, sqlx::Error> {
        let skus: Vec<&str> = skus.iter().map(Sku::as_str).collect();
        sqlx::query_as(
            "SELECT v.sku, v.product_id, p.name AS product_name, v.name, v.price, v.currency, v.drop_starts_at,
                    v.drop_limit, p.status = 'ACTIVE' AS active
             FROM variant v JOIN product p ON p.id = v.product_id WHERE v.sku = ANY($1)",
        )
        .bind(skus)
        .fetch_all(&self.pool)
        .await
    }
}

impl FromRow<'_, PgRow> for Product {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let status: &str = row.try_get("status")?;
        Ok(Self {
            id: row.try_get::<Uuid, _>("id")?.into(),
            slug: row.try_get("slug")?,
            name: row.try_get("name")?,
            description: row.try_get("description")?,
            category: row.try_get("category")?,
            status: ProductStatus::from_stored(status).ok_or_else(|| corrupt("status"))?,
            created_at: row.try_get("created_at")?,
        })
    }
}

impl FromRow<'_, PgRow> for Variant {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let options: Json<Vec<ProductOption>> = row.try_get("options")?;
        Ok(Self {
            sku: sku(row)?,
            product_id: row.try_get::<Uuid, _>("product_id")?.into(),
            name: row.try_get("name")?,
            options: options.0,
            price: price(row)?,
            drop: drop(row)?,
        })
    }
}

impl FromRow<'_, PgRow> for PurchasableVariant {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let (product, variant): (&str, &str) = (row.try_get("product_name")?, row.try_get("name")?);
        Ok(Self {
            sku: sku(row)?,
            name: format!("{product}, {variant}"),
            product_id: row.try_get::<Uuid, _>("product_id")?.into(),
            price: price(row)?,
            drop: drop(row)?,
            active: row.try_get("active")?,
        })
    }
}

fn sku(row: &PgRow) -> Result<Sku, sqlx::Error> {
    Sku::try_from(row.try_get::<String, _>("sku")?).map_err(|_| corrupt("sku"))
}

fn price(row: &PgRow) -> Result<Money, sqlx::Error> {
    let currency: CurrencyCode = row
        .try_get::<&str, _>("currency")?
        .parse()
        .map_err(|_| corrupt("currency"))?;
    Money::new(row.try_get("price")?, currency).map_err(|_| corrupt("price"))
}

fn drop(row: &PgRow) -> Result<Option<LimitedDrop>, sqlx::Error> {
    let starts_at: Option<DateTime<Utc>> = row.try_get("drop_starts_at")?;
    let limit: Option<i32> = row.try_get("drop_limit")?;
    Ok(starts_at
        .zip(limit)
        .map(|(starts_at, per_customer_limit)| LimitedDrop {
            starts_at,
            per_customer_limit,
        }))
}

/// A value that the table's constraints exclude.
fn corrupt(column: &str) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: "the value is impossible".into(),
    }
}
