//! Slow and silent clients lose their connection; the others do not notice.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const LIMIT: Duration = Duration::from_millis(400);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";

struct Served {
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
}

async fn serve() -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let slow = async || tokio::time::sleep(3 * LIMIT).await;
    let routes = Router::new()
        .route("/", get(async |_: ConnectInfo<SocketAddr>| "served"))
        .route("/slow", post(slow));
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(fondaco_listener::serve(listener, routes, LIMIT, shutdown.clone()));
    Served {
        address,
        shutdown,
        task,
    }
}

/// Sends the pieces with pauses of half the limit and returns what came back and how long the connection lived.
async fn converse(address: SocketAddr, pieces: &[&[u8]]) -> (String, Duration) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let begun = Instant::now();
    for piece in pieces {
        // It fails where the server has closed the connection, which is what is tested.
        let _ = stream.write_all(piece).await;
        tokio::time::sleep(LIMIT / 2).await;
    }
    let mut answer = Vec::new();
    let closed = tokio::time::timeout(10 * LIMIT, stream.read_to_end(&mut answer)).await;
    assert!(closed.is_ok(), "the connection is still open");
    (String::from_utf8_lossy(&answer).into_owned(), begun.elapsed())
}

#[tokio::test]
async fn whoever_does_not_finish_the_head_in_time_is_let_go() {
    let served = serve().await;
    let silent: &[&[u8]] = &[];
    let half_a_line: &[&[u8]] = &[b"GET / HT"];
    let dripping: &[&[u8]] = &[b"GET / HTTP/1.1\r\n", b"a: 1\r\n", b"b: 2\r\n", b"c: 3\r\n"];
    let part_of_the_preface: &[&[u8]] = &[b"PRI * H"];
    for pieces in [silent, half_a_line, dripping, part_of_the_preface] {
        let (answer, lived) = converse(served.address, pieces).await;
        assert!(!answer.contains("served"), "{answer}");
        assert!(lived >= LIMIT && lived < 6 * LIMIT, "{lived:?}: {pieces:?}");
    }
}

#[tokio::test]
async fn slow_clients_do_not_hold_up_the_others_and_idle_connections_end() {
    let served = serve().await;
    let address = served.address;
    let slow: Vec<_> = (0..300)
        .map(|_| tokio::spawn(async move { converse(address, &[b"GET / HT"]).await }))
        .collect();
    let (answer, lived) = converse(address, &[REQUEST]).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("served"),
        "{answer}"
    );
    assert!(lived >= LIMIT, "kept alive for a next request: {lived:?}");
    for client in slow {
        assert!(!client.await.unwrap().0.contains("served"));
    }
}

#[tokio::test]
async fn a_long_request_is_not_mistaken_for_a_slow_client() {
    let served = serve().await;
    let request = b"POST /slow HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n";
    let (answer, lived) = converse(served.address, &[request]).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(lived >= 3 * LIMIT);
}

#[tokio::test]
async fn stopping_waits_for_requests_but_not_for_silence() {
    let served = serve().await;
    let _silent = TcpStream::connect(served.address).await.unwrap();
    let mut running = TcpStream::connect(served.address).await.unwrap();
    let request = b"POST /slow HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n";
    running.write_all(request).await.unwrap();
    tokio::time::sleep(LIMIT / 4).await;
    served.shutdown.cancel();
    served.task.await.unwrap().unwrap();
    let mut answer = String::new();
    running.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        TcpStream::connect(served.address).await.is_err(),
        "nobody listens any more"
    );
}
