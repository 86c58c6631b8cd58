//! Validation: rules on each subgraph before merging, and rules on the merged graph.

mod auth;
mod context;
mod cost;
mod external;
mod field_sets;
mod inaccessible;
mod inaccessible_references;
mod interface_fields;
mod interface_keys;
mod interface_objects;
mod runtime_types;
mod shareable;
mod transitive_auth;

use crate::diagnostic::{Diagnostic, Hint};
use crate::merge::{Member, Supergraph};

/// Every violation of a rule that concerns one subgraph alone.
pub(crate) fn validate_subgraph(member: &Member) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    for rule in [
        field_sets::check,
        external::check,
        shareable::check,
        interface_objects::check,
        context::check,
        cost::check,
        auth::check,
    ] {
        rule(member, &mut errors);
    }
    errors
}

/// Every violation of a rule that concerns the merged graph.
pub(crate) fn validate_supergraph(supergraph: &Supergraph, members: &[Member]) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    for rule in [
        interface_fields::check,
        interface_keys::check,
        inaccessible::check,
        inaccessible_references::check,
        runtime_types::check,
        transitive_auth::check,
    ] {
        rule(supergraph, members, &mut errors);
    }
    errors
}

/// Remarks on a graph that composes.
pub(crate) fn hints(supergraph: &Supergraph, members: &[Member]) -> Vec<Hint> {
    runtime_types::hints(supergraph, members)
}
