//! `fondaco reset`: drops the data of `fondaco up`.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::error::CliError;

/// Arguments of `fondaco reset`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder with the platform's data.
    #[arg(long, value_name = "FOLDER", default_value = ".fondaco")]
    data: PathBuf,
}

/// Stops servers that still run on the data and removes it.
pub async fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    crate::servers::reset(&arguments.data).await?;
    println!("removed the data under {}", arguments.data.display());
    Ok(ExitCode::SUCCESS)
}
