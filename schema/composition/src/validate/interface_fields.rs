//! After merging, every type must have all fields of the interfaces it implements.

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::merge::{Member, Supergraph};
use crate::model::{Kind, TypeDef};

/// Checks every implementation in the merged graph.
pub(super) fn check(supergraph: &Supergraph, members: &[Member], errors: &mut Vec<Diagnostic>) {
    for ty in supergraph
        .types
        .values()
        .filter(|ty| matches!(ty.kind, Kind::Object | Kind::Interface))
    {
        for interface in ty.implements.iter().filter_map(|name| supergraph.types.get(name)) {
            for field in interface
                .fields
                .keys()
                .filter(|field| !ty.fields.contains_key(*field))
            {
                errors.push(missing(ty, interface, field, members));
            }
        }
    }
}

fn missing(ty: &TypeDef, interface: &TypeDef, field: &str, members: &[Member]) -> Diagnostic {
    let with: Vec<String> = members
        .iter()
        .filter(|member| declares(member, &interface.name, field))
        .map(|member| format!("\"{}\"", member.subgraph.name))
        .collect();
    let implementing = members.iter().find(|member| {
        member
            .subgraph
            .types
            .get(&ty.name)
            .is_some_and(|ty| ty.implements.contains(&interface.name))
    });
    let member = implementing.expect("a merged type implements what some subgraph says it does");
    let message = format!(
        "\"{}.{field}\" is declared by subgraph {}, but \"{}\", which implements that interface, has no such field",
        interface.name,
        with.join(", "),
        ty.name
    );
    member.subgraph.error(
        Code::InterfaceFieldNoImplem,
        member.subgraph.types[&ty.name].span,
        message,
    )
}

fn declares(member: &Member, ty: &str, field: &str) -> bool {
    member
        .subgraph
        .types
        .get(ty)
        .is_some_and(|ty| ty.fields.contains_key(field))
}
