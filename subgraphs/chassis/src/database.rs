//! A service's own database: created when missing, migrated, opened as a pool; patient while Postgres starts.

use std::{str::FromStr, time::Duration};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::{Instant, sleep};

use crate::runtime::Runtime;

/// Why a database cannot be opened; never shows the URL's password.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// `database_url` is not a Postgres URL.
    #[error("database_url (DATABASE_URL) is not a Postgres URL: {0}")]
    Url(String),
    /// Nobody answers, or the server refuses us.
    #[error("cannot open the database {database} on Postgres at {server}: {source}")]
    Unreachable {
        /// The database's name.
        database: String,
        /// Host and port.
        server: String,
        /// Why.
        source: sqlx::Error,
    },
    /// The database's tables cannot be brought up to date.
    #[error("cannot migrate the database {database}: {source}")]
    Migration {
        /// The database's name.
        database: String,
        /// Why.
        source: MigrateError,
    },
}

const MAX_CONNECTIONS: u32 = 16;
/// As long as a request may wait for its turn in the server: a burst queues instead of failing.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection idle for longer is pinged before use; a busy one is spared the round trip.
const PING_AFTER_IDLE: Duration = Duration::from_secs(2);
/// Statements look up by key: what they are given does not change how they are best run, so it is worked out once. It may be worked out while
/// the tables are still empty, hence full scans are avoided wherever an index will do; compiling a plan never pays.
const PLANNING: [(&str, &str); 3] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("jit", "off"),
];
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// Opens the database of `service` (named `{database_prefix}{service}`), creating and migrating it first.
pub async fn open(runtime: &Runtime, service: &str, migrations: &Migrator) -> Result<PgPool, DatabaseError> {
    let server = parse_url(&runtime.database_url)?;
    let database = format!("{}{service}", runtime.database_prefix);
    let options = server
        .clone()
        .database(&database)
        .application_name(&format!("fondaco {service}"))
        .options(PLANNING);
    ensure_exists(&server, &options, &database, runtime.patience).await?;

    let pool = PgPoolOptions::new()
        .max_connections(MAX_CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .acquire_slow_threshold(Duration::from_secs(1))
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > PING_AFTER_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options)
        .await
        .map_err(|source| unreachable(&server, &database, source))?;
    migrations
        .run(&pool)
        .await
        .map_err(|source| DatabaseError::Migration { database, source })?;
    Ok(pool)
}

/// Opens the database of `service` as it is: nothing is created or migrated.
pub async fn open_existing(runtime: &Runtime, service: &str) -> Result<PgPool, DatabaseError> {
    let server = parse_url(&runtime.database_url)?;
    let database = format!("{}{service}", runtime.database_prefix);
    PgPoolOptions::new()
        .max_connections(2)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(server.clone().database(&database))
        .await
        .map_err(|source| unreachable(&server, &database, source))
}

/// sqlx reads any scheme as Postgres.
fn parse_url(url: &str) -> Result<PgConnectOptions, DatabaseError> {
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(DatabaseError::Url(
            "it does not begin with postgres://".to_owned(),
        ));
    }
    PgConnectOptions::from_str(url).map_err(|error| DatabaseError::Url(error.to_string()))
}

/// Waits until the server answers, then creates the database unless it is there.
async fn ensure_exists(
    server: &PgConnectOptions,
    options: &PgConnectOptions,
    database: &str,
    patience: Duration,
) -> Result<(), DatabaseError> {
    let deadline = Instant::now() + patience;
    let mut told = false;
    loop {
        match try_create(server, options, database).await {
            Ok(()) => return Ok(()),
            Err(error) if is_starting(&error) && Instant::now() < deadline => {
                if !told {
                    tracing::warn!(db.server = %address(server), error.cause = %error, "waiting for Postgres");
                    told = true;
                }
                sleep(RETRY_PAUSE).await;
            }
            Err(source) => return Err(unreachable(server, database, source)),
        }
    }
}

async fn try_create(
    server: &PgConnectOptions,
    options: &PgConnectOptions,
    database: &str,
) -> Result<(), sqlx::Error> {
    match options.clone().connect().await {
        Ok(connection) => return connection.close().await,
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(UNKNOWN_DATABASE) => {}
        Err(error) => return Err(error),
    }
    let maintenance = server.get_database().unwrap_or("postgres").to_owned();
    let mut connection: PgConnection = server.clone().database(&maintenance).connect().await?;
    let statement = format!("create database \"{}\"", database.replace('"', "\"\""));
    let created = sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await;
    connection.close().await?;
    match created {
        // Another instance of the service was faster.
        Err(sqlx::Error::Database(error)) if is_duplicate(error.code().as_deref()) => Ok(()),
        other => other.map(drop),
    }
}

const UNKNOWN_DATABASE: &str = "3D000";

fn is_duplicate(code: Option<&str>) -> bool {
    matches!(code, Some("42P04" | "23505"))
}

/// Refused connections and "the database system is starting up" pass; a wrong password does not.
fn is_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| matches!(&*code, "57P03" | "53300")),
        _ => false,
    }
}

fn unreachable(server: &PgConnectOptions, database: &str, source: sqlx::Error) -> DatabaseError {
    DatabaseError::Unreachable {
        database: database.to_owned(),
        server: address(server),
        source,
    }
}

fn address(server: &PgConnectOptions) -> String {
    format!("{}:{}", server.get_host(), server.get_port())
}
