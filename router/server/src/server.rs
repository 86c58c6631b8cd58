//! The router as a whole: built from its parts, listening, stopping.

use std::sync::Arc;

use arc_swap::ArcSwap;
use fondaco_executor::transport::Transport;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::active_supergraph::ActiveSupergraph;
use crate::auth::jwt::Authenticator;
use crate::config::{ConfigError, RouterConfig};
use crate::headers::Propagation;
use crate::identity::{CallerSigner, SHORTEST_SECRET};
use crate::reload::{self, SupergraphSource, SupergraphSourceError};
use crate::routes::{self, RouterState};
use crate::stages::Stages;

/// What a router is built from.
pub struct RouterSetup {
    /// The `router` section of the configuration.
    pub config: RouterConfig,
    /// Where the supergraph comes from.
    pub supergraph: SupergraphSource,
    /// How subgraphs are reached: over HTTP, or in this process.
    pub transport: Arc<dyn Transport>,
    /// Secret shared with the subgraphs. Without it they are not told who calls.
    pub identity_secret: Option<String>,
}

/// Why a router cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A configured value cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The supergraph cannot be read or served.
    #[error(transparent)]
    Supergraph(#[from] SupergraphSourceError),
    /// The secret is too easily guessed.
    #[error("identity.secret must have at least {SHORTEST_SECRET} bytes")]
    ShortSecret,
}

/// A router ready to serve.
pub struct Router {
    state: Arc<RouterState>,
}

impl Router {
    /// Reads the supergraph and starts fetching signing keys. Call it inside a Tokio runtime.
    pub fn build(setup: RouterSetup) -> Result<Self, BuildError> {
        let RouterSetup {
            config,
            supergraph: source,
            transport,
            identity_secret,
        } = setup;
        config.validate()?;
        let signer = match identity_secret {
            Some(secret) => Some(CallerSigner::new(secret.as_bytes()).ok_or(BuildError::ShortSecret)?),
            None => None,
        };
        let (sdl, name) = source.read()?;
        let active = ActiveSupergraph::new(&sdl, &name, &config, Arc::clone(&transport))
            .map_err(|error| SupergraphSourceError::Activation { name, error })?;
        let state = RouterState {
            stages: Arc::new(Stages::new(&config)),
            authenticator: Authenticator::new(&config.authentication),
            propagation: Propagation::new(&config.headers.propagate),
            signer: signer.map(Arc::new),
            active: ArcSwap::from_pointee(active),
            stopping: CancellationToken::new(),
            config: Arc::new(config),
            source,
            transport,
        };
        Ok(Self {
            state: Arc::new(state),
        })
    }

    /// The routes alone, for a server or a test of one's own.
    pub fn routes(&self) -> axum::Router {
        routes::routes(Arc::clone(&self.state))
    }

    /// Serves until `shutdown` is cancelled, then finishes running requests, at most for the configured time.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) -> std::io::Result<()> {
        let stopping = self.state.stopping.clone();
        tokio::spawn(reload::watch(Arc::clone(&self.state), stopping.clone()));
        let timeouts = &self.state.config.timeouts;
        let serving = async {
            fondaco_listener::serve(listener, self.routes(), timeouts.header_read(), stopping.clone())
                .await?;
            self.state.stages.finish_mutations().await;
            Ok(())
        };
        let deadline = async {
            shutdown.cancelled().await;
            stopping.cancel();
            tokio::time::sleep(timeouts.shutdown()).await;
        };
        tokio::select! {
            served = serving => served,
            () = deadline => {
                tracing::warn!("requests were still running when the time for shutting down was over");
                Ok(())
            }
        }
    }
}
