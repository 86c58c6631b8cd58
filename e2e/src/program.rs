//! Child processes of the binary under test.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

/// Why a program did not run as asked.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// No binary to test.
    #[error("{} does not exist: build it with `cargo build -p fondaco`, or name it in FONDACO_BIN", .0.display())]
    Missing(PathBuf),
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It ended before it was ready.
    #[error("`{name}` ended with {status} before it was ready:\n{log}")]
    Ended {
        /// Name given at start.
        name: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote.
        log: String,
    },
    /// It did not become ready in time.
    #[error("`{name}` was not ready within {} s:\n{log}", .limit.as_secs())]
    NotReady {
        /// Name given at start.
        name: String,
        /// The time it was given.
        limit: Duration,
        /// What it wrote.
        log: String,
    },
}

/// The binary under test: `FONDACO_BIN`, or `fondaco` in the target folder this program was built into.
pub fn binary() -> Result<PathBuf, ProgramError> {
    let path = match std::env::var_os("FONDACO_BIN") {
        Some(path) => PathBuf::from(path),
        None => beside_this_program()?,
    };
    if path.is_file() {
        Ok(path)
    } else {
        Err(ProgramError::Missing(path))
    }
}

/// Test programs lie in `target/PROFILE/deps`, other binaries in `target/PROFILE`.
fn beside_this_program() -> Result<PathBuf, ProgramError> {
    let program = std::env::current_exe()?;
    let folder = program.parent().expect("a program lies in a folder");
    let folder = if folder.ends_with("deps") {
        folder.parent().unwrap_or(folder)
    } else {
        folder
    };
    Ok(folder.join("fondaco"))
}

/// Runs `fondaco ARGS` to its end and returns what it wrote and its exit code.
pub async fn run(args: &[&str]) -> Result<Output, ProgramError> {
    Ok(Command::new(binary()?)
        .args(args)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?)
}

/// [`run`], with variables added to the environment.
pub async fn run_with(args: &[&str], environment: &[(&str, String)]) -> Result<Output, ProgramError> {
    Ok(Command::new(binary()?)
        .args(args)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?)
}

/// A running `fondaco`, killed on drop unless [tethered](Program::start_tethered). What it writes goes into a file.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts `fondaco ARGS` with further environment variables; output goes to `FOLDER/NAME.log`.
    pub fn start(
        name: &str,
        folder: &Path,
        args: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Self, ProgramError> {
        let (mut command, log) = command(name, folder, args, environment)?;
        let child = command.stdin(Stdio::null()).kill_on_drop(true).spawn()?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log,
        })
    }

    /// Starts a program that ends by itself, tidily, when its standard input does: on drop, or when the test is killed.
    pub fn start_tethered(
        name: &str,
        folder: &Path,
        args: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Self, ProgramError> {
        let (mut command, log) = command(name, folder, args, environment)?;
        let child = command.stdin(Stdio::piped()).spawn()?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log,
        })
    }

    /// Ends the standard input of a tethered program.
    pub fn untether(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Waits until `GET url` answers 200.
    pub async fn ready(&mut self, url: &str, limit: Duration) -> Result<(), ProgramError> {
        let client = reqwest::Client::new();
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Err(ProgramError::Ended {
                    name: self.name.clone(),
                    status,
                    log: self.log(),
                });
            }
            let answer = client.get(url).timeout(Duration::from_secs(1)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        Err(ProgramError::NotReady {
            name: self.name.clone(),
            limit,
            log: self.log(),
        })
    }

    /// Everything it wrote so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Sends a signal, if it still runs.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = self.child.id() {
            // The process may end in between; then there is nothing left to signal.
            let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
        }
    }

    /// Waits for its end; kills it after `limit`. The answer is `None` where it had to be killed.
    pub async fn wait(&mut self, limit: Duration) -> Result<Option<ExitStatus>, ProgramError> {
        if let Ok(status) = tokio::time::timeout(limit, self.child.wait()).await {
            return Ok(Some(status?));
        }
        self.child.kill().await?;
        Ok(None)
    }

    /// Kills it as `kill -9` does and waits for its end.
    pub async fn kill(&mut self) -> Result<(), ProgramError> {
        Ok(self.child.kill().await?)
    }
}

/// `fondaco ARGS` with its output appended to a log file in `folder`.
fn command(
    name: &str,
    folder: &Path,
    args: &[&str],
    environment: &[(&str, &str)],
) -> Result<(Command, PathBuf), ProgramError> {
    let log = folder.join(format!("{name}.log"));
    let output = std::fs::File::options().create(true).append(true).open(&log)?;
    let mut command = Command::new(binary()?);
    command
        .args(args)
        .envs(environment.iter().copied())
        .stdout(output.try_clone()?)
        .stderr(output);
    Ok((command, log))
}
