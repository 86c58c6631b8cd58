//! `fondaco keys list|rotate`: the keys that sign access tokens.

use std::path::PathBuf;
use std::process::ExitCode;

use fondaco_auth::signing_key::{KeyInfo, KeyState, Rotation, SigningKeys};
use fondaco_chassis::config::ConfigError;

use crate::config::Settings;
use crate::error::CliError;

/// Arguments of `fondaco keys`.
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
    /// Print the published keys.
    List,
    /// Let the next key sign; running services follow within ten seconds, and tokens stay valid.
    Rotate {
        /// Withdraw all keys at once instead: tokens they signed are refused as soon as routers read the keys again.
        #[arg(long)]
        compromised: bool,
    },
}

/// Runs the command and prints the keys as they are then.
pub async fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let settings = Settings::load(arguments.config.as_deref(), "warn")?;
    let keys = open(&settings).await?;
    if let Action::Rotate { compromised } = arguments.action {
        let rotation = if compromised {
            Rotation::Compromised
        } else {
            Rotation::Routine
        };
        keys.rotate(rotation).await.map_err(CliError::SigningKeys)?;
    }
    for key in keys.list() {
        println!("{}", line(&key));
    }
    Ok(ExitCode::SUCCESS)
}

/// Only the database is needed: Redis is not called, and nothing is signed for a subgraph.
async fn open(settings: &Settings) -> Result<SigningKeys, CliError> {
    let missing = ConfigError::Missing {
        key: "database_url",
        variable: "DATABASE_URL",
    };
    let database_url = settings.database_url().ok_or(missing)?;
    let secret = crate::servers::random_password()?;
    let runtime = settings.runtime(database_url, settings.redis_url().unwrap_or_default(), &secret)?;
    Ok(fondaco_auth::open_signing_keys(&runtime).await?)
}

fn line(key: &KeyInfo) -> String {
    let state = match key.state {
        KeyState::Next => "next",
        KeyState::Active => "active",
        KeyState::Replaced => "replaced",
    };
    format!(
        "{}  {state:8}  since {}",
        key.kid,
        key.since.format("%Y-%m-%dT%H:%M:%SZ")
    )
}
