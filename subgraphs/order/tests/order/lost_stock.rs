//! A confirmation that comes too late for its stock, with the real inventory service: the relay is held up until the hold has lapsed and
//! its units are sold to somebody else.

use std::time::Duration;

use fondaco_chassis::testing::customer;
use fondaco_contracts::{OrderId, ReservationLost, UserId};
use fondaco_inventory::InventoryConfig;
use redis::AsyncCommands;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use tokio::time::sleep;

use crate::{
    peers::serve,
    shop::{PURCHASE, Shop, without_sweeper},
};

const LOCK: &str = "hashtextextended('fondaco outbox relay', 0)";

#[tokio::test(flavor = "multi_thread")]
async fn an_order_confirmed_too_late_is_cancelled_and_paid_back_once() {
    let mut shop = Shop::closed().await;
    let inventory = with_inventory(&shop, 1).await;
    // The first makes the database; its relay must not have the lock.
    shop.start(&without_sweeper()).await.tasks.stop().await;
    let mut relay_lock = shop.database().await;
    run(&mut relay_lock, &format!("select pg_advisory_lock({LOCK})")).await;
    shop.router = shop.start(&without_sweeper()).await.router;

    let late = shop.buy("late").await;
    run(
        &mut database(&shop, "inventory").await,
        "update reservation set expires_at = now() - interval '1 second'",
    )
    .await;
    let other = bought_by_another(&shop).await;
    assert_eq!(reservation(&shop, &other).await, "HELD");
    run(&mut relay_lock, &format!("select pg_advisory_unlock({LOCK})")).await;

    becomes(&shop, &late, "CANCELLED").await;
    for _ in 0..100 {
        let ended = reservation(&shop, &late).await == "RELEASED";
        if ended && shop.refunds() == 1 && reservation(&shop, &other).await == "CONFIRMED" {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((shop.charges(), shop.refunds()), (2, 1));
    assert_eq!(reservation(&shop, &late).await, "RELEASED");
    assert_eq!(
        reservation(&shop, &other).await,
        "CONFIRMED",
        "the first who held it keeps it"
    );
    assert_eq!(
        shop.events(&late).await,
        ["OrderCreated", "OrderConfirmed", "OrderCancelled"]
    );
    let repeated = shop.purchase("late", &[("COAT-M", 1)], "tok_success").await;
    assert_eq!(repeated["userErrors"][0]["code"], "SOLD_OUT", "{repeated}");
    let stock: (i64, i64) = sqlx::query_as("select sold, held from stock where sku = 'COAT-M'")
        .fetch_one(&mut database(&shop, "inventory").await)
        .await
        .unwrap();
    assert_eq!(stock, (1, 0));
    drop(inventory);
}

#[tokio::test]
async fn news_of_lost_stock_act_once_and_only_on_their_order() {
    let shop = Shop::open(&without_sweeper()).await;
    let (order, untouched) = (shop.buy("k").await, shop.buy("other").await);
    let id: OrderId = order.parse().unwrap();
    let lost = ReservationLost {
        order_id: id,
        reservation_id: id.into(),
    };
    let foreign = ReservationLost {
        order_id: untouched.parse().unwrap(),
        ..lost
    };
    let event = lost.event();
    for event in [&foreign.event(), &event, &event, &lost.event()] {
        publish(&shop, &serde_json::to_string(event).unwrap()).await;
    }
    becomes(&shop, &order, "CANCELLED").await;
    sleep(Duration::from_millis(300)).await;
    assert_eq!(shop.refunds(), 1);
    assert_eq!(shop.events(&order).await.len(), 3);
    assert_eq!(shop.status(&untouched).await, "CONFIRMED");
    let history = shop
        .call(
            "query ($id: ID!) { order(id: $id) { history { event to reason } } }",
            json!({ "id": order }),
        )
        .await;
    let last = &history["data"]["order"]["history"][2];
    assert_eq!(
        last,
        &json!({ "event": "STOCK_LOST", "to": "CANCELLED", "reason": "sold_out" })
    );
}

#[tokio::test]
async fn an_order_that_was_sent_without_stock_is_kept_for_people() {
    let shop = Shop::open(&without_sweeper()).await;
    let order = shop.buy("k").await;
    let id: OrderId = order.parse().unwrap();
    let sent = format!("update orders set status = 'FULFILLED' where id = '{order}'");
    run(&mut database(&shop, "order").await, &sent).await;
    let lost = ReservationLost {
        order_id: id,
        reservation_id: id.into(),
    };
    publish(&shop, &serde_json::to_string(&lost.event()).unwrap()).await;
    let mut letters: Vec<String> = Vec::new();
    for _ in 0..200 {
        letters = sqlx::query_scalar("select reason from dead_letter")
            .fetch_all(&mut database(&shop, "order").await)
            .await
            .unwrap();
        if !letters.is_empty() {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(letters.len(), 1);
    assert!(
        letters[0].contains(&order) && letters[0].contains("was sent"),
        "{letters:?}"
    );
    assert_eq!(shop.status(&order).await, "FULFILLED");
    assert_eq!(shop.refunds(), 0);
}

/// Puts the real service in the place of the fake, with so many coats.
async fn with_inventory(shop: &Shop, coats: i64) -> fondaco_chassis::Service {
    let runtime = &shop.test.runtime;
    let config = InventoryConfig {
        reaper_interval_ms: 20,
        ..InventoryConfig::default()
    };
    let started = fondaco_inventory::start(&config, runtime).await.unwrap();
    let url = serve(started.router.clone(), &shop.inventory_switch).await;
    runtime.peers.insert_http("inventory", url);
    let insert = format!("insert into stock (sku, total) values ('COAT-M', {coats})");
    run(&mut database(shop, "inventory").await, &insert).await;
    started
}

/// Waits for the hold to lapse, then buys what it held.
async fn bought_by_another(shop: &Shop) -> String {
    let caller = customer(UserId::new());
    for attempt in 0..100 {
        let lines = json!([{ "sku": "COAT-M", "quantity": 1 }]);
        let key = format!("other-{attempt}");
        let input = json!({ "idempotencyKey": key, "lines": lines, "paymentToken": "tok_success" });
        let answer = shop.call_as(&caller, PURCHASE, json!({ "input": input })).await;
        let payload = &answer["data"]["purchase"];
        if payload["order"]["status"] == "CONFIRMED" {
            return payload["order"]["id"].as_str().unwrap().to_owned();
        }
        assert_eq!(payload["userErrors"][0]["code"], "SOLD_OUT", "{answer}");
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the hold does not lapse");
}

async fn becomes(shop: &Shop, order: &str, status: &str) {
    for _ in 0..200 {
        if shop.status(order).await == status {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("{order} is {}", shop.status(order).await);
}

async fn reservation(shop: &Shop, order: &str) -> String {
    let order: OrderId = order.parse().unwrap();
    sqlx::query_scalar("select status from reservation where id = $1")
        .bind(order.as_uuid())
        .fetch_one(&mut database(shop, "inventory").await)
        .await
        .unwrap()
}

async fn publish(shop: &Shop, body: &str) {
    let client = redis::Client::open(shop.test.runtime.redis_url.as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let stream = format!("{}events:inventory", shop.test.runtime.redis_prefix);
    let _: String = connection.xadd(stream, "*", &[("event", body)]).await.unwrap();
}

async fn database(shop: &Shop, service: &str) -> PgConnection {
    let runtime = &shop.test.runtime;
    let server = runtime.database_url.trim_end_matches('/');
    let url = format!("{server}/{}{service}", runtime.database_prefix);
    PgConnection::connect(&url).await.unwrap()
}

async fn run(connection: &mut PgConnection, statement: &str) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()))
        .execute(connection)
        .await
        .unwrap();
}
