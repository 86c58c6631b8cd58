//! `fondaco auth`, `product`, `inventory`, `order`, `payment`: one subgraph on its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use fondaco_chassis::{Runtime, Service, StartError};

use crate::commands::listen;
use crate::config::{Config, Settings};
use crate::error::CliError;
use crate::shutdown;

/// The subgraphs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Name {
    /// Accounts, sign-in, tokens.
    Auth,
    /// The catalogue.
    Product,
    /// Stock.
    Inventory,
    /// Orders and the purchase.
    Order,
    /// Payments.
    Payment,
}

/// Arguments of a subgraph's command.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to listen on; goes before the configuration.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

/// Serves the subgraph until Ctrl-C or SIGTERM.
pub async fn run(name: Name, arguments: Arguments) -> Result<ExitCode, CliError> {
    let settings = Settings::load(arguments.config.as_deref(), "info")?;
    let address = arguments.listen.or(settings.environment.listen);
    // Taken addresses show before anything else is begun.
    let listener = listen(address.unwrap_or_else(|| configured_address(name, &settings.config))).await?;
    let mut runtime = settings.runtime_of_one_service()?;
    runtime.shutdown = shutdown::on_signal()?;
    let shutdown = runtime.shutdown.clone();
    let service = tokio::select! {
        started = start(name, &settings.config, &runtime) => started?,
        () = shutdown.cancelled() => return Ok(ExitCode::SUCCESS),
    };
    tracing::info!(service = service.name, address = %listener.local_addr().map_err(no_address)?, "serving");
    service
        .serve(listener, shutdown)
        .await
        .map_err(|source| CliError::System {
            what: "serving",
            source,
        })?;
    Ok(ExitCode::SUCCESS)
}

/// Starts one subgraph.
pub async fn start(name: Name, config: &Config, runtime: &Runtime) -> Result<Service, StartError> {
    match name {
        Name::Auth => fondaco_auth::start(&config.auth, runtime).await,
        Name::Product => fondaco_product::start(&config.product, runtime).await,
        Name::Inventory => fondaco_inventory::start(&config.inventory, runtime).await,
        Name::Order => fondaco_order::start(&config.order, runtime).await,
        Name::Payment => fondaco_payment::start(&config.payment, runtime).await,
    }
}

fn configured_address(name: Name, config: &Config) -> SocketAddr {
    match name {
        Name::Auth => config.auth.listen,
        Name::Product => config.product.listen,
        Name::Inventory => config.inventory.listen,
        Name::Order => config.order.listen,
        Name::Payment => config.payment.listen,
    }
}

fn no_address(source: std::io::Error) -> CliError {
    CliError::System {
        what: "reading the address of the socket",
        source,
    }
}
