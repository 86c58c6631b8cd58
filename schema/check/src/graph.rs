//! One side of a check: a composed graph, with the files it came from where they are known.

use std::sync::Arc;

use fondaco_composition::{Diagnostic, SubgraphSource};
use fondaco_supergraph::Supergraph;

use crate::place::Places;

/// A graph as it was, or as it is to become.
#[derive(Debug)]
pub struct Graph {
    /// The composed graph.
    pub supergraph: Arc<Supergraph>,
    /// Its document.
    pub sdl: String,
    /// The subgraphs it was composed from; empty where a supergraph was given.
    pub sources: Vec<SubgraphSource>,
    /// Where its elements stand in the subgraphs' files.
    pub places: Places,
}

/// Why there is no graph.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// The subgraphs do not compose.
    #[error("the subgraphs do not compose")]
    Composition(Vec<Diagnostic>),
    /// A supergraph cannot be read.
    #[error(transparent)]
    Supergraph(#[from] fondaco_supergraph::SupergraphError),
}

impl Graph {
    /// Composes the subgraphs.
    ///
    /// # Errors
    /// Everything composition found.
    pub fn compose(sources: Vec<SubgraphSource>) -> Result<Self, GraphError> {
        let composed = fondaco_composition::compose(sources.clone()).map_err(GraphError::Composition)?;
        let supergraph = Supergraph::parse(&composed.supergraph_sdl, "the composed supergraph")?;
        Ok(Self {
            supergraph: Arc::new(supergraph),
            sdl: composed.supergraph_sdl,
            places: Places::of(&sources),
            sources,
        })
    }

    /// Reads a supergraph; `name` appears in errors.
    ///
    /// # Errors
    /// Where the document is not a supergraph.
    pub fn from_supergraph(sdl: String, name: &str) -> Result<Self, GraphError> {
        let supergraph = Supergraph::parse(&sdl, name)?;
        Ok(Self {
            supergraph: Arc::new(supergraph),
            sdl,
            sources: Vec::new(),
            places: Places::default(),
        })
    }
}
