//! For integration tests: a runtime with databases and a Redis prefix of its own, and calls to a service in process.

use std::{env, time::Duration};

use axum::{Router, body::Body};
use fondaco_contracts::{SessionId, UserId};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tower::ServiceExt;
use uuid::Uuid;

use crate::{caller::Caller, identity::CALLER_HEADER, runtime::Runtime};

mod redis_server;
mod statements;
mod transitions;

pub use redis_server::RedisServer;
pub use statements::StatementCounter;
pub use transitions::documented;

const SECRET: &str = "a secret for tests, of more than 32 bytes";

/// A runtime whose databases and Redis keys are its own; they go with it.
#[derive(Debug)]
pub struct TestRuntime {
    /// Pass it to a service's `start`.
    pub runtime: Runtime,
}

impl TestRuntime {
    /// A fresh runtime. Panics where `DATABASE_URL` or `REDIS_URL` is unset.
    #[expect(clippy::new_without_default, reason = "it talks to servers")]
    pub fn new() -> Self {
        let run = Uuid::new_v4().simple().to_string();
        let mut runtime = Runtime::new(required("DATABASE_URL"), required("REDIS_URL"), SECRET)
            .expect("the test secret is long enough");
        runtime.database_prefix = format!("fondaco_test_{}_", &run[..12]);
        runtime.redis_prefix = format!("fondaco-test:{}:", &run[..12]);
        runtime.patience = Duration::from_secs(5);
        Self { runtime }
    }

    /// Calls `router`, the service `audience`, as `caller`; gives the whole answer: `data` and `errors`.
    pub async fn call(
        &self,
        router: &Router,
        audience: &str,
        caller: &Caller,
        query: &str,
        variables: Value,
    ) -> Value {
        let header = self.runtime.identity.sign(caller, audience);
        let body = serde_json::json!({ "query": query, "variables": variables });
        let (status, answer) = post(router, Some(&header), body.to_string()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }
}

impl Drop for TestRuntime {
    fn drop(&mut self) {
        self.runtime.shutdown.cancel();
        let owned = self.runtime.clone();
        // A runtime of its own: the test's may be gone, or single-threaded and blocked by this very drop.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                drop_databases(&owned.database_url, &owned.database_prefix)
                    .await
                    .map_err(std::io::Error::other)?;
                remove_keys(&owned.redis_url, &owned.redis_prefix)
                    .await
                    .map_err(std::io::Error::other)
            })
        });
        if let Ok(Err(error)) = dropping.join() {
            tracing::warn!(error.cause = %error, "test databases or keys remain");
        }
    }
}

/// Sends `body` to `POST /graphql` of a service in process, with an arbitrary caller header.
pub async fn post(router: &Router, caller: Option<&str>, body: impl Into<Body>) -> (StatusCode, Value) {
    let mut request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
    if let Some(caller) = caller {
        request = request.header(CALLER_HEADER, caller);
    }
    let request = request.body(body.into()).expect("the parts are valid");
    send(router, request).await
}

/// Sends `GET path` to a service in process.
pub async fn get(router: &Router, path: &str) -> (StatusCode, Value) {
    let request = Request::get(path).body(Body::empty()).expect("the path is valid");
    send(router, request).await
}

/// A signed-in customer.
pub fn customer(id: UserId) -> Caller {
    Caller::User {
        id,
        session: Some(SessionId::new()),
        roles: vec!["customer".into()],
        scopes: vec![],
    }
}

/// A signed-in merchant who may write products and stock.
pub fn merchant(id: UserId) -> Caller {
    Caller::User {
        id,
        session: Some(SessionId::new()),
        roles: vec!["customer".into(), "merchant".into()],
        scopes: vec!["product:write".into(), "inventory:write".into()],
    }
}

/// Another service.
pub fn service(name: &str) -> Caller {
    Caller::Service {
        name: name.to_owned(),
    }
}

async fn send(router: &Router, request: Request<Body>) -> (StatusCode, Value) {
    let Ok(response) = router.clone().oneshot(request).await;
    let status = response.status();
    let body = response
        .into_body()
        .collect()
        .await
        .expect("bodies in memory are complete")
        .to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

fn required(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} must be set for this test; ./dev test does that"))
}

async fn drop_databases(url: &str, prefix: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    let names: Vec<String> =
        sqlx::query_scalar("select datname from pg_database where starts_with(datname, $1)")
            .bind(prefix)
            .fetch_all(&mut connection)
            .await?;
    for name in names {
        let statement = format!("drop database if exists \"{name}\" with (force)");
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut connection)
            .await?;
    }
    connection.close().await
}

/// Tasks of the test that are still running may write a last key after this.
async fn remove_keys(url: &str, prefix: &str) -> Result<(), redis::RedisError> {
    let mut connection = redis::Client::open(url)?
        .get_multiplexed_async_connection()
        .await?;
    let mut cursor = 0_u64;
    loop {
        let (next, keys): (u64, Vec<String>) = redis::cmd("SCAN")
            .cursor_arg(cursor)
            .arg("MATCH")
            .arg(format!("{prefix}*"))
            .arg("COUNT")
            .arg(1_000)
            .query_async(&mut connection)
            .await?;
        if !keys.is_empty() {
            redis::cmd("UNLINK")
                .arg(keys)
                .query_async::<()>(&mut connection)
                .await?;
        }
        if next == 0 {
            return Ok(());
        }
        cursor = next;
    }
}
