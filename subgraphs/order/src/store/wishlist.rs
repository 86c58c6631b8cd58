//! Wishlists: what customers keep for later, one row a SKU.

use chrono::{DateTime, Utc};
use fondaco_contracts::{Sku, UserId};
use sqlx::{FromRow, Row, postgres::PgRow};

use super::{Store, StoreError, undecodable};

/// A SKU on a wishlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WishlistItem {
    /// Which.
    pub sku: Sku,
    /// How many.
    pub quantity: i32,
    /// Since when.
    pub added_at: DateTime<Utc>,
}

impl Store {
    /// A customer's wishlist, in the order in which it grew.
    pub async fn wishlist(&self, customer: UserId) -> Result<Vec<WishlistItem>, StoreError> {
        let items = sqlx::query_as(
            "select sku, quantity, added_at from wishlist_item where customer_id = $1 order by added_at, sku",
        )
        .bind(customer.as_uuid())
        .fetch_all(&self.pool)
        .await?;
        Ok(items)
    }

    /// Puts so many of a SKU on the wishlist, instead of what is there of it. False when that would make more than `limit` SKUs.
    pub async fn put_on_wishlist(
        &self,
        customer: UserId,
        sku: &Sku,
        quantity: i32,
        limit: i64,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "insert into wishlist_item (customer_id, sku, quantity)
             select $1, $2, $3
             where (select count(*) from wishlist_item where customer_id = $1 and sku <> $2) < $4
             on conflict (customer_id, sku) do update set quantity = excluded.quantity",
        )
        .bind(customer.as_uuid())
        .bind(sku.as_str())
        .bind(quantity)
        .bind(limit)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Changes the quantity of a SKU that is on the wishlist. False when it is not.
    pub async fn update_wishlist(
        &self,
        customer: UserId,
        sku: &Sku,
        quantity: i32,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query("update wishlist_item set quantity = $3 where customer_id = $1 and sku = $2")
            .bind(customer.as_uuid())
            .bind(sku.as_str())
            .bind(quantity)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes a SKU off the wishlist. False when it is not on it.
    pub async fn remove_from_wishlist(&self, customer: UserId, sku: &Sku) -> Result<bool, StoreError> {
        let done = sqlx::query("delete from wishlist_item where customer_id = $1 and sku = $2")
            .bind(customer.as_uuid())
            .bind(sku.as_str())
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}

impl FromRow<'_, PgRow> for WishlistItem {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let sku: String = row.try_get("sku")?;
        Ok(Self {
            sku: sku.parse().map_err(undecodable)?,
            quantity: row.try_get("quantity")?,
            added_at: row.try_get("added_at")?,
        })
    }
}
