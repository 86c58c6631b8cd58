//! Outbox to stream to inbox, against real servers.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use fondaco_chassis::{
    Redis, database,
    testing::{RedisServer, TestRuntime},
};
use fondaco_contracts::{Event, OrderEvent, OrderId};
use fondaco_messaging::{
    Consumer, HandleError, Handler, Relay, Wake,
    dead_letter::{self, DeadLetter},
    inbox, outbox,
};
use redis::AsyncCommands;
use sqlx::{PgConnection, PgPool, migrate::Migrator};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Writes the event's name to `effects`; fails or panics as often as it was told to.
#[derive(Clone, Default)]
struct Recorder {
    failures: Arc<AtomicU32>,
    panics: Arc<AtomicU32>,
    followed: Arc<AtomicUsize>,
}

impl Handler for Recorder {
    type FollowUp = usize;

    async fn handle(&self, connection: &mut PgConnection, events: &[Event]) -> Result<usize, HandleError> {
        for event in events {
            sqlx::query("insert into effects (aggregate_id, name) values ($1, $2)")
                .bind(&event.aggregate_id)
                .bind(&event.name)
                .execute(&mut *connection)
                .await?;
            if take_one(&self.failures) {
                return Err(HandleError::Failed("told to fail".into()));
            }
            assert!(!take_one(&self.panics), "told to panic");
        }
        Ok(events.len())
    }

    async fn committed(&self, handled: usize) {
        self.followed.fetch_add(handled, Ordering::SeqCst);
    }
}

fn take_one(left: &AtomicU32) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
        .is_ok()
}

struct Fixture {
    test: TestRuntime,
    pool: PgPool,
    redis: Redis,
    stop: CancellationToken,
}

impl Fixture {
    async fn new() -> Self {
        Self::with(TestRuntime::new()).await
    }

    async fn on(redis_url: String) -> Self {
        let mut test = TestRuntime::new();
        test.runtime.redis_url = redis_url;
        Self::with(test).await
    }

    async fn with(test: TestRuntime) -> Self {
        let pool = database::open(&test.runtime, "messaging", &Migrator::DEFAULT)
            .await
            .unwrap();
        let effects = "create table effects (position bigserial, aggregate_id text, name text)";
        for ddl in [
            outbox::DDL,
            outbox::PROGRESS_DDL,
            inbox::DDL,
            dead_letter::DDL,
            effects,
        ] {
            sqlx::raw_sql(ddl).execute(&pool).await.unwrap();
        }
        let redis = Redis::connect(&test.runtime).await.unwrap();
        let stop = test.runtime.shutdown.clone();
        Self {
            test,
            pool,
            redis,
            stop,
        }
    }

    fn stream(&self) -> String {
        self.redis.key("events:order")
    }

    fn start_relay(&self) -> Wake {
        let relay = Relay::new(self.pool.clone(), self.redis.connection(), self.stream());
        let wake = relay.wake();
        tokio::spawn(relay.run(self.stop.clone()));
        wake
    }

    fn start_consumer(&self, handler: Recorder) {
        let connection = Redis::blocking_connection(&self.test.runtime).unwrap();
        let consumer = Consumer::new(self.pool.clone(), connection, self.stream(), "inventory");
        tokio::spawn(consumer.run(handler, self.stop.clone()));
    }

    async fn append(&self, events: &[Event]) {
        let mut transaction = self.pool.begin().await.unwrap();
        for event in events {
            outbox::append(&mut transaction, event).await.unwrap();
        }
        transaction.commit().await.unwrap();
    }

    async fn effects(&self) -> Vec<(String, String)> {
        sqlx::query_as("select aggregate_id, name from effects order by position")
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    async fn rows(&self, table: &str) -> i64 {
        let count = format!("select count(*) from {table}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(count))
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    async fn wait_until_published(&self) {
        for _ in 0..200 {
            let left: i64 = sqlx::query_scalar("select count(*) from outbox where published_at is null")
                .fetch_one(&self.pool)
                .await
                .unwrap();
            if left == 0 {
                return;
            }
            sleep(Duration::from_millis(25)).await;
        }
        panic!("not published");
    }

    async fn wait_for_letters(&self, count: i64) {
        for _ in 0..400 {
            if self.rows("dead_letter").await == count {
                return;
            }
            sleep(Duration::from_millis(25)).await;
        }
        panic!("{} dead letters, not {count}", self.rows("dead_letter").await);
    }

    async fn wait_for_effects(&self, count: usize) -> Vec<(String, String)> {
        let reached = async {
            while self.effects().await.len() < count {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let in_time = timeout(Duration::from_secs(15), reached).await;
        let effects = self.effects().await;
        assert!(in_time.is_ok(), "only {} of {count} effects", effects.len());
        effects
    }
}

#[tokio::test]
async fn events_arrive_once_and_in_order_with_two_relays_and_two_consumers() {
    let fixture = Fixture::new().await;
    let orders: Vec<OrderId> = (0..200).map(|_| OrderId::new()).collect();
    for order in &orders {
        fixture
            .append(&[
                OrderEvent::Created.about(*order),
                OrderEvent::Confirmed.about(*order),
            ])
            .await;
    }
    fixture.start_relay();
    fixture.start_relay();
    fixture.start_consumer(Recorder::default());

    let effects = fixture.wait_for_effects(400).await;
    for order in orders {
        let about = order.to_string();
        let names: Vec<&str> = effects
            .iter()
            .filter(|(id, _)| *id == about)
            .map(|(_, name)| name.as_str())
            .collect();
        assert_eq!(names, ["OrderCreated", "OrderConfirmed"]);
    }
    // A second member of the group finds nothing left to do.
    fixture.start_consumer(Recorder::default());
    sleep(Duration::from_millis(700)).await;
    assert_eq!(fixture.effects().await.len(), 400);
}

#[tokio::test]
async fn what_is_rolled_back_is_not_published_and_what_is_repeated_acts_once() {
    let fixture = Fixture::new().await;
    let mut transaction = fixture.pool.begin().await.unwrap();
    outbox::append(&mut transaction, &OrderEvent::Failed.about(OrderId::new()))
        .await
        .unwrap();
    transaction.rollback().await.unwrap();
    fixture
        .append(&[OrderEvent::Confirmed.about(OrderId::new())])
        .await;

    let wake = fixture.start_relay();
    fixture.start_consumer(Recorder::default());
    wake.notify();
    fixture.wait_for_effects(1).await;

    // The relay died between publishing and marking: the same row is published again.
    sqlx::query("update outbox set published_at = null")
        .execute(&fixture.pool)
        .await
        .unwrap();
    fixture
        .append(&[OrderEvent::Cancelled.about(OrderId::new())])
        .await;
    wake.notify();
    let effects = fixture.wait_for_effects(2).await;
    let names: Vec<_> = effects.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["OrderConfirmed", "OrderCancelled"]);
}

#[tokio::test]
async fn failures_and_panics_are_retried_then_parked_and_replayed() {
    let fixture = Fixture::new().await;
    let recorder = Recorder::default();
    recorder.failures.store(2, Ordering::SeqCst);
    recorder.panics.store(1, Ordering::SeqCst);
    let wake = fixture.start_relay();
    fixture.start_consumer(recorder.clone());
    fixture
        .append(&[OrderEvent::Confirmed.about(OrderId::new())])
        .await;
    wake.notify();
    fixture.wait_for_effects(1).await;

    recorder.failures.store(5, Ordering::SeqCst);
    fixture.append(&[OrderEvent::Failed.about(OrderId::new())]).await;
    wake.notify();
    let mut connection = fixture.redis.connection();
    let garbage = [("event", "not JSON")];
    let _: Option<String> = connection.xadd(fixture.stream(), "*", &garbage).await.unwrap();
    fixture.wait_for_letters(2).await;
    let letters = dead_letter::list(&fixture.pool).await.unwrap();
    let (failed, garbage): (Vec<_>, Vec<_>) = letters.iter().partition(|letter| letter.name.is_some());
    assert_eq!(failed[0].name.as_deref(), Some("OrderFailed"));
    assert_eq!(
        (failed[0].reason.as_str(), failed[0].attempts),
        ("told to fail", 5)
    );
    assert_eq!(garbage[0].body, "not JSON");

    fixture
        .append(&[OrderEvent::Cancelled.about(OrderId::new())])
        .await;
    wake.notify();
    let effects = fixture.wait_for_effects(2).await;
    assert_eq!(effects[1].1, "OrderCancelled");

    // It fails once more, then it is handled; what is no event never is.
    recorder.failures.store(1, Ordering::SeqCst);
    assert_eq!(dead_letter::replay(&fixture.pool, None).await.unwrap(), 2);
    let tried_again = async {
        let again = |letter: &DeadLetter| letter.replay_at.is_none();
        while !dead_letter::list(&fixture.pool).await.unwrap().iter().all(again) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(10), tried_again).await.unwrap();
    let counted = dead_letter::list(&fixture.pool).await.unwrap();
    let attempts: Vec<i32> = counted.iter().map(|letter| letter.attempts).collect();
    assert!(attempts.contains(&6) && attempts.contains(&2), "{attempts:?}");
    let ids = [failed[0].id];
    assert_eq!(dead_letter::replay(&fixture.pool, Some(&ids)).await.unwrap(), 1);
    assert_eq!(fixture.wait_for_effects(3).await[2].1, "OrderFailed");
    fixture.wait_for_letters(1).await;
    assert_eq!(
        dead_letter::list(&fixture.pool).await.unwrap()[0].body,
        "not JSON"
    );
}

/// The server's data vanish with events that nobody has handled yet.
#[tokio::test]
async fn what_redis_loses_is_published_again() {
    let mut redis = RedisServer::start().await;
    let fixture = Fixture::on(redis.url()).await;
    let events = |count: usize| -> Vec<Event> {
        let about = (0..count).map(|_| OrderEvent::Confirmed.about(OrderId::new()));
        about.collect()
    };
    let snapshot = redis.snapshot().await.unwrap();
    let relay = Relay::new(fixture.pool.clone(), fixture.redis.connection(), fixture.stream())
        .tidy_every(Duration::from_millis(50));
    let wake = relay.wake();
    tokio::spawn(relay.run(fixture.stop.clone()));
    fixture.append(&events(300)).await;
    wake.notify();
    fixture.wait_until_published().await;
    redis.flush().await;

    fixture.start_consumer(Recorder::default());
    fixture.wait_for_effects(300).await;
    fixture.append(&events(100)).await;
    wake.notify();
    fixture.wait_for_effects(400).await;

    redis.restore(&snapshot).await.unwrap();
    fixture.append(&events(50)).await;
    wake.notify();
    fixture.wait_for_effects(450).await;
    sleep(Duration::from_millis(500)).await;
    assert_eq!(fixture.effects().await.len(), 450, "each event acted once");
}

/// Rows stay, however old, until every consumer is past them.
#[tokio::test]
async fn the_outbox_is_pruned_behind_every_consumer() {
    let fixture = Fixture::new().await;
    let mut connection = fixture.redis.connection();
    let _: () = connection
        .xgroup_create_mkstream(fixture.stream(), "slow", "0")
        .await
        .unwrap();
    fixture
        .append(&[OrderEvent::Confirmed.about(OrderId::new())])
        .await;
    let relay = Relay::new(fixture.pool.clone(), fixture.redis.connection(), fixture.stream())
        .tidy_every(Duration::from_millis(50));
    tokio::spawn(relay.run(fixture.stop.clone()));
    fixture.start_consumer(Recorder::default());
    fixture.wait_for_effects(1).await;
    fixture.wait_until_published().await;
    sqlx::query("update outbox set published_at = now() - interval '8 days'")
        .execute(&fixture.pool)
        .await
        .unwrap();
    sleep(Duration::from_millis(1_000)).await;
    assert_eq!(fixture.rows("outbox").await, 1, "one consumer has not read it");

    let options = redis::streams::StreamReadOptions::default().group("slow", "member");
    let read: redis::streams::StreamReadReply = connection
        .xread_options(&[fixture.stream()], &[">"], &options)
        .await
        .unwrap();
    let entry = &read.keys[0].ids[0].id;
    sleep(Duration::from_millis(600)).await;
    assert_eq!(fixture.rows("outbox").await, 1, "nor handled it");
    let _: () = connection.xack(fixture.stream(), "slow", &[entry]).await.unwrap();
    let pruned = async {
        while fixture.rows("outbox").await > 0 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(10), pruned).await.expect("pruned");
}

#[tokio::test]
async fn entries_of_a_dead_consumer_are_taken_over() {
    let fixture = Fixture::new().await;
    fixture
        .append(&[OrderEvent::Confirmed.about(OrderId::new())])
        .await;
    fixture.start_relay();
    let mut connection = fixture.redis.connection();
    let _: () = connection
        .xgroup_create_mkstream(fixture.stream(), "inventory", "0")
        .await
        .unwrap();
    let taken = async {
        loop {
            let options = redis::streams::StreamReadOptions::default().group("inventory", "dead");
            let read: Option<redis::streams::StreamReadReply> = connection
                .xread_options(&[fixture.stream()], &[">"], &options)
                .await
                .unwrap();
            if read.is_some_and(|read| !read.keys.is_empty()) {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(5), taken).await.unwrap();
    fixture.start_consumer(Recorder::default());
    fixture.wait_for_effects(1).await;
}

#[tokio::test]
async fn only_what_every_group_has_acknowledged_is_trimmed() {
    let fixture = Fixture::new().await;
    let events: Vec<Event> = (0..500)
        .map(|_| OrderEvent::Confirmed.about(OrderId::new()))
        .collect();
    fixture.append(&events).await;
    let mut connection = fixture.redis.connection();
    let relay = Relay::new(fixture.pool.clone(), fixture.redis.connection(), fixture.stream())
        .tidy_every(Duration::from_millis(50));
    tokio::spawn(relay.run(fixture.stop.clone()));
    let stream = fixture.stream();
    let mut length = async || connection.xlen::<_, usize>(&stream).await.unwrap();
    while length().await < 500 {
        sleep(Duration::from_millis(20)).await;
    }
    sleep(Duration::from_millis(600)).await;
    assert_eq!(length().await, 500, "nobody has read yet");

    fixture.start_consumer(Recorder::default());
    fixture.wait_for_effects(500).await;
    let trimmed = async {
        // Redis trims whole nodes of the stream: some entries stay.
        while length().await >= 200 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(5), trimmed)
        .await
        .expect("acknowledged entries go");
    assert_eq!(fixture.effects().await.len(), 500);
}

#[tokio::test]
async fn tables_do_not_grow_for_ever() {
    const OLD: usize = 2_500;
    let fixture = Fixture::new().await;
    let row = "insert into outbox (id, aggregate_id, name, payload, occurred_at, published_at)
        select gen_random_uuid(), 'old', 'OrderConfirmed', '{}', now(), now() - make_interval(days => 8)
        from generate_series(1, $1)";
    let inbox = "insert into inbox select 'inventory', gen_random_uuid(), now() - make_interval(days => 31) from generate_series(1, $1)";
    for statement in [row, inbox] {
        sqlx::query(statement)
            .bind(i64::try_from(OLD).unwrap())
            .execute(&fixture.pool)
            .await
            .unwrap();
    }
    let relay = Relay::new(fixture.pool.clone(), fixture.redis.connection(), fixture.stream());
    let wake = relay.wake();
    tokio::spawn(relay.run(fixture.stop.clone()));
    fixture.start_consumer(Recorder::default());
    // What is young, or not published yet, stays.
    fixture
        .append(&[OrderEvent::Confirmed.about(OrderId::new())])
        .await;
    wake.notify();
    fixture.wait_for_effects(1).await;
    let pruned = async {
        while (fixture.rows("outbox").await, fixture.rows("inbox").await) != (1, 1) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let in_time = timeout(Duration::from_secs(15), pruned).await;
    assert!(
        in_time.is_ok(),
        "{} and {} rows",
        fixture.rows("outbox").await,
        fixture.rows("inbox").await
    );
}
