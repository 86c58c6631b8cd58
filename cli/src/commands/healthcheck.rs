//! `fondaco healthcheck URL`: asks a part whether it serves, for containers without curl.

use std::process::ExitCode;
use std::time::Duration;

use crate::error::CliError;

/// Arguments of `fondaco healthcheck`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Address to ask, for example http://127.0.0.1:4000/ready.
    url: String,
}

/// Succeeds when the address answers with a status of success within 3 s.
pub async fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let url = arguments.url;
    let request = reqwest::Client::new().get(&url).timeout(Duration::from_secs(3));
    match request.send().await.and_then(reqwest::Response::error_for_status) {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(CliError::Unhealthy {
            url,
            problem: error.without_url().to_string(),
        }),
    }
}
