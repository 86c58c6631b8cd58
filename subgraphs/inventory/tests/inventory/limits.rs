//! Sale windows and limits per customer: enforced where stock is admitted, across orders, and rebuilt when Redis forgets.

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use fondaco_chassis::testing;
use fondaco_contracts::{OrderId, UserId};
use redis::AsyncCommands;
use serde_json::{Value, json};

use crate::Warehouse;

impl Warehouse {
    /// One line of `sku` for `customer`, under the terms of a drop that opened an hour ago.
    async fn limited(&self, order: OrderId, customer: UserId, quantity: i32, limit: i32) -> Value {
        let opens_at = Utc::now() - TimeDelta::hours(1);
        let line =
            json!({ "sku": "DROP", "quantity": quantity, "perCustomerLimit": limit, "opensAt": opens_at });
        self.reserve_line(order, customer, line).await
    }

    async fn reserve_line(&self, order: OrderId, customer: UserId, line: Value) -> Value {
        let query = "mutation($input: ReserveStockInput!) { reserveStock(inputs: [$input]) { outcome sku available } }";
        let input =
            json!({ "reservationId": order, "customerId": customer, "lines": [line], "ttlSeconds": 60 });
        self.data(&testing::service("order"), query, json!({ "input": input }))
            .await["reserveStock"][0]
            .clone()
    }
}

#[tokio::test]
async fn nothing_is_held_before_the_sale_opens() {
    let warehouse = Warehouse::open().await;
    warehouse.stocked("DROP", 5).await;
    let line = |opens_in| json!({ "sku": "DROP", "quantity": 1, "opensAt": Utc::now() + TimeDelta::milliseconds(opens_in) });
    let early = warehouse
        .reserve_line(OrderId::new(), UserId::new(), line(60_000))
        .await;
    assert_eq!(
        early,
        json!({ "outcome": "SALE_NOT_STARTED", "sku": "DROP", "available": null })
    );
    assert_eq!(warehouse.books("DROP").await, [5, 5, 0, 0, 5]);
    let in_time = warehouse
        .reserve_line(OrderId::new(), UserId::new(), line(-1))
        .await;
    assert_eq!(in_time["outcome"], "RESERVED");
}

#[tokio::test]
async fn a_customer_gets_no_more_than_the_limit_in_all_orders() {
    let warehouse = Warehouse::open().await;
    warehouse.stocked("DROP", 10).await;
    let (ada, bob) = (UserId::new(), UserId::new());
    let exceeded = |left: i64| json!({ "outcome": "LIMIT_EXCEEDED", "sku": "DROP", "available": left });
    assert_eq!(warehouse.limited(OrderId::new(), ada, 3, 2).await, exceeded(2));

    let (first, second) = (OrderId::new(), OrderId::new());
    assert_eq!(warehouse.limited(first, ada, 1, 2).await["outcome"], "RESERVED");
    assert_eq!(warehouse.limited(OrderId::new(), ada, 2, 2).await, exceeded(1));
    assert_eq!(warehouse.limited(second, ada, 1, 2).await["outcome"], "RESERVED");
    assert_eq!(warehouse.limited(OrderId::new(), ada, 1, 2).await, exceeded(0));
    assert_eq!(
        warehouse.limited(first, ada, 1, 2).await["outcome"],
        "RESERVED",
        "a repeat holds nothing more"
    );
    assert_eq!(
        warehouse.limited(OrderId::new(), bob, 2, 2).await["outcome"],
        "RESERVED"
    );

    // What is bought counts, what is given back does not.
    warehouse.settle("confirmStock", first).await;
    assert_eq!(warehouse.limited(OrderId::new(), ada, 1, 2).await, exceeded(0));
    warehouse.settle("releaseStock", second).await;
    let third = OrderId::new();
    assert_eq!(warehouse.limited(third, ada, 1, 2).await["outcome"], "RESERVED");
    warehouse.settle("releaseStock", first).await;
    assert_eq!(
        warehouse.limited(OrderId::new(), ada, 1, 2).await["outcome"],
        "RESERVED"
    );
    assert_eq!(warehouse.limited(OrderId::new(), ada, 1, 2).await, exceeded(0));
    assert_eq!(warehouse.books("DROP").await, [6, 10, 0, 4, 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_in_a_hurry_gets_no_more_than_the_limit() {
    let warehouse = Arc::new(Warehouse::open().await);
    warehouse.stocked("DROP", 50).await;
    let customer = UserId::new();
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let warehouse = Arc::clone(&warehouse);
            tokio::spawn(async move { warehouse.limited(OrderId::new(), customer, 1, 3).await })
        })
        .collect();
    let mut held = 0;
    for call in calls {
        held += usize::from(call.await.unwrap()["outcome"] == "RESERVED");
    }
    assert_eq!(held, 3);
    assert_eq!(warehouse.books("DROP").await, [47, 50, 0, 3, 47]);
}

/// Redis forgets everything, or only what customers have: Postgres knows, and decides.
#[tokio::test]
async fn limits_survive_the_loss_of_redis() {
    let warehouse = Warehouse::open().await;
    warehouse.stocked("DROP", 10).await;
    let (customer, first) = (UserId::new(), OrderId::new());
    assert_eq!(
        warehouse.limited(first, customer, 2, 2).await["outcome"],
        "RESERVED"
    );
    warehouse.settle("confirmStock", first).await;
    let all = warehouse.keys("DROP").await;
    let customers: Vec<_> = all
        .iter()
        .filter(|key| key.contains(":customers:"))
        .cloned()
        .collect();
    assert_eq!(customers.len(), 1, "{all:?}");
    for lost in [all, customers] {
        let _: () = warehouse.redis().await.del(lost).await.unwrap();
        let refused = warehouse.limited(OrderId::new(), customer, 1, 2).await;
        assert_eq!(
            refused,
            json!({ "outcome": "LIMIT_EXCEEDED", "sku": "DROP", "available": 0 })
        );
        assert_eq!(warehouse.books("DROP").await, [8, 10, 2, 0, 8]);
    }
}
