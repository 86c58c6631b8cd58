//! Where a graph comes from: a configuration and the files it names, a folder, a supergraph, or all that at a commit.

mod folder;
mod git;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use fondaco_composition::SubgraphSource;
use fondaco_composition::config::{ConfigError, SupergraphConfig};

use crate::graph::{Graph, GraphError};

/// What a graph is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Against {
    /// The same files at a commit: `git:REF`.
    Git(String),
    /// A folder with a configuration or subgraph schemas, another configuration, or a supergraph.
    Path(PathBuf),
}

impl FromStr for Against {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("git:") {
            Some("") => Err("git: needs a commit, branch or tag, such as git:main".to_owned()),
            Some(reference) => Ok(Self::Git(reference.to_owned())),
            None if text.is_empty() => Err("give git:REF, a folder or a file".to_owned()),
            None => Ok(Self::Path(PathBuf::from(text))),
        }
    }
}

/// Why there is nothing to compare with.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The configuration, or a schema it names, cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The graph cannot be made.
    #[error("{what}: {source}")]
    Graph {
        /// What was to become a graph.
        what: String,
        /// Why not.
        source: GraphError,
    },
    /// A file or folder is not what it should be.
    #[error("{}: {message}", .path.display())]
    Path {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Git cannot say what was there.
    #[error("git: {0}")]
    Git(String),
}

/// Asks a running subgraph, by its address, for its SDL.
pub type Fetch<'a> = &'a mut dyn FnMut(&str) -> Result<String, String>;

/// Reads a configuration and composes what it names.
///
/// # Errors
/// Where something cannot be read or does not compose.
pub fn from_config(config: &Path, fetch: Fetch<'_>) -> Result<Graph, SourceError> {
    compose(
        SupergraphConfig::load(config, fetch)?,
        &config.display().to_string(),
    )
}

/// Reads what a configuration's graph is to be compared with.
///
/// # Errors
/// Where something cannot be read or does not compose, and where git knows no such commit.
pub fn from_against(against: &Against, config: &Path, fetch: Fetch<'_>) -> Result<Graph, SourceError> {
    let path = match against {
        Against::Git(reference) => {
            return compose(
                git::sources(config, reference)?,
                &format!("{} at {reference}", config.display()),
            );
        }
        Against::Path(path) => path,
    };
    if path.is_dir() {
        return compose(folder::sources(path, config, fetch)?, &path.display().to_string());
    }
    if path
        .extension()
        .is_some_and(|kind| kind == "yaml" || kind == "yml")
    {
        return from_config(path, fetch);
    }
    let sdl = read(path)?;
    let name = path.display().to_string();
    Graph::from_supergraph(sdl, &name).map_err(|source| SourceError::Graph { what: name, source })
}

/// The subgraph schemas to compare with, without composing them; empty for a supergraph, which has none.
///
/// # Errors
/// As [`from_against`].
pub fn sources_of(
    against: &Against,
    config: &Path,
    fetch: Fetch<'_>,
) -> Result<Vec<SubgraphSource>, SourceError> {
    match against {
        Against::Git(reference) => git::sources(config, reference),
        Against::Path(path) if path.is_dir() => folder::sources(path, config, fetch),
        Against::Path(path)
            if path
                .extension()
                .is_some_and(|kind| kind == "yaml" || kind == "yml") =>
        {
            Ok(SupergraphConfig::load(path, fetch)?)
        }
        Against::Path(path) => Err(SourceError::Path {
            path: path.clone(),
            message: "lines are compared with subgraph schemas: give a folder, a configuration or git:REF"
                .to_owned(),
        }),
    }
}

fn compose(sources: Vec<SubgraphSource>, what: &str) -> Result<Graph, SourceError> {
    Graph::compose(sources).map_err(|source| SourceError::Graph {
        what: what.to_owned(),
        source,
    })
}

fn read(path: &Path) -> Result<String, SourceError> {
    std::fs::read_to_string(path).map_err(|error| SourceError::Path {
        path: path.to_owned(),
        message: format!("cannot be read: {error}"),
    })
}
