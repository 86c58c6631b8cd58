//! A private Postgres.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use sqlx::{Connection, PgConnection};
use tokio::process::Command;

use super::account::{self, Account};
use super::supervisor::Supervised;
use super::{Durability, ServersError, While, find_program, free_port, leftover, random_password, tail};

const START_LIMIT: Duration = Duration::from_secs(60);

/// A running Postgres. It listens on a free port of loopback; the superuser `fondaco` has a random password.
#[derive(Debug)]
pub struct Postgres {
    server: Supervised,
    url: String,
}

/// Where things lie: `root` holds `data`, the password and the log.
struct Place {
    root: PathBuf,
    account: Option<Account>,
}

impl Place {
    fn new(folder: &Path) -> Result<Self, ServersError> {
        let account = account::unprivileged()?;
        Ok(Self {
            root: account::data_folder(folder, "postgres", account),
            account,
        })
    }

    fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    async fn end_leftover(&self) -> Result<(), ServersError> {
        let data = self.data();
        leftover::end("Postgres", &data.join("postmaster.pid"), &data, Signal::SIGINT).await
    }
}

impl Postgres {
    /// Starts Postgres with its data under `folder/postgres`, which is made at the first start.
    pub async fn start(folder: &Path, durability: Durability) -> Result<Self, ServersError> {
        let place = Place::new(folder)?;
        place.end_leftover().await?;
        let password = initialise(&place, durability).await?;
        let port = free_port()?;
        let mut server = launch(&place, port, durability)?;
        let url = format!("postgres://fondaco:{password}@127.0.0.1:{port}");
        wait_ready(&mut server, &url, &place.log()).await?;
        Ok(Self { server, url })
    }

    /// URL of the server, without a database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops it cleanly.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// Stops what runs in `folder` and removes its data.
pub async fn remove(folder: &Path) -> Result<(), ServersError> {
    let place = Place::new(folder)?;
    place.end_leftover().await?;
    match std::fs::remove_dir_all(&place.root) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).while_doing(|| format!("removing {}", place.root.display()))
        }
        _ => Ok(()),
    }
}

/// Makes the data folder, unless it exists, and returns the superuser's password.
async fn initialise(place: &Place, durability: Durability) -> Result<String, ServersError> {
    let secret = place.root.join("password");
    let data = place.data();
    if data.is_dir() {
        return std::fs::read_to_string(&secret).while_doing(|| format!("reading {}", secret.display()));
    }
    account::create(&place.root, place.account)?;
    let password = random_password()?;
    account::write_secret(&secret, &password, place.account)?;
    // Under another name until it is complete, so that an interrupted first start leaves nothing half made.
    let fresh = place.root.join("data.new");
    if fresh.exists() {
        std::fs::remove_dir_all(&fresh).while_doing(|| format!("removing {}", fresh.display()))?;
    }
    run_initdb(place, &fresh, &secret, durability).await?;
    std::fs::rename(&fresh, &data).while_doing(|| format!("creating {}", data.display()))?;
    Ok(password)
}

async fn run_initdb(
    place: &Place,
    data: &Path,
    secret: &Path,
    durability: Durability,
) -> Result<(), ServersError> {
    let what = || "running initdb".to_owned();
    let mut initdb = Command::new(find_program("initdb", installed_folders())?);
    initdb
        .arg("-D")
        .arg(data)
        .arg(format!("--pwfile={}", secret.display()));
    initdb.args([
        "-U",
        "fondaco",
        "-A",
        "scram-sha-256",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    ]);
    if durability == Durability::Scratch {
        initdb.arg("--no-sync");
    }
    if let Some(account) = place.account {
        initdb.uid(account.uid).gid(account.gid);
    }
    let output = initdb
        .current_dir(&place.root)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await;
    let output = output.while_doing(what)?;
    if output.status.success() {
        return Ok(());
    }
    let log = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(ServersError::Ended {
        server: "initdb",
        status: output.status,
        log,
    })
}

fn launch(place: &Place, port: u16, durability: Durability) -> Result<Supervised, ServersError> {
    let program = find_program("postgres", installed_folders())?;
    let (program, data, port) = (program.to_string_lossy(), place.data(), port.to_string());
    let data = data.to_string_lossy();
    let mut command = vec![&*program, "-D", &*data, "-p", &*port, "-h", "127.0.0.1", "-k", ""];
    let settings = [
        "max_connections=400",
        "shared_buffers=256MB",
        "max_wal_size=2GB",
        "jit=off",
    ];
    let unsafe_settings = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
    let unsafe_settings = if durability == Durability::Scratch {
        &unsafe_settings[..]
    } else {
        &[]
    };
    for setting in settings.iter().chain(unsafe_settings) {
        command.extend(["-c", setting]);
    }
    // SIGINT is Postgres' fast shutdown: clients are disconnected, nothing is lost.
    Supervised::start(&command, "INT", place.account.as_ref(), &place.root, &place.log())
}

async fn wait_ready(server: &mut Supervised, url: &str, log: &Path) -> Result<(), ServersError> {
    let deadline = Instant::now() + START_LIMIT;
    while Instant::now() < deadline {
        if let Some(status) = server.ended() {
            return Err(ServersError::Ended {
                server: "Postgres",
                status,
                log: tail(log),
            });
        }
        if let Ok(connection) = PgConnection::connect(&format!("{url}/postgres")).await {
            // The server notices by itself when a client goes without a farewell.
            let _ = connection.close().await;
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    Err(ServersError::NotReady {
        server: "Postgres",
        limit: START_LIMIT,
        log: tail(log),
    })
}

/// Distributions keep `initdb` and `postgres` off PATH, a folder a version; the newest comes first here.
fn installed_folders() -> Vec<PathBuf> {
    let version = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let entries = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut versions: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    versions.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    let mut folders: Vec<PathBuf> = versions.into_iter().map(|folder| folder.join("bin")).collect();
    folders.extend(["/usr/pgsql/bin", "/usr/local/pgsql/bin"].map(PathBuf::from));
    folders
}
