//! Work that is due now and then, beside the moving of events.

use std::time::Duration;

use tokio::time::Instant;

/// How much of a chore is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing until the next time.
    Nothing,
    /// It stopped at its limit: due again at once.
    More,
}

impl Left {
    /// How many rows are removed at once.
    pub const LIMIT: i64 = 1_000;

    /// What is left after so many rows were removed. Young rows among the oldest keep a statement from its full thousand.
    pub fn after(rows: u64) -> Self {
        if rows < Self::LIMIT as u64 / 2 {
            Self::Nothing
        } else {
            Self::More
        }
    }
}

/// When something was done last, and how often it is due.
#[derive(Clone, Debug)]
pub struct Chore {
    every: Duration,
    done_at: Option<Instant>,
}

impl Chore {
    /// Due for the first time at once.
    pub fn new(every: Duration) -> Self {
        Self { every, done_at: None }
    }

    /// Is it due?
    pub fn is_due(&self) -> bool {
        self.done_at.is_none_or(|at| at.elapsed() >= self.every)
    }

    /// Notes that it was done.
    pub fn done(&mut self, left: Left) {
        self.done_at = (left == Left::Nothing).then(Instant::now);
    }
}
