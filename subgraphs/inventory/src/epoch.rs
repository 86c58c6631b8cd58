//! The epoch: which counters in Redis are believed.
//!
//! Postgres and Redis both hold its id; counters have it in their names. Redis may lose data in ways that its commands do not show: a
//! restart (the append-only file is a second behind), a failover (so is a replica), `FLUSHALL`, an old snapshot put back. Each is seen
//! by one of three signs: the mark in Redis is gone or another's, the process behind the connection is another one, or the mark has
//! been asked fewer times than before.
//!
//! Then sales close. Whoever holds the lock of the row in Postgres begins a new epoch, loads every counter from Postgres with the holds
//! that are open, sets the mark, and sales open again; other instances find the new mark and follow. Reservations that were admitted
//! by the counters of an earlier epoch are refused when they reach Postgres (`store/hold.rs`), since the new counters do not know them.

use std::{sync::Arc, time::Duration};

use fondaco_chassis::ApiError;
use sqlx::{Postgres, Transaction};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    counters::{Counters, Mark},
    loading,
    store::{
        Store,
        epoch::{self, Epoch},
    },
};

/// How often the signs are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A Redis that does not say so in this time cannot be believed.
const PATIENCE: Duration = Duration::from_millis(800);
/// So many SKUs are loaded in one transaction, which reads all open holds.
const CHUNK: usize = 1_024;

/// Watches over the epoch of one instance.
pub struct Guard {
    store: Store,
    counters: Arc<Counters>,
    /// Held while looking: rebuilding is for one at a time.
    seen: Mutex<Seen>,
}

/// The mark as it was when it was last believed.
#[derive(Clone, Copy, Default)]
struct Seen {
    epoch: Option<Uuid>,
    asked: i64,
}

impl Seen {
    /// Nothing that was counted since has been forgotten.
    fn precedes(self, mark: &Mark) -> bool {
        self.epoch != mark.epoch || self.asked < mark.asked
    }
}

impl Guard {
    /// Closed until the first [`look`](Self::look).
    pub fn new(store: Store, counters: Arc<Counters>) -> Self {
        Self {
            store,
            counters,
            seen: Mutex::default(),
        }
    }

    /// Looks now and then until `stop`.
    pub async fn watch(&self, stop: CancellationToken) {
        while stop.run_until_cancelled(sleep(LOOK_EVERY)).await.is_some() {
            let was_open = self.counters.epoch().is_some();
            if let Err(error) = self.look().await
                && was_open
            {
                tracing::warn!(error.cause = %error, "sales are closed: the counters in Redis cannot be trusted now");
            }
        }
    }

    /// Opens sales if the counters are those of the epoch; makes them so where they are not.
    pub async fn look(&self) -> Result<(), ApiError> {
        let looked = self.try_look().await;
        if looked.is_err() {
            self.counters.close();
        }
        looked
    }

    async fn try_look(&self) -> Result<(), ApiError> {
        let mut seen = self.seen.lock().await;
        let mark = self.mark().await?;
        if self.counters.is_of(mark.epoch, &mark.server) && seen.precedes(&mark) {
            return self.believe(&mut seen, &mark);
        }
        self.counters.close();
        let mut transaction = self.store.begin().await?;
        let known = epoch::lock(&mut transaction).await?;
        let mark = self.mark().await?;
        if mark.epoch == Some(known.id) && mark.server == known.server && seen.precedes(&mark) {
            // Another instance has rebuilt them, or this one has just started.
            self.counters.adopt(known);
            return self.believe(&mut seen, &mark);
        }
        let next = self.rebuild(transaction, &known, mark.server.clone()).await?;
        self.forget_earlier([Some(known.id), mark.epoch]).await;
        let mark = self.mark().await?;
        if mark.epoch != Some(next) {
            return Err(ApiError::unavailable(
                "Redis lost the counters while they were rebuilt",
            ));
        }
        self.believe(&mut seen, &mark)
    }

    fn believe(&self, seen: &mut Seen, mark: &Mark) -> Result<(), ApiError> {
        *seen = Seen {
            epoch: mark.epoch,
            asked: mark.asked,
        };
        self.counters.open();
        Ok(())
    }

    /// Begins an epoch and loads its counters. The row stays locked until all are there; the mark is set last, so that a rebuilding
    /// that is interrupted is begun anew.
    async fn rebuild(
        &self,
        mut transaction: Transaction<'static, Postgres>,
        known: &Epoch,
        server: String,
    ) -> Result<Uuid, ApiError> {
        let began = Instant::now();
        let next = Epoch {
            id: Uuid::new_v4(),
            server,
        };
        epoch::begin(&mut transaction, &next).await?;
        // From now on what settles is followed in the counters that are being loaded.
        self.counters.adopt(next.clone());
        let skus = self.store.skus().await?;
        for chunk in skus.chunks(CHUNK) {
            loading::load(&self.store, &self.counters, chunk).await?;
        }
        transaction.commit().await?;
        self.counters.set_mark(next.id).await?;
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        if known.server.is_empty() {
            tracing::info!(
                skus = skus.len(),
                took_ms,
                "counters in Redis are made for the first time"
            );
        } else {
            tracing::warn!(
                skus = skus.len(),
                took_ms,
                "Redis has lost the counters: rebuilt from Postgres"
            );
        }
        Ok(next.id)
    }

    async fn mark(&self) -> Result<Mark, ApiError> {
        timeout(PATIENCE, self.counters.mark())
            .await
            .map_err(ApiError::unavailable)?
            .map_err(ApiError::from)
    }

    /// What earlier epochs left takes room and nothing else.
    async fn forget_earlier(&self, epochs: [Option<Uuid>; 2]) {
        let Ok(skus) = self.store.skus().await else { return };
        for epoch in epochs.into_iter().flatten() {
            if let Err(error) = self.counters.forget_epoch(epoch, &skus).await {
                tracing::info!(error.cause = %error, "counters of an earlier epoch remain in Redis");
            }
        }
    }
}
