//! Micro-batching: what arrives while others are being dealt with, or right after, is the next batch. Under load one transaction serves many
//! callers, at rest none waits.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    time::{Instant, sleep_until},
};

use crate::error::ApiError;

type Asked<I, O> = (I, oneshot::Sender<Result<O, ApiError>>);

/// How items are collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batching {
    /// Items of a batch, at most.
    pub max: usize,
    /// Batches at a time.
    pub lanes: usize,
    /// Between the beginnings of two batches, at least. A statement costs some hundred microseconds before its first row: where the disk
    /// is fast, batches would be as small as they are many.
    pub pace: Duration,
}

/// Collects items that are better dealt with together. Its work goes on when whoever asked for it is gone.
#[derive(Debug)]
pub struct Batcher<I, O> {
    queue: mpsc::UnboundedSender<Asked<I, O>>,
}

impl<I, O> Batcher<I, O>
where
    I: Clone + Send + 'static,
    O: Send + 'static,
{
    /// `work` answers each item of a batch at its own index, or fails as a whole. A batch that a defect has spoilt is done again item by
    /// item, so that it is only the defective one that fails. Must be called within a tokio runtime.
    pub fn new<F>(batching: Batching, work: impl Fn(Vec<I>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Vec<O>, ApiError>> + Send + 'static,
    {
        let (queue, asked) = mpsc::unbounded_channel();
        tokio::spawn(collect(asked, batching, Arc::new(work)));
        Self { queue }
    }

    /// The answer to `item`.
    pub async fn submit(&self, item: I) -> Result<O, ApiError> {
        let (caller, answer) = oneshot::channel();
        self.queue.send((item, caller)).map_err(|_| abandoned())?;
        answer.await.map_err(|_| abandoned())?
    }
}

/// Until nobody can ask any more.
async fn collect<I, O, F>(
    mut asked: mpsc::UnboundedReceiver<Asked<I, O>>,
    batching: Batching,
    work: Arc<impl Fn(Vec<I>) -> F + Send + Sync + 'static>,
) where
    I: Clone + Send + 'static,
    O: Send + 'static,
    F: Future<Output = Result<Vec<O>, ApiError>> + Send + 'static,
{
    let lanes = Arc::new(Semaphore::new(batching.lanes));
    let mut next = Instant::now();
    while let Ok(lane) = Arc::clone(&lanes).acquire_owned().await {
        sleep_until(next).await;
        let mut batch = Vec::new();
        if asked.recv_many(&mut batch, batching.max).await == 0 {
            return;
        }
        next = Instant::now() + batching.pace;
        let work = Arc::clone(&work);
        // A task of its own: a panic ends nothing but this batch.
        tokio::spawn(async move {
            let (items, callers): (Vec<I>, Vec<_>) = batch.into_iter().unzip();
            for (answer, caller) in answers(&*work, items).await.into_iter().zip(callers) {
                // Whoever asked may be gone.
                let _ = caller.send(answer);
            }
            drop(lane);
        });
    }
}

async fn answers<I, O, F>(work: &impl Fn(Vec<I>) -> F, items: Vec<I>) -> Vec<Result<O, ApiError>>
where
    I: Clone,
    F: Future<Output = Result<Vec<O>, ApiError>>,
{
    match work(items.clone()).await {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(ApiError::Internal(_)) if items.len() > 1 => {
            let mut answers = Vec::with_capacity(items.len());
            for item in items {
                let alone = work(vec![item]).await;
                answers.push(alone.and_then(|mut one| one.pop().ok_or_else(abandoned)));
            }
            answers
        }
        Err(error) => items.iter().map(|_| Err(error.clone())).collect(),
    }
}

fn abandoned() -> ApiError {
    ApiError::internal("a batch left this item without an answer")
}

/// One column of many rows, as a statement's `unnest` takes it.
pub fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    fn batches_of(max: usize) -> Batching {
        Batching {
            max,
            lanes: 1,
            pace: Duration::ZERO,
        }
    }

    #[tokio::test]
    async fn what_arrives_together_is_done_together() {
        let runs = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&runs);
        let batcher = Arc::new(Batcher::new(batches_of(64), move |items: Vec<usize>| {
            counter.fetch_add(1, Ordering::Relaxed);
            async move {
                assert!(items.len() <= 64);
                tokio::task::yield_now().await;
                Ok(items.into_iter().map(|item| item * 2).collect())
            }
        }));
        let tasks: Vec<_> = (0..200)
            .map(|item| {
                let batcher = Arc::clone(&batcher);
                tokio::spawn(async move { (item, batcher.submit(item).await.unwrap()) })
            })
            .collect();
        for task in tasks {
            let (item, answer) = task.await.unwrap();
            assert_eq!(answer, item * 2);
        }
        assert!(runs.load(Ordering::Relaxed) < 10);
    }

    #[tokio::test]
    async fn an_item_that_spoils_its_batch_fails_alone() {
        let batcher = Batcher::new(batches_of(64), |items: Vec<i32>| async move {
            if items.contains(&2) {
                return Err(ApiError::internal("the third is a defect"));
            }
            Ok(items)
        });
        let answers = futures::future::join_all((0..4).map(|item| batcher.submit(item))).await;
        let succeeded: Vec<bool> = answers.iter().map(Result::is_ok).collect();
        assert_eq!(succeeded, [true, true, false, true]);
    }

    #[tokio::test]
    async fn a_panic_fails_its_batch_and_no_other() {
        let batcher = Batcher::new(batches_of(1), |items: Vec<i32>| async move {
            assert_ne!(items, [1]);
            Ok(items)
        });
        let answers = futures::future::join_all((0..3).map(|item| batcher.submit(item))).await;
        let succeeded: Vec<bool> = answers.iter().map(Result::is_ok).collect();
        assert_eq!(succeeded, [true, false, true]);
    }

    #[tokio::test]
    async fn a_slow_batch_holds_up_no_other_lane() {
        let two_lanes = Batching {
            lanes: 2,
            ..batches_of(1)
        };
        let batcher = Batcher::new(two_lanes, |items: Vec<i32>| async move {
            if items == [0] {
                std::future::pending::<()>().await;
            }
            Ok(items)
        });
        let slow = batcher.submit(0);
        let others = futures::future::join_all((1..5).map(|item| batcher.submit(item)));
        tokio::select! {
            biased;
            _ = slow => panic!("it never ends"),
            answers = others => assert!(answers.iter().all(Result::is_ok)),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn batches_keep_their_pace_and_the_first_does_not_wait() {
        let paced = Batching {
            pace: Duration::from_millis(10),
            ..batches_of(64)
        };
        let batcher = Batcher::new(paced, |items: Vec<i32>| async move { Ok(items) });
        let begun = Instant::now();
        batcher.submit(0).await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);
        futures::future::join_all((1..5).map(|item| batcher.submit(item))).await;
        assert_eq!(begun.elapsed(), paced.pace);
    }

    #[tokio::test]
    async fn an_outage_fails_all_at_once() {
        let runs = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&runs);
        let batcher = Batcher::<i32, i32>::new(batches_of(64), move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            async { Err(ApiError::unavailable("nobody listens")) }
        });
        let answers = futures::future::join_all((0..4).map(|item| batcher.submit(item))).await;
        assert!(answers.iter().all(Result::is_err));
        assert_eq!(runs.load(Ordering::Relaxed), 1);
    }
}
