//! How far the consumers of a stream have come: for trimming it, and for knowing which events some of them may still need.

use redis::{
    AsyncCommands, RedisError,
    aio::ConnectionManager,
    streams::{
        StreamInfoGroup, StreamInfoGroupsReply, StreamInfoStreamReply, StreamPendingReply, StreamRangeReply,
    },
};
use sqlx::PgConnection;

use crate::relay::RelayError;

/// The field of an entry with the event.
pub const EVENT: &str = "event";
/// The field of an entry with the number of its batch.
pub const BATCH: &str = "batch";

/// Notes in Postgres up to which batch every group has handled everything; `last` is the number of the last one. Only the relay
/// appends, hence nothing is appended meanwhile.
pub async fn note(
    connection: &mut PgConnection,
    redis: &mut ConnectionManager,
    stream: &str,
    last: i64,
) -> Result<(), RelayError> {
    for group in groups(redis, stream).await? {
        let Some(handled) = handled(redis, stream, &group, last).await? else {
            continue;
        };
        sqlx::query(
            "insert into outbox_progress (consumer, batch) values ($1, $2)
             on conflict (consumer) do update set batch = greatest(outbox_progress.batch, excluded.batch), noted_at = now()",
        )
        .bind(&group.name)
        .bind(handled)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// None where the stream does not tell.
async fn handled(
    redis: &mut ConnectionManager,
    stream: &str,
    group: &StreamInfoGroup,
    last: i64,
) -> Result<Option<i64>, RedisError> {
    let pending: StreamPendingReply = redis.xpending(stream, &group.name).await?;
    let needed: StreamRangeReply = match pending {
        StreamPendingReply::Data(data) => {
            redis
                .xrange_count(stream, &data.start_id, &data.start_id, 1)
                .await?
        }
        _ => {
            let info: StreamInfoStreamReply = redis.xinfo_stream(stream).await?;
            if info.last_generated_id == group.last_delivered_id {
                return Ok(Some(last));
            }
            let after = format!("({}", group.last_delivered_id);
            redis.xrange_count(stream, after, "+", 1).await?
        }
    };
    let oldest = needed.ids.first();
    Ok(oldest
        .and_then(|entry| entry.get::<i64>(BATCH))
        .map(|batch| batch - 1))
}

/// Drops the entries that every group has acknowledged. Without a group nothing is dropped: somebody may yet come to read.
pub async fn trim(redis: &mut ConnectionManager, stream: &str) -> Result<(), RedisError> {
    let mut oldest_needed: Option<(u64, u64)> = None;
    for group in groups(redis, stream).await? {
        let pending: StreamPendingReply = redis.xpending(stream, &group.name).await?;
        let needed = match pending {
            StreamPendingReply::Data(data) => data.start_id,
            _ => group.last_delivered_id,
        };
        let Some(needed) = parse_entry_id(&needed) else {
            return Ok(());
        };
        oldest_needed = Some(oldest_needed.map_or(needed, |oldest| oldest.min(needed)));
    }
    let Some((milliseconds, sequence)) = oldest_needed else {
        return Ok(());
    };
    let least = format!("{milliseconds}-{sequence}");
    redis::cmd("XTRIM")
        .arg(stream)
        .arg("MINID")
        .arg("~")
        .arg(least)
        .query_async::<()>(redis)
        .await
}

async fn groups(redis: &mut ConnectionManager, stream: &str) -> Result<Vec<StreamInfoGroup>, RedisError> {
    if !redis.exists::<_, bool>(stream).await? {
        return Ok(Vec::new());
    }
    let groups: StreamInfoGroupsReply = redis.xinfo_groups(stream).await?;
    Ok(groups.groups)
}

fn parse_entry_id(id: &str) -> Option<(u64, u64)> {
    let (milliseconds, sequence) = id.split_once('-')?;
    Some((milliseconds.parse().ok()?, sequence.parse().ok()?))
}
