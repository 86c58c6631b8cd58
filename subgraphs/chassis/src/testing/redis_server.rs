//! A Redis that a test may break: killed, flushed, put back to an old snapshot.

use std::{
    fs, io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use uuid::Uuid;

/// A Redis process with a port and a folder of its own; both go with it.
#[derive(Debug)]
pub struct RedisServer {
    process: Option<Child>,
    folder: PathBuf,
    port: u16,
}

impl RedisServer {
    /// Starts an empty one, with an append-only file.
    pub async fn start() -> Self {
        let name = format!("fondaco-test-redis-{}", Uuid::new_v4().simple());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("the folder for temporary files can be written to");
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let port = listener
            .local_addr()
            .expect("a bound socket has an address")
            .port();
        drop(listener);
        let mut server = Self {
            process: None,
            folder,
            port,
        };
        server.start_again(true).await;
        server
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A connection of the test's own.
    pub async fn connection(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.url()).expect("the URL is valid");
        for _ in 0..200 {
            if let Ok(connection) = client.get_multiplexed_async_connection().await {
                return connection;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the test's Redis does not start");
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may be gone already.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Starts it after [`kill`](Self::kill) on what it has written, with its append-only file or with its last snapshot.
    pub async fn start_again(&mut self, append_only: bool) {
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", if append_only { "yes" } else { "no" }])
            .arg("--port")
            .arg(self.port.to_string())
            .arg("--dir")
            .arg(&self.folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is installed; ./dev does that");
        self.process = Some(process);
        self.connection().await;
    }

    /// Writes a snapshot and gives its file.
    pub async fn snapshot(&self) -> io::Result<PathBuf> {
        let mut connection = self.connection().await;
        redis::cmd("SAVE")
            .query_async::<()>(&mut connection)
            .await
            .map_err(io::Error::other)?;
        let kept = self.folder.join(format!("{}.rdb", Uuid::new_v4().simple()));
        fs::copy(self.folder.join("dump.rdb"), &kept)?;
        Ok(kept)
    }

    /// `kill -9`, and starts again with nothing but `snapshot`.
    pub async fn restore(&mut self, snapshot: &Path) -> io::Result<()> {
        self.kill();
        let append_only = self.folder.join("appendonlydir");
        if append_only.exists() {
            fs::remove_dir_all(append_only)?;
        }
        fs::copy(snapshot, self.folder.join("dump.rdb"))?;
        self.start_again(false).await;
        Ok(())
    }

    /// `FLUSHALL`.
    pub async fn flush(&self) {
        let mut connection = self.connection().await;
        redis::cmd("FLUSHALL")
            .query_async::<()>(&mut connection)
            .await
            .expect("nobody refuses a flush");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        // A folder left behind harms nothing.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
