//! The log in Redis, which several routers share: their counts are added up, and together they keep as many records as one file would.
//!
//! Counters are sent in batches, each by one script that acts once however often it is sent; what Redis did not take is sent again.
//! Keys share a hash tag, so that they lie on one node of a cluster: `PREFIX{operations}:record`, `:first`, `:count` are hashes by
//! record id, `:last` is a sorted set.

use std::collections::VecDeque;

use ::redis::{Pipeline, RedisError, Script};
use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::operation_log::Counted;
use crate::operation_log::record::{ClientLine, Line, rfc3339, seconds};
use crate::redis::{Redis, RedisAway, RedisSetup};

/// A script runs while nobody else is served: batches are small.
const BATCH_RECORDS: usize = 100;
const BATCH_BYTES: usize = 256 * 1024;

/// Records read at a time.
const READ_RECORDS: usize = 500;

/// See the module.
pub(super) struct SharedLog {
    redis: Redis,
    script: Script,
    most: usize,
    /// What was taken from the counters and not by Redis yet.
    unsent: Mutex<VecDeque<Batch>>,
}

struct Batch {
    id: Uuid,
    records: Vec<Counted>,
}

/// What a record's id stands for.
#[derive(Debug, Serialize, Deserialize)]
struct Subject {
    operation: String,
    client: ClientLine,
}

impl SharedLog {
    pub(super) fn new(redis: Redis, most: usize) -> Self {
        Self {
            redis,
            script: Script::new(include_str!("merge.lua")),
            most,
            unsent: Mutex::default(),
        }
    }

    /// Sends what was left, then what `take` gives. While Redis is away nothing more is taken: the counters go on counting.
    pub(super) async fn add(&self, take: impl FnOnce() -> Vec<Counted>) -> Result<(), RedisAway> {
        let mut unsent = self.unsent.lock().await;
        self.send(&mut unsent).await?;
        unsent.extend(batches(take()));
        self.send(&mut unsent).await
    }

    async fn send(&self, unsent: &mut VecDeque<Batch>) -> Result<(), RedisAway> {
        while let Some(batch) = unsent.front() {
            self.send_one(batch).await?;
            unsent.pop_front();
        }
        Ok(())
    }

    async fn send_one(&self, batch: &Batch) -> Result<(), RedisAway> {
        let mut call = self.script.prepare_invoke();
        for name in ["record", "first", "count", "last"] {
            call.key(self.redis.key(format_args!("{{operations}}:{name}")));
        }
        call.key(self.redis.key(format_args!("{{operations}}:batch:{}", batch.id)));
        call.arg(self.most);
        for one in &batch.records {
            let subject = subject(one);
            call.arg(id_of(&subject)).arg(subject);
            call.arg(seconds(one.first_seen))
                .arg(one.count)
                .arg(seconds(one.last_seen));
        }
        self.redis.script(&call).await
    }
}

fn batches(counted: Vec<Counted>) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    let mut bytes = 0;
    for one in counted {
        bytes += one.operation.len();
        let is_full = |batch: &Batch| batch.records.len() == BATCH_RECORDS || bytes > BATCH_BYTES;
        match batches.last_mut().filter(|batch| !is_full(batch)) {
            Some(batch) => batch.records.push(one),
            None => {
                bytes = one.operation.len();
                batches.push(Batch {
                    id: Uuid::new_v4(),
                    records: vec![one],
                });
            }
        }
    }
    batches
}

fn subject(one: &Counted) -> String {
    let subject = Subject {
        operation: one.operation.to_string(),
        client: ClientLine {
            name: one.client.name.clone(),
            version: one.client.version.clone(),
        },
    };
    serde_json::to_string(&subject).expect("a record is JSON")
}

/// Half a SHA-256, in hexadecimal.
fn id_of(subject: &str) -> String {
    let digest = digest::digest(&digest::SHA256, subject.as_bytes());
    digest.as_ref()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Why the log in Redis cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadOperationsError {
    /// The URL cannot be used, or Redis cannot be asked.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// What lies under the log's keys is none.
    #[error("{key} holds something else than the log of operations: {problem}")]
    Record {
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
    },
}

/// Subjects, first uses and counts of some records; absent where a router has dropped one meanwhile.
type Found = (Vec<Option<String>>, Vec<Option<u64>>, Vec<Option<u64>>);

/// Reads the log that routers keep in Redis: the lines a file would have, sorted.
///
/// # Errors
/// Where Redis cannot be asked, or the keys hold something else.
pub async fn read_operations(setup: &RedisSetup) -> Result<String, ReadOperationsError> {
    let client = ::redis::Client::open(setup.url.as_str())?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let key = |name: &str| format!("{}{{operations}}:{name}", setup.prefix);
    let records: Vec<(String, f64)> = ::redis::cmd("ZRANGE")
        .arg(key("last"))
        .arg((0, -1))
        .arg("WITHSCORES")
        .query_async(&mut connection)
        .await?;
    let mut lines = Vec::new();
    for records in records.chunks(READ_RECORDS) {
        let mut pipeline = Pipeline::new();
        for name in ["record", "first", "count"] {
            let command = pipeline.cmd("HMGET").arg(key(name));
            records.iter().for_each(|(id, _)| {
                command.arg(id);
            });
        }
        let found: Found = pipeline.query_async(&mut connection).await?;
        let found = lines_of(records, found).map_err(|error| ReadOperationsError::Record {
            key: key("record"),
            problem: error.to_string(),
        })?;
        lines.extend(found);
    }
    lines.sort_unstable();
    Ok(lines.concat())
}

fn lines_of(records: &[(String, f64)], found: Found) -> Result<Vec<String>, serde_json::Error> {
    let (subjects, firsts, counts) = found;
    let mut lines = Vec::new();
    for (((subject, first), count), (_, last)) in subjects.into_iter().zip(firsts).zip(counts).zip(records) {
        let (Some(subject), Some(first), Some(count)) = (subject, first, count) else {
            continue;
        };
        let Subject { operation, client } = serde_json::from_str(&subject)?;
        let line = Line {
            operation,
            client,
            count,
            first_seen: rfc3339(first),
            last_seen: rfc3339(*last as u64),
        };
        lines.push(line.text() + "\n");
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::operation_log::Client;

    #[test]
    fn batches_are_small() {
        let record = |bytes: usize| Counted {
            operation: "x".repeat(bytes).into(),
            client: Client::default(),
            count: 1,
            first_seen: UNIX_EPOCH,
            last_seen: UNIX_EPOCH,
        };
        for (records, sizes) in [
            (vec![record(10); 250], vec![100, 100, 50]),
            (vec![record(100_000); 5], vec![2, 2, 1]),
            (vec![record(1_000_000); 2], vec![1, 1]),
            (vec![], vec![]),
        ] {
            let found: Vec<usize> = batches(records).iter().map(|batch| batch.records.len()).collect();
            assert_eq!(found, sizes);
        }
    }
}
