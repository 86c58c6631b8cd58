//! Redis' side of stock: a counter, its holds and their deadlines for each SKU, changed by scripts only.
//!
//! The four keys of a SKU carry its hash tag, so that a script touches one slot of a Redis Cluster. Their names contain the epoch of the
//! database: counters made from another database are not found, hence not believed.

use fondaco_chassis::Redis;
use fondaco_contracts::{ReservationId, Sku};
use redis::{AsyncCommands, RedisError, RedisResult, Script};
use uuid::Uuid;

use crate::{
    reservation::{Want, Wish},
    store::{CustomerUnits, OpenHold, StockRow},
};

/// How the counter of one SKU answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// The units are held.
    Reserved,
    /// They were held already, by the same request.
    Repeated,
    /// Too few are left: so many.
    SoldOut(i64),
    /// The sale has not opened.
    NotStarted,
    /// More than this customer may have: so many are left to them.
    LimitExceeded(i64),
    /// The counter is not loaded.
    NotReady,
    /// The reservation exists with other parameters.
    KeyReused,
}

/// The counters of all SKUs.
pub struct Counters {
    redis: Redis,
    namespace: String,
    reserve: Script,
    confirm: Script,
    release: Script,
    load: Script,
    overdue: Script,
}

impl Counters {
    /// The counters that belong to the database with this epoch.
    pub fn new(redis: Redis, epoch: Uuid) -> Self {
        let namespace = redis.key(format_args!("stock:{}", epoch.simple()));
        Self {
            redis,
            namespace,
            reserve: Script::new(include_str!("reserve.lua")),
            confirm: Script::new(include_str!("confirm.lua")),
            release: Script::new(include_str!("release.lua")),
            load: Script::new(include_str!("load.lua")),
            overdue: Script::new(include_str!("overdue.lua")),
        }
    }

    /// What is available of each SKU; `None` where the counter is not loaded. One command.
    pub async fn available(&self, skus: &[Sku]) -> RedisResult<Vec<Option<i64>>> {
        let keys: Vec<String> = skus.iter().map(|sku| self.counter(sku)).collect();
        self.redis.connection().mget(keys).await
    }

    /// Units of all holds of `sku`.
    pub async fn held(&self, sku: &Sku) -> RedisResult<i64> {
        let [_, holds, _, _] = self.keys(sku);
        let entries: Vec<String> = self.redis.connection().hvals(holds).await?;
        let units = |entry: &String| {
            entry
                .split(':')
                .next()
                .and_then(|units| units.parse::<i64>().ok())
        };
        Ok(entries.iter().filter_map(units).sum())
    }

    /// Takes what `wish` wants of `sku`, for as long as it says at least. `parameters`: the wish's hash.
    pub async fn reserve(
        &self,
        wish: &Wish,
        sku: &Sku,
        want: &Want,
        parameters: &str,
    ) -> RedisResult<Admission> {
        let mut connection = self.redis.connection();
        let mut call = self.reserve.prepare_invoke();
        for key in self.keys(sku) {
            call.key(key);
        }
        call.arg(wish.id.to_string())
            .arg(want.quantity)
            .arg(parameters)
            .arg(i64::from(wish.ttl_seconds) * 1000)
            .arg(optional(want.per_customer_limit))
            .arg(optional(want.opens_at.map(|at| at.timestamp_millis())))
            .arg(wish.customer.to_string());
        let (outcome, available): (String, i64) = call.invoke_async(&mut connection).await?;
        match outcome.as_str() {
            "RESERVED" => Ok(Admission::Reserved),
            "REPEATED" => Ok(Admission::Repeated),
            "SOLD_OUT" => Ok(Admission::SoldOut(available)),
            "NOT_STARTED" => Ok(Admission::NotStarted),
            "LIMIT_EXCEEDED" => Ok(Admission::LimitExceeded(available)),
            "NOT_READY" => Ok(Admission::NotReady),
            "KEY_REUSED" => Ok(Admission::KeyReused),
            other => Err(unexpected(other)),
        }
    }

    /// The held units are sold.
    pub async fn confirm(&self, sku: &Sku, reservation: ReservationId) -> RedisResult<()> {
        self.settle(&self.confirm, sku, reservation).await
    }

    /// The held units are available again.
    pub async fn release(&self, sku: &Sku, reservation: ReservationId) -> RedisResult<()> {
        self.settle(&self.release, sku, reservation).await
    }

    async fn settle(&self, script: &Script, sku: &Sku, reservation: ReservationId) -> RedisResult<()> {
        let mut connection = self.redis.connection();
        let mut call = script.prepare_invoke();
        for key in self.keys(sku) {
            call.key(key);
        }
        let _: i64 = call
            .arg(reservation.to_string())
            .invoke_async(&mut connection)
            .await?;
        Ok(())
    }

    /// Sets the counter of a SKU if it is missing; what is available then. The caller holds the lock of the SKU's stock row.
    pub async fn load(
        &self,
        stock: &StockRow,
        holds: &[&OpenHold],
        customers: &[&CustomerUnits],
    ) -> RedisResult<i64> {
        let mut connection = self.redis.connection();
        let mut call = self.load.prepare_invoke();
        for key in self.keys(&stock.sku) {
            call.key(key);
        }
        call.arg(stock.available()).arg(holds.len());
        for hold in holds {
            let customer = optional(hold.limited.then_some(hold.customer));
            call.arg(hold.reservation.to_string())
                .arg(format!("{}:{}:{customer}", hold.quantity, hold.parameters))
                .arg(hold.remaining_ms);
        }
        for one in customers {
            call.arg(one.customer.to_string()).arg(one.units);
        }
        call.invoke_async(&mut connection).await
    }

    /// Removes counters, to be loaded anew. The caller holds the locks of the SKUs' stock rows, so that nobody loads what was before.
    pub async fn forget(&self, skus: &[Sku]) -> RedisResult<()> {
        if skus.is_empty() {
            return Ok(());
        }
        let keys: Vec<String> = skus.iter().map(|sku| self.counter(sku)).collect();
        self.redis.connection().del(keys).await
    }

    /// Holds of `sku` whose deadline passed more than `grace_ms` ago.
    pub async fn overdue(&self, sku: &Sku, grace_ms: u64, limit: usize) -> RedisResult<Vec<ReservationId>> {
        let mut connection = self.redis.connection();
        let [_, _, deadlines, _] = self.keys(sku);
        let ids: Vec<String> = self
            .overdue
            .key(deadlines)
            .arg(grace_ms)
            .arg(limit)
            .invoke_async(&mut connection)
            .await?;
        Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
    }

    fn counter(&self, sku: &Sku) -> String {
        format!("{}:available:{{{sku}}}", self.namespace)
    }

    fn keys(&self, sku: &Sku) -> [String; 4] {
        let key = |name: &str| format!("{}:{name}:{{{sku}}}", self.namespace);
        [
            self.counter(sku),
            key("holds"),
            key("deadlines"),
            key("customers"),
        ]
    }
}

/// As the scripts expect what may be absent.
fn optional(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn unexpected(answer: &str) -> RedisError {
    (
        redis::ErrorKind::UnexpectedReturnType,
        "reserve.lua",
        answer.to_owned(),
    )
        .into()
}
