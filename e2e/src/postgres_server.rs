//! A Postgres of the tests' own, to be killed, stopped, or run out of disk.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::unistd::{User, geteuid};
use tokio::process::{Child, Command};

use crate::freeze;
use crate::port::free_port;
use crate::scratch::Scratch;

const START_LIMIT: Duration = Duration::from_secs(60);
/// As `fondaco servers` sets them, apart from memory and log, which a small disk must hold.
const SETTINGS: [&str; 4] = [
    "max_connections=400",
    "shared_buffers=64MB",
    "jit=off",
    "checkpoint_timeout=30s",
];

/// A Postgres that flushes to disk as in production; ends with its owner.
#[derive(Debug)]
pub struct PostgresServer {
    process: Option<Child>,
    /// Holds the log, where a full disk does not reach it, and the data unless that is elsewhere; ends after the process.
    scratch: Scratch,
    folder: PathBuf,
    port: u16,
    account: Option<User>,
    settings: Vec<String>,
}

impl PostgresServer {
    /// Starts an empty one in a folder of its own.
    pub async fn start() -> std::io::Result<Self> {
        let scratch = Scratch::new("postgres")?;
        let folder = scratch.path().join("own");
        std::fs::create_dir(&folder)?;
        Self::start_at(folder, scratch, &[]).await
    }

    /// Starts an empty one in `folder`, with further settings `name=value`.
    pub async fn start_in(folder: &Path, settings: &[&str]) -> std::io::Result<Self> {
        Self::start_at(folder.to_owned(), Scratch::new("postgres")?, settings).await
    }

    async fn start_at(folder: PathBuf, scratch: Scratch, settings: &[&str]) -> std::io::Result<Self> {
        let account = account()?;
        if let Some(account) = &account {
            chown(&folder, Some(account.uid.as_raw()), Some(account.gid.as_raw()))?;
        }
        let mut server = Self {
            process: None,
            scratch,
            folder,
            port: free_port(),
            account,
            settings: settings.iter().map(|setting| (*setting).to_owned()).collect(),
        };
        server.initialise().await?;
        server.start_again().await?;
        Ok(server)
    }

    /// Where it is, without a database.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}", self.port)
    }

    /// `kill -9` of the postmaster; its children notice and end.
    pub async fn kill(&mut self) -> std::io::Result<()> {
        match self.process.take() {
            Some(mut process) => process.kill().await,
            None => Ok(()),
        }
    }

    /// Starts it on what it has written, and waits until it takes connections again.
    pub async fn start_again(&mut self) -> std::io::Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let mut process = self.launch()?;
            loop {
                // Children of a killed one may still hold its memory: then it ends at once, and is started once more.
                if process.try_wait()?.is_some() {
                    break;
                }
                if self.serves().await {
                    self.process = Some(process);
                    return Ok(());
                }
                if Instant::now() > deadline {
                    return Err(std::io::Error::other(self.log()));
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            if Instant::now() > deadline {
                return Err(std::io::Error::other(self.log()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Runs a statement in a database.
    pub async fn sql(&self, database: &str, statement: &str) -> std::io::Result<String> {
        let mut psql = self.command("psql")?;
        psql.args([
            "-qAt",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
        ])
        .args(["-p", &self.port.to_string(), "-d", database, "-c", statement]);
        let output = psql.output().await?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        Err(std::io::Error::other(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ))
    }

    /// Ends by itself, as a server without disk does, or is still there.
    pub fn has_ended(&mut self) -> bool {
        match &mut self.process {
            Some(process) => !matches!(process.try_wait(), Ok(None)),
            None => true,
        }
    }

    /// SIGSTOP: the postmaster and every session stand still.
    pub fn freeze(&self) {
        if let Some(pid) = self.process.as_ref().and_then(Child::id) {
            freeze::stop(pid);
        }
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        if let Some(pid) = self.process.as_ref().and_then(Child::id) {
            freeze::go_on(pid);
        }
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.scratch.path().join("log")
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    async fn initialise(&self) -> std::io::Result<()> {
        let mut initdb = self.command("initdb")?;
        initdb
            .arg("-D")
            .arg(self.data())
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8"])
            .args(["--locale=C.UTF-8", "--no-sync"]);
        let output = initdb
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()
            .await?;
        if output.status.success() {
            return Ok(());
        }
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(std::io::Error::other(why))
    }

    fn launch(&self) -> std::io::Result<Child> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.log_file())?;
        let mut postgres = self.command("postgres")?;
        postgres
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string(), "-h", "127.0.0.1", "-k", ""]);
        for setting in SETTINGS
            .iter()
            .copied()
            .chain(self.settings.iter().map(String::as_str))
        {
            postgres.args(["-c", setting]);
        }
        postgres.stdout(log.try_clone()?).stderr(log).spawn()
    }

    fn command(&self, program: &str) -> std::io::Result<Command> {
        let mut command = Command::new(installed(program)?);
        command
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if let Some(account) = &self.account {
            command.uid(account.uid.as_raw()).gid(account.gid.as_raw());
        }
        Ok(command)
    }

    /// Its own client is the surest judge of whether it takes connections.
    async fn serves(&self) -> bool {
        let Ok(program) = installed("pg_isready") else {
            return false;
        };
        let asked = Command::new(program)
            .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
            .status()
            .await;
        asked.is_ok_and(|status| status.success())
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.thaw();
    }
}

/// Postgres refuses to run as root.
fn account() -> std::io::Result<Option<User>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let user = ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| User::from_name(name).ok().flatten());
    user.map(Some).ok_or_else(|| {
        std::io::Error::other("Postgres needs an account other than root: `postgres` or `nobody`")
    })
}

/// Debian keeps Postgres' programs off PATH, a folder a version.
fn installed(program: &str) -> std::io::Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<PathBuf> = versions
        .map(|version| version.path().join("bin").join(program))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let elsewhere = std::env::split_paths(&path).map(|folder| folder.join(program));
    found
        .pop()
        .or_else(|| elsewhere.into_iter().find(|path| path.is_file()))
        .ok_or_else(|| std::io::Error::other(format!("{program} of Postgres is not installed")))
}
