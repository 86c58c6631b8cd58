//! Counts the SQL statements of a test, to show that there is no N+1.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tracing::{Event, Subscriber, subscriber::DefaultGuard};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
};

/// Counts from its creation on, on the thread of its creation: use it in `#[tokio::test]`s with their single-threaded runtime.
pub struct StatementCounter {
    seen: Arc<AtomicUsize>,
    _guard: DefaultGuard,
}

impl StatementCounter {
    /// Begins to count. `begin` and `commit` count too.
    pub fn start() -> Self {
        let seen = Arc::new(AtomicUsize::new(0));
        let subscriber = tracing_subscriber::registry().with(Counting(Arc::clone(&seen)));
        Self {
            seen,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    /// The statements since the last call, or since the beginning.
    pub fn take(&self) -> usize {
        self.seen.swap(0, Ordering::SeqCst)
    }
}

struct Counting(Arc<AtomicUsize>);

impl<S: Subscriber> Layer<S> for Counting {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // Where sqlx reports each statement it has run.
        if event.metadata().target() == "sqlx::query" {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}
