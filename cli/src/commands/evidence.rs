//! What a change is judged by: operations, thresholds, levels of rules. Shared by the commands that judge.

use std::path::{Path, PathBuf};

use fondaco_check::Evidenced;
use fondaco_check::operations::{Operation, OperationsError, documents, usage_log};
use fondaco_check::settings::{CheckSettings, FailOn, Settings};
use fondaco_router::RedisSetup;

use crate::commands::read;
use crate::error::CliError;

/// Arguments of commands that judge changes.
#[derive(Debug, clap::Args)]
pub struct EvidenceArguments {
    /// Committed operations: a folder of .graphql files, one of them, or a manifest of persisted queries.
    #[arg(long, value_name = "DIR|FILE")]
    operations: Vec<PathBuf>,
    /// Log of recorded operations, as routers write it: a file, or the Redis they share.
    #[arg(long, value_name = "FILE|redis://…")]
    usage: Vec<String>,
    /// What the keys of that Redis begin with: the routers' redis_prefix.
    #[arg(long, value_name = "TEXT", default_value = fondaco_chassis::runtime::REDIS_PREFIX)]
    redis_prefix: String,
    /// Levels of rules, thresholds and more (see docs/checks.md).
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    #[command(flatten)]
    thresholds: ThresholdArguments,
}

/// What goes before the settings file.
#[derive(Debug, clap::Args)]
struct ThresholdArguments {
    /// Recorded operations with fewer requests do not count.
    #[arg(long, value_name = "N")]
    min_count: Option<u64>,
    /// Recorded operations with a smaller share of the requests, in percent, do not count.
    #[arg(long, value_name = "PERCENT", value_parser = share)]
    min_share: Option<f64>,
    /// Usage that ended earlier than this before the newest record does not count.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(0..))]
    max_age_days: Option<i64>,
    /// Client whose usage does not count: NAME or NAME@VERSION.
    #[arg(long, value_name = "CLIENT")]
    exclude_client: Vec<String>,
    /// Fetches the plan of an operation may gain before that is breaking.
    #[arg(long, value_name = "N")]
    max_extra_fetches: Option<usize>,
    /// Fail on dangerous changes too.
    #[arg(long)]
    fail_on_dangerous: bool,
}

impl EvidenceArguments {
    /// The settings, with the arguments before the file.
    pub fn settings(&self) -> Result<CheckSettings, CliError> {
        let mut settings = load_settings(self.settings.as_deref())?.check;
        self.thresholds.override_settings(&mut settings);
        Ok(settings)
    }

    /// Everything recorded and committed.
    pub async fn load(&self) -> Result<Evidenced, CliError> {
        let refused = |error: OperationsError| CliError::SchemaTool(error.to_string());
        let mut operations: Vec<Operation> = Vec::new();
        for log in &self.usage {
            let (text, name) = self.recorded(log).await?;
            let recorded = usage_log::parse(&text, &name).map_err(refused)?;
            if recorded.is_empty() {
                eprintln!("warning: {name} records no operation: it clears no change");
            }
            operations.extend(recorded);
        }
        for committed in &self.operations {
            let found = documents::read(committed).map_err(refused)?;
            if found.is_empty() {
                eprintln!("warning: {} holds no operation", committed.display());
            }
            operations.extend(found);
        }
        Ok(Evidenced { operations })
    }

    /// A log, and what messages call it: the address of a Redis may hold a password.
    async fn recorded(&self, log: &str) -> Result<(String, String), CliError> {
        if !log.starts_with("redis://") && !log.starts_with("rediss://") {
            let text = read(Path::new(log)).map_err(|error| CliError::SchemaTool(error.to_string()))?;
            return Ok((text, log.to_owned()));
        }
        let setup = RedisSetup {
            url: log.to_owned(),
            prefix: self.redis_prefix.clone(),
        };
        let (scheme, rest) = log.split_once("://").unwrap_or_default();
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        let name = format!("{scheme}://{host}");
        match fondaco_router::read_operations(&setup).await {
            Ok(text) => Ok((text, name)),
            Err(error) => {
                let problem = format!("the log of operations in {name} cannot be read: {error}");
                Err(CliError::SchemaTool(problem))
            }
        }
    }
}

impl ThresholdArguments {
    fn override_settings(&self, settings: &mut CheckSettings) {
        let usage = &mut settings.usage;
        usage.min_count = self.min_count.or(usage.min_count);
        usage.min_share = self.min_share.or(usage.min_share);
        usage.max_age_days = self.max_age_days.or(usage.max_age_days);
        usage.exclude_clients.extend(self.exclude_client.iter().cloned());
        settings.max_extra_fetches = self.max_extra_fetches.or(settings.max_extra_fetches);
        if self.fail_on_dangerous {
            settings.fail_on = Some(FailOn::Dangerous);
        }
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share: Option<f64> = text.parse().ok();
    let share = share.filter(|share| (0.0..=100.0).contains(share));
    share.ok_or_else(|| "a percentage, from 0 to 100".to_owned())
}

/// Settings from the file, or none.
pub fn load_settings(file: Option<&Path>) -> Result<Settings, CliError> {
    let loaded = file.map(Settings::load).transpose();
    Ok(loaded
        .map_err(|error| CliError::SchemaTool(error.to_string()))?
        .unwrap_or_default())
}
