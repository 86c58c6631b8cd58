//! `fondaco router`: the router on its own, for any supergraph.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use fondaco_executor::http::{HttpConfig, HttpTransport};
use fondaco_registry::{Access, Address, Store};
use fondaco_router::{Router, RouterConfig, RouterSetup, SupergraphDocument, SupergraphSource};
use tokio::sync::watch;

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
    /// Registry whose latest supergraph to serve, a folder or a postgres:// URL; followed. FONDACO_REGISTRY says the same.
    #[arg(long, value_name = "URL|DIR", conflicts_with = "supergraph")]
    registry: Option<String>,
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
    let address = arguments
        .listen
        .or(settings.environment.listen)
        .unwrap_or(config.listen);
    let router = Router::build(RouterSetup {
        supergraph: source(arguments, &config).await?,
        config,
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

/// What to serve: the command line goes before the environment, and that before the configuration file.
async fn source(arguments: Arguments, config: &RouterConfig) -> Result<SupergraphSource, CliError> {
    if let Some(file) = arguments.supergraph {
        return Ok(SupergraphSource::File(file));
    }
    let registry = registry(arguments.registry, config)?;
    match (registry, &config.supergraph) {
        (Some(registry), _) => follow(&registry, config).await,
        (None, Some(file)) => Ok(SupergraphSource::File(file.clone())),
        (None, None) => Err(CliError::NoSupergraph),
    }
}

fn registry(argument: Option<String>, config: &RouterConfig) -> Result<Option<Address>, CliError> {
    let environment = || {
        std::env::var("FONDACO_REGISTRY")
            .ok()
            .filter(|value| !value.is_empty())
    };
    let configured = || Some(("router.registry", config.registry.clone()?));
    let named = argument.map(|value| ("--registry", value));
    let named = named
        .or_else(|| Some(("FONDACO_REGISTRY", environment()?)))
        .or_else(configured);
    let address = named.map(|(name, value)| {
        let address = value.parse();
        address.map_err(|problem| CliError::Registry(format!("{name}: {problem}")))
    });
    address.transpose()
}

/// The registry's latest supergraph, and each later one.
async fn follow(address: &Address, config: &RouterConfig) -> Result<SupergraphSource, CliError> {
    let failed = |error: fondaco_registry::RegistryError| CliError::Registry(error.to_string());
    let store = Store::open(address, Access::Read).await.map_err(failed)?;
    let Some(number) = store.latest().await.map_err(failed)? else {
        return Err(CliError::Registry(format!(
            "nothing was published in the registry at {address} yet"
        )));
    };
    let document = move |number, sdl| SupergraphDocument {
        sdl,
        name: format!("version {number} of the registry"),
    };
    let sdl = store.supergraph(number).await.map_err(failed)?;
    let (sender, documents) = watch::channel(document(number, sdl));
    let interval = Duration::from_millis(config.reload.interval_ms.max(10));
    let following = fondaco_registry::follow(store, number, interval, move |number, sdl| {
        sender.send_replace(document(number, sdl));
    });
    // It ends with the process.
    tokio::spawn(following);
    Ok(SupergraphSource::Followed(documents))
}
