//! A supergraph that is being served, with everything that was derived from it.

use std::sync::Arc;

use fondaco_executor::transport::Transport;
use fondaco_executor::{Executor, ExecutorConfig, SubgraphErrors};
use fondaco_planner::{Planner, PlannerConfig};
use fondaco_supergraph::{Supergraph, SupergraphError};
use http::Uri;

use crate::config::RouterConfig;
use crate::override_labels::OverrideRules;
use crate::plan_cache::PlanCache;

/// A supergraph in service. A reload replaces it as a whole; running requests keep theirs.
pub struct ActiveSupergraph {
    /// The supergraph.
    pub supergraph: Arc<Supergraph>,
    /// Plans operations for it.
    pub planner: Planner,
    /// Runs plans against its subgraphs.
    pub executor: Executor,
    /// Decides which of its progressive overrides are in force.
    pub override_rules: OverrideRules,
    /// Operations already prepared for it.
    pub cache: PlanCache,
}

/// Why a supergraph cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    /// The document is not a supergraph.
    #[error(transparent)]
    Supergraph(#[from] SupergraphError),
    /// A subgraph has no usable address.
    #[error("subgraph `{subgraph}` has no usable URL (`{url}`); set router.subgraph_urls.{subgraph}")]
    Url {
        /// Its name.
        subgraph: String,
        /// What the supergraph, or the configuration, says.
        url: String,
    },
    /// The configuration gives the address of a subgraph that does not exist.
    #[error("router.subgraph_urls.{0}: the supergraph has no subgraph of that name")]
    UnknownSubgraph(String),
}

impl ActiveSupergraph {
    /// Reads the supergraph and prepares to serve it. `name` appears in messages.
    pub fn new(
        sdl: &str,
        name: &str,
        config: &RouterConfig,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, ActivationError> {
        let supergraph = Arc::new(Supergraph::parse(sdl, name)?);
        let executor = Executor::new(
            subgraph_urls(&supergraph, config)?,
            transport,
            executor_config(config),
        );
        Ok(Self {
            planner: Planner::new(Arc::clone(&supergraph), planner_config(config)),
            override_rules: OverrideRules::new(supergraph.override_labels(), config),
            executor,
            cache: PlanCache::new(config.plan_cache.operations),
            supergraph,
        })
    }
}

fn planner_config(config: &RouterConfig) -> PlannerConfig {
    PlannerConfig {
        max_work: config.limits.planning_steps,
        ..PlannerConfig::default()
    }
}

fn executor_config(config: &RouterConfig) -> ExecutorConfig {
    ExecutorConfig {
        timeout: config.timeouts.subgraph(),
        max_response_bytes: config.max_subgraph_response_bytes,
        subgraph_errors: if config.mask_subgraph_errors {
            SubgraphErrors::Mask
        } else {
            SubgraphErrors::Expose
        },
    }
}

fn subgraph_urls(
    supergraph: &Supergraph,
    config: &RouterConfig,
) -> Result<Vec<(Arc<str>, Uri)>, ActivationError> {
    let exists = |name: &str| {
        supergraph
            .subgraphs()
            .iter()
            .any(|subgraph| &*subgraph.name == name)
    };
    if let Some(name) = config.subgraph_urls.keys().find(|name| !exists(name)) {
        return Err(ActivationError::UnknownSubgraph(name.clone()));
    }
    let address = |subgraph: &fondaco_supergraph::Subgraph| {
        let url = config.subgraph_urls.get(&*subgraph.name).unwrap_or(&subgraph.url);
        match url.parse::<Uri>() {
            Ok(uri) if uri.authority().is_some() => Ok((Arc::clone(&subgraph.name), uri)),
            _ => Err(ActivationError::Url {
                subgraph: subgraph.name.to_string(),
                url: url.clone(),
            }),
        }
    };
    supergraph.subgraphs().iter().map(address).collect()
}
