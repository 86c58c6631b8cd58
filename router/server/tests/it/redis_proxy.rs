//! A way to Redis that can be cut, or fall silent, without touching Redis itself.

use std::sync::Arc;

use fondaco_router::RedisSetup;
use redis::aio::MultiplexedConnection;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Bytes pass.
    Open,
    /// Connections break, new ones too.
    Cut,
    /// Connections stay, but nothing passes any more.
    Silent,
}

/// The way, with a prefix of its own for keys.
pub struct RedisProxy {
    pub setup: RedisSetup,
    direct: redis::Client,
    way: Arc<watch::Sender<Way>>,
}

impl RedisProxy {
    /// Before the Redis of `REDIS_URL`.
    pub async fn start() -> Self {
        let url = std::env::var("REDIS_URL").expect("REDIS_URL names the Redis for tests");
        let direct = redis::Client::open(url.as_str()).unwrap();
        let target = direct.get_connection_info().addr().to_string();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let setup = RedisSetup {
            // With the name and password, if there are any.
            url: url.replace(&target, &listener.local_addr().unwrap().to_string()),
            prefix: format!("fondaco-test:{}:", uuid::Uuid::new_v4().simple()),
        };
        let way = Arc::new(watch::Sender::new(Way::Open));
        let shared = Arc::clone(&way);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, target.clone(), shared.subscribe()));
            }
        });
        Self { setup, direct, way }
    }

    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// A connection that goes around the way.
    pub async fn connection(&self) -> MultiplexedConnection {
        self.direct.get_multiplexed_async_connection().await.unwrap()
    }

    pub fn key(&self, name: &str) -> String {
        format!("{}{name}", self.setup.prefix)
    }
}

async fn pass(mut client: TcpStream, target: String, mut way: watch::Receiver<Way>) {
    if *way.borrow() == Way::Cut {
        return;
    }
    let Ok(mut server) = TcpStream::connect(target).await else {
        return;
    };
    loop {
        if *way.borrow_and_update() == Way::Open {
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
                _ = way.changed() => {}
            }
        } else {
            if *way.borrow() == Way::Cut || way.changed().await.is_err() {
                return;
            }
        }
    }
}
