//! A circuit breaker: a service that has not answered many times in a row is left alone for a moment, and then tried by one call.
//!
//! | state     | a call             | the state afterwards                                            |
//! |-----------|--------------------|-----------------------------------------------------------------|
//! | closed    | is made            | open after [`TOLERATED`] failures with no answer in between     |
//! | open      | is refused at once | half-open after [`REST`] (up to twice that, so that callers do not return in step) |
//! | half-open | one is made, the others are refused | closed with its answer; open without one       |
//!
//! An answer is any answer but those that say to come back later (429, 503) or that nobody is let in (401): a service that refuses one
//! request for what it says is there. What is refused here was surely never sent.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rand::RngExt;
use tokio::time::Instant;

/// Failures in a row after which a service is left alone.
pub const TOLERATED: u32 = 10;
/// How long it is left alone at least.
pub const REST: Duration = Duration::from_millis(500);

/// Whether a service is called.
#[derive(Debug)]
pub struct Breaker(Mutex<State>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant },
    HalfOpen,
}

/// The permission to make one call, whose end must be told. One that is dropped instead, with its caller, says nothing about the service.
#[derive(Debug)]
pub struct Permit<'a> {
    breaker: &'a Breaker,
    is_trial: bool,
}

impl Default for Breaker {
    fn default() -> Self {
        Self(Mutex::new(State::Closed { failures: 0 }))
    }
}

impl Breaker {
    /// May a call be made now?
    pub fn admit(&self) -> Option<Permit<'_>> {
        let mut state = self.state();
        let is_trial = match *state {
            State::Closed { .. } => false,
            State::Open { until } if Instant::now() < until => return None,
            State::Open { .. } => {
                *state = State::HalfOpen;
                true
            }
            State::HalfOpen => return None,
        };
        Some(Permit {
            breaker: self,
            is_trial,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// The service answered, whatever it said. True where it had been left alone.
    pub fn answered(mut self) -> bool {
        self.is_trial = false;
        let mut state = self.breaker.state();
        let was_open = !matches!(*state, State::Closed { .. });
        *state = State::Closed { failures: 0 };
        was_open
    }

    /// The service did not answer. True where it is left alone from now on.
    pub fn failed(mut self) -> bool {
        let was_trial = std::mem::take(&mut self.is_trial);
        let mut state = self.breaker.state();
        match &mut *state {
            State::Closed { failures } if *failures + 1 < TOLERATED => {
                *failures += 1;
                false
            }
            State::Closed { .. } => {
                *state = rest();
                true
            }
            State::HalfOpen if was_trial => {
                *state = rest();
                false
            }
            // A call of before.
            State::Open { .. } | State::HalfOpen => false,
        }
    }
}

impl Drop for Permit<'_> {
    /// A trial whose caller has gone: the next call is the trial.
    fn drop(&mut self) {
        if self.is_trial {
            *self.breaker.state() = State::Open {
                until: Instant::now(),
            };
        }
    }
}

fn rest() -> State {
    let until = Instant::now() + REST.mul_f64(rand::rng().random_range(1.0..2.0));
    State::Open { until }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn fail(breaker: &Breaker, times: u32) -> Vec<bool> {
        (0..times)
            .map(|_| breaker.admit().expect("calls are made").failed())
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_failures_in_a_row_and_closes_with_an_answer() {
        let breaker = Breaker::default();
        assert!(!fail(&breaker, TOLERATED - 1).contains(&true));
        assert!(!breaker.admit().unwrap().answered(), "it was closed");
        assert!(!fail(&breaker, TOLERATED - 1).contains(&true), "counted anew");
        assert!(breaker.admit().unwrap().failed(), "it opens");
        assert!(breaker.admit().is_none());
        advance(REST - Duration::from_millis(1)).await;
        assert!(breaker.admit().is_none(), "it rests");
        advance(REST).await;
        let trial = breaker.admit().expect("one may try");
        assert!(breaker.admit().is_none(), "and only one");
        assert!(trial.answered(), "it closes");
        assert!(breaker.admit().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_trial_opens_it_again() {
        let breaker = Breaker::default();
        fail(&breaker, TOLERATED);
        for _ in 0..3 {
            assert!(breaker.admit().is_none());
            advance(REST * 2).await;
            assert!(
                !breaker.admit().expect("one may try").failed(),
                "it was open before"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_trial_whose_caller_has_gone_is_made_by_the_next() {
        let breaker = Breaker::default();
        let late = breaker.admit().unwrap();
        fail(&breaker, TOLERATED);
        advance(REST * 2).await;
        drop(breaker.admit().expect("one may try"));
        let trial = breaker.admit().expect("the next");
        assert!(!late.failed(), "a call of before decides nothing");
        assert!(breaker.admit().is_none(), "the trial is under way");
        assert!(trial.answered());
    }
}
