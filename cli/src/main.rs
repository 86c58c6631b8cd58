//! `fondaco`: the router, the schema tools and the commerce subgraphs in one binary.
//!
//! - [`commands`]: one file a command
//! - [`config`]: the configuration file and the environment
//! - [`servers`]: private Postgres and Redis for `up` and for tests
//! - [`shutdown`]: Ctrl-C and SIGTERM
//! - [`error`]: what goes wrong, in words for people

mod commands;
mod config;
mod error;
mod servers;
mod shutdown;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::service::Name;
use crate::commands::{
    api_schema, compose, healthcheck, keys, plan, reconcile, reset, router, sdl, servers as servers_command,
    service, up,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A GraphQL federation platform: router, schema tools and commerce subgraphs.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole platform in one process.
    Up(up::Arguments),
    /// Run the router for any supergraph.
    Router(router::Arguments),
    /// Run the auth subgraph.
    Auth(service::Arguments),
    /// Run the product subgraph.
    Product(service::Arguments),
    /// Run the inventory subgraph.
    Inventory(service::Arguments),
    /// Run the order subgraph.
    Order(service::Arguments),
    /// Run the payment subgraph.
    Payment(service::Arguments),
    /// Compose subgraph schemas into a supergraph.
    Compose(compose::Arguments),
    /// Print the query plan of an operation.
    Plan(plan::Arguments),
    /// Print the schema of one of our subgraphs.
    Sdl(sdl::Arguments),
    /// Print the schema that clients of a supergraph see.
    ApiSchema(api_schema::Arguments),
    /// Ask a running part whether it serves.
    Healthcheck(healthcheck::Arguments),
    /// List or rotate the keys that sign access tokens.
    Keys(keys::Arguments),
    /// Prove that stock, orders and payments agree.
    Reconcile(reconcile::Arguments),
    /// Drop the data of `fondaco up`.
    Reset(reset::Arguments),
    /// Run a command beside a private Postgres and Redis.
    Servers(servers_command::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Up(arguments) => up::run(arguments).await,
        Command::Router(arguments) => router::run(arguments).await,
        Command::Auth(arguments) => service::run(Name::Auth, arguments).await,
        Command::Product(arguments) => service::run(Name::Product, arguments).await,
        Command::Inventory(arguments) => service::run(Name::Inventory, arguments).await,
        Command::Order(arguments) => service::run(Name::Order, arguments).await,
        Command::Payment(arguments) => service::run(Name::Payment, arguments).await,
        Command::Compose(arguments) => compose::run(arguments).await,
        Command::Plan(arguments) => plan::run(arguments),
        Command::Sdl(arguments) => sdl::run(arguments),
        Command::ApiSchema(arguments) => api_schema::run(arguments),
        Command::Healthcheck(arguments) => healthcheck::run(arguments).await,
        Command::Keys(arguments) => keys::run(arguments).await,
        Command::Reconcile(arguments) => reconcile::run(arguments).await,
        Command::Reset(arguments) => reset::run(arguments).await,
        Command::Servers(arguments) => servers_command::run(arguments).await,
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}
