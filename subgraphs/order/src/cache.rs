//! Orders that were read before, kept in Redis for a while (`cache_seconds`) and shared by all processes.
//!
//! Only orders that are settled are kept, and only as a whole: the order with its lines, read by one statement. A DRAFT or PENDING order
//! changes within moments; that it is never kept also means that a purchase has nothing to tell here. An entry holds nothing about who
//! asked: who may see an order is decided afterwards, for each caller. Mutations read the database, never this.
//!
//! **Never an old one.** Whoever finds nothing takes a *lease*: a mark in the entry's place, and only under that mark may he put there what
//! he reads. A change deletes entry and mark after its commit. So the race "read old, change, delete, keep old" ends with a mark that is
//! gone or somebody else's, and the old one is not kept. A number of the version would not do alone: after the deletion nothing is left to
//! compare with. Of two deletions, the first is made by whoever made the change, before the answer: who has the answer reads the change.
//! The second is made by the relay, before it publishes the event, and is repeated until it succeeds: it covers a process that died
//! after its commit, and a Redis that was away.
//!
//! **Of many who ask at once, one reads.** The lease tells everybody else to wait: in this process for the reading that is under way
//! ([`flights`]), in others for the entry, a few milliseconds at a time and not for long; then they read themselves. Leases instead of an
//! early refresh by chance, because they are needed anyway. Joining a reading is safe while its lease stands: nothing kept has changed since
//! it began. What turns out not to be kept is no such thing, and everybody reads it himself.
//!
//! **Redis away or slow.** It is waited for 50 ms, and then not asked for a second: Postgres answers.

mod entries;
mod flights;

use std::{collections::HashMap, sync::Arc, time::Duration};

use fondaco_chassis::{ApiError, Redis};
use fondaco_contracts::{Event, OrderEvent, OrderId};
use futures::future::join_all;
use tokio::time::{Instant, sleep};

use crate::{
    order::Status,
    store::{OrderWithLines, Store},
};
use entries::{Entries, Found, Lease};
use flights::{Flight, Flights, Takeoff};

/// How long the reading of another process is waited for.
const WAIT: Duration = Duration::from_millis(50);
const PAUSE: Duration = Duration::from_millis(3);

/// An order as it was found, if there is one.
pub type Loaded = Result<Option<Arc<OrderWithLines>>, ApiError>;

/// Reads orders by id. Cheap to clone.
#[derive(Clone)]
pub struct OrderCache {
    store: Store,
    entries: Arc<Entries>,
    flights: Flights,
}

impl OrderCache {
    /// Reads by `store`, and keeps what it has read in `redis` for `keep`; nothing where that is zero.
    pub fn new(store: Store, redis: Redis, keep: Duration) -> Self {
        Self {
            store,
            entries: Arc::new(Entries::new(redis, keep)),
            flights: Flights::default(),
        }
    }

    /// Each of `ids` with its order, if there is one.
    pub async fn orders(&self, ids: &[OrderId]) -> HashMap<OrderId, Loaded> {
        let Some(found) = self.entries.find(ids).await else {
            return self.read(ids).await;
        };
        let (mut orders, mut ours, mut theirs, mut unshared) = (HashMap::new(), vec![], vec![], vec![]);
        for (id, found) in ids.iter().zip(found) {
            match found {
                Found::Kept(order) => drop(orders.insert(*id, Ok(Some(order)))),
                Found::Ours(lease) => ours.push(lease),
                Found::Theirs(lease) => theirs.push(lease),
                Found::Unreadable => unshared.push(*id),
            }
        }
        let joined: Vec<_> = theirs.into_iter().map(|lease| self.join(lease)).collect();
        for (id, flight) in self.lead(ours) {
            orders.insert(id, flight.landed().await.unwrap_or_else(|| Err(lost())));
        }
        for (id, flight) in joined {
            match flight.landed().await {
                Some(loaded) if is_shared(&loaded) => drop(orders.insert(id, loaded)),
                _ => unshared.push(id),
            }
        }
        if !unshared.is_empty() {
            orders.extend(self.read(&unshared).await);
        }
        orders
    }

    /// An order that was in `before` has changed: readers see it from now on. Where Redis does not answer in time, the relay sees to it.
    pub async fn changed(&self, id: OrderId, before: Status) {
        if is_kept(before) {
            self.entries.forget(&[id]).await;
        }
    }

    /// What must be deleted from Redis for `event` to be seen.
    pub fn outdated_by(&self, event: &Event) -> Option<String> {
        let changes_kept = OUTDATING.iter().any(|kind| kind.name() == event.name);
        let order = event.aggregate_id.parse().ok().filter(|_| changes_kept)?;
        self.entries.is_on().then(|| self.entries.key(order))
    }

    /// Reads under leases of ours: one statement for all of them, which goes on when whoever asked for it has gone.
    fn lead(&self, leases: Vec<Lease>) -> Vec<(OrderId, Flight)> {
        let (flights, takeoffs): (Vec<_>, Vec<_>) = leases
            .into_iter()
            .map(|lease| {
                let (flight, takeoff) = self.flights.start(&lease);
                ((lease.order, flight), (lease, takeoff))
            })
            .unzip();
        if !takeoffs.is_empty() {
            tokio::spawn(self.clone().fly(takeoffs));
        }
        flights
    }

    async fn fly(self, takeoffs: Vec<(Lease, Takeoff)>) {
        let ids: Vec<_> = takeoffs.iter().map(|(lease, _)| lease.order).collect();
        let mut orders = self.read(&ids).await;
        let land = takeoffs.into_iter().map(|(lease, takeoff)| {
            let loaded = orders.remove(&lease.order).unwrap_or(Ok(None));
            takeoff.land(loaded.clone());
            let cache = &self;
            async move {
                cache.keep(&lease, &loaded).await;
                drop(takeoff);
            }
        });
        join_all(land).await;
    }

    /// The reading of somebody else: in this process, or awaited from another one.
    fn join(&self, lease: Lease) -> (OrderId, Flight) {
        let id = lease.order;
        let (flight, takeoff) = self.flights.join(&lease);
        if let Some(takeoff) = takeoff {
            let cache = self.clone();
            tokio::spawn(async move { takeoff.land(cache.wait_for(id).await) });
        }
        (id, flight)
    }

    /// What another process is reading, or what is found where that takes too long.
    async fn wait_for(&self, id: OrderId) -> Loaded {
        let deadline = Instant::now() + WAIT;
        while Instant::now() < deadline {
            sleep(PAUSE).await;
            match self.entries.find(&[id]).await.and_then(|mut found| found.pop()) {
                Some(Found::Kept(order)) => return Ok(Some(order)),
                Some(Found::Ours(lease)) => {
                    let loaded = self.read_one(id).await;
                    self.keep(&lease, &loaded).await;
                    return loaded;
                }
                Some(Found::Theirs(_)) => {}
                Some(Found::Unreadable) | None => break,
            }
        }
        self.read_one(id).await
    }

    async fn keep(&self, lease: &Lease, loaded: &Loaded) {
        let order = loaded.as_ref().ok().and_then(Option::as_deref);
        self.entries
            .keep(lease, order.filter(|whole| is_kept(whole.order.status)))
            .await;
    }

    async fn read_one(&self, id: OrderId) -> Loaded {
        self.read(&[id]).await.remove(&id).unwrap_or(Ok(None))
    }

    async fn read(&self, ids: &[OrderId]) -> HashMap<OrderId, Loaded> {
        match self.store.orders_with_lines(ids).await {
            Ok(orders) => {
                let mut read: HashMap<_, Loaded> = ids.iter().map(|id| (*id, Ok(None))).collect();
                let orders = orders.into_iter().map(Arc::new);
                read.extend(orders.map(|whole| (whole.order.id, Ok(Some(whole)))));
                read
            }
            Err(error) => {
                let error = ApiError::from(error);
                ids.iter().map(|id| (*id, Err(error.clone()))).collect()
            }
        }
    }
}

/// What is published when an order changes that may be kept.
const OUTDATING: [OrderEvent; 3] = [OrderEvent::Cancelled, OrderEvent::Fulfilled, OrderEvent::Refunded];

/// Is an order kept that stands here?
const fn is_kept(status: Status) -> bool {
    !matches!(status, Status::Draft | Status::Pending)
}

/// May those who joined the reading have its outcome?
fn is_shared(loaded: &Loaded) -> bool {
    match loaded {
        Ok(Some(whole)) => is_kept(whole.order.status),
        Ok(None) => false,
        Err(_) => true,
    }
}

fn lost() -> ApiError {
    ApiError::internal("the reading of an order ended without an outcome")
}

impl std::fmt::Debug for OrderCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrderCache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::resolver_utils::EnumType;

    use super::{OUTDATING, Status, is_kept};
    use crate::order::Event;

    /// Whatever the state machine lets happen to an order that may be kept outdates it.
    #[test]
    fn every_change_of_a_kept_order_outdates_it() {
        let statuses = Status::items().iter().map(|item| item.value);
        for status in statuses.filter(|status| is_kept(*status)) {
            for event in Event::items().iter().map(|item| item.value) {
                let outdates = OUTDATING.contains(&event.published());
                assert!(status.after(event).is_err() || outdates, "{status} on {event:?}");
            }
        }
    }
}
