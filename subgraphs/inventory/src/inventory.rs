//! What the service does, across both stores: Redis admits, Postgres decides.
//!
//! The arguments that keep the two in step:
//!
//! - A counter is loaded under the lock of its stock row, which every change of that row takes: what is read is true while it is set.
//! - `held` in Postgres counts a reservation from the moment it is durable, and `sold + held <= total` is a constraint: a counter that is
//!   too high (a reservation was on its way when the counter was lost) admits a buyer whom Postgres then refuses.
//! - Postgres settles first, Redis follows. A hold that Redis still has is removed by the follow-up or, if that is lost, by the sweep.
//! - A wish is stored only in the epoch whose counters admitted it: counters made anew know of every hold, or it is refused.
//! - Changes that Redis cannot follow by removing a hold (a total adjusted, a sale returned) make the counter be forgotten, and loaded anew.

use std::{collections::HashMap, sync::Arc, time::Duration};

use fondaco_chassis::{ApiError, Batcher, Batching};
use fondaco_contracts::{ReservationId, Sku};
use uuid::Uuid;

use crate::{
    counters::{Admission, Counters},
    epoch::Guard,
    loading::{self, Loaded},
    reservation::{Answer, ReservationStatus, Settlement, Want, Wish},
    store::{
        StockRow, Store,
        adjust::{self, AdjustError, Adjusted, Adjustment},
        hold::Held,
        lock_stock,
        settle::{Settled, expired, settle},
    },
};

/// How reservations share transactions.
const BATCHES: Batching = Batching {
    max: 500,
    lanes: 1,
    pace: Duration::from_millis(10),
};
/// A reservation's time in Redis beyond its time in Postgres, which expires first.
const REDIS_GRACE: Duration = Duration::from_secs(30);
const OVERDUE_LIMIT: usize = 500;

/// A wish, and the epoch whose counters admitted it.
type Admitted = (Uuid, Wish);

/// Stock in both stores. Cheap to clone.
#[derive(Clone)]
pub struct Inventory {
    store: Store,
    counters: Arc<Counters>,
    guard: Arc<Guard>,
    holds: Arc<Batcher<Admitted, Held>>,
    settlements: Arc<Batcher<(ReservationId, Settlement), Option<ReservationStatus>>>,
    loads: Arc<Batcher<Sku, Loaded>>,
}

impl Inventory {
    /// Brings the stores together.
    pub fn new(store: Store, counters: Counters) -> Self {
        let counters = Arc::new(counters);
        let guard = Arc::new(Guard::new(store.clone(), Arc::clone(&counters)));
        let (held, settled, loaded) = (store.clone(), store.clone(), store.clone());
        let (following, loading) = (Arc::clone(&counters), Arc::clone(&counters));
        let looking = Arc::clone(&guard);
        Self {
            store,
            counters,
            guard,
            holds: Arc::new(Batcher::new(BATCHES, move |admitted| {
                hold_all(held.clone(), admitted)
            })),
            settlements: Arc::new(Batcher::new(BATCHES, move |wanted| {
                settle_all(settled.clone(), Arc::clone(&following), wanted)
            })),
            loads: Arc::new(Batcher::new(BATCHES, move |skus| {
                loading::load_all(loaded.clone(), Arc::clone(&loading), Arc::clone(&looking), skus)
            })),
        }
    }

    /// Holds all lines of a wish, or none. Durable when it answers; repeating it gives the same answer.
    pub async fn reserve(&self, wish: Wish) -> Result<Answer, ApiError> {
        let parameters = wish.parameters();
        let Some(epoch) = self.counters.epoch() else {
            return Ok(not_ready(&wish));
        };
        let mut taken = Vec::new();
        for (sku, want) in &wish.lines {
            let refusal = match self.admit(&wish, sku, want, &parameters).await? {
                Ok(Admission::Reserved) => {
                    taken.push(sku.clone());
                    continue;
                }
                Ok(Admission::Repeated) => continue,
                Ok(Admission::SoldOut(available)) => Answer::SoldOut {
                    sku: sku.clone(),
                    available,
                },
                Ok(Admission::NotStarted) => Answer::NotStarted(sku.clone()),
                Ok(Admission::LimitExceeded(left)) => Answer::LimitExceeded {
                    sku: sku.clone(),
                    left,
                },
                Ok(Admission::NotReady) => Answer::NotReady(sku.clone()),
                Ok(Admission::KeyReused) => Answer::KeyReused,
                Err(unknown) => Answer::UnknownSku(unknown),
            };
            self.compensate(wish.id, &taken).await;
            return Ok(refusal);
        }
        self.decide(epoch, wish, &parameters, &taken).await
    }

    /// Asks the counter; one that is missing is loaded and asked again, unless sales had to be closed. `Err` names a SKU without stock.
    async fn admit(
        &self,
        wish: &Wish,
        sku: &Sku,
        want: &Want,
        parameters: &str,
    ) -> Result<Result<Admission, Sku>, ApiError> {
        let admission = self.counters.reserve(wish, sku, want, parameters).await?;
        if admission != Admission::NotReady {
            return Ok(Ok(admission));
        }
        match self.loads.submit(sku.clone()).await? {
            Loaded::Now(_) => Ok(Ok(self.counters.reserve(wish, sku, want, parameters).await?)),
            Loaded::Closed => Ok(Ok(Admission::NotReady)),
            Loaded::Unknown => Ok(Err(sku.clone())),
        }
    }

    /// Where Postgres does not answer, Redis keeps its holds: the transaction may have been committed. The sweep finds out.
    async fn decide(
        &self,
        epoch: Uuid,
        wish: Wish,
        parameters: &str,
        taken: &[Sku],
    ) -> Result<Answer, ApiError> {
        let (id, closed) = (wish.id, not_ready(&wish));
        match self.holds.submit((epoch, wish)).await? {
            Held::Stale => {
                self.compensate(id, taken).await;
                Ok(closed)
            }
            Held::Now(expires_at) => Ok(Answer::Reserved { expires_at }),
            Held::Before(stored) => {
                let same = stored.parameters == parameters;
                if !same || stored.status != ReservationStatus::Held {
                    self.compensate(id, taken).await;
                }
                match stored.status {
                    ReservationStatus::Held | ReservationStatus::Confirmed if same => Ok(Answer::Reserved {
                        expires_at: stored.expires_at,
                    }),
                    _ => Ok(Answer::KeyReused),
                }
            }
            Held::Refused { sku, available } => {
                self.compensate(id, taken).await;
                self.reload(&sku).await;
                Ok(Answer::SoldOut { sku, available })
            }
            Held::LimitExceeded { sku, left } => {
                self.compensate(id, taken).await;
                self.reload(&sku).await;
                Ok(Answer::LimitExceeded { sku, left })
            }
        }
    }

    /// Undoes the lines taken in Redis. What cannot be undone now is swept later.
    async fn compensate(&self, reservation: ReservationId, taken: &[Sku]) {
        for sku in taken {
            if let Err(error) = self.counters.release(sku, reservation).await {
                tracing::warn!(error.cause = %error, "a hold in Redis could not be undone yet");
            }
        }
    }

    /// The counter promised more than there is: it is made anew.
    async fn reload(&self, sku: &Sku) {
        let forgotten = async {
            let mut transaction = self.store.begin().await?;
            lock_stock(&mut transaction, std::slice::from_ref(sku)).await?;
            self.counters.forget(std::slice::from_ref(sku)).await?;
            Ok::<_, ApiError>(transaction.rollback().await?)
        };
        match forgotten.await {
            Ok(()) => tracing::warn!(%sku, "a counter in Redis was too high and is loaded anew"),
            Err(error) => tracing::warn!(%sku, error.cause = %error, "a counter in Redis is too high"),
        }
    }

    /// Confirms or releases a reservation; its status then, `None` where there is no such reservation.
    pub async fn settle(
        &self,
        reservation: ReservationId,
        settlement: Settlement,
    ) -> Result<Option<ReservationStatus>, ApiError> {
        self.settlements.submit((reservation, settlement)).await
    }

    /// What is available of each SKU, in one lookup; SKUs without stock have nothing. Without Redis, Postgres answers.
    pub async fn available(&self, skus: &[Sku]) -> Result<HashMap<Sku, i64>, ApiError> {
        if self.counters.epoch().is_none() {
            return self.available_in_postgres(skus).await;
        }
        let counters = match self.counters.available(skus).await {
            Ok(counters) => counters,
            Err(error) => {
                tracing::warn!(error.cause = %error, "availability is read from Postgres");
                return self.available_in_postgres(skus).await;
            }
        };
        let mut found = HashMap::with_capacity(skus.len());
        let mut missing = Vec::new();
        for (sku, counter) in skus.iter().zip(counters) {
            match counter {
                Some(available) => drop(found.insert(sku.clone(), available)),
                None => missing.push(sku.clone()),
            }
        }
        if !missing.is_empty() {
            found.extend(self.load(&missing).await?);
        }
        Ok(found)
    }

    async fn available_in_postgres(&self, skus: &[Sku]) -> Result<HashMap<Sku, i64>, ApiError> {
        let stock = self.store.stock(skus).await?;
        let available = stock.into_iter().map(|row| (row.sku.clone(), row.available()));
        Ok(available.collect())
    }

    /// Who watches over the counters.
    pub fn guard(&self) -> Arc<Guard> {
        Arc::clone(&self.guard)
    }

    /// Loads missing counters; what is available of those SKUs that have stock.
    pub async fn load(&self, skus: &[Sku]) -> Result<HashMap<Sku, i64>, ApiError> {
        loading::load(&self.store, &self.counters, skus).await
    }

    /// The durable figures of those SKUs that have stock.
    pub async fn stock(&self, skus: &[Sku]) -> Result<Vec<StockRow>, ApiError> {
        Ok(self.store.stock(skus).await?)
    }

    /// Changes a total, once a key.
    pub async fn adjust(&self, wanted: &Adjustment) -> Result<Result<StockRow, AdjustError>, ApiError> {
        let mut transaction = self.store.begin().await?;
        let stock = match adjust::adjust(&mut transaction, wanted).await {
            Ok(Adjusted::Now(stock)) => stock,
            Ok(Adjusted::Before(stock)) => return Ok(Ok(stock)),
            Err(AdjustError::Database(error)) => return Err(error.into()),
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.counters.forget(std::slice::from_ref(&wanted.sku)).await?;
        transaction.commit().await?;
        // Not needed for correctness, hence its failure is nobody's.
        let _ = self.load(std::slice::from_ref(&wanted.sku)).await;
        Ok(Ok(stock))
    }

    /// Expires what is due, at most `limit` reservations; how many that were. Postgres first, Redis follows.
    pub async fn expire(&self, limit: i64) -> Result<usize, ApiError> {
        let mut transaction = self.store.begin().await?;
        let due = expired(&mut transaction, limit).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let settled = settle(&mut transaction, &due).await?;
        transaction.commit().await?;
        self.follow(&settled).await;
        Ok(settled.len())
    }

    /// Has Redis follow committed settlements.
    pub async fn follow(&self, settled: &[Settled]) {
        follow(&self.counters, settled).await;
    }

    /// Removes holds that Redis has and Postgres has not (any longer): their reservation or their follow-up was interrupted.
    pub async fn sweep(&self) -> Result<usize, ApiError> {
        let mut swept = 0;
        let grace_ms = REDIS_GRACE.as_millis() as u64;
        for sku in self.store.skus().await? {
            let overdue = self.counters.overdue(&sku, grace_ms, OVERDUE_LIMIT).await?;
            if overdue.is_empty() {
                continue;
            }
            let stored = self.store.reservations(&overdue).await?;
            let statuses: HashMap<_, _> = stored.into_iter().map(|one| (one.id, one.status)).collect();
            for id in overdue {
                match statuses.get(&id) {
                    Some(ReservationStatus::Held) => continue,
                    Some(ReservationStatus::Confirmed) => self.counters.confirm(&sku, id).await?,
                    Some(ReservationStatus::Released | ReservationStatus::Expired) | None => {
                        self.counters.release(&sku, id).await?;
                    }
                }
                swept += 1;
            }
        }
        Ok(swept)
    }

    /// Makes the counters of `skus` be loaded anew. The caller holds the locks of their stock rows.
    pub async fn forget(&self, skus: &[Sku]) -> Result<(), ApiError> {
        Ok(self.counters.forget(skus).await?)
    }

    /// Sales that were called off, and holds that were taken again: their counters are made anew. Before the transaction that returns them is committed.
    pub async fn forget_returned(&self, settled: &[Settled]) -> Result<(), ApiError> {
        forget_returned(&self.counters, settled).await
    }
}

/// Sales are closed: all SKUs of a wish are as good as any to name.
fn not_ready(wish: &Wish) -> Answer {
    let first = wish.lines.keys().next();
    Answer::NotReady(first.expect("a wish has lines").clone())
}

/// Wishes that different epochs admitted do not share a transaction; there is more than one only while counters are rebuilt.
async fn hold_all(store: Store, admitted: Vec<Admitted>) -> Result<Vec<Held>, ApiError> {
    let mut answers = Vec::with_capacity(admitted.len());
    for some in admitted.chunk_by(|one, next| one.0 == next.0) {
        let wishes: Vec<Wish> = some.iter().map(|(_, wish)| wish.clone()).collect();
        answers.extend(store.hold(some[0].0, &wishes).await?);
    }
    Ok(answers)
}

async fn settle_all(
    store: Store,
    counters: Arc<Counters>,
    wanted: Vec<(ReservationId, Settlement)>,
) -> Result<Vec<Option<ReservationStatus>>, ApiError> {
    let mut transaction = store.begin().await?;
    let settled = settle(&mut transaction, &wanted).await?;
    forget_returned(&counters, &settled).await?;
    transaction.commit().await?;
    follow(&counters, &settled).await;
    let statuses: HashMap<_, _> = settled.iter().map(|one| (one.id, one.status)).collect();
    let status = |(id, _): &(ReservationId, Settlement)| statuses.get(id).copied();
    Ok(wanted.iter().map(status).collect())
}

async fn forget_returned(counters: &Counters, settled: &[Settled]) -> Result<(), ApiError> {
    let returned = settled.iter().filter(|one| match one.moved_from {
        Some(ReservationStatus::Confirmed) => true,
        Some(ReservationStatus::Expired) => one.status == ReservationStatus::Confirmed,
        _ => false,
    });
    let skus: Vec<Sku> = returned.flat_map(|one| one.skus.iter().cloned()).collect();
    Ok(counters.forget(&skus).await?)
}

async fn follow(counters: &Counters, settled: &[Settled]) {
    let held = settled
        .iter()
        .filter(|one| one.moved_from == Some(ReservationStatus::Held));
    let calls = held
        .flat_map(|one| one.skus.iter().map(move |sku| (one, sku)))
        .map(async |(one, sku)| {
            let followed = match one.status {
                ReservationStatus::Confirmed => counters.confirm(sku, one.id).await,
                _ => counters.release(sku, one.id).await,
            };
            if let Err(error) = followed {
                tracing::warn!(error.cause = %error, "Redis could not follow a settlement yet");
            }
        });
    // On one connection all calls are written at once.
    futures::future::join_all(calls).await;
}
