//! `/ready`: may this instance be sent requests?

use std::{future::Future, sync::Arc, time::Duration};

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use sqlx::PgPool;
use tokio::time::timeout;

use crate::redis::Redis;

const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The checks behind `/ready`; all must pass within 2 s.
#[derive(Clone, Default)]
pub struct Readiness {
    checks: Vec<(&'static str, Check)>,
    database: Option<PgPool>,
}

impl Readiness {
    /// The database answers.
    #[must_use]
    pub fn database(mut self, pool: PgPool) -> Self {
        self.database = Some(pool.clone());
        self.check("database", move || {
            let pool = pool.clone();
            async move {
                let answered = sqlx::query("select 1").execute(&pool).await;
                answered.map(drop).map_err(|error| error.to_string())
            }
        })
    }

    /// Redis answers.
    #[must_use]
    pub fn redis(self, redis: Redis) -> Self {
        self.check("redis", move || {
            let mut connection = redis.connection();
            async move {
                let answered: Result<String, _> = ::redis::cmd("PING").query_async(&mut connection).await;
                answered.map(drop).map_err(|error| error.to_string())
            }
        })
    }

    /// Any other condition; the error says what is missing.
    #[must_use]
    pub fn check<F>(mut self, name: &'static str, check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.checks.push((name, Arc::new(move || check().boxed())));
        self
    }

    /// The database whose answers requests wait for.
    pub(super) fn pool(&self) -> Option<&PgPool> {
        self.database.as_ref()
    }

    pub(super) async fn answer(self) -> Response {
        let outcomes = join_all(self.checks.iter().map(|(name, check)| async move {
            let outcome = timeout(CHECK_TIMEOUT, check()).await;
            (
                *name,
                outcome.unwrap_or_else(|_| Err("no answer in time".to_owned())),
            )
        }))
        .await;
        let ready = outcomes.iter().all(|(_, outcome)| outcome.is_ok());
        for (name, outcome) in &outcomes {
            if let Err(cause) = outcome {
                tracing::warn!(check = name, error.cause = cause, "not ready");
            }
        }
        // The causes stay in the log: they name hosts and users.
        let checks: serde_json::Map<_, _> = outcomes
            .iter()
            .map(|(name, outcome)| {
                (
                    (*name).to_owned(),
                    if outcome.is_ok() { "ok" } else { "failing" }.into(),
                )
            })
            .collect();
        let status = if ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        let word = if ready { "ready" } else { "unavailable" };
        (
            status,
            Json(serde_json::json!({ "status": word, "checks": checks })),
        )
            .into_response()
    }
}
