//! Forgetting old idempotency keys.

use std::time::Duration;

use super::{Store, StoreError};

impl Store {
    /// Forgets keys that are older than `retention`, at most `limit` of them; gives how many. Those that nobody has finished go too: their
    /// holds have lapsed long ago.
    pub async fn forget_keys(&self, retention: Duration, limit: u64) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "delete from idempotency_record where ctid = any(array(
                select k.ctid from idempotency_record k
                where k.created_at < now() - make_interval(secs => $1) and k.leased_until < now()
                    and not exists (
                        select from refund r
                        where r.customer_id = k.customer_id and r.idempotency_key = k.idempotency_key)
                limit $2))",
        )
        .bind(retention.as_secs_f64())
        .bind(limit as i64)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }
}
