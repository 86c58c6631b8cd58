//! Entries in Redis: `order:1:{id}`, in their place a whole order as JSON, or the mark of the lease of whoever is reading it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use fondaco_chassis::Redis;
use fondaco_contracts::OrderId;
use futures::future::try_join_all;
use redis::{RedisResult, Script};
use tokio::time::timeout;
use uuid::Uuid;

use crate::store::OrderWithLines;

/// How long Redis may take; Postgres would be quicker.
const PATIENCE: Duration = Duration::from_millis(50);
/// How long Redis is left alone afterwards.
const LEAVE_ALONE: Duration = Duration::from_secs(1);
/// Longer than a reading takes; a lease is lost with its process for no longer than this.
const LEASE: Duration = Duration::from_secs(1);
/// What the mark of a lease begins with, and no JSON does.
const MARK: char = '?';

/// The entries.
pub struct Entries {
    redis: Redis,
    keep: Duration,
    find: Script,
    put: Script,
    since: Instant,
    /// Milliseconds after `since` until which Redis is not asked.
    alone_until: AtomicU64,
}

/// What is in an entry's place.
pub enum Found {
    /// The order.
    Kept(Arc<OrderWithLines>),
    /// Nothing so far: it is ours to read.
    Ours(Lease),
    /// Somebody is reading it.
    Theirs(Lease),
    /// Nothing of ours: it is read, and not kept.
    Unreadable,
}

/// The right to put an order there, as long as its mark stands.
#[derive(Debug)]
pub struct Lease {
    /// Of which order.
    pub order: OrderId,
    /// Unique.
    pub mark: String,
}

impl Entries {
    /// In `redis`, each for `keep`.
    pub fn new(redis: Redis, keep: Duration) -> Self {
        Self {
            redis,
            keep,
            find: Script::new(include_str!("find.lua")),
            put: Script::new(include_str!("keep.lua")),
            since: Instant::now(),
            alone_until: AtomicU64::new(0),
        }
    }

    /// Is anything kept at all?
    pub fn is_on(&self) -> bool {
        !self.keep.is_zero()
    }

    /// Where an order is kept. The number is the layout's: another one reads other entries.
    pub fn key(&self, order: OrderId) -> String {
        self.redis.key(format_args!("order:1:{order}"))
    }

    /// What is in the places of `ids`, taking leases of those that are empty; nothing where Redis does not answer (in time).
    pub async fn find(&self, ids: &[OrderId]) -> Option<Vec<Found>> {
        if !self.is_on() || self.is_left_alone() {
            return None;
        }
        self.within_patience(try_join_all(ids.iter().map(|id| self.find_one(*id))))
            .await
    }

    async fn find_one(&self, order: OrderId) -> RedisResult<Found> {
        let ours = format!("{MARK}{}", Uuid::new_v4().simple());
        let found: String = self
            .find
            .key(self.key(order))
            .arg(&ours)
            .arg(LEASE.as_millis() as u64)
            .invoke_async(&mut self.redis.connection())
            .await?;
        Ok(if found == ours {
            Found::Ours(Lease { order, mark: ours })
        } else if found.starts_with(MARK) {
            Found::Theirs(Lease { order, mark: found })
        } else {
            serde_json::from_str(&found).map_or(Found::Unreadable, |order| Found::Kept(Arc::new(order)))
        })
    }

    /// Keeps an order under a lease, or gives the lease up where there is none to be kept.
    pub async fn keep(&self, lease: &Lease, order: Option<&OrderWithLines>) {
        let body = order.and_then(|order| serde_json::to_string(order).ok());
        let mut connection = self.redis.connection();
        let mut call = self.put.key(self.key(lease.order));
        call.arg(&lease.mark)
            .arg(body.unwrap_or_default())
            .arg(self.keep.as_millis() as u64);
        self.within_patience(call.invoke_async::<()>(&mut connection))
            .await;
    }

    /// Deletes entries and leases.
    pub async fn forget(&self, ids: &[OrderId]) {
        if !self.is_on() {
            return;
        }
        let mut connection = self.redis.connection();
        let mut unlink = redis::pipe();
        for id in ids {
            unlink.cmd("UNLINK").arg(self.key(*id)).ignore();
        }
        self.within_patience(unlink.exec_async(&mut connection)).await;
    }

    async fn within_patience<T>(&self, asked: impl Future<Output = RedisResult<T>>) -> Option<T> {
        match timeout(PATIENCE, asked).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => tracing::warn!(error.cause = %error, "orders are read without their cache"),
            Err(_) => tracing::warn!("Redis is slow: orders are read without their cache"),
        }
        let until = self.since.elapsed() + LEAVE_ALONE;
        self.alone_until
            .store(until.as_millis() as u64, Ordering::Relaxed);
        None
    }

    fn is_left_alone(&self) -> bool {
        (self.since.elapsed().as_millis() as u64) < self.alone_until.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use fondaco_chassis::testing::TestRuntime;
    use fondaco_contracts::{CurrencyCode, Money, UserId};

    use super::*;
    use crate::{order::Status, store::Order};

    fn read(id: OrderId, version: i32) -> OrderWithLines {
        let total = Money::zero(CurrencyCode::EUR);
        let order = Order {
            id,
            customer: UserId::new(),
            reservation: id.into(),
            status: Status::Confirmed,
            version,
            total,
            refunded: total,
            failure: None,
            held_until: None,
            refund_due: false,
            tracking_code: None,
            created_at: Utc::now(),
        };
        OrderWithLines {
            order,
            lines: Vec::new(),
        }
    }

    async fn find(entries: &Entries, id: OrderId) -> Found {
        entries.find(&[id]).await.unwrap().pop().unwrap()
    }

    async fn lease(entries: &Entries, id: OrderId) -> Lease {
        match find(entries, id).await {
            Found::Ours(lease) => lease,
            _ => panic!("the place is taken"),
        }
    }

    async fn version(entries: &Entries, id: OrderId) -> Option<i32> {
        match find(entries, id).await {
            Found::Kept(whole) => Some(whole.order.version),
            _ => None,
        }
    }

    /// Read old, change, forget, keep old: at every moment at which the old one may arrive.
    #[tokio::test]
    async fn what_was_read_before_a_change_is_not_kept_after_it() {
        let test = TestRuntime::new();
        let redis = Redis::connect(&test.runtime).await.unwrap();
        let (entries, id) = (Entries::new(redis, Duration::from_secs(60)), OrderId::new());
        let (old, new) = (read(id, 1), read(id, 2));
        let early = lease(&entries, id).await;
        entries.forget(&[id]).await;
        entries.keep(&early, Some(&old)).await;
        let later = lease(&entries, id).await;
        entries.keep(&early, Some(&old)).await;
        assert_eq!(version(&entries, id).await, None, "the later one is reading");
        entries.keep(&later, Some(&new)).await;
        entries.keep(&early, Some(&old)).await;
        assert_eq!(version(&entries, id).await, Some(2));
        entries.forget(&[id]).await;
        let given_up = lease(&entries, id).await;
        entries.keep(&given_up, None).await;
        lease(&entries, id).await;
    }
}
