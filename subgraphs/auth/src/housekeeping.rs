//! Removes what nobody needs any more: old refresh tokens, codes, sessions and security events.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

const PAUSE: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Tidies up every ten minutes until `stop`; security events are kept for `audit_days`.
pub async fn run(pool: PgPool, audit_days: u32, stop: CancellationToken) {
    loop {
        if let Err(error) = tidy(&pool, audit_days).await {
            tracing::warn!(error.cause = %error, "old rows could not be removed");
        }
        if stop
            .run_until_cancelled(tokio::time::sleep(PAUSE))
            .await
            .is_none()
        {
            return;
        }
    }
}

/// Used refresh tokens are kept as long as their session: a copy that comes back must be known.
async fn tidy(pool: &PgPool, audit_days: u32) -> Result<(), sqlx::Error> {
    let now = Utc::now();
    let statements: [(&'static str, DateTime<Utc>); 4] = [
        ("delete from one_time_codes where expires_at < $1", now),
        (
            "delete from sessions where revoked_at < $1 or expires_at < $1",
            now - 30 * DAY,
        ),
        ("delete from refresh_tokens where expires_at < $1", now),
        (
            "delete from security_events where at < $1",
            now - audit_days * DAY,
        ),
    ];
    for (statement, before) in statements {
        sqlx::query(statement).bind(before).execute(pool).await?;
    }
    Ok(())
}
