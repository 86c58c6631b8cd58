//! What is remembered of the provider: its names for payments, and the webhooks that were acted on.

use std::time::Duration;

use fondaco_contracts::OrderId;

use super::{Store, StoreError};

/// Longer than any provider repeats a webhook.
const WEBHOOKS_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl Store {
    /// What an order's payment is called at the provider, where it was made there.
    pub async fn reference(&self, order: OrderId) -> Result<Option<String>, StoreError> {
        let reference = sqlx::query_scalar("select reference from provider_reference where order_id = $1")
            .bind(order.as_uuid())
            .fetch_optional(&self.pool)
            .await?;
        Ok(reference)
    }

    /// Remembers the name; the one that counts, which is the first.
    pub async fn keep_reference(&self, order: OrderId, reference: &str) -> Result<String, StoreError> {
        let kept = sqlx::query_scalar(
            "insert into provider_reference (order_id, reference) values ($1, $2)
             on conflict (order_id) do update set reference = provider_reference.reference returning reference",
        )
        .bind(order.as_uuid())
        .bind(reference)
        .fetch_one(&self.pool)
        .await?;
        Ok(kept)
    }

    /// Was a webhook acted on?
    pub async fn knows_webhook(&self, id: &str) -> Result<bool, StoreError> {
        let known = sqlx::query_scalar("select exists (select from webhook where id = $1)")
            .bind(id)
            .fetch_one(&self.pool)
            .await?;
        Ok(known)
    }

    /// Remembers that a webhook was acted on, and forgets those of long ago.
    pub async fn webhook_done(&self, id: &str) -> Result<(), StoreError> {
        sqlx::query(
            "with forgotten as (delete from webhook where received_at < now() - make_interval(secs => $2))
             insert into webhook (id) values ($1) on conflict do nothing",
        )
        .bind(id)
        .bind(WEBHOOKS_KEPT.as_secs_f64())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
