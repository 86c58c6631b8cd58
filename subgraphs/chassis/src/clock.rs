//! What time it is, by Postgres.
//!
//! Hosts' clocks differ, and now and then by a lot. Deadlines and signatures that several processes judge are judged by the clock that
//! they all can ask: that of their Postgres. [`Pulse`](crate::pulse::Pulse) goes on comparing it with the host's.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};

/// A clock that follows Postgres once it was compared with it, and is the host's before. Cheap to clone; clones are one clock.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::microseconds(self.0.load(Ordering::Relaxed))
    }

    /// The time in whole seconds since 1970.
    pub fn seconds(&self) -> u64 {
        u64::try_from(self.now().timestamp()).unwrap_or(0)
    }

    /// It is `there` at Postgres now. Gives how far ahead of the host's clock that is.
    pub fn follow(&self, there: DateTime<Utc>) -> TimeDelta {
        let ahead = there - Utc::now();
        self.0
            .store(ahead.num_microseconds().unwrap_or(0), Ordering::Relaxed);
        ahead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows() {
        let clock = Clock::default();
        let followed = clock.clone();
        assert!((clock.now() - Utc::now()).abs() < TimeDelta::seconds(1));
        clock.follow(Utc::now() - TimeDelta::minutes(10));
        let behind = Utc::now() - followed.now();
        assert!(
            (behind - TimeDelta::minutes(10)).abs() < TimeDelta::seconds(1),
            "{behind}"
        );
    }
}
