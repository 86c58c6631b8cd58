//! Holding stock: exact under load, all or nothing, repeatable.

use std::sync::Arc;

use fondaco_chassis::{Caller, testing};
use fondaco_contracts::OrderId;
use redis::AsyncCommands;
use serde_json::{Value, json};

use crate::{Warehouse, merchant};

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_units_go_to_a_hundred_of_a_thousand() {
    let warehouse = Arc::new(Warehouse::open().await);
    warehouse.stocked("HOT", 100).await;
    let buyers: Vec<_> = (0..1000)
        .map(|_| {
            let warehouse = Arc::clone(&warehouse);
            tokio::spawn(async move {
                let order = OrderId::new();
                (
                    order,
                    warehouse.reserve(order, &[("HOT", 1)]).await["outcome"].clone(),
                )
            })
        })
        .collect();
    let (mut winners, mut sold_out) = (Vec::new(), 0);
    for buyer in buyers {
        match buyer.await.unwrap() {
            (order, outcome) if outcome == "RESERVED" => winners.push(order),
            (_, outcome) => {
                assert_eq!(outcome, "SOLD_OUT");
                sold_out += 1;
            }
        }
    }
    assert_eq!((winners.len(), sold_out), (100, 900));
    assert_eq!(warehouse.books("HOT").await, [0, 100, 0, 100, 0]);
    let confirmations: Vec<_> = winners
        .into_iter()
        .map(|order| {
            let warehouse = Arc::clone(&warehouse);
            tokio::spawn(async move { warehouse.settle("confirmStock", order).await })
        })
        .collect();
    for confirmation in confirmations {
        assert_eq!(confirmation.await.unwrap(), "CONFIRMED");
    }
    assert_eq!(warehouse.books("HOT").await, [0, 100, 100, 0, 0]);
    assert_eq!(warehouse.keys("HOT").await.len(), 1, "no hold is left");
}

#[tokio::test]
async fn a_repeat_holds_nothing_more() {
    let warehouse = Warehouse::open().await;
    warehouse.stocked("A", 5).await;
    let order = OrderId::new();
    let first = warehouse.reserve(order, &[("A", 2)]).await;
    assert_eq!(first["outcome"], "RESERVED");
    assert_eq!(
        warehouse.reserve(order, &[("A", 1), ("A", 1)]).await,
        first,
        "lines of one SKU are summed"
    );
    assert_eq!(
        warehouse.reserve(order, &[("A", 3)]).await["outcome"],
        "KEY_REUSED"
    );
    assert_eq!(warehouse.books("A").await, [3, 5, 0, 2, 3]);
    warehouse.settle("confirmStock", order).await;
    assert_eq!(warehouse.reserve(order, &[("A", 2)]).await["outcome"], "RESERVED");
    assert_eq!(
        warehouse.reserve(order, &[("A", 1)]).await["outcome"],
        "KEY_REUSED"
    );
    assert_eq!(warehouse.books("A").await, [3, 5, 2, 0, 3]);
    warehouse.settle("releaseStock", order).await;
    assert_eq!(
        warehouse.reserve(order, &[("A", 2)]).await["outcome"],
        "KEY_REUSED",
        "its time is over"
    );
    assert_eq!(warehouse.books("A").await, [5, 5, 0, 0, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_repeats_are_one_hold() {
    let warehouse = Arc::new(Warehouse::open().await);
    warehouse.stocked("A", 50).await;
    let order = OrderId::new();
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let warehouse = Arc::clone(&warehouse);
            tokio::spawn(async move { warehouse.reserve(order, &[("A", 1)]).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap()["outcome"], "RESERVED");
    }
    assert_eq!(warehouse.books("A").await, [49, 50, 0, 1, 49]);
}

#[tokio::test]
async fn all_lines_or_none() {
    let warehouse = Warehouse::open().await;
    for (sku, units) in [("A", 5), ("B", 1), ("C", 5)] {
        warehouse.stocked(sku, units).await;
    }
    let check = async |lines: &[(&str, i32)], expected: Value| {
        let mut payload = warehouse.reserve(OrderId::new(), lines).await;
        payload.as_object_mut().unwrap().remove("expiresAt");
        assert_eq!(payload, expected);
        for (sku, units) in [("A", 5), ("B", 1), ("C", 5)] {
            assert_eq!(
                warehouse.books(sku).await,
                [units, units, 0, 0, units],
                "{sku} after {lines:?}"
            );
        }
    };
    check(
        &[("C", 1), ("B", 2), ("A", 1)],
        json!({ "outcome": "SOLD_OUT", "sku": "B", "available": 1 }),
    )
    .await;
    check(
        &[("A", 1), ("NONE", 1)],
        json!({ "outcome": "UNKNOWN_SKU", "sku": "NONE", "available": null }),
    )
    .await;
    let many = i32::MAX;
    check(
        &[("C", many), ("C", many)],
        json!({ "outcome": "SOLD_OUT", "sku": "C", "available": 5 }),
    )
    .await;
    assert_eq!(
        warehouse.reserve(OrderId::new(), &[("C", 5), ("A", 5)]).await["outcome"],
        "RESERVED"
    );
}

/// A counter that is gone is loaded with what is sold and held taken into account.
#[tokio::test]
async fn a_lost_counter_is_rebuilt() {
    let warehouse = Warehouse::open().await;
    warehouse.stocked("A", 10).await;
    let (sold, held) = (OrderId::new(), OrderId::new());
    warehouse.reserve(sold, &[("A", 3)]).await;
    warehouse.settle("confirmStock", sold).await;
    warehouse.reserve(held, &[("A", 4)]).await;
    let keys = warehouse.keys("A").await;
    let _: () = warehouse.redis().await.del(keys).await.unwrap();
    assert_eq!(
        warehouse.reserve(OrderId::new(), &[("A", 4)]).await["outcome"],
        "SOLD_OUT"
    );
    assert_eq!(warehouse.books("A").await, [3, 10, 3, 4, 3]);
    assert_eq!(warehouse.settle("releaseStock", held).await, "RELEASED");
    assert_eq!(
        warehouse.books("A").await,
        [7, 10, 3, 0, 7],
        "its hold was rebuilt too"
    );
}

/// A counter that promises too much sells nothing twice: Postgres decides, and the counter is put right.
#[tokio::test]
async fn a_counter_that_is_too_high_cannot_oversell() {
    let warehouse = Warehouse::open().await;
    warehouse.stocked("A", 2).await;
    let counter = warehouse
        .keys("A")
        .await
        .into_iter()
        .find(|key| key.contains(":available:"))
        .unwrap();
    let _: () = warehouse.redis().await.set(&counter, 1000).await.unwrap();
    let mut outcomes = Vec::new();
    for _ in 0..4 {
        outcomes.push(warehouse.reserve(OrderId::new(), &[("A", 1)]).await["outcome"].clone());
    }
    assert_eq!(outcomes, ["RESERVED", "RESERVED", "SOLD_OUT", "SOLD_OUT"]);
    assert_eq!(warehouse.books("A").await, [0, 2, 0, 2, 0]);
}

#[tokio::test]
async fn unusable_wishes_are_refused() {
    let warehouse = Warehouse::open().await;
    let check = async |caller: &Caller, lines: Value, ttl: i64, code: &str| {
        let query = "mutation($input: ReserveStockInput!) { reserveStock(inputs: [$input]) { outcome } }";
        let order = OrderId::new();
        let input = json!({ "reservationId": order, "customerId": order, "lines": lines, "ttlSeconds": ttl });
        let answer = warehouse.ask(caller, query, json!({ "input": input })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{answer}");
    };
    let order = testing::service("order");
    let line = |quantity: i64| json!([{ "sku": "A", "quantity": quantity }]);
    check(&order, line(0), 60, "BAD_USER_INPUT").await;
    check(&order, line(-1), 60, "BAD_USER_INPUT").await;
    check(&order, line(1 << 31), 60, "BAD_USER_INPUT").await;
    check(&order, line(1), 0, "BAD_USER_INPUT").await;
    check(&order, line(1), 3601, "BAD_USER_INPUT").await;
    check(&order, json!([]), 60, "BAD_USER_INPUT").await;
    check(
        &order,
        json!([{ "sku": "a b", "quantity": 1 }]),
        60,
        "BAD_USER_INPUT",
    )
    .await;
    check(&merchant(), line(1), 60, "FORBIDDEN").await;
    check(&Caller::Anonymous, line(1), 60, "FORBIDDEN").await;
}
