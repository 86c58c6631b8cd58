//! What becomes of holds: confirmed, released, expired, by call and by event.

use fondaco_contracts::{Event, OrderEvent, OrderFact, OrderId, ReturnedUnits};
use redis::AsyncCommands;
use serde_json::Value;

use crate::Warehouse;

#[tokio::test]
async fn settlements_repeat_without_effect() {
    let warehouse = Warehouse::open().await;
    warehouse.stocked("A", 10).await;
    let order = OrderId::new();
    warehouse.reserve(order, &[("A", 4)]).await;
    for _ in 0..2 {
        assert_eq!(warehouse.settle("confirmStock", order).await, "CONFIRMED");
        assert_eq!(warehouse.books("A").await, [6, 10, 4, 0, 6]);
    }
    for _ in 0..2 {
        assert_eq!(
            warehouse.settle("releaseStock", order).await,
            "RELEASED",
            "a sale called off returns"
        );
        assert_eq!(warehouse.books("A").await, [10, 10, 0, 0, 10]);
    }
    assert_eq!(warehouse.settle("confirmStock", order).await, "RELEASED");
    assert_eq!(
        warehouse.settle("confirmStock", OrderId::new()).await,
        Value::Null
    );
}

#[tokio::test]
async fn holds_expire() {
    let warehouse = Warehouse::open().await;
    warehouse.stocked("A", 10).await;
    let (short, long) = (OrderId::new(), OrderId::new());
    warehouse.reserve_for(short, &[("A", 4)], 1).await;
    warehouse.reserve_for(long, &[("A", 1)], 60).await;
    assert_eq!(warehouse.books("A").await, [5, 10, 0, 5, 5]);
    warehouse.settles_to("A", [9, 10, 0, 1, 9]).await;
    assert_eq!(warehouse.settle("confirmStock", long).await, "CONFIRMED");
    assert_eq!(warehouse.books("A").await, [9, 10, 1, 0, 9]);
    // Paid too late: sold after all while its units are there, and not afterwards.
    let other = OrderId::new();
    warehouse.reserve(other, &[("A", 6)]).await;
    assert_eq!(warehouse.settle("confirmStock", short).await, "EXPIRED");
    warehouse.settle("releaseStock", other).await;
    assert_eq!(warehouse.settle("confirmStock", short).await, "CONFIRMED");
    assert_eq!(warehouse.books("A").await, [5, 10, 5, 0, 5]);
    assert_eq!(warehouse.settle("releaseStock", short).await, "RELEASED");
    assert_eq!(warehouse.books("A").await, [9, 10, 1, 0, 9]);
}

#[tokio::test]
async fn order_events_settle_reservations() {
    let warehouse = Warehouse::open().await;
    warehouse.stocked("A", 10).await;
    let [paid, failed, cancelled] = [OrderId::new(), OrderId::new(), OrderId::new()];
    for order in [paid, failed, cancelled] {
        warehouse.reserve(order, &[("A", 2)]).await;
    }
    let confirmed = OrderEvent::Confirmed.about(paid);
    publish(&warehouse, &OrderEvent::Created.about(paid)).await;
    publish(&warehouse, &confirmed).await;
    publish(&warehouse, &confirmed).await;
    publish(&warehouse, &OrderEvent::Failed.about(failed)).await;
    publish(&warehouse, &OrderEvent::Confirmed.about(cancelled)).await;
    publish(&warehouse, &OrderEvent::Cancelled.about(cancelled)).await;
    warehouse.settles_to("A", [8, 10, 2, 0, 8]).await;
}

/// Part of a sale returns once per event, never more than was sold, and calling the order off returns the rest.
#[tokio::test]
async fn refunded_units_return() {
    let warehouse = Warehouse::open().await;
    warehouse.stocked("A", 10).await;
    let [sold, held] = [OrderId::new(), OrderId::new()];
    for order in [sold, held] {
        warehouse.reserve(order, &[("A", 4)]).await;
    }
    publish(&warehouse, &OrderEvent::Confirmed.about(sold)).await;
    let refunded = |order: OrderId, quantity| {
        let mut fact = OrderFact::new(OrderEvent::Refunded, order, order.into());
        fact.returned = vec![ReturnedUnits {
            sku: "A".parse().unwrap(),
            quantity,
        }];
        fact.event()
    };
    let once = refunded(sold, 1);
    publish(&warehouse, &once).await;
    publish(&warehouse, &once).await;
    publish(&warehouse, &refunded(held, 2)).await;
    warehouse.settles_to("A", [3, 10, 3, 4, 3]).await;
    publish(&warehouse, &OrderEvent::Fulfilled.about(held)).await;
    publish(&warehouse, &OrderEvent::Cancelled.about(sold)).await;
    warehouse.settles_to("A", [6, 10, 0, 4, 6]).await;
    publish(&warehouse, &refunded(sold, 1)).await;
    publish(&warehouse, &OrderEvent::Confirmed.about(held)).await;
    publish(&warehouse, &refunded(held, 9)).await;
    warehouse.settles_to("A", [10, 10, 0, 0, 10]).await;
}

async fn publish(warehouse: &Warehouse, event: &Event) {
    let stream = format!("{}events:order", warehouse.runtime.runtime.redis_prefix);
    let body = serde_json::to_string(event).unwrap();
    let _: String = warehouse
        .redis()
        .await
        .xadd(stream, "*", &[("event", body)])
        .await
        .unwrap();
}
