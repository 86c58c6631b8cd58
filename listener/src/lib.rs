//! Serves HTTP routes on a socket and lets no slow client hold a connection for nothing: router and subgraphs share this.
//!
//! - [`serve`]: accepts until told to stop, then finishes running requests
//! - `opening`: what a connection must send first, and by when

mod opening;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum_server::{Handle, Server};
use hyper_util::rt::TokioTimer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use opening::PromptClients;

/// Time a client has for the head of a request; also how long an idle connection is kept. Clients of this workspace let
/// idle connections go earlier, so that none of them sends on a connection that is just being closed.
pub const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves `routes` over HTTP/1.1 and HTTP/2 until `shutdown` is cancelled; then accepts nobody and returns when all running
/// requests are answered, however long that takes: a deadline is the caller's. Handlers find the client's address in
/// `ConnectInfo<SocketAddr>`. A connection that has not sent the whole
/// head of its first or next request within `header_read_timeout` is closed.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    header_read_timeout: Duration,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let handle = Handle::<SocketAddr>::new();
    let mut server = Server::from_listener(listener)
        .acceptor(PromptClients::new(header_read_timeout, shutdown.clone()))
        .handle(handle.clone());
    let http = server.http_builder();
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header_read_timeout);
    // HTTP/2 clients that are gone are found out by pings.
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(header_read_timeout);
    let serving = server.serve(routes.into_make_service_with_connect_info::<SocketAddr>());
    tokio::pin!(serving);
    tokio::select! {
        served = &mut serving => return served,
        () = shutdown.cancelled() => handle.graceful_shutdown(None),
    }
    serving.await
}
