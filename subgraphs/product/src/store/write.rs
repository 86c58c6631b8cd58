//! Writing products: the product, its variants and what it keeps of them change in one transaction.

use chrono::{DateTime, Utc};
use fondaco_contracts::ProductId;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::Store;
use crate::{
    draft::{ProductChanges, ProductDraft, VariantDraft},
    error::WriteError,
    product::{Product, ProductOption},
};

impl Store {
    /// Stores a new product that was added at `created_at`.
    pub async fn create(
        &self,
        draft: &ProductDraft,
        created_at: DateTime<Utc>,
    ) -> Result<Product, WriteError> {
        let mut transaction = self.pool.begin().await?;
        let product: Option<Product> = sqlx::query_as(
            "INSERT INTO product (id, slug, name, description, category, status, price_min, price_max, in_drop, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, 0, 0, false, $7)
             ON CONFLICT (slug) DO NOTHING
             RETURNING id, slug, name, description, category, status, created_at",
        )
        .bind(ProductId::new().as_uuid())
        .bind(&draft.slug)
        .bind(&draft.name)
        .bind(&draft.description)
        .bind(&draft.category)
        .bind(draft.status.as_str())
        .bind(created_at)
        .fetch_optional(&mut *transaction)
        .await?;
        let product = product.ok_or(WriteError::SlugTaken)?;
        write_variants(&mut transaction, product.id, &draft.variants).await?;
        transaction.commit().await?;
        Ok(product)
    }

    /// Changes a product; what `changes` leaves out stays.
    pub async fn update(&self, id: ProductId, changes: &ProductChanges) -> Result<Product, WriteError> {
        let mut transaction = self.pool.begin().await?;
        let product: Option<Product> = sqlx::query_as(
            "UPDATE product SET slug = coalesce($2, slug), name = coalesce($3, name),
                description = coalesce($4, description), category = coalesce($5, category),
                status = coalesce($6, status), updated_at = now()
             WHERE id = $1
             RETURNING id, slug, name, description, category, status, created_at",
        )
        .bind(id.as_uuid())
        .bind(&changes.slug)
        .bind(&changes.name)
        .bind(&changes.description)
        .bind(&changes.category)
        .bind(changes.status.map(|status| status.as_str()))
        .fetch_optional(&mut *transaction)
        .await
        .map_err(slug_conflict)?;
        let product = product.ok_or(WriteError::NotFound)?;
        if !changes.variants.is_empty() {
            write_variants(&mut transaction, id, &changes.variants).await?;
        }
        transaction.commit().await?;
        Ok(product)
    }
}

fn slug_conflict(error: sqlx::Error) -> WriteError {
    match &error {
        sqlx::Error::Database(database) if database.is_unique_violation() => WriteError::SlugTaken,
        _ => error.into(),
    }
}

/// Adds or replaces variants by SKU; new ones come behind those that are there.
async fn write_variants(
    connection: &mut PgConnection,
    product: ProductId,
    variants: &[VariantDraft],
) -> Result<(), WriteError> {
    let product = product.as_uuid();
    let stored = upsert(connection, product, variants).await?;
    if let Some(foreign) = variants
        .iter()
        .find(|variant| !stored.iter().any(|sku| sku == variant.sku.as_str()))
    {
        return Err(WriteError::SkuTaken(foreign.sku.clone()));
    }
    summarise(connection, product).await
}

/// The SKUs written: a SKU of another product is not among them.
async fn upsert(
    connection: &mut PgConnection,
    product: Uuid,
    variants: &[VariantDraft],
) -> Result<Vec<String>, sqlx::Error> {
    let skus: Vec<&str> = variants.iter().map(|variant| variant.sku.as_str()).collect();
    let names: Vec<&str> = variants.iter().map(|variant| variant.name.as_str()).collect();
    let options: Vec<Json<&Vec<ProductOption>>> =
        variants.iter().map(|variant| Json(&variant.options)).collect();
    let prices: Vec<i64> = variants
        .iter()
        .map(|variant| variant.price.minor_units())
        .collect();
    let currencies: Vec<&str> = variants
        .iter()
        .map(|variant| variant.price.currency.as_str())
        .collect();
    let starts: Vec<Option<DateTime<Utc>>> = variants
        .iter()
        .map(|variant| variant.drop.map(|drop| drop.starts_at))
        .collect();
    let limits: Vec<Option<i32>> = variants
        .iter()
        .map(|variant| variant.drop.map(|drop| drop.per_customer_limit))
        .collect();
    sqlx::query_scalar(
        "INSERT INTO variant (sku, product_id, position, name, options, price, currency, drop_starts_at, drop_limit)
         SELECT v.sku, $1, v.position + (SELECT coalesce(max(position), 0) FROM variant WHERE product_id = $1),
                v.name, v.options, v.price, v.currency, v.drop_starts_at, v.drop_limit
         FROM unnest($2::text[], $3::text[], $4::jsonb[], $5::bigint[], $6::text[], $7::timestamptz[], $8::int[])
              WITH ORDINALITY AS v(sku, name, options, price, currency, drop_starts_at, drop_limit, position)
         ON CONFLICT (sku) DO UPDATE SET name = excluded.name, options = excluded.options, price = excluded.price,
                currency = excluded.currency, drop_starts_at = excluded.drop_starts_at, drop_limit = excluded.drop_limit
         WHERE variant.product_id = excluded.product_id
         RETURNING sku",
    )
    .bind(product)
    .bind(skus)
    .bind(names)
    .bind(options)
    .bind(prices)
    .bind(currencies)
    .bind(starts)
    .bind(limits)
    .fetch_all(connection)
    .await
}

/// Brings what the product keeps of its variants up to date.
async fn summarise(connection: &mut PgConnection, product: Uuid) -> Result<(), WriteError> {
    let currencies: i64 = sqlx::query_scalar(
        "WITH summary AS (
             SELECT min(price) AS least, max(price) AS most, bool_or(drop_limit IS NOT NULL) AS in_drop,
                    count(DISTINCT currency) AS currencies
             FROM variant WHERE product_id = $1)
         UPDATE product SET price_min = least, price_max = most, in_drop = summary.in_drop
         FROM summary WHERE id = $1 RETURNING currencies",
    )
    .bind(product)
    .fetch_one(connection)
    .await?;
    if currencies == 1 {
        Ok(())
    } else {
        Err(WriteError::MixedCurrencies)
    }
}
