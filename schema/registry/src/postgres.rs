//! A registry in a Postgres database: a schema of its own, `fondaco_registry`, so that the database may hold other things too.

use chrono::{DateTime, Utc};
use fondaco_composition::SubgraphSource;
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::types::Json;
use sqlx::{PgPool, Postgres as Database, Transaction};
use std::time::Duration;

use crate::address::Address;
use crate::error::RegistryError;
use crate::store::Access;
use crate::version::{Stored, SubgraphChange, Summary, Version};

const SCHEMA: &str = "fondaco_registry";
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Postgres {
    pool: PgPool,
    address: Address,
}

#[derive(sqlx::FromRow)]
struct VersionRow {
    number: i64,
    published_at: DateTime<Utc>,
    publisher: String,
    forced_because: Option<String>,
    summary: Json<Summary>,
    changes: Json<Vec<SubgraphChange>>,
}

#[derive(sqlx::FromRow)]
struct SubgraphRow {
    name: String,
    url: String,
    sdl: String,
}

impl Postgres {
    pub(crate) async fn open(
        address: &Address,
        options: &PgConnectOptions,
        access: Access,
    ) -> Result<Self, RegistryError> {
        let pool = PgPoolOptions::new()
            .max_connections(2)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options.clone())
            .await;
        let address = address.clone();
        let pool = match pool {
            Ok(pool) => pool,
            Err(source) => return Err(RegistryError::Database { address, source }),
        };
        let registry = Self { pool, address };
        match access {
            Access::Publish => registry.migrate().await?,
            Access::Read if !registry.exists().await? => {
                return Err(RegistryError::Missing(registry.address));
            }
            Access::Read => {}
        }
        Ok(registry)
    }

    async fn migrate(&self) -> Result<(), RegistryError> {
        let mut migrator = sqlx::migrate!();
        migrator.create_schema(SCHEMA);
        // Other programs may keep migrations of their own in the same database.
        migrator.dangerous_set_table_name(format!("{SCHEMA}.migration"));
        let migrated = migrator.run(&self.pool).await;
        migrated.map_err(|source| RegistryError::Migration {
            address: self.address.clone(),
            source,
        })
    }

    async fn exists(&self) -> Result<bool, RegistryError> {
        let found: bool = sqlx::query_scalar("select to_regclass('fondaco_registry.version') is not null")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(found)
    }

    pub(crate) async fn latest(&self) -> Result<Option<u64>, RegistryError> {
        let latest: Option<i64> = sqlx::query_scalar("select max(number) from fondaco_registry.version")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(latest.map(i64::unsigned_abs))
    }

    pub(crate) async fn read(&self, number: u64) -> Result<Option<Stored>, RegistryError> {
        let Some(supergraph) = self.supergraph(number).await? else {
            return Ok(None);
        };
        let version: VersionRow = sqlx::query_as(
            "select number, published_at, publisher, forced_because, summary, changes from fondaco_registry.version where number = $1",
        )
        .bind(signed(number))
        .fetch_one(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        let subgraphs: Vec<SubgraphRow> = sqlx::query_as(
            "select name, url, sdl from fondaco_registry.subgraph join fondaco_registry.schema using (digest)
             where version = $1 order by name collate \"C\"",
        )
        .bind(signed(number))
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(Some(Stored {
            version: version.into(),
            subgraphs: subgraphs.into_iter().map(SubgraphSource::from).collect(),
            supergraph,
        }))
    }

    pub(crate) async fn supergraph(&self, number: u64) -> Result<Option<String>, RegistryError> {
        sqlx::query_scalar("select supergraph from fondaco_registry.version where number = $1")
            .bind(signed(number))
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.failed(error))
    }

    pub(crate) async fn history(&self) -> Result<Vec<Version>, RegistryError> {
        let rows: Vec<VersionRow> = sqlx::query_as(
            "select number, published_at, publisher, forced_because, summary, changes from fondaco_registry.version order by number desc",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(rows.into_iter().map(Version::from).collect())
    }

    pub(crate) async fn append(&self, stored: &Stored) -> Result<bool, RegistryError> {
        match self.try_append(stored).await {
            Ok(()) => Ok(true),
            // Nothing else of it is unique: another publisher has the number.
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
            Err(error) => Err(self.failed(error)),
        }
    }

    async fn try_append(&self, stored: &Stored) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        insert_version(&mut transaction, stored).await?;
        for source in &stored.subgraphs {
            insert_subgraph(&mut transaction, stored.version.number, source).await?;
        }
        transaction.commit().await
    }

    fn failed(&self, source: sqlx::Error) -> RegistryError {
        RegistryError::Database {
            address: self.address.clone(),
            source,
        }
    }
}

async fn insert_version(
    transaction: &mut Transaction<'_, Database>,
    stored: &Stored,
) -> Result<(), sqlx::Error> {
    let version = &stored.version;
    sqlx::query(
        "insert into fondaco_registry.version (number, published_at, publisher, forced_because, summary, changes, supergraph)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(signed(version.number))
    .bind(version.published_at)
    .bind(&version.publisher)
    .bind(&version.forced_because)
    .bind(Json(version.summary))
    .bind(Json(&version.changes))
    .bind(&stored.supergraph)
    .execute(&mut **transaction)
    .await
    .map(drop)
}

async fn insert_subgraph(
    transaction: &mut Transaction<'_, Database>,
    number: u64,
    source: &SubgraphSource,
) -> Result<(), sqlx::Error> {
    let digest = Sha256::digest(source.sdl.as_bytes()).to_vec();
    sqlx::query("insert into fondaco_registry.schema (digest, sdl) values ($1, $2) on conflict do nothing")
        .bind(&digest)
        .bind(&source.sdl)
        .execute(&mut **transaction)
        .await?;
    sqlx::query("insert into fondaco_registry.subgraph (version, name, url, digest) values ($1, $2, $3, $4)")
        .bind(signed(number))
        .bind(&source.name)
        .bind(&source.url)
        .bind(&digest)
        .execute(&mut **transaction)
        .await
        .map(drop)
}

/// No registry gets there; what does not fit is no version.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl From<VersionRow> for Version {
    fn from(row: VersionRow) -> Self {
        Self {
            number: row.number.unsigned_abs(),
            published_at: row.published_at,
            publisher: row.publisher,
            forced_because: row.forced_because,
            summary: row.summary.0,
            changes: row.changes.0,
        }
    }
}

impl From<SubgraphRow> for SubgraphSource {
    fn from(row: SubgraphRow) -> Self {
        Self {
            name: row.name,
            url: row.url,
            sdl: row.sdl,
            file: None,
        }
    }
}
