//! Where the supergraph comes from, and taking a changed file into service without a restart.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::active_supergraph::{ActivationError, ActiveSupergraph};
use crate::routes::RouterState;

/// Where the supergraph comes from.
#[derive(Debug, Clone)]
pub enum SupergraphSource {
    /// A file, watched for changes.
    File(PathBuf),
    /// SDL held in memory, with a name for messages.
    Text {
        /// The document.
        sdl: String,
        /// What messages call it.
        name: String,
    },
    /// Documents that somebody else finds: the newest one is served.
    Followed(watch::Receiver<SupergraphDocument>),
}

/// A supergraph's SDL.
#[derive(Debug, Clone)]
pub struct SupergraphDocument {
    /// The document.
    pub sdl: String,
    /// What messages call it.
    pub name: String,
}

/// Why there is no supergraph to serve.
#[derive(Debug, thiserror::Error)]
pub enum SupergraphSourceError {
    /// The file cannot be read.
    #[error("the supergraph file {} cannot be read: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// What it holds cannot be served.
    #[error("the supergraph {name} cannot be served: {error}")]
    Activation {
        /// File or name.
        name: String,
        /// What is wrong.
        error: ActivationError,
    },
}

impl SupergraphSource {
    /// The document and its name.
    pub fn read(&self) -> Result<(String, String), SupergraphSourceError> {
        match self {
            Self::Text { sdl, name } => Ok((sdl.clone(), name.clone())),
            Self::Followed(documents) => {
                let document = documents.borrow();
                Ok((document.sdl.clone(), document.name.clone()))
            }
            Self::File(path) => match std::fs::read_to_string(path) {
                Ok(sdl) => Ok((sdl, path.display().to_string())),
                Err(error) => Err(SupergraphSourceError::Read {
                    path: path.clone(),
                    error,
                }),
            },
        }
    }
}

/// Looks at the source until the token is cancelled, and puts what it finds into service.
///
/// What cannot be read or served leaves the old supergraph in service, and is reported once.
pub async fn watch(state: Arc<RouterState>, stop: CancellationToken) {
    if !state.config.reload.enabled {
        return;
    }
    match &state.source {
        SupergraphSource::File(path) => watch_file(&state, path, stop).await,
        SupergraphSource::Followed(documents) => {
            stop.run_until_cancelled(follow(&state, documents.clone())).await;
        }
        SupergraphSource::Text { .. } => {}
    }
}

/// Serves each new document until nobody finds any more.
async fn follow(state: &Arc<RouterState>, mut documents: watch::Receiver<SupergraphDocument>) {
    while documents.changed().await.is_ok() {
        let SupergraphDocument { sdl, name } = documents.borrow_and_update().clone();
        replace(state, sdl, name).await;
    }
}

async fn watch_file(state: &Arc<RouterState>, path: &Path, stop: CancellationToken) {
    let config = &state.config.reload;
    let mut seen = Seen {
        stamp: stamp(path),
        digest: state.source.read().ok().map(|(sdl, _)| digest_of(&sdl)),
    };
    let interval = Duration::from_millis(config.interval_ms.max(10));
    while stop
        .run_until_cancelled(tokio::time::sleep(interval))
        .await
        .is_some()
    {
        look(state, path, &mut seen).await;
    }
}

/// The file as it was looked at last.
struct Seen {
    stamp: Option<Stamp>,
    digest: Option<Vec<u8>>,
}

type Stamp = (SystemTime, u64);

async fn look(state: &Arc<RouterState>, path: &Path, seen: &mut Seen) {
    let now = stamp(path);
    if now == seen.stamp {
        return;
    }
    seen.stamp = now;
    let (sdl, name) = match state.source.read() {
        Ok(read) => read,
        Err(error) => {
            tracing::error!(error = %error, "supergraph file changed but cannot be read; the old one stays in service");
            return;
        }
    };
    let digest = digest_of(&sdl);
    if seen.digest.as_ref() != Some(&digest) {
        seen.digest = Some(digest);
        replace(state, sdl, name).await;
    }
}

async fn replace(state: &Arc<RouterState>, sdl: String, name: String) {
    let (config, transport) = (Arc::clone(&state.config), Arc::clone(&state.transport));
    let file = name.clone();
    let build = move || ActiveSupergraph::new(&sdl, &name, &config, transport);
    match tokio::task::spawn_blocking(build).await {
        Ok(Ok(active)) => {
            state.active.store(Arc::new(active));
            tracing::info!(supergraph.file = file, "supergraph reloaded");
        }
        Ok(Err(error)) => {
            tracing::error!(supergraph.file = file, error = %error, "changed supergraph cannot be served; the old one stays in service");
        }
        Err(error) => {
            tracing::error!(supergraph.file = file, error = %error, "changed supergraph cannot be served; the old one stays in service");
        }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn digest_of(sdl: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, sdl.as_bytes()).as_ref().to_vec()
}
