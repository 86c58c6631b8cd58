//! The router as a whole: built from its parts, listening, stopping.

use std::sync::Arc;

use arc_swap::ArcSwap;
use fondaco_executor::transport::Transport;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::active_supergraph::ActiveSupergraph;
use crate::auth::jwt::Authenticator;
use crate::auth::revocation::Sessions;
use crate::config::{ConfigError, RouterConfig};
use crate::header_rules::HeaderRules;
use crate::identity::{CallerSigner, IdentitySecrets, SHORTEST_SECRET};
use crate::operation_log::{OpenLogError, OperationLog};
use crate::rate_limit::RateLimits;
use crate::redis::{Redis, RedisSetup};
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
    /// Secrets shared with the subgraphs. Those without one are not told who calls.
    pub identity: IdentitySecrets,
    /// The platform's Redis, for rules that need it. Nothing connects to it where none does.
    pub redis: Option<RedisSetup>,
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
    /// The log of operations cannot be kept.
    #[error(transparent)]
    OperationLog(#[from] OpenLogError),
    /// The secret is too easily guessed.
    #[error("identity.{0} must have at least {SHORTEST_SECRET} bytes")]
    ShortSecret(String),
    /// A rule needs Redis, and none is configured.
    #[error("router.{0} needs Redis: set redis_url or REDIS_URL")]
    NoRedis(&'static str),
    /// The URL of Redis cannot be used.
    #[error("redis_url (REDIS_URL) cannot be used: {0}")]
    Redis(redis::RedisError),
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
            identity,
            redis,
        } = setup;
        config.validate()?;
        let redis = connect(redis.as_ref())?;
        let signer = CallerSigner::new(&identity).map_err(BuildError::ShortSecret)?;
        let (sdl, name) = source.read()?;
        let active = ActiveSupergraph::new(&sdl, &name, &config, Arc::clone(&transport))
            .map_err(|error| SupergraphSourceError::Activation { name, error })?;
        let state = RouterState {
            operation_log: OperationLog::open(&config.operation_log, redis.as_ref())?,
            stages: Arc::new(Stages::new(&config)),
            authenticator: Authenticator::new(&config.authentication, sessions(&config, redis.as_ref())?),
            rate_limits: RateLimits::new(&config.rate_limits, redis),
            header_rules: Arc::new(HeaderRules::new(&config.headers)),
            signer: Arc::new(signer),
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
        let log = self.state.operation_log.clone();
        let keeping = log.map(|log| (tokio::spawn(Arc::clone(&log).keep(stopping.clone())), log));
        let timeouts = &self.state.config.timeouts;
        let serving = async {
            fondaco_listener::serve(listener, self.routes(), timeouts.header_read(), stopping.clone())
                .await?;
            self.state.stages.finish_mutations().await;
            if let Some((keeping, log)) = keeping {
                // It writes what was counted before the end; what ended since is written here.
                let _ = keeping.await;
                log.flush().await;
            }
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

fn connect(redis: Option<&RedisSetup>) -> Result<Option<Redis>, BuildError> {
    redis.map(Redis::new).transpose().map_err(BuildError::Redis)
}

fn sessions(config: &RouterConfig, redis: Option<&Redis>) -> Result<Option<Sessions>, BuildError> {
    if !config.authentication.needs_redis() {
        return Ok(None);
    }
    let redis = redis.ok_or(BuildError::NoRedis("authentication.issuers.revocation"))?;
    let when_unreachable = config.authentication.revocation.when_unreachable;
    Ok(Some(Sessions::new(redis.clone(), when_unreachable)))
}
