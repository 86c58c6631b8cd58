//! Validation: rules on each subgraph before merging, and rules on the merged graph.

mod auth;
mod context;
mod cost;
mod external;
mod field_sets;
mod implementations;
mod inaccessible;
mod inaccessible_references;
mod input_values;
mod interface_fields;
mod interface_keys;
mod interface_objects;
mod locate;
mod requires;
mod shareable;
mod transitive_auth;

use crate::diagnostic::Diagnostic;
use crate::merge::{Member, Supergraph};

/// Every violation of a rule that concerns one subgraph alone.
pub(crate) fn validate_subgraph(member: &Member) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    for rule in [
        field_sets::check,
        external::check,
        input_values::check,
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

/// Every violation of a rule about interfaces that holds even where merging found errors.
pub(crate) fn validate_interfaces(supergraph: &Supergraph, members: &[Member]) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    interface_keys::check(supergraph, members, &mut errors);
    interface_keys::check_interface_objects(supergraph, members, &mut errors);
    errors
}

/// Every violation of a rule that concerns the merged graph.
pub(crate) fn validate_supergraph(supergraph: &Supergraph, members: &[Member]) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    for rule in [
        interface_fields::check,
        implementations::check,
        inaccessible::check,
        inaccessible_references::check,
        requires::check,
        transitive_auth::check,
    ] {
        rule(supergraph, members, &mut errors);
    }
    errors
}
