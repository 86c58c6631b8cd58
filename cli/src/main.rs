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
    api_schema, check, compose, contract, dead_letters, healthcheck, history, keys, lint, plan, publish,
    reconcile, reference, reset, router, sdl, servers as servers_command, service, up,
};
use crate::error::USAGE_ERROR;

/// Commands whose exit codes tell a wrong use (3) from a graph that does not compose (2).
const SCHEMA_COMMANDS: [&str; 5] = ["check", "lint", "contract", "publish", "history"];

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
    /// Compare a graph with what it was: composition, clients, plans. Exit codes: 0 fine, 1 breaking, 2 cannot compose, 3 usage.
    Check(check::Arguments),
    /// Look for breaches of conventions in subgraph schemas. Exit codes as of check.
    Lint(lint::Arguments),
    /// Compose the part of a graph that has, or has not, some @tag.
    Contract(contract::Arguments),
    /// Publish a new version of a graph in a registry, if its check allows. Exit codes as of check.
    Publish(publish::Arguments),
    /// List what was published in a registry, or print a document of one version.
    History(history::Arguments),
    /// Print a page about the schema that clients of a supergraph see, in Markdown.
    Reference(reference::Arguments),
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
    /// List or replay events that a service could not handle.
    DeadLetters(dead_letters::Arguments),
    /// Prove that stock, orders and payments agree.
    Reconcile(reconcile::Arguments),
    /// Drop the data of `fondaco up`.
    Reset(reset::Arguments),
    /// Run a command beside a private Postgres and Redis.
    Servers(servers_command::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    let outcome = match arguments.command {
        Command::Up(arguments) => up::run(arguments).await,
        Command::Router(arguments) => router::run(arguments).await,
        Command::Auth(arguments) => service::run(Name::Auth, arguments).await,
        Command::Product(arguments) => service::run(Name::Product, arguments).await,
        Command::Inventory(arguments) => service::run(Name::Inventory, arguments).await,
        Command::Order(arguments) => service::run(Name::Order, arguments).await,
        Command::Payment(arguments) => service::run(Name::Payment, arguments).await,
        Command::Compose(arguments) => compose::run(arguments).await,
        Command::Check(arguments) => check::run(arguments).await,
        Command::Lint(arguments) => lint::run(arguments).await,
        Command::Contract(arguments) => contract::run(arguments).await,
        Command::Publish(arguments) => publish::run(arguments).await,
        Command::History(arguments) => history::run(arguments).await,
        Command::Reference(arguments) => reference::run(arguments),
        Command::Plan(arguments) => plan::run(arguments),
        Command::Sdl(arguments) => sdl::run(arguments),
        Command::ApiSchema(arguments) => api_schema::run(arguments),
        Command::Healthcheck(arguments) => healthcheck::run(arguments).await,
        Command::Keys(arguments) => keys::run(arguments).await,
        Command::DeadLetters(arguments) => dead_letters::run(arguments).await,
        Command::Reconcile(arguments) => reconcile::run(arguments).await,
        Command::Reset(arguments) => reset::run(arguments).await,
        Command::Servers(arguments) => servers_command::run(arguments).await,
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        error.exit_code()
    })
}

/// Prints what is wrong with the arguments, or the help that was asked for.
fn refuse(error: &clap::Error) -> ExitCode {
    // Where the terminal is gone there is nobody to tell.
    let _ = error.print();
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    let command = std::env::args().nth(1).unwrap_or_default();
    ExitCode::from(if SCHEMA_COMMANDS.contains(&command.as_str()) {
        USAGE_ERROR
    } else {
        2
    })
}
