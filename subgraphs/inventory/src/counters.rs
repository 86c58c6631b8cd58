//! Redis' side of stock: a counter, its holds and their deadlines for each SKU, changed by scripts only.
//!
//! The four keys of a SKU carry its hash tag, so that a script touches one slot of a Redis Cluster. Their names contain the
//! [epoch](crate::epoch): counters of another epoch, or made from another database, are not found, hence not believed.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use arc_swap::ArcSwap;
use fondaco_chassis::Redis;
use fondaco_contracts::{ReservationId, Sku};
use redis::{AsyncCommands, RedisError, RedisResult, Script};
use uuid::Uuid;

use crate::{
    reservation::{Want, Wish},
    store::{CustomerUnits, OpenHold, StockRow, epoch::Epoch},
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

/// Says whose counters Redis has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// The epoch whose counters are all there; none where there is no mark.
    pub epoch: Option<Uuid>,
    /// How often the mark was asked for, this time included.
    pub asked: i64,
    /// The run id of the Redis process that answered.
    pub server: String,
}

/// Holds, and customers, that one call loads: a call that takes long holds up everybody else.
const LOADED_AT_ONCE: usize = 2_000;
/// SKUs whose keys are removed by one command batch.
const UNLINKED_AT_ONCE: usize = 256;

/// The counters of all SKUs.
pub struct Counters {
    redis: Redis,
    epoch: ArcSwap<Epoch>,
    is_open: AtomicBool,
    mark: Script,
    reserve: Script,
    confirm: Script,
    release: Script,
    load: Script,
    overdue: Script,
}

impl Counters {
    /// The counters of `epoch`; closed.
    pub fn new(redis: Redis, epoch: Epoch) -> Self {
        Self {
            redis,
            epoch: ArcSwap::from_pointee(epoch),
            is_open: AtomicBool::new(false),
            mark: Script::new(include_str!("mark.lua")),
            reserve: Script::new(include_str!("reserve.lua")),
            confirm: Script::new(include_str!("confirm.lua")),
            release: Script::new(include_str!("release.lua")),
            load: Script::new(include_str!("load.lua")),
            overdue: Script::new(include_str!("overdue.lua")),
        }
    }

    /// The epoch by which buyers are admitted; none while sales are closed.
    pub fn epoch(&self) -> Option<Uuid> {
        self.is_open.load(Ordering::Acquire).then(|| self.epoch.load().id)
    }

    /// Are these the counters of `epoch`, in the Redis process `server`?
    pub fn is_of(&self, epoch: Option<Uuid>, server: &str) -> bool {
        let current = self.epoch.load();
        epoch == Some(current.id) && current.server == server
    }

    /// Admits nobody.
    pub fn close(&self) {
        self.is_open.store(false, Ordering::Release);
    }

    /// Admits buyers.
    pub fn open(&self) {
        self.is_open.store(true, Ordering::Release);
    }

    /// From now on the counters of `epoch` are meant. The caller has closed them.
    pub fn adopt(&self, epoch: Epoch) {
        self.epoch.store(Arc::new(epoch));
    }

    /// The mark, and who holds it. It is counted that it was asked for.
    pub async fn mark(&self) -> RedisResult<Mark> {
        let mut connection = self.redis.connection();
        let server: String = redis::cmd("INFO")
            .arg("server")
            .query_async(&mut connection)
            .await?;
        let (epoch, asked): (String, i64) = self
            .mark
            .key(self.mark_key())
            .invoke_async(&mut connection)
            .await?;
        let run_id = server.lines().find_map(|line| line.strip_prefix("run_id:"));
        Ok(Mark {
            epoch: epoch.parse().ok(),
            asked,
            server: run_id.unwrap_or_default().trim().to_owned(),
        })
    }

    /// Marks Redis as having all counters of `epoch`.
    pub async fn set_mark(&self, epoch: Uuid) -> RedisResult<()> {
        let fields = [("epoch", epoch.to_string()), ("asked", "0".to_owned())];
        self.redis
            .connection()
            .hset_multiple(self.mark_key(), &fields)
            .await
    }

    /// Removes what an earlier epoch left.
    pub async fn forget_epoch(&self, epoch: Uuid, skus: &[Sku]) -> RedisResult<()> {
        for some in skus.chunks(UNLINKED_AT_ONCE) {
            let mut removing = redis::pipe();
            for sku in some {
                removing.unlink(&self.keys_in(epoch, sku)[..]).ignore();
            }
            removing.query_async::<()>(&mut self.redis.connection()).await?;
        }
        Ok(())
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
        holds: &[OpenHold],
        customers: &[CustomerUnits],
    ) -> RedisResult<i64> {
        let (mut first, mut holds, mut customers) = (true, holds, customers);
        loop {
            let (some_holds, other_holds) = holds.split_at(holds.len().min(LOADED_AT_ONCE));
            let (some_customers, other_customers) = customers.split_at(customers.len().min(LOADED_AT_ONCE));
            let is_last = other_holds.is_empty() && other_customers.is_empty();
            let available = is_last.then(|| stock.available());
            let answer = self
                .load_some(&stock.sku, first, available, some_holds, some_customers)
                .await?;
            // It is there, perhaps by another's doing.
            if is_last || answer >= 0 {
                return Ok(answer);
            }
            (first, holds, customers) = (false, other_holds, other_customers);
        }
    }

    async fn load_some(
        &self,
        sku: &Sku,
        first: bool,
        available: Option<i64>,
        holds: &[OpenHold],
        customers: &[CustomerUnits],
    ) -> RedisResult<i64> {
        let mut connection = self.redis.connection();
        let mut call = self.load.prepare_invoke();
        for key in self.keys(sku) {
            call.key(key);
        }
        call.arg(u8::from(first))
            .arg(optional(available))
            .arg(holds.len());
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

    fn mark_key(&self) -> String {
        self.redis.key("stock:epoch")
    }

    fn counter(&self, sku: &Sku) -> String {
        let [counter, ..] = self.keys(sku);
        counter
    }

    fn keys(&self, sku: &Sku) -> [String; 4] {
        self.keys_in(self.epoch.load().id, sku)
    }

    fn keys_in(&self, epoch: Uuid, sku: &Sku) -> [String; 4] {
        let (prefix, epoch) = (self.redis.prefix(), epoch.simple());
        ["available", "holds", "deadlines", "customers"]
            .map(|name| format!("{prefix}stock:{epoch}:{name}:{{{sku}}}"))
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
