//! `@inaccessible`: what remains visible must be a schema: a query, and members in every type.

use super::locate::{Coordinate, error_at};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::merge::{Member, Supergraph};
use crate::model::{Kind, TypeDef};

const HIDDEN: &str = "federation__inaccessible";

/// Checks every type of the merged graph.
pub(super) fn check(supergraph: &Supergraph, members: &[Member], errors: &mut Vec<Diagnostic>) {
    for ty in supergraph.types.values() {
        let at = Coordinate::Type(&ty.name);
        if let Some(link) = supergraph.link_defining(&ty.name)
            && has_hidden_elements(ty)
        {
            let message = format!(
                "\"{}\" belongs to {}, which is linked: it cannot be @inaccessible, nor anything in it",
                ty.name, link.identity
            );
            errors.push(error_at(
                members,
                Code::DisallowedInaccessible,
                at,
                HIDDEN,
                message,
            ));
            continue;
        }
        if ty.directives.has(HIDDEN) {
            if ty.name == "Query" {
                let message = "the query root \"Query\" is @inaccessible, which leaves clients nothing";
                let code = Code::QueryRootTypeInaccessible;
                errors.push(error_at(members, code, at, HIDDEN, message.to_owned()));
            }
        } else if has_only_hidden_members(ty, supergraph) {
            let message = format!(
                "{} \"{}\" is visible, but all that is in it is @inaccessible",
                ty.kind.describe(),
                ty.name
            );
            errors.push(error_at(
                members,
                Code::OnlyInaccessibleChildren,
                at,
                HIDDEN,
                message,
            ));
        }
    }
}

fn has_hidden_elements(ty: &TypeDef) -> bool {
    let fields = ty.fields.values().any(|field| {
        let arguments = &mut field.arguments.values();
        field.directives.has(HIDDEN) || arguments.any(|argument| argument.directives.has(HIDDEN))
    });
    ty.directives.has(HIDDEN)
        || fields
        || ty.inputs.values().any(|input| input.directives.has(HIDDEN))
        || ty.values.values().any(|value| value.directives.has(HIDDEN))
}

fn has_only_hidden_members(ty: &TypeDef, supergraph: &Supergraph) -> bool {
    let hidden_type = |name| {
        supergraph
            .types
            .get(name)
            .is_none_or(|ty: &TypeDef| ty.directives.has(HIDDEN))
    };
    match ty.kind {
        Kind::Object | Kind::Interface => {
            !ty.fields.is_empty() && ty.fields.values().all(|field| field.directives.has(HIDDEN))
        }
        Kind::InputObject => {
            !ty.inputs.is_empty() && ty.inputs.values().all(|input| input.directives.has(HIDDEN))
        }
        Kind::Enum => !ty.values.is_empty() && ty.values.values().all(|value| value.directives.has(HIDDEN)),
        Kind::Union => !ty.members.is_empty() && ty.members.iter().all(hidden_type),
        Kind::Scalar => false,
    }
}
