//! `fondaco`: the router, the schema tools and the commerce subgraphs in one binary.
//!
//! - [`commands`]: one file a command
//! - [`servers`]: private Postgres and Redis for `up` and for tests
//! - [`error`]: what goes wrong, in words for people

mod commands;
mod error;
mod servers;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{reset, servers as servers_command};

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
    /// Drop the data of `fondaco up`.
    Reset(reset::Arguments),
    /// Run a command beside a private Postgres and Redis.
    Servers(servers_command::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Reset(arguments) => reset::run(arguments).await,
        Command::Servers(arguments) => servers_command::run(arguments).await,
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}
