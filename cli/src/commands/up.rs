//! `fondaco up`: the whole platform in one process.
//!
//! The subgraphs are called in process: no sockets between the parts. Only auth also listens, on a free port of
//! loopback, because the router fetches signing keys over HTTP, as it does in production. Postgres and Redis are
//! private children, unless their URLs are given.

mod greeting;
mod secret;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use fondaco_chassis::{Runtime, Service, StartError};
use fondaco_executor::in_process::InProcessTransport;
use fondaco_listener::HEADER_READ_TIMEOUT;
use fondaco_router::config::IssuerConfig;
use fondaco_router::{IdentitySecrets, RedisSetup, Router, RouterConfig, RouterSetup, SupergraphSource};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::commands::listen;
use crate::commands::service::{self, Name};
use crate::config::{Config, Settings};
use crate::error::CliError;
use crate::servers::{Durability, Servers};
use crate::shutdown;

/// Who issues the platform's own tokens.
const ISSUER: &str = "fondaco";
const SUPERGRAPH: &str = include_str!("../../../schema/supergraph.graphql");

/// Arguments of `fondaco up`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:4000].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Folder for the platform's data.
    #[arg(long, value_name = "FOLDER", default_value = ".fondaco")]
    data: PathBuf,
    /// Start with an empty catalogue.
    #[arg(long)]
    no_demo: bool,
}

/// Runs the platform until Ctrl-C or SIGTERM. Stages: settings, servers, subgraphs, router; stopped in reverse.
pub async fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let mut settings = Settings::load(arguments.config.as_deref(), "warn")?;
    settings.config.product.demo |= !arguments.no_demo;
    settings.config.inventory.demo |= !arguments.no_demo;
    settings.config.auth.demo |= !arguments.no_demo;
    let outbox = &mut settings.config.auth.mail.outbox;
    outbox.get_or_insert_with(|| arguments.data.join("outbox"));
    let address = arguments
        .listen
        .or(settings.environment.listen)
        .unwrap_or(settings.config.router.listen);
    // Taken addresses show before anything else is begun.
    let listener = listen(address).await?;
    let shutdown = shutdown::on_signal()?;
    let servers = start_servers(&settings, &arguments.data).await?;
    let outcome = serve(&settings, servers.as_ref(), &arguments.data, listener, &shutdown).await;
    if let Some(servers) = servers {
        servers.stop().await;
    }
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn start_servers(settings: &Settings, data: &Path) -> Result<Option<Servers>, CliError> {
    if settings.database_url().is_some() && settings.redis_url().is_some() {
        return Ok(None);
    }
    Ok(Some(Servers::start(data, Durability::Kept).await?))
}

async fn serve(
    settings: &Settings,
    servers: Option<&Servers>,
    data: &Path,
    listener: TcpListener,
    shutdown: &CancellationToken,
) -> Result<(), CliError> {
    let secret = secret::shared(settings.identity_secret(), data)?;
    let private = |url: fn(&Servers) -> &str| servers.map(url).unwrap_or_default();
    let database_url = settings
        .database_url()
        .unwrap_or_else(|| private(Servers::database_url));
    let redis_url = settings
        .redis_url()
        .unwrap_or_else(|| private(Servers::redis_url));
    let mut runtime = settings.runtime(database_url, redis_url, &secret)?;
    // All callers are in this process, and all sign; auth's address on loopback serves nobody else.
    runtime.require_identity = true;
    let services = tokio::select! {
        services = start_services(&settings.config, &runtime) => services?,
        () = shutdown.cancelled() => return Ok(()),
    };
    let keys_address = serve_keys(&services, &runtime).await?;
    let redis = settings.router_redis(redis_url);
    let identity = settings.router_identity(Some(&secret));
    let router = build_router(
        settings.config.router.clone(),
        &services,
        keys_address,
        identity,
        redis,
    )?;
    greet(&listener, servers, settings)?;
    let served = router.serve(listener, shutdown.clone()).await;
    runtime.shutdown.cancel();
    for service in services {
        service.tasks.stop().await;
    }
    served.map_err(|source| CliError::System {
        what: "serving",
        source,
    })
}

fn greet(listener: &TcpListener, servers: Option<&Servers>, settings: &Settings) -> Result<(), CliError> {
    let address = listener.local_addr().map_err(|source| CliError::System {
        what: "listening",
        source,
    })?;
    let mail = &settings.config.auth.mail;
    let outbox = mail.outbox.as_deref().filter(|_| mail.smtp_url.is_none());
    println!("{}", greeting::text(address, servers, outbox));
    Ok(())
}

async fn start_services(config: &Config, runtime: &Runtime) -> Result<Vec<Service>, StartError> {
    let start = |name| service::start(name, config, runtime);
    let (auth, product, inventory, order, payment) = tokio::try_join!(
        start(Name::Auth),
        start(Name::Product),
        start(Name::Inventory),
        start(Name::Order),
        start(Name::Payment),
    )?;
    let services = vec![auth, product, inventory, order, payment];
    for service in &services {
        runtime.peers.insert_local(service.name, service.router.clone());
    }
    Ok(services)
}

/// Serves auth on a free port of loopback, for its signing keys.
async fn serve_keys(services: &[Service], runtime: &Runtime) -> Result<SocketAddr, CliError> {
    let auth = services
        .iter()
        .find(|service| service.name == "auth")
        .expect("auth was started");
    let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let address = listener.local_addr().map_err(|source| CliError::System {
        what: "listening",
        source,
    })?;
    let (router, stop) = (auth.router.clone(), runtime.shutdown.clone());
    tokio::spawn(async move {
        let served = fondaco_listener::serve(listener, router, HEADER_READ_TIMEOUT, stop).await;
        if let Err(error) = served {
            tracing::error!(error.cause = %error, "signing keys are served no more");
        }
    });
    Ok(address)
}

fn build_router(
    mut config: RouterConfig,
    services: &[Service],
    keys_address: SocketAddr,
    identity: IdentitySecrets,
    redis: RedisSetup,
) -> Result<Router, CliError> {
    // Ours are called in process; addresses of the configuration are for parts that run alone.
    config.subgraph_urls.clear();
    let issuers = &mut config.authentication.issuers;
    issuers.retain(|issuer| issuer.issuer != ISSUER);
    issuers.push(platform_issuer(keys_address));
    let transport = services
        .iter()
        .fold(InProcessTransport::new(), |transport, service| {
            transport.with(service.name, service.router.clone())
        });
    let supergraph = SupergraphSource::Text {
        sdl: SUPERGRAPH.to_owned(),
        name: "schema/supergraph.graphql".to_owned(),
    };
    let setup = RouterSetup {
        config,
        supergraph,
        transport: Arc::new(transport),
        identity,
        redis: Some(redis),
    };
    Ok(Router::build(setup)?)
}

fn platform_issuer(keys_address: SocketAddr) -> IssuerConfig {
    IssuerConfig {
        audiences: vec![ISSUER.to_owned()],
        min_refresh_seconds: 1,
        token_types: vec!["at+jwt".to_owned()],
        required_claims: [("token_use".to_owned(), "access".to_owned())].into(),
        revocation: true,
        ..IssuerConfig::at(ISSUER, format!("http://{keys_address}/.well-known/jwks.json"))
    }
}
