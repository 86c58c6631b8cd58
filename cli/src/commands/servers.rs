//! `fondaco servers -- COMMAND…`: runs a command beside a private Postgres and Redis that vanish with it.

use std::path::Path;
use std::process::ExitCode;

use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use crate::error::CliError;
use crate::servers::{Durability, Servers};

/// Followed by the launcher's process id.
const FOLDER_PREFIX: &str = "fondaco-servers-";

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
    let temporary = std::env::temp_dir();
    clear_away_leftovers(&temporary).await;
    let folder = temporary.join(format!("{FOLDER_PREFIX}{}", std::process::id()));
    let durability = if arguments.durable {
        Durability::Kept
    } else {
        Durability::Scratch
    };
    let servers = match Servers::start(&folder, durability).await {
        Ok(servers) => servers,
        Err(error) => {
            // The first error is the one that matters.
            let _ = crate::servers::reset(&folder).await;
            return Err(error.into());
        }
    };
    let outcome = run_command(&arguments.command, &servers).await;
    servers.stop().await;
    crate::servers::reset(&folder).await?;
    outcome
}

/// Removes the folders of launchers that were killed. What cannot be removed belongs to somebody else.
async fn clear_away_leftovers(temporary: &Path) {
    for entry in std::fs::read_dir(temporary).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let launcher = name.to_str().and_then(|name| name.strip_prefix(FOLDER_PREFIX));
        let Some(launcher) = launcher.filter(|id| id.parse::<u32>().is_ok()) else {
            continue;
        };
        if !Path::new("/proc").join(launcher).exists() {
            let _ = crate::servers::reset(&entry.path()).await;
        }
    }
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
