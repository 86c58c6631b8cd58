//! A Redis of the tests' own, to be killed.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::port::free_port;
use crate::scratch::Scratch;

const START_LIMIT: Duration = Duration::from_secs(20);

/// A Redis with an append-only file that is flushed every second, as in production; ends with its owner.
#[derive(Debug)]
pub struct RedisServer {
    process: Option<Child>,
    folder: Scratch,
    port: u16,
}

impl RedisServer {
    /// Starts an empty one.
    pub async fn start() -> std::io::Result<Self> {
        let mut server = Self {
            process: None,
            folder: Scratch::new("redis")?,
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
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", "yes", "--appendfsync", "everysec"])
            .args(["--port", &self.port.to_string(), "--dir"])
            .arg(self.folder.path())
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

    /// Forgets everything.
    pub async fn flush(&self) -> std::io::Result<()> {
        self.command("FLUSHALL").await.map(drop)
    }

    async fn command(&self, command: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream
            .write_all(format!("{command}\r\nQUIT\r\n").as_bytes())
            .await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}
