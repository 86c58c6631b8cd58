//! Micro-batching without waiting: whoever finds nobody at work takes all that is pending, does it in one go and hands out the
//! answers; what arrives meanwhile is the next batch. Under load one transaction serves many callers, at rest none waits.

use std::{pin::Pin, sync::Mutex};

use fondaco_chassis::ApiError;
use tokio::sync::{Mutex as AsyncMutex, oneshot};

type Work<I, O> = Box<dyn Fn(Vec<I>) -> Pin<Box<dyn Future<Output = Vec<O>> + Send>> + Send + Sync>;
type Pending<I, O> = Vec<(I, oneshot::Sender<O>)>;

/// Collects items that are better dealt with together.
pub struct Batcher<I, O> {
    pending: Mutex<Pending<I, O>>,
    leader: AsyncMutex<()>,
    max: usize,
    work: Work<I, O>,
}

impl<I: Send + 'static, O: Send + 'static> Batcher<I, O> {
    /// Batches of at most `max` items; `work` answers each item at its own index.
    pub fn new<F>(max: usize, work: impl Fn(Vec<I>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Vec<O>> + Send + 'static,
    {
        let work: Work<I, O> = Box::new(move |items| Box::pin(work(items)));
        Self {
            pending: Mutex::default(),
            leader: AsyncMutex::new(()),
            max,
            work,
        }
    }

    /// The answer to `item`.
    pub async fn submit(&self, item: I) -> Result<O, ApiError> {
        let (sender, mut receiver) = oneshot::channel();
        self.queue().push((item, sender));
        loop {
            tokio::select! {
                biased;
                answer = &mut receiver => return answer.map_err(ApiError::internal),
                _leader = self.leader.lock() => self.lead().await,
            }
        }
    }

    async fn lead(&self) {
        let batch: Pending<I, O> = {
            let mut queue = self.queue();
            let count = queue.len().min(self.max);
            queue.drain(..count).collect()
        };
        if batch.is_empty() {
            return;
        }
        let (items, senders): (Vec<I>, Vec<_>) = batch.into_iter().unzip();
        for (answer, sender) in (self.work)(items).await.into_iter().zip(senders) {
            // Whoever asked may be gone.
            let _ = sender.send(answer);
        }
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Pending<I, O>> {
        self.pending
            .lock()
            .expect("nobody panics while holding the queue")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    #[tokio::test]
    async fn what_arrives_together_is_done_together() {
        let runs = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&runs);
        let batcher = Arc::new(Batcher::new(64, move |items: Vec<usize>| {
            counter.fetch_add(1, Ordering::Relaxed);
            async move {
                assert!(items.len() <= 64);
                tokio::task::yield_now().await;
                items.into_iter().map(|item| item * 2).collect()
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
}
