//! `fondaco sdl NAME`: prints what a subgraph publishes.

use std::process::ExitCode;

use crate::commands::service::Name;
use crate::error::CliError;

/// Arguments of `fondaco sdl`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The subgraph.
    name: Name,
}

/// Prints the Federation 2 SDL.
pub fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let sdl = match arguments.name {
        Name::Auth => fondaco_auth::sdl(),
        Name::Product => fondaco_product::sdl(),
        Name::Inventory => fondaco_inventory::sdl(),
        Name::Order => fondaco_order::sdl(),
        Name::Payment => fondaco_payment::sdl(),
    };
    print!("{sdl}");
    Ok(ExitCode::SUCCESS)
}
