//! The commands, one a file.

pub mod api_schema;
pub mod check;
pub mod compose;
pub mod contract;
pub mod dead_letters;
pub mod evidence;
pub mod fetch_sdl;
pub mod healthcheck;
pub mod history;
pub mod keys;
pub mod lint;
pub mod plan;
pub mod publish;
pub mod reconcile;
pub mod reference;
pub mod report_format;
pub mod reset;
pub mod router;
pub mod sdl;
pub mod servers;
pub mod service;
pub mod up;

use std::path::Path;
use std::sync::Arc;

use fondaco_supergraph::Supergraph;
use tokio::net::TcpListener;

use crate::error::CliError;

fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|source| CliError::Read {
        path: path.to_owned(),
        source,
    })
}

fn write(path: &Path, content: &str) -> Result<(), CliError> {
    std::fs::write(path, content).map_err(|source| CliError::Write {
        path: path.to_owned(),
        source,
    })
}

fn read_supergraph(path: &Path) -> Result<Arc<Supergraph>, CliError> {
    let sdl = read(path)?;
    Supergraph::parse(&sdl, &path.to_string_lossy())
        .map(Arc::new)
        .map_err(|source| CliError::Supergraph {
            path: path.to_owned(),
            source,
        })
}

async fn listen(address: std::net::SocketAddr) -> Result<TcpListener, CliError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| CliError::Listen { address, source })
}
