//! `fondaco healthcheck URL`: asks a part whether it serves, for containers without curl.

use std::process::ExitCode;
use std::time::Duration;

use crate::error::CliError;

const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// Arguments of `fondaco healthcheck`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Address to ask, for example http://127.0.0.1:4000/ready.
    url: String,
}

/// Succeeds when the address answers with a status of success within 3 s.
pub async fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let url = arguments.url;
    let request = http_client().get(&url);
    match request.send().await.and_then(reqwest::Response::error_for_status) {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(CliError::Unhealthy {
            url,
            problem: error.without_url().to_string(),
        }),
    }
}

/// A part is asked from inside its container: no proxy stands between. A small image may hold no certificate authorities,
/// which only HTTPS addresses need.
fn http_client() -> reqwest::Client {
    let builder = || reqwest::Client::builder().timeout(LONGEST_WAIT).no_proxy();
    builder().build().unwrap_or_else(|_| {
        let without_authorities = builder().tls_certs_only([]).build();
        without_authorities.expect("a client without certificates needs nothing of the system")
    })
}
