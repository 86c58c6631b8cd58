//! What a connection must send first. The HTTP library times the head of a request, but only from the moment it knows the
//! protocol; until then a silent client would be waited for without end.

use std::io;
use std::time::Duration;

use axum_server::accept::Accept;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// The first bytes of HTTP/2 (RFC 9113, 3.4); anything else is HTTP/1.
const HTTP2_PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Between two looks at a client that has sent a part of the preface only.
const PAUSE: Duration = Duration::from_millis(20);

/// Passes connections on once they have shown their protocol.
#[derive(Debug, Clone)]
pub struct PromptClients {
    limit: Duration,
    shutdown: CancellationToken,
}

impl PromptClients {
    /// Waits for `limit` at most, and no longer when `shutdown` is cancelled.
    pub fn new(limit: Duration, shutdown: CancellationToken) -> Self {
        Self { limit, shutdown }
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for PromptClients {
    type Stream = TcpStream;
    type Service = S;
    type Future = BoxFuture<'static, io::Result<(TcpStream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Self { limit, shutdown } = self.clone();
        async move {
            // Small answers must not wait for more to come.
            stream.set_nodelay(true)?;
            tokio::select! {
                shown = tokio::time::timeout(limit, protocol_shown(&stream)) => shown??,
                () = shutdown.cancelled() => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
            Ok((stream, service))
        }
        .boxed()
    }
}

/// Waits until the bytes received are the whole preface, or cannot become it. Takes none of them.
async fn protocol_shown(stream: &TcpStream) -> io::Result<()> {
    let mut received = [0; HTTP2_PREFACE.len()];
    loop {
        let length = stream.peek(&mut received).await?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let begins = HTTP2_PREFACE.starts_with(&received[..length]);
        if !begins || length == HTTP2_PREFACE.len() {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}
