//! A Redis of the tests' own, to be killed, stopped, emptied, put back to an old state, or run out of disk.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::freeze;
use crate::port::free_port;
use crate::scratch::Scratch;

const START_LIMIT: Duration = Duration::from_secs(20);

/// A Redis with an append-only file that is flushed every second, as in production; ends with its owner.
#[derive(Debug)]
pub struct RedisServer {
    process: Option<Child>,
    scratch: Scratch,
    folder: PathBuf,
    port: u16,
}

impl RedisServer {
    /// Starts an empty one.
    pub async fn start() -> std::io::Result<Self> {
        let scratch = Scratch::new("redis")?;
        let folder = scratch.path().join("data");
        std::fs::create_dir(&folder)?;
        Self::start_at(scratch, folder).await
    }

    /// Starts an empty one that keeps its data in `folder`.
    pub async fn start_in(folder: &Path) -> std::io::Result<Self> {
        Self::start_at(Scratch::new("redis")?, folder.to_owned()).await
    }

    async fn start_at(scratch: Scratch, folder: PathBuf) -> std::io::Result<Self> {
        let mut server = Self {
            process: None,
            scratch,
            folder,
            port: free_port(),
        };
        server.start_again().await?;
        Ok(server)
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// `kill -9`.
    pub async fn kill(&mut self) -> std::io::Result<()> {
        match self.process.take() {
            Some(mut process) => process.kill().await,
            None => Ok(()),
        }
    }

    /// Starts it on what it has written.
    pub async fn start_again(&mut self) -> std::io::Result<()> {
        self.start_with("yes").await
    }

    async fn start_with(&mut self, appendonly: &str) -> std::io::Result<()> {
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", appendonly, "--appendfsync", "everysec"])
            .args(["--port", &self.port.to_string(), "--dir"])
            .arg(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        self.process = Some(process);
        let deadline = Instant::now() + START_LIMIT;
        while !self
            .command("PING")
            .await
            .is_ok_and(|answer| answer.contains("+PONG"))
        {
            if Instant::now() > deadline {
                return Err(std::io::Error::other("Redis does not start"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Keeps a copy of all it has, as a backup does.
    pub async fn take_snapshot(&self) -> std::io::Result<()> {
        self.command("SAVE").await?;
        std::fs::copy(self.folder.join("dump.rdb"), self.snapshot()).map(drop)
    }

    /// Is killed and comes back with the copy, and nothing that came after it.
    pub async fn restore_snapshot(&mut self) -> std::io::Result<()> {
        self.kill().await?;
        std::fs::remove_dir_all(self.folder.join("appendonlydir"))?;
        std::fs::copy(self.snapshot(), self.folder.join("dump.rdb"))?;
        // With an append-only file switched on, the snapshot would not be read.
        self.start_with("no").await?;
        self.command("CONFIG SET appendonly yes").await.map(drop)
    }

    /// SIGSTOP.
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

    /// Forgets everything.
    pub async fn flush(&self) -> std::io::Result<()> {
        self.command("FLUSHALL").await.map(drop)
    }

    fn snapshot(&self) -> PathBuf {
        self.scratch.path().join("snapshot")
    }

    /// Where it listens, `HOST:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    async fn command(&self, command: &str) -> std::io::Result<String> {
        let parts: Vec<&str> = command.split(' ').collect();
        call(&self.address(), &parts).await
    }
}

/// The answer of the Redis at `address` to a command, as it comes; an error is one.
pub async fn call(address: &str, command: &[&str]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let mut request = format!("*{}\r\n", command.len());
    for part in command {
        request.push_str(&format!("${}\r\n{part}\r\n", part.len()));
    }
    stream.write_all(format!("{request}QUIT\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    if answer.starts_with('-') {
        return Err(std::io::Error::other(answer));
    }
    Ok(answer)
}
