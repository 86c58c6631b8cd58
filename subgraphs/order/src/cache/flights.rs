//! Readings under way in this process, by the lease they are made under.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use super::{Loaded, entries::Lease};

type Underway = HashMap<String, watch::Receiver<Option<Loaded>>>;

/// Readings under way. Clones share them.
#[derive(Clone, Default)]
pub struct Flights(Arc<Mutex<Underway>>);

/// Where the outcome of a reading will be.
pub struct Flight(watch::Receiver<Option<Loaded>>);

/// The duty to read. Others may join it until it is dropped.
pub struct Takeoff {
    flights: Flights,
    mark: String,
    outcome: watch::Sender<Option<Loaded>>,
}

impl Flights {
    /// A reading of one's own.
    pub fn start(&self, lease: &Lease) -> (Flight, Takeoff) {
        self.enter(&mut self.underway(), lease)
    }

    /// The reading that is under way, or else one's own.
    pub fn join(&self, lease: &Lease) -> (Flight, Option<Takeoff>) {
        let mut underway = self.underway();
        if let Some(flight) = underway.get(&lease.mark) {
            return (Flight(flight.clone()), None);
        }
        let (flight, takeoff) = self.enter(&mut underway, lease);
        (flight, Some(takeoff))
    }

    fn enter(&self, underway: &mut Underway, lease: &Lease) -> (Flight, Takeoff) {
        let (outcome, flight) = watch::channel(None);
        underway.insert(lease.mark.clone(), flight.clone());
        let takeoff = Takeoff {
            flights: self.clone(),
            mark: lease.mark.clone(),
            outcome,
        };
        (Flight(flight), takeoff)
    }

    fn underway(&self) -> MutexGuard<'_, Underway> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// The outcome; none where whoever should read has gone.
    pub async fn landed(mut self) -> Option<Loaded> {
        let landed = self.0.wait_for(Option::is_some).await.ok()?;
        landed.clone()
    }
}

impl Takeoff {
    /// Hands the outcome out, also to whoever joins before this is dropped.
    pub fn land(&self, loaded: Loaded) {
        // Whoever asked may have gone.
        let _ = self.outcome.send(Some(loaded));
    }
}

impl Drop for Takeoff {
    fn drop(&mut self) {
        self.flights.underway().remove(&self.mark);
    }
}
