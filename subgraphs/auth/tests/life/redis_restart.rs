//! A Redis that restarts from a snapshot has forgotten what came after it, and does not know that it has.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fondaco_chassis::testing::TestRuntime;
use uuid::Uuid;

use crate::support::{Auth, codes};

/// A Redis of the test's own.
struct Redis {
    program: Child,
    port: u16,
    folder: PathBuf,
}

impl Redis {
    fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("fondaco-redis-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        Self {
            program: launch(port, &folder),
            port,
            folder,
        }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it the hard way, and starts it again with what its last snapshot has.
    fn crash_and_restart(&mut self) {
        self.program.kill().unwrap();
        self.program.wait().unwrap();
        self.program = launch(self.port, &self.folder);
    }

    /// Whether there is such a key; waits for it.
    async fn has(&self, key: &str, patience: Duration) -> bool {
        let client = redis::Client::open(self.url()).unwrap();
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if let Ok(mut connection) = client.get_multiplexed_async_connection().await
                && let Ok(true) = redis::cmd("EXISTS").arg(key).query_async(&mut connection).await
            {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    }

    async fn snapshot(&self) {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let () = redis::cmd("SAVE").query_async(&mut connection).await.unwrap();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn launch(port: u16, folder: &Path) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no", "--dir"])
        .arg(folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn endings_after_the_snapshot_are_told_again() {
    let mut redis = Redis::start();
    let mut test = TestRuntime::new();
    test.runtime.redis_url = redis.url();
    let patience = Duration::from_secs(10);
    let key = |name: &str| format!("{}{name}", test.runtime.redis_prefix);
    let (marked, prefix) = (key("session:announced"), key("session:revoked:"));

    let auth = Auth::start_on(test, |_| {}).await;
    let person = auth.person().await;
    assert!(redis.has(&marked, patience).await, "the mark is in the snapshot");
    redis.snapshot().await;
    assert!(codes(&auth.sign_out("signOut", &person).await).is_empty());
    let ended = format!("{prefix}{}", person.session);
    assert!(redis.has(&ended, patience).await);
    redis.crash_and_restart();
    assert!(
        redis.has(&ended, patience).await,
        "the session counts as running again"
    );
    drop(auth);
}
