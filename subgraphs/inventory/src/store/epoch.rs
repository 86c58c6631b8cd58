//! Postgres' side of the epoch: one row.

use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::Store;

/// Which counters belong to this database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Epoch {
    /// Part of the counters' names.
    pub id: Uuid,
    /// The run id of the Redis process that they were loaded into.
    pub server: String,
}

impl Store {
    /// The epoch as it stands.
    pub async fn epoch(&self) -> Result<Epoch, sqlx::Error> {
        let row = sqlx::query("SELECT epoch, server FROM epoch")
            .fetch_one(&self.pool)
            .await?;
        read(&row)
    }
}

/// The epoch, locked until the transaction ends: nobody rebuilds, and no reservation is stored meanwhile.
pub async fn lock(connection: &mut PgConnection) -> Result<Epoch, sqlx::Error> {
    let row = sqlx::query("SELECT epoch, server FROM epoch FOR UPDATE")
        .fetch_one(connection)
        .await?;
    read(&row)
}

/// Begins another epoch.
pub async fn begin(connection: &mut PgConnection, next: &Epoch) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE epoch SET epoch = $1, server = $2")
        .bind(next.id)
        .bind(&next.server)
        .execute(connection)
        .await?;
    Ok(())
}

fn read(row: &sqlx::postgres::PgRow) -> Result<Epoch, sqlx::Error> {
    Ok(Epoch {
        id: row.try_get("epoch")?,
        server: row.try_get("server")?,
    })
}
