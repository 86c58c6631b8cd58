//! The file: one JSON object a line, one line an operation and client, replaced as a whole.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::operation_log::record::{ClientLine, Line, rfc3339, seconds};
use crate::operation_log::{Client, Counted};

/// Why the log cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum LogFileError {
    /// The file cannot be read.
    #[error("the log of operations {} cannot be read: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file holds something else.
    #[error("{}:{line} is not a record of the log of operations: {error}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        error: String,
    },
    /// The file cannot be written.
    #[error("the log of operations {} cannot be written: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
}

#[derive(Debug, Clone)]
struct Record {
    count: u64,
    first_seen: String,
    last_seen: String,
}

/// What the file holds, and where it lies.
pub(super) struct LogFile {
    path: PathBuf,
    most: usize,
    records: Mutex<BTreeMap<(String, Client), Record>>,
}

impl LogFile {
    /// Goes on with a file that exists. It keeps `most` records, those used last.
    pub(super) fn open(path: PathBuf, most: usize) -> Result<Self, LogFileError> {
        let records = Mutex::new(read(&path)?);
        let file = Self { path, most, records };
        // A folder that cannot be written is better found now than when the first operations are lost.
        file.add(Vec::new())?;
        Ok(file)
    }

    /// Adds what was counted and replaces the file, so that a reader never sees half of it.
    pub(super) fn add(&self, counted: Vec<Counted>) -> Result<(), LogFileError> {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        for one in counted {
            let (first, last) = (rfc3339(seconds(one.first_seen)), rfc3339(seconds(one.last_seen)));
            let record = records
                .entry((one.operation.to_string(), one.client))
                .or_insert(Record {
                    count: 0,
                    first_seen: first,
                    last_seen: String::new(),
                });
            record.count += one.count;
            record.last_seen = record.last_seen.clone().max(last);
        }
        forget_oldest(&mut records, self.most);
        let failed = |error| LogFileError::Write {
            path: self.path.clone(),
            error,
        };
        let draft = self.path.with_extension("draft");
        std::fs::write(&draft, text_of(&records)).map_err(failed)?;
        std::fs::rename(&draft, &self.path).map_err(failed)
    }
}

fn read(path: &Path) -> Result<BTreeMap<(String, Client), Record>, LogFileError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(LogFileError::Read {
                path: path.to_owned(),
                error,
            });
        }
    };
    let mut records = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line: Line = serde_json::from_str(line).map_err(|error| LogFileError::Record {
            path: path.to_owned(),
            line: index + 1,
            error: error.to_string(),
        })?;
        let client = Client {
            name: line.client.name,
            version: line.client.version,
        };
        let record = Record {
            count: line.count,
            first_seen: line.first_seen,
            last_seen: line.last_seen,
        };
        records.insert((line.operation, client), record);
    }
    Ok(records)
}

fn text_of(records: &BTreeMap<(String, Client), Record>) -> String {
    let mut text = String::new();
    for ((operation, client), record) in records {
        let line = Line {
            operation: operation.clone(),
            client: ClientLine {
                name: client.name.clone(),
                version: client.version.clone(),
            },
            count: record.count,
            first_seen: record.first_seen.clone(),
            last_seen: record.last_seen.clone(),
        };
        let _ = writeln!(text, "{}", line.text());
    }
    text
}

/// Times of the same form sort like texts.
fn forget_oldest(records: &mut BTreeMap<(String, Client), Record>, most: usize) {
    if records.len() <= most {
        return;
    }
    let mut times: Vec<String> = records.values().map(|record| record.last_seen.clone()).collect();
    times.sort_unstable();
    let mut surplus = records.len() - most;
    let oldest_kept = times[surplus].clone();
    records.retain(|_, record| {
        let is_old = record.last_seen < oldest_kept;
        surplus -= usize::from(is_old);
        !is_old
    });
    // Of those last used in the same second, any.
    records.retain(|_, record| {
        let goes = surplus > 0 && record.last_seen == oldest_kept;
        surplus -= usize::from(goes);
        !goes
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_records_used_last_are_kept() {
        let record = |last: &str| Record {
            count: 1,
            first_seen: String::new(),
            last_seen: last.to_owned(),
        };
        let key = |name: &str| (name.to_owned(), Client::default());
        let mut records: BTreeMap<_, _> = [("a", "3"), ("b", "1"), ("c", "2"), ("d", "2")]
            .map(|(name, last)| (key(name), record(last)))
            .into();
        forget_oldest(&mut records, 2);
        let left: Vec<&str> = records.keys().map(|(name, _)| name.as_str()).collect();
        assert_eq!(left, ["a", "d"]);
    }
}
