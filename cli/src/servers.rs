//! Private Postgres and Redis servers: child processes with their data in one folder.
//!
//! - [`supervisor`]: children that end with the launcher, however it ends
//! - [`leftover`]: servers an earlier launcher left running
//! - [`account`]: whom a server runs as, and where its data may lie
//! - [`postgres`], [`redis`]: one server each

pub mod account;
pub mod leftover;
pub mod postgres;
pub mod redis;
pub mod supervisor;

use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use postgres::Postgres;
use redis::Redis;

/// How hard the servers try to keep data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// As in production: Postgres flushes each commit, Redis its log each second.
    Kept,
    /// For tests: nothing is flushed, the folder is thrown away.
    Scratch,
}

/// Why the servers do not run.
#[derive(Debug, thiserror::Error)]
pub enum ServersError {
    /// A server is not installed.
    #[error(
        "`{0}` was found neither on PATH nor in the usual folders; install it (Debian, Ubuntu: apt-get install \
         postgresql redis-server), or set DATABASE_URL and REDIS_URL to servers of your own"
    )]
    NotInstalled(&'static str),
    /// Another launcher uses the folder.
    #[error("the data folder {} is in use by another fondaco{}", .folder.display(), holder(.pid))]
    InUse {
        /// The data folder.
        folder: PathBuf,
        /// The other launcher, where it could be told.
        pid: String,
    },
    /// Postgres refuses to run as root and there is no other account.
    #[error("Postgres refuses to run as root, and neither of the accounts `postgres` and `nobody` exists")]
    NoAccount,
    /// A server ended at start.
    #[error("{server} did not start ({status}):\n{log}")]
    Ended {
        /// Which one.
        server: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// A server does not answer.
    #[error("{server} did not become ready within {} s:\n{log}", .limit.as_secs())]
    NotReady {
        /// Which one.
        server: &'static str,
        /// The time it was given.
        limit: Duration,
        /// The end of its log.
        log: String,
    },
    /// A server of an earlier launcher does not end.
    #[error("a {server} left by an earlier fondaco (process {pid}) does not end; stop it by hand")]
    Leftover {
        /// Which one.
        server: &'static str,
        /// Its process id.
        pid: i32,
    },
    /// A file or process could not be made.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

fn holder(pid: &str) -> String {
    if pid.is_empty() {
        String::new()
    } else {
        format!(" (process {pid})")
    }
}

/// Adds to an I/O error what was being done.
pub(crate) trait While<T> {
    fn while_doing(self, what: impl FnOnce() -> String) -> Result<T, ServersError>;
}

impl<T> While<T> for std::io::Result<T> {
    fn while_doing(self, what: impl FnOnce() -> String) -> Result<T, ServersError> {
        self.map_err(|source| ServersError::Io { what: what(), source })
    }
}

/// A running Postgres and a running Redis. They end when this is stopped or dropped, and when the process ends.
#[derive(Debug)]
pub struct Servers {
    postgres: Postgres,
    redis: Redis,
    /// Held for as long as the servers run.
    _lock: File,
}

impl Servers {
    /// Starts both on free ports of loopback, with their data under `folder`. A folder that holds data already keeps it.
    pub async fn start(folder: &Path, durability: Durability) -> Result<Self, ServersError> {
        std::fs::create_dir_all(folder).while_doing(|| format!("creating {}", folder.display()))?;
        let folder = folder
            .canonicalize()
            .while_doing(|| format!("opening {}", folder.display()))?;
        let lock = lock(&folder)?;
        let (postgres, redis) = tokio::try_join!(
            Postgres::start(&folder, durability),
            Redis::start(&folder, durability)
        )?;
        Ok(Self {
            postgres,
            redis,
            _lock: lock,
        })
    }

    /// URL of the Postgres server, without a database.
    pub fn database_url(&self) -> &str {
        self.postgres.url()
    }

    /// URL of the Redis server.
    pub fn redis_url(&self) -> &str {
        self.redis.url()
    }

    /// Stops both cleanly and waits for their end.
    pub async fn stop(self) {
        tokio::join!(self.postgres.stop(), self.redis.stop());
    }
}

/// Stops what still runs in `folder` and removes all data there.
pub async fn reset(folder: &Path) -> Result<(), ServersError> {
    let Ok(folder) = folder.canonicalize() else {
        return Ok(());
    };
    let _lock = lock(&folder)?;
    postgres::remove(&folder).await?;
    redis::remove(&folder).await?;
    std::fs::remove_dir_all(&folder).while_doing(|| format!("removing {}", folder.display()))
}

fn lock(folder: &Path) -> Result<File, ServersError> {
    let path = folder.join("lock");
    let what = || format!("locking {}", path.display());
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    let file = file
        .as_mut()
        .map_err(|error| std::io::Error::new(error.kind(), error.to_string()));
    let file = file.while_doing(what)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            let pid = std::fs::read_to_string(&path)
                .unwrap_or_default()
                .trim()
                .to_owned();
            return Err(ServersError::InUse {
                folder: folder.to_owned(),
                pid,
            });
        }
        Err(std::fs::TryLockError::Error(source)) => return Err(ServersError::Io { what: what(), source }),
    }
    file.set_len(0).while_doing(what)?;
    writeln!(file, "{}", std::process::id()).while_doing(what)?;
    file.try_clone().while_doing(what)
}

/// A port nobody listens on at the moment.
fn free_port() -> Result<u16, ServersError> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .while_doing(|| "looking for a free port".to_owned())
}

/// The program `name` on PATH, or in one of `folders`.
fn find_program(
    name: &'static str,
    folders: impl IntoIterator<Item = PathBuf>,
) -> Result<PathBuf, ServersError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(folders)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .ok_or(ServersError::NotInstalled(name))
}

/// The last lines of a log file.
fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

/// A password for a server's superuser: 256 random bits from the operating system.
pub fn random_password() -> Result<String, ServersError> {
    use std::io::Read;
    let mut bytes = [0_u8; 32];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .while_doing(|| "reading /dev/urandom".to_owned())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
