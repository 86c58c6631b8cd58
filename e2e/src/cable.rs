//! The cable between the platform and one of its servers, which a test can cut and mend.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Carries TCP connections to a server. Cut, it drops all of them and refuses new ones.
#[derive(Debug)]
pub struct Cable {
    address: SocketAddr,
    whole: watch::Sender<bool>,
}

impl Cable {
    /// A whole cable to `target`, `HOST:PORT`. It ends with the runtime.
    pub async fn to(target: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (whole, state) = watch::channel(true);
        tokio::spawn(carry(listener, address, target.to_owned(), state));
        Ok(Self { address, whole })
    }

    /// Where to connect instead of the server.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Drops all connections and refuses new ones.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Accepts connections again.
    pub fn mend(&self) {
        self.whole.send_replace(true);
    }
}

async fn carry(
    mut listener: TcpListener,
    address: SocketAddr,
    target: String,
    mut state: watch::Receiver<bool>,
) {
    loop {
        {
            let mut connections = JoinSet::new();
            tokio::select! {
                () = accept(&listener, &target, &mut connections) => {}
                cut = state.wait_for(|whole| !whole) => if cut.is_err() { return },
            }
        }
        drop(listener);
        if state.wait_for(|whole| *whole).await.is_err() {
            return;
        }
        listener = TcpListener::bind(address)
            .await
            .expect("the port was ours a moment ago");
    }
}

async fn accept(listener: &TcpListener, target: &str, connections: &mut JoinSet<()>) {
    while let Ok((mut near, _)) = listener.accept().await {
        let target = target.to_owned();
        connections.spawn(async move {
            if let Ok(mut far) = TcpStream::connect(target).await {
                // An end, clean or not, ends both sides: both are dropped.
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}
