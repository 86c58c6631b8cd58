//! How long keys stand for their first request.

use fondaco_order::{key_retention, store::Store};
use serde_json::json;

use crate::shop::{Shop, error, without_sweeper};

#[tokio::test]
async fn keys_are_forgotten_after_a_week_and_not_before() {
    let shop = Shop::open(&without_sweeper()).await;
    let first = shop.buy("k").await;
    let refund = json!({ "orderId": first, "idempotencyKey": "refund" });
    shop.mutate("requestRefund", "RequestRefundInput", "", refund)
        .await;
    let store = Store::new(shop.pool().await);
    for (age, is_known) in [("23 hours", true), ("6 days", true), ("8 days", false)] {
        sqlx::query("update idempotency_record set created_at = now() - $1::interval, leased_until = now() - $1::interval")
            .bind(age)
            .execute(&mut shop.database().await)
            .await
            .unwrap();
        key_retention::forget(&store).await.unwrap();
        let other = shop.purchase("k", &[("SCARF", 1)], "tok_success").await;
        if is_known {
            assert_eq!(error(&other).0, "IDEMPOTENCY_KEY_REUSED", "{age}");
        } else {
            assert_eq!(other["order"]["status"], "CONFIRMED", "{age}");
        }
    }
    // A refund is found by its key for ever.
    let other = json!({ "orderId": first, "idempotencyKey": "refund", "reason": "another" });
    let payload = shop
        .mutate("requestRefund", "RequestRefundInput", "", other)
        .await;
    assert_eq!(error(&payload).0, "IDEMPOTENCY_KEY_REUSED");
}
