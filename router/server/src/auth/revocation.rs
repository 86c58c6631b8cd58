//! Ended sessions: a token dies with its session, long before it expires. ARCHITECTURE.md, "Ended sessions".
//!
//! Cost per request: two look-ups in memory. Redis is asked (one `EXISTS`) when a session is first seen, and while the
//! subscription is broken once a second for each session in use. An answer from Redis is trusted for a second; longer only while
//! the subscription has held without a break since before it was asked for, because every ending would have been heard.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt;
use quick_cache::sync::Cache;
use redis::aio::PubSub;
use redis::{Msg, RedisError};
use tokio::time::timeout;

use crate::config::WhenUnreachable;
use crate::redis::{Redis, RedisAway};

/// Sessions remembered of either kind.
const REMEMBERED: usize = 100_000;
/// How long an answer from Redis is trusted without a subscription.
const TRUSTED: Duration = Duration::from_secs(1);
/// Time between two proofs that the subscription holds, and how long one may take.
const HEARTBEAT: Duration = Duration::from_millis(400);
/// How long one proof lasts.
const PROVEN: Duration = Duration::from_millis(1_200);
/// Time before a broken subscription is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// Why a session was not found to be going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotLive {
    /// It has ended.
    Ended,
    /// Nobody can tell, and the configuration says to refuse then.
    Unknown,
}

/// What is known about sessions. Cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    shared: Arc<Shared>,
    redis: Redis,
    when_unreachable: WhenUnreachable,
}

struct Shared {
    /// Sessions that ended. A session never goes on again.
    ended: Cache<Arc<str>, ()>,
    /// Sessions that went on when Redis was asked.
    live: Cache<Arc<str>, Answer>,
    /// Counts subscriptions: an answer asked for under the current one is kept up to date by it.
    subscription: AtomicU64,
    started: Instant,
    /// Milliseconds since `started` until which the subscription is known to hold.
    proven_until: AtomicU64,
}

#[derive(Clone, Copy)]
struct Answer {
    asked_at: Instant,
    subscription: u64,
}

impl Sessions {
    /// Subscribes to endings. Call it inside a Tokio runtime; the subscription ends with the last clone.
    pub fn new(redis: Redis, when_unreachable: WhenUnreachable) -> Self {
        let shared = Arc::new(Shared {
            ended: Cache::new(REMEMBERED),
            live: Cache::new(REMEMBERED),
            subscription: AtomicU64::new(0),
            started: Instant::now(),
            proven_until: AtomicU64::new(0),
        });
        let weak = Arc::downgrade(&shared);
        let feed = redis.clone();
        tokio::spawn(async move {
            while let Some(shared) = weak.upgrade() {
                drop(shared);
                if let Err(error) = follow(&feed, &weak).await {
                    tracing::debug!(error = %error, "not subscribed to ended sessions; each is looked up once a second");
                }
                tokio::time::sleep(RETRY).await;
            }
        });
        Self {
            shared,
            redis,
            when_unreachable,
        }
    }

    /// Whether the session goes on.
    pub async fn check(&self, session: &str) -> Result<(), NotLive> {
        if self.shared.ended.get(session).is_some() {
            return Err(NotLive::Ended);
        }
        if let Some(answer) = self.shared.live.get(session)
            && self.shared.is_trusted(&answer)
        {
            return Ok(());
        }
        self.ask(session).await
    }

    async fn ask(&self, session: &str) -> Result<(), NotLive> {
        let answer = Answer {
            asked_at: Instant::now(),
            subscription: self.shared.subscription.load(Ordering::Acquire),
        };
        let key = self.redis.key(format_args!("session:revoked:{session}"));
        match self.redis.run(redis::cmd("EXISTS").arg(key)).await {
            Ok(true) => {
                self.shared.end(session);
                Err(NotLive::Ended)
            }
            Ok(false) => self.shared.remember(session, answer),
            Err(RedisAway) => match self.when_unreachable {
                WhenUnreachable::Accept => Ok(()),
                WhenUnreachable::Refuse => Err(NotLive::Unknown),
            },
        }
    }
}

impl Shared {
    fn is_trusted(&self, answer: &Answer) -> bool {
        // The proof is read first: one of a later subscription comes with the later number.
        answer.asked_at.elapsed() < TRUSTED
            || (self.now() < self.proven_until.load(Ordering::Acquire)
                && answer.subscription == self.subscription.load(Ordering::Acquire))
    }

    fn end(&self, session: &str) {
        self.ended.insert(session.into(), ());
        self.live.remove(session);
    }

    /// News of the ending may have come in while Redis was asked: then it must not be buried under the older answer.
    fn remember(&self, session: &str, answer: Answer) -> Result<(), NotLive> {
        self.live.insert(session.into(), answer);
        if self.ended.get(session).is_none() {
            return Ok(());
        }
        self.live.remove(session);
        Err(NotLive::Ended)
    }

    fn prove(&self, since: Instant) {
        let until = (since + PROVEN).duration_since(self.started);
        self.proven_until
            .store(until.as_millis() as u64, Ordering::Release);
    }

    fn now(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }
}

/// Subscribes, and listens until the subscription breaks or nobody needs it any more.
async fn follow(redis: &Redis, sessions: &std::sync::Weak<Shared>) -> Result<(), RedisError> {
    let asked = Instant::now();
    let subscribing = async {
        let mut pubsub: PubSub = redis.client().get_async_pubsub().await?;
        pubsub.subscribe(redis.key("session:revoked")).await?;
        Ok::<_, RedisError>(pubsub)
    };
    let pubsub = timeout(PROVEN, subscribing).await.map_err(|_| silent())??;
    let Some(shared) = sessions.upgrade() else {
        return Ok(());
    };
    // The number first: an answer that carries it was asked for under this subscription.
    shared.subscription.fetch_add(1, Ordering::AcqRel);
    shared.prove(asked);
    drop(shared);

    let (mut sink, mut messages) = pubsub.split();
    let heartbeats = async {
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            let asked = Instant::now();
            timeout(HEARTBEAT, sink.ping::<redis::Value>())
                .await
                .map_err(|_| silent())??;
            match sessions.upgrade() {
                Some(shared) => shared.prove(asked),
                None => return Ok(()),
            }
        }
    };
    let news = async {
        while let Some(message) = messages.next().await {
            hear(sessions, &message);
        }
        Err(silent())
    };
    tokio::select! {
        biased;
        ended = news => ended,
        ended = heartbeats => ended,
    }
}

fn hear(sessions: &std::sync::Weak<Shared>, message: &Msg) {
    if let (Some(shared), Ok(session)) = (sessions.upgrade(), message.get_payload::<String>()) {
        shared.end(&session);
    }
}

fn silent() -> RedisError {
    RedisError::from((redis::ErrorKind::Io, "the subscription is silent"))
}
