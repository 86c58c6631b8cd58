//! `fondaco dead-letters list|replay`: events that a service could not handle.

use std::path::PathBuf;
use std::process::ExitCode;

use fondaco_chassis::config::ConfigError;
use fondaco_chassis::database;
use fondaco_chassis::error::StartError;
use fondaco_messaging::dead_letter::{self, DeadLetter};
use sqlx::PgPool;

use crate::config::Settings;
use crate::error::CliError;

/// The services that consume events.
const CONSUMERS: [&str; 2] = ["inventory", "order"];

/// Arguments of `fondaco dead-letters`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// Configuration file; DATABASE_URL alone is enough.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Print the parked events.
    List {
        /// Print the events themselves too.
        #[arg(long)]
        bodies: bool,
    },
    /// Have running services handle parked events again, within seconds; what fails again stays parked.
    Replay {
        /// As the list names them, such as inventory/7.
        #[arg(value_name = "SERVICE/NUMBER", required_unless_present = "all", value_parser = letter)]
        letters: Vec<Letter>,
        /// All of them.
        #[arg(long, conflicts_with = "letters")]
        all: bool,
    },
}

/// A letter as a person names it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Letter {
    service: &'static str,
    number: i64,
}

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let settings = Settings::load(arguments.config.as_deref(), "warn")?;
    for service in CONSUMERS {
        let pool = open(&settings, service).await?;
        match &arguments.action {
            Action::List { bodies } => print(service, &pool, *bodies).await,
            Action::Replay { letters, all } => replay(service, &pool, letters, *all).await,
        }
        .map_err(|source| CliError::DeadLetters { service, source })?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn open(settings: &Settings, service: &'static str) -> Result<PgPool, CliError> {
    let missing = ConfigError::Missing {
        key: "database_url",
        variable: "DATABASE_URL",
    };
    let database_url = settings.database_url().ok_or(missing)?;
    let secret = crate::servers::random_password()?;
    let runtime = settings.runtime(database_url, settings.redis_url().unwrap_or_default(), &secret)?;
    let opened = database::open_existing(&runtime, service).await;
    Ok(opened.map_err(StartError::from)?)
}

async fn print(service: &str, pool: &PgPool, bodies: bool) -> Result<(), sqlx::Error> {
    for letter in dead_letter::list(pool).await? {
        println!("{}", line(service, &letter));
        if bodies {
            println!("    {}", letter.body);
        }
    }
    Ok(())
}

async fn replay(service: &str, pool: &PgPool, letters: &[Letter], all: bool) -> Result<(), sqlx::Error> {
    let numbers: Vec<i64> = letters
        .iter()
        .filter(|letter| letter.service == service)
        .map(|letter| letter.number)
        .collect();
    let marked = dead_letter::replay(pool, (!all).then_some(&numbers)).await?;
    println!("{service}: {marked} to be replayed");
    Ok(())
}

fn line(service: &str, letter: &DeadLetter) -> String {
    let state = if letter.replay_at.is_some() {
        "to be replayed"
    } else {
        "parked"
    };
    format!(
        "{service}/{}  {}  {}  {state}, tried {} times: {}",
        letter.id,
        letter.parked_at.format("%Y-%m-%dT%H:%M:%SZ"),
        letter.name.as_deref().unwrap_or("no event"),
        letter.attempts,
        letter.reason
    )
}

fn letter(text: &str) -> Result<Letter, String> {
    let parsed = text.split_once('/').and_then(|(service, number)| {
        Some(Letter {
            service: CONSUMERS.into_iter().find(|known| *known == service)?,
            number: number.parse().ok()?,
        })
    });
    parsed.ok_or_else(|| format!("not SERVICE/NUMBER with one of {}", CONSUMERS.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::{Letter, letter};

    #[test]
    fn letters_are_named_by_service_and_number() {
        let expected = Letter {
            service: "order",
            number: 12,
        };
        assert_eq!(letter("order/12"), Ok(expected));
        for wrong in ["12", "order/", "shop/1", "order/x", ""] {
            assert!(letter(wrong).is_err(), "{wrong}");
        }
    }
}
