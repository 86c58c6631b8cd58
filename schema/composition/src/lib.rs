//! Composition: subgraph SDLs become one supergraph (join specification v0.5), or diagnostics with code and position.
//!
//! - [`compose`]: the driver; it lists the stages
//! - [`config`]: rover's `supergraph.yaml`
//! - `subgraph`, `link`, `link_conflicts`, `federation_spec`, `definitions`, `read_schema`: ingest of one subgraph into the `model`
//! - `upgrade`: Federation 1 to 2
//! - `facts`, `field_set`: what federation directives say about a subgraph's fields
//! - `merge`: one file a kind of type
//! - `satisfiability`: can every query be resolved?
//! - `validate`: one rule a file, on subgraphs and on the merged graph
//! - `code`, `diagnostic`, `excerpt`: what can be found, and where it was
//! - `emit`, `api_schema`: printing

mod api_schema;
mod code;
pub mod config;
mod definitions;
mod diagnostic;
mod emit;
mod excerpt;
mod facts;
mod federation_spec;
mod field_set;
mod graph_names;
mod join;
mod link;
mod link_conflicts;
mod merge;
mod model;
mod read_schema;
mod satisfiability;
mod subgraph;
mod upgrade;
mod validate;

pub use code::{Code, HintCode, HintLevel};
pub use diagnostic::{Diagnostic, Hint};

use graph_names::graph_names;
use merge::{Member, merge};

/// One subgraph to compose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubgraphSource {
    /// Its name, unique in the graph.
    pub name: String,
    /// Where the router reaches it.
    pub url: String,
    /// Its schema.
    pub sdl: String,
    /// The file the schema was read from, for diagnostics.
    pub file: Option<String>,
}

/// A composed graph.
#[derive(Debug, Clone)]
pub struct Composed {
    /// What a router loads.
    pub supergraph_sdl: String,
    /// What clients see.
    pub api_sdl: String,
    /// Remarks, sorted.
    pub hints: Vec<Hint>,
}

/// Composes the subgraphs. The result does not depend on their order.
///
/// # Errors
/// Everything found by the first stage that found anything: reading, then merging, then satisfiability.
pub fn compose(sources: Vec<SubgraphSource>) -> Result<Composed, Vec<Diagnostic>> {
    let members = ingest_all(sources)?;
    let (supergraph, mut errors, mut hints) = merge(&members);
    errors.extend(validate::validate_interfaces(&supergraph, &members));
    fail_on(errors)?;
    fail_on(validate::validate_supergraph(&supergraph, &members))?;
    let (errors, more_hints) = satisfiability::check_satisfiability(&supergraph, &members);
    fail_on(errors)?;
    hints.extend(more_hints);
    hints.sort_by_cached_key(|hint| {
        (
            hint.code,
            hint.subgraph.clone(),
            hint.line,
            hint.column,
            hint.message.clone(),
        )
    });
    hints.dedup();
    Ok(Composed {
        supergraph_sdl: emit::supergraph_sdl(&supergraph, &members),
        api_sdl: api_schema::api_sdl(&supergraph),
        hints,
    })
}

/// Reads and validates all subgraphs, sorted by name. What is wrong with one does not keep others from being checked.
fn ingest_all(mut sources: Vec<SubgraphSource>) -> Result<Vec<Member>, Vec<Diagnostic>> {
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    let mut subgraphs = Vec::new();
    let mut errors = Vec::new();
    for source in &sources {
        match subgraph::ingest(source) {
            Ok(subgraph) => subgraphs.push(subgraph),
            Err(found) => errors.extend(found),
        }
    }
    for pair in sources.windows(2).filter(|pair| pair[0].name == pair[1].name) {
        errors.push(subgraph::repeated_name(&pair[1]));
    }
    if errors.is_empty() {
        upgrade::upgrade_federation1(&mut subgraphs, &mut errors);
    } else {
        // What a Federation 1 subgraph means depends on all others.
        subgraphs.retain(|subgraph| !subgraph.federation1);
    }
    let names: Vec<&str> = subgraphs.iter().map(|subgraph| subgraph.name.as_str()).collect();
    for (subgraph, graph) in graph_names(&names).into_iter().enumerate() {
        subgraphs[subgraph].graph = graph;
    }
    let members: Vec<Member> = subgraphs.into_iter().map(Member::of).collect();
    errors.extend(members.iter().flat_map(validate::validate_subgraph));
    fail_on(errors)?;
    Ok(members)
}

fn fail_on(mut errors: Vec<Diagnostic>) -> Result<(), Vec<Diagnostic>> {
    if errors.is_empty() {
        return Ok(());
    }
    let place = |error: &Diagnostic| {
        (
            error.subgraph.clone(),
            error.line,
            error.column,
            error.code,
            error.message.clone(),
        )
    };
    errors.sort_by_cached_key(place);
    errors.dedup();
    Err(errors)
}
