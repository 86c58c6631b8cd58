//! A subgraph in which an interface has a resolvable key must know all implementations of it in the graph.

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::merge::{Member, Supergraph};
use crate::model::Kind;

/// An interface object stands for all implementations, so its subgraph must not have any of them itself.
pub(super) fn check_interface_objects(
    supergraph: &Supergraph,
    members: &[Member],
    errors: &mut Vec<Diagnostic>,
) {
    for member in members {
        let types = member.subgraph.types.values();
        for interface in types.filter(|ty| ty.is_interface_object()) {
            let own: Vec<String> = supergraph
                .types
                .values()
                .filter(|ty| ty.kind == Kind::Object && ty.implements.contains(&interface.name))
                .filter(|ty| member.subgraph.types.contains_key(&ty.name))
                .map(|ty| format!("\"{}\"", ty.name))
                .collect();
            if !own.is_empty() {
                let message = format!(
                    "\"{}\" is an interface object here, so the subgraph cannot have its implementations {}",
                    interface.name,
                    own.join(", ")
                );
                let code = Code::InterfaceObjectUsageError;
                errors.push(member.subgraph.error(code, interface.span, message));
            }
        }
    }
}

/// Checks every interface with a key.
pub(super) fn check(supergraph: &Supergraph, members: &[Member], errors: &mut Vec<Diagnostic>) {
    for member in members {
        for ty in member
            .subgraph
            .types
            .values()
            .filter(|ty| ty.kind == Kind::Interface)
        {
            let Some(key) = member.facts.keys(&ty.name).iter().find(|key| key.resolvable) else {
                continue;
            };
            let known = member.subgraph.runtime_types(&ty.name);
            let all = supergraph
                .types
                .values()
                .filter(|other| other.kind == Kind::Object && other.implements.contains(&ty.name));
            let missing: Vec<String> = all
                .filter(|other| !known.contains(&&other.name))
                .map(|other| format!("\"{}\"", other.name))
                .collect();
            if !missing.is_empty() {
                let message = format!(
                    "interface \"{}\" has a @key here, so the subgraph must know all its implementations, and misses {}",
                    ty.name,
                    missing.join(", ")
                );
                let code = Code::InterfaceKeyMissingImplementationType;
                errors.push(member.subgraph.error(code, key.directive.location(), message));
            }
        }
    }
}
