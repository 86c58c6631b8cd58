//! A started service: its router, its background tasks, and how both stop.

use std::{future::Future, net::SocketAddr, time::Duration};

use axum::Router;
use fondaco_listener::HEADER_READ_TIMEOUT;
use tokio::{net::TcpListener, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

use crate::{error::StartError, runtime::Runtime};

const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);

/// A service that is ready to be served on a socket, or called in process through its router.
#[derive(Debug)]
pub struct Service {
    /// The subgraph's name.
    pub name: &'static str,
    /// `POST /graphql`, `/health`, `/ready`, and what else the service serves.
    pub router: Router,
    /// What runs beside the requests.
    pub tasks: Tasks,
}

impl Service {
    /// Serves until `shutdown`, then finishes running requests and tasks.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) -> std::io::Result<()> {
        let served = fondaco_listener::serve(listener, self.router, HEADER_READ_TIMEOUT, shutdown.clone());
        let given_up = async {
            shutdown.cancelled().await;
            tokio::time::sleep(DRAIN_TIMEOUT).await;
        };
        let outcome = tokio::select! {
            outcome = served => outcome,
            () = given_up => {
                tracing::warn!(service = self.name, "requests still running at shutdown were abandoned");
                Ok(())
            }
        };
        self.tasks.stop().await;
        outcome
    }
}

/// Binds `address`, naming it in the error when it is taken.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Listen { address, source })
}

/// The background tasks of a service and its running requests. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tasks {
    stop: CancellationToken,
    tracker: TaskTracker,
}

impl Tasks {
    /// Tasks that are told to stop when the runtime is.
    pub fn new(runtime: &Runtime) -> Self {
        Self {
            stop: runtime.shutdown.child_token(),
            tracker: TaskTracker::new(),
        }
    }

    /// Runs `task` until it ends; it must end soon after the token it is given is cancelled.
    pub fn spawn<F>(&self, name: &'static str, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let span = tracing::info_span!("task", task = name);
        self.tracker.spawn(task(self.stop.clone()).instrument(span));
    }

    /// Cancelled when the service is to stop.
    pub fn stop_token(&self) -> &CancellationToken {
        &self.stop
    }

    /// Tells all tasks to stop and waits until they have, up to 20 s.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tracker.close();
        if timeout(DRAIN_TIMEOUT, self.tracker.wait()).await.is_err() {
            tracing::warn!(tasks = self.tracker.len(), "tasks did not stop in time");
        }
    }

    pub(crate) fn tracker(&self) -> &TaskTracker {
        &self.tracker
    }
}
