//! The generic cell rate algorithm, in Redis and in memory.
//!
//! It keeps one time per client: when the next request would be due if all came evenly spaced. A request is early by at most what a
//! burst makes up for, or has to wait. <https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm>

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;
use redis::Script;

use crate::redis::{Redis, RedisAway};

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("gcra.lua")));

/// How fast requests may come.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Microseconds between requests on average.
    pub interval: u64,
    /// Requests that may come at once.
    pub burst: u64,
}

impl Rate {
    /// Counts a request under `key` in Redis: how long it has to wait, zero for not at all.
    pub async fn count_in_redis(&self, redis: &Redis, key: &str) -> Result<Duration, RedisAway> {
        let mut call = SCRIPT.key(key);
        call.arg(self.interval).arg(self.burst);
        redis.script(&call).await.map(Duration::from_micros)
    }

    /// When the next request after one at `now` is due, or how long this one has to wait.
    fn next(&self, due: u64, now: u64) -> Result<u64, u64> {
        let next = due.max(now) + self.interval;
        let wait = next
            .saturating_sub(self.interval * self.burst)
            .saturating_sub(now);
        if wait == 0 { Ok(next) } else { Err(wait) }
    }
}

/// Due times in memory, for routers without Redis. The longest unused are forgotten first.
pub struct Local {
    due: Cache<String, Arc<AtomicU64>>,
    started: Instant,
}

/// Clients remembered.
const REMEMBERED: usize = 100_000;

impl Local {
    /// Nobody has called yet.
    pub fn new() -> Self {
        Self {
            due: Cache::new(REMEMBERED),
            started: Instant::now(),
        }
    }

    /// Counts a request under `key`: how long it has to wait, zero for not at all.
    pub fn count(&self, rate: Rate, key: &str) -> Duration {
        self.count_at(rate, key, self.started.elapsed().as_micros() as u64)
    }

    fn count_at(&self, rate: Rate, key: &str, now: u64) -> Duration {
        let due = self.due_time(key);
        let counted = due.fetch_update(Ordering::AcqRel, Ordering::Acquire, |due| {
            rate.next(due, now).ok()
        });
        let wait = match counted {
            Ok(_) => 0,
            Err(due) => rate.next(due, now).err().unwrap_or_default(),
        };
        Duration::from_micros(wait)
    }

    fn due_time(&self, key: &str) -> Arc<AtomicU64> {
        if let Some(due) = self.due.get(key) {
            return due;
        }
        let made = self
            .due
            .get_or_insert_with(key, || Ok::<_, std::convert::Infallible>(Arc::default()));
        match made {
            Ok(due) => due,
            Err(never) => match never {},
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_are_made_up_for_by_waiting() {
        let local = Local::new();
        // Ten a second, three at once.
        let rate = Rate {
            interval: 100_000,
            burst: 3,
        };
        let wait_at = |now: u64| local.count_at(rate, "a", now).as_micros() as u64;
        assert_eq!([wait_at(0), wait_at(0), wait_at(0)], [0, 0, 0]);
        assert_eq!(wait_at(0), 100_000);
        assert_eq!(wait_at(40_000), 60_000, "a refused request does not count");
        assert_eq!(wait_at(100_000), 0);
        assert_eq!(wait_at(100_000), 100_000);
        assert_eq!(
            local.count_at(rate, "b", 100_000),
            Duration::ZERO,
            "others are not concerned"
        );
        assert_eq!(
            [wait_at(10_000_000), wait_at(10_000_000), wait_at(10_000_000)],
            [0, 0, 0]
        );
        assert!(
            wait_at(10_000_000) > 0,
            "a quiet time saves up one burst, not more"
        );
    }
}
