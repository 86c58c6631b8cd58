//! The load generator: requests over kept-open HTTP/1.1 connections to loopback, with every answer checked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Longer latencies count as this one.
const MAX_LATENCY_US: u64 = 120_000_000;

/// One request: an access token, where the user is signed in, and a JSON body.
#[derive(Debug, Clone)]
pub struct Shot {
    /// Access token.
    pub token: Option<Arc<str>>,
    /// JSON body.
    pub body: Bytes,
}

/// Makes the request of a number.
pub type Aim = dyn Fn(u64) -> Shot + Send + Sync;
/// Judges an answer's body.
pub type Accept = dyn Fn(&[u8]) -> bool + Send + Sync;

/// What to send, and which answers are right.
#[derive(Clone)]
pub struct Workload {
    /// The request of that number.
    pub shot: Arc<Aim>,
    /// Whether an answer's body is right.
    pub accept: Arc<Accept>,
}

/// When requests are sent.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// Each connection sends as soon as it has its answer.
    Closed,
    /// So many a second whatever the answers do; waiting for a free connection counts as latency.
    Open {
        /// Requests a second.
        rate: f64,
    },
    /// All at once; waiting for a free connection counts as latency.
    Rush,
}

/// Bounds of a run.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections.
    pub connections: usize,
    /// Time after which no request is begun.
    pub duration: Duration,
    /// When requests are sent.
    pub pace: Pace,
    /// At most so many requests.
    pub requests: u64,
}

impl Bounds {
    /// As much as so many connections can do in so many seconds.
    pub fn closed(connections: usize, seconds: u64) -> Self {
        Self {
            connections,
            duration: Duration::from_secs(seconds),
            pace: Pace::Closed,
            requests: u64::MAX,
        }
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// Right answers.
    pub succeeded: u64,
    /// Wrong answers, and requests without one.
    pub failed: u64,
    /// The first of them, for people.
    pub first_failure: Option<String>,
    /// From first request to last answer.
    pub elapsed: Duration,
    /// Latency of right answers in microseconds.
    pub latency: Histogram<u64>,
}

impl Outcome {
    fn new() -> Self {
        let latency = Histogram::new_with_max(MAX_LATENCY_US, 3).expect("three digits are supported");
        Self {
            succeeded: 0,
            failed: 0,
            first_failure: None,
            elapsed: Duration::ZERO,
            latency,
        }
    }

    /// Right answers a second.
    pub fn rate(&self) -> f64 {
        self.succeeded as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }

    fn record(&mut self, begun: Instant, answer: Result<(), String>) {
        match answer {
            Ok(()) => {
                self.succeeded += 1;
                self.latency
                    .saturating_record(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
            }
            Err(failure) => {
                self.failed += 1;
                self.first_failure.get_or_insert(failure);
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.first_failure = self.first_failure.take().or(other.first_failure);
        self.latency
            .add(other.latency)
            .expect("both histograms have the same bounds");
    }
}

/// Sends the workload to `address` (`127.0.0.1:PORT`) within the bounds.
pub async fn run(address: &str, workload: &Workload, bounds: Bounds) -> Outcome {
    let next = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let workers: Vec<_> = (0..bounds.connections)
        .map(|_| {
            let worker = Worker {
                address: address.to_owned(),
                workload: workload.clone(),
                bounds,
                start,
                next: Arc::clone(&next),
                connection: None,
            };
            tokio::spawn(worker.run())
        })
        .collect();
    let mut total = Outcome::new();
    for worker in workers {
        total.add(worker.await.expect("a worker does not panic"));
    }
    total.elapsed = start.elapsed();
    total
}

struct Worker {
    address: String,
    workload: Workload,
    bounds: Bounds,
    start: Instant,
    next: Arc<AtomicU64>,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Worker {
    async fn run(mut self) -> Outcome {
        let mut outcome = Outcome::new();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.bounds.requests {
                return outcome;
            }
            let due = match self.bounds.pace {
                Pace::Closed => Instant::now(),
                Pace::Open { rate } => self.start + Duration::from_secs_f64(number as f64 / rate),
                Pace::Rush => self.start,
            };
            if due.duration_since(self.start) >= self.bounds.duration {
                return outcome;
            }
            tokio::time::sleep_until(due.into()).await;
            let answer = self.fire(number).await;
            outcome.record(due, answer);
        }
    }

    async fn fire(&mut self, number: u64) -> Result<(), String> {
        let shot = (self.workload.shot)(number);
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.address)
                .await
                .map_err(|error| format!("connecting: {error}"))?,
        };
        connection
            .ready()
            .await
            .map_err(|error| format!("connection lost: {error}"))?;
        let request = request(&self.address, shot);
        let response = connection
            .send_request(request)
            .await
            .map_err(|error| error.to_string())?;
        let status = response.status();
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(|error| error.to_string())?
            .to_bytes();
        self.connection = Some(connection);
        if status.is_success() && (self.workload.accept)(&body) {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&body);
        Err(format!(
            "HTTP {status}: {}",
            text.chars().take(600).collect::<String>()
        ))
    }
}

async fn connect(
    address: &str,
) -> Result<SendRequest<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // Its errors reach the sender as well.
    tokio::spawn(connection);
    Ok(sender)
}

fn request(address: &str, shot: Shot) -> Request<Full<Bytes>> {
    let mut request = Request::post("/graphql")
        .header("host", address)
        .header("content-type", "application/json");
    if let Some(token) = &shot.token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request
        .body(Full::new(shot.body))
        .expect("all parts of the request are valid")
}
