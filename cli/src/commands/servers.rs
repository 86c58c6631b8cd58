//! `fondaco servers -- COMMAND…`: runs a command beside a private Postgres and Redis that vanish with it.

use std::process::ExitCode;

use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use crate::error::CliError;
use crate::servers::{Durability, Servers};

/// Arguments of `fondaco servers`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Flush to disk as in production, for measurements.
    #[arg(long)]
    durable: bool,
    /// Command to run with DATABASE_URL and REDIS_URL set.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// Runs the command; its exit code becomes ours.
pub async fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let folder = std::env::temp_dir().join(format!("fondaco-servers-{}", std::process::id()));
    let durability = if arguments.durable {
        Durability::Kept
    } else {
        Durability::Scratch
    };
    let servers = Servers::start(&folder, durability).await?;
    let outcome = run_command(&arguments.command, &servers).await;
    servers.stop().await;
    crate::servers::reset(&folder).await?;
    outcome
}

async fn run_command(command: &[String], servers: &Servers) -> Result<ExitCode, CliError> {
    let failed = |source| CliError::Command {
        command: command[0].clone(),
        source,
    };
    // Ctrl-C reaches the command by itself; this process waits for it to end.
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .env("DATABASE_URL", servers.database_url())
        .env("REDIS_URL", servers.redis_url())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    loop {
        tokio::select! {
            status = child.wait() => return Ok(exit_code(status.map_err(failed)?)),
            _ = interrupt.recv() => {}
            _ = terminate.recv() => forward_terminate(&child),
        }
    }
}

fn forward_terminate(child: &tokio::process::Child) {
    use nix::sys::signal::{Signal, kill};
    if let Some(pid) = child.id() {
        // It may have ended already.
        let _ = kill(nix::unistd::Pid::from_raw(pid.cast_signed()), Signal::SIGTERM);
    }
}

/// A command ended by a signal counts as shells count it: 128 and the signal's number.
fn exit_code(status: std::process::ExitStatus) -> ExitCode {
    use std::os::unix::process::ExitStatusExt;
    let code = status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
