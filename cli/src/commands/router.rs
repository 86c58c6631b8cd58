//! `fondaco router`: the router on its own, for any supergraph.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use fondaco_executor::http::{HttpConfig, HttpTransport};
use fondaco_router::{Router, RouterSetup, SupergraphSource};

use crate::commands::listen;
use crate::config::Settings;
use crate::error::CliError;
use crate::shutdown;

/// Arguments of `fondaco router`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Supergraph to serve; watched for changes.
    #[arg(long, value_name = "FILE")]
    supergraph: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:4000].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Serves the supergraph until Ctrl-C or SIGTERM, then finishes running requests.
pub async fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let settings = Settings::load(arguments.config.as_deref(), "info")?;
    let config = settings.config.router.clone();
    let file = arguments
        .supergraph
        .or_else(|| config.supergraph.clone())
        .ok_or(CliError::NoSupergraph)?;
    let address = arguments
        .listen
        .or(settings.environment.listen)
        .unwrap_or(config.listen);
    let router = Router::build(RouterSetup {
        config,
        supergraph: SupergraphSource::File(file),
        transport: Arc::new(HttpTransport::new(&HttpConfig::default())),
        identity: settings.router_identity(None),
        redis: settings.redis_url().map(|url| settings.router_redis(url)),
    })?;
    let listener = listen(address).await?;
    let shutdown = shutdown::on_signal()?;
    tracing::info!(%address, "serving");
    router
        .serve(listener, shutdown)
        .await
        .map_err(|source| CliError::System {
            what: "serving",
            source,
        })?;
    Ok(ExitCode::SUCCESS)
}
