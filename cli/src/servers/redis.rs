//! A private Redis.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::supervisor::Supervised;
use super::{Durability, ServersError, account, find_program, free_port, leftover, random_password, tail};

const START_LIMIT: Duration = Duration::from_secs(60);

/// A running Redis. It listens on a free port of loopback behind a random password.
#[derive(Debug)]
pub struct Redis {
    server: Supervised,
    url: String,
}

impl Redis {
    /// Starts Redis with its data under `folder/redis`, which is made at the first start.
    pub async fn start(folder: &Path, durability: Durability) -> Result<Self, ServersError> {
        let place = folder.join("redis");
        end_leftover(&place).await?;
        account::create(&place, None)?;
        let (port, password) = (free_port()?, random_password()?);
        let config = place.join("redis.conf");
        account::write_secret(&config, &configuration(&place, port, &password, durability), None)?;
        let log = place.join("log");
        let mut server = launch(&place, &config, &log)?;
        wait_ready(&mut server, port, &password, &log).await?;
        Ok(Self {
            server,
            url: format!("redis://default:{password}@127.0.0.1:{port}"),
        })
    }

    /// URL of the server.
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
    end_leftover(&folder.join("redis")).await
}

async fn end_leftover(place: &Path) -> Result<(), ServersError> {
    leftover::end("Redis", &place.join("pid"), place, Signal::SIGTERM).await
}

/// In a file, because the command line is visible to everybody on the machine.
fn configuration(place: &Path, port: u16, password: &str, durability: Durability) -> String {
    let (place, appendonly) = (
        place.display(),
        if durability == Durability::Kept {
            "yes"
        } else {
            "no"
        },
    );
    format!(
        "bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir \"{place}\"\npidfile \"{place}/pid\"\n\
         appendonly {appendonly}\nappendfsync everysec\nsave \"\"\nmaxclients 10000\n"
    )
}

fn launch(place: &Path, config: &Path, log: &Path) -> Result<Supervised, ServersError> {
    let program = find_program(
        "redis-server",
        ["/usr/bin", "/usr/local/bin", "/usr/sbin"].map(PathBuf::from),
    )?;
    let (program, config) = (program.to_string_lossy(), config.to_string_lossy());
    Supervised::start(&[&*program, &*config], "TERM", None, place, log)
}

async fn wait_ready(
    server: &mut Supervised,
    port: u16,
    password: &str,
    log: &Path,
) -> Result<(), ServersError> {
    let deadline = Instant::now() + START_LIMIT;
    while Instant::now() < deadline {
        if let Some(status) = server.ended() {
            return Err(ServersError::Ended {
                server: "Redis",
                status,
                log: tail(log),
            });
        }
        if ping(port, password)
            .await
            .is_ok_and(|answer| answer.contains("+PONG"))
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    Err(ServersError::NotReady {
        server: "Redis",
        limit: START_LIMIT,
        log: tail(log),
    })
}

/// Asks whether it serves; while it reads its log at start it answers with an error.
async fn ping(port: u16, password: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream
        .write_all(format!("AUTH {password}\r\nPING\r\nQUIT\r\n").as_bytes())
        .await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
