//! Orders kept in Redis: that they are, that nobody ever reads an old one, and that they are never needed.

use std::time::{Duration, Instant};

use axum::Router;
use fondaco_chassis::{
    Caller,
    testing::{RedisServer, TestRuntime, customer},
};
use fondaco_contracts::UserId;
use fondaco_order::{
    config::OrderConfig,
    order::{Event, Status},
    store::{Store, Transition},
};
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::sleep;
use tracing_subscriber::layer::SubscriberExt;

use crate::{
    queries::Statements,
    shop::{Shop, without_sweeper},
};

const ORDER: &str = "query ($id: ID!) { order(id: $id) { status refunded { amount } trackingCode
    lines { quantity refundedQuantity variant { sku } } } }";
const SOON: Duration = Duration::from_secs(5);

async fn read(shop: &Shop, router: &Router, caller: &Caller, id: &str) -> Value {
    let answer = shop
        .test
        .call(router, "order", caller, ORDER, json!({ "id": id }))
        .await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["order"].clone()
}

fn merchant() -> Caller {
    Caller::User {
        id: UserId::new(),
        session: None,
        roles: vec!["merchant".into()],
        scopes: vec!["order:write".into()],
    }
}

#[tokio::test]
async fn what_changes_is_seen_at_once_by_every_process() {
    let shop = Shop::open(&without_sweeper()).await;
    let other = shop.start(&without_sweeper()).await.router;
    let owner = customer(shop.customer);
    let id = shop.buy("k").await;
    let seen = async |step: &str| {
        let (here, there) = (
            read(&shop, &shop.router, &owner, &id).await,
            read(&shop, &other, &owner, &id).await,
        );
        assert_eq!(here, there, "{step}");
        here
    };
    assert_eq!(seen("bought").await["status"], "CONFIRMED");
    let input = json!({ "orderId": id, "idempotencyKey": "send", "trackingCode": "T1" });
    shop.mutate_as(&merchant(), "fulfillOrder", "FulfillOrderInput", "", input)
        .await;
    let order = seen("sent").await;
    assert_eq!(
        (&order["status"], &order["trackingCode"]),
        (&json!("FULFILLED"), &json!("T1"))
    );
    let input = json!({ "orderId": id, "idempotencyKey": "back" });
    shop.mutate("requestRefund", "RequestRefundInput", "", input)
        .await;
    let order = seen("refunded").await;
    assert_eq!(
        (&order["status"], &order["refunded"]["amount"]),
        (&json!("REFUNDED"), &json!(12_900))
    );
    assert_eq!(order["lines"][0]["refundedQuantity"], 1);
}

/// Changes that follow one another quickly, with readers all the time in two processes: whoever has the answer to a change reads it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_old_order_is_never_read_after_a_change_was_answered() {
    let shop = Shop::open(&without_sweeper()).await;
    let other = shop.start(&without_sweeper()).await.router;
    let owner = customer(shop.customer);
    for round in 0..5 {
        let lines = [("SCARF", 8)];
        shop.inventory.stock.lock().unwrap().insert("SCARF".into(), 10);
        let payload = shop.purchase(&format!("k{round}"), &lines, "tok_success").await;
        let id = payload["order"]["id"].as_str().unwrap();
        let readers = async {
            loop {
                let reads = (0..8).map(|n| {
                    let router = if n % 2 == 0 { &shop.router } else { &other };
                    read(&shop, router, &owner, id)
                });
                join_all(reads).await;
                tokio::task::yield_now().await;
            }
        };
        let changes = async {
            for refunded in 1..=8 {
                let input = json!({ "orderId": id, "idempotencyKey": format!("r{round}-{refunded}"),
                    "lines": [{ "sku": "SCARF", "quantity": 1 }] });
                shop.mutate("requestRefund", "RequestRefundInput", "", input)
                    .await;
                for router in [&other, &shop.router] {
                    let order = read(&shop, router, &owner, id).await;
                    assert_eq!(order["lines"][0]["refundedQuantity"], refunded, "{order}");
                }
            }
        };
        tokio::select! {
            () = changes => {}
            () = readers => {}
        }
    }
}

#[tokio::test]
async fn a_change_whose_process_died_is_seen_by_its_event() {
    let shop = Shop::open(&without_sweeper()).await;
    let owner = customer(shop.customer);
    let id = shop.buy("k").await;
    assert_eq!(
        read(&shop, &shop.router, &owner, &id).await["status"],
        "CONFIRMED"
    );
    // The commit alone: nobody tells the cache.
    let store = Store::new(shop.pool().await);
    let order = store.order(id.parse().unwrap()).await.unwrap().unwrap();
    let change = Transition::new(&order, Event::Fulfilled, Status::Fulfilled);
    store.transition(change).await.unwrap().unwrap();
    let committed = Instant::now();
    while read(&shop, &shop.router, &owner, &id).await["status"] != "FULFILLED" {
        assert!(committed.elapsed() < SOON, "the event outdates the entry");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn of_many_who_ask_at_once_one_reads() {
    let statements = Statements::default();
    let subscriber = tracing_subscriber::registry().with(statements.clone());
    let _guard = tracing::subscriber::set_default(subscriber);
    let shop = Shop::open(&without_sweeper()).await;
    let other = shop.start(&without_sweeper()).await.router;
    let id = shop.buy("k").await;
    let owner = customer(shop.customer);
    let ask = async |count: usize| {
        let reads = (0..count).map(|number| {
            let router = if number % 2 == 0 { &shop.router } else { &other };
            read(&shop, router, &owner, &id)
        });
        for order in join_all(reads).await {
            assert_eq!(order["status"], "CONFIRMED");
        }
    };
    // A machine that is busy with something else may let Redis or the reader look slow; then everybody reads.
    let mut reads = Vec::new();
    while !reads.contains(&(1, 0)) {
        assert!(
            reads.len() < 20,
            "readings of 100 requests to two processes, then of 10: {reads:?}"
        );
        let key = shop.test.runtime.redis_prefix.clone() + "order:1:" + &id;
        let mut unlink = redis::cmd("UNLINK");
        let mut connection = redis_of(&shop).await;
        unlink.arg(key).exec_async(&mut connection).await.unwrap();
        let mut round = [0; 2];
        for (count, read) in [100, 10].into_iter().zip(&mut round) {
            statements.clear();
            ask(count).await;
            *read = statements.reading_orders();
        }
        reads.push(round.into());
        sleep(Duration::from_millis(300)).await;
    }
}

async fn redis_of(shop: &Shop) -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(shop.test.runtime.redis_url.as_str()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

#[tokio::test]
async fn what_is_not_settled_is_not_kept_nor_anything_with_zero_seconds() {
    let statements = Statements::default();
    let subscriber = tracing_subscriber::registry().with(statements.clone());
    let _guard = tracing::subscriber::set_default(subscriber);
    let off = OrderConfig {
        cache_seconds: 0,
        ..without_sweeper()
    };
    let shop = Shop::open(&without_sweeper()).await;
    let uncached = shop.start(&off).await.router;
    let owner = customer(shop.customer);
    let pending = shop.purchase("p", &[("COAT-M", 1)], "tok_timeout").await;
    let confirmed = shop.buy("k").await;
    let cases = [
        (&shop.router, pending["order"]["id"].as_str().unwrap(), "PENDING"),
        (&uncached, confirmed.as_str(), "CONFIRMED"),
    ];
    for (router, id, status) in cases {
        for _ in 0..2 {
            statements.clear();
            assert_eq!(read(&shop, router, &owner, id).await["status"], status);
            assert_eq!(statements.reading_orders(), 1, "{status}");
        }
    }
    let unknown = UserId::new().to_string();
    assert_eq!(read(&shop, &shop.router, &owner, &unknown).await, Value::Null);
    assert_eq!(read(&shop, &shop.router, &owner, &unknown).await, Value::Null);
}

#[tokio::test]
async fn what_is_kept_is_shown_to_nobody_else() {
    let shop = Shop::open(&without_sweeper()).await;
    let id = shop.buy("k").await;
    let reads = [
        (customer(shop.customer), true),
        (customer(UserId::new()), false),
        (customer(shop.customer), true),
    ];
    for (caller, sees) in reads {
        assert_eq!(!read(&shop, &shop.router, &caller, &id).await.is_null(), sees);
    }
}

#[tokio::test]
async fn orders_are_read_while_redis_is_slow_or_away() {
    let mut redis = RedisServer::start().await;
    let mut test = TestRuntime::new();
    test.runtime.redis_url = redis.url();
    let mut shop = Shop::closed_on(test).await;
    shop.router = shop.start(&without_sweeper()).await.router;
    let owner = customer(shop.customer);
    let id = shop.buy("k").await;
    let quickly = async |what: &str| {
        let began = Instant::now();
        let order = read(&shop, &shop.router, &owner, &id).await;
        assert_eq!(order["status"], "CONFIRMED", "{what}");
        assert!(
            began.elapsed() < Duration::from_secs(1),
            "{what}: {:?}",
            began.elapsed()
        );
    };
    quickly("kept").await;
    let pause = redis::cmd("CLIENT").arg("PAUSE").arg(3_000).to_owned();
    pause.exec_async(&mut redis.connection().await).await.unwrap();
    for _ in 0..3 {
        quickly("slow").await;
    }
    redis.kill();
    for _ in 0..3 {
        quickly("away").await;
    }
    // Nonsense in an entry's place is no answer.
    redis.start_again(true).await;
    let key = shop.test.runtime.redis_prefix.clone() + "order:1:" + &id;
    let nonsense = redis::cmd("SET").arg(key).arg("nonsense").to_owned();
    nonsense.exec_async(&mut redis.connection().await).await.unwrap();
    sleep(Duration::from_millis(1_100)).await;
    quickly("nonsense").await;
}
