//! Dead letters: stream entries nobody could handle, kept in a stream of their own with the reason, for people to look at.

use redis::{RedisError, aio::ConnectionManager};

/// The stream of the dead letters of `group` on `stream`.
pub fn stream_key(stream: &str, group: &str) -> String {
    format!("{stream}:dead:{group}")
}

/// Moves an entry out of the group's way: one step, so that it is in exactly one place.
pub(crate) async fn bury(
    redis: &mut ConnectionManager,
    stream: &str,
    group: &str,
    entry_id: &str,
    body: &str,
    reason: &str,
) -> Result<(), RedisError> {
    redis::pipe()
        .atomic()
        .cmd("XADD")
        .arg(stream_key(stream, group))
        .arg("*")
        .arg(&["entry", entry_id, "event", body, "reason", reason])
        .ignore()
        .cmd("XACK")
        .arg(stream)
        .arg(group)
        .arg(entry_id)
        .ignore()
        .query_async(redis)
        .await
}
