//! Logs: structured, to standard error, filtered by `FONDACO_LOG`.

use std::str::FromStr;

use serde::Deserialize;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// How a log line is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// Neither `text` nor `json`.
#[derive(Debug, thiserror::Error)]
#[error("the log format is `text` or `json`, not `{0}`")]
pub struct UnknownLogFormat(String);

impl FromStr for LogFormat {
    type Err = UnknownLogFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(UnknownLogFormat(other.to_owned())),
        }
    }
}

/// The filter of `FONDACO_LOG` cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the log filter `{filter}` (FONDACO_LOG) is invalid: {message}")]
pub struct InvalidFilter {
    filter: String,
    message: String,
}

/// Starts logging, once in a process; a second call changes nothing.
pub fn init(filter: &str, format: LogFormat) -> Result<(), InvalidFilter> {
    let parsed = EnvFilter::try_new(filter).map_err(|error| InvalidFilter {
        filter: filter.to_owned(),
        message: error.to_string(),
    })?;
    let registry = tracing_subscriber::registry().with(parsed);
    let lines = fmt::layer().with_writer(std::io::stderr);
    // An error means that a subscriber is set already, which is fine.
    let _already_set = match format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    Ok(())
}
