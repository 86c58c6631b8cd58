//! `@external`: only on fields of objects, only where something uses it, and without directives that are merged.

use crate::diagnostic::{Code, Diagnostic};
use crate::federation_spec::DIRECTIVES;
use crate::merge::Member;
use crate::model::{FieldDef, Kind, TypeDef};

/// Checks every external field of the subgraph.
pub(super) fn check(member: &Member, errors: &mut Vec<Diagnostic>) {
    for ty in member.subgraph.types.values() {
        for field in ty
            .fields
            .values()
            .filter(|field| field.directives.has("federation__external"))
        {
            check_field(member, ty, field, errors);
        }
    }
}

fn check_field(member: &Member, ty: &TypeDef, field: &FieldDef, errors: &mut Vec<Diagnostic>) {
    let coordinate = format!("{}.{}", ty.name, field.name);
    let mut error = |code, message| errors.push(member.subgraph.error(code, field.span, message));
    if ty.kind == Kind::Interface {
        let message =
            format!("\"{coordinate}\" is a field of an interface: only its implementations can be @external");
        return error(Code::ExternalOnInterface, message);
    }
    if ty.is_interface_object() && false_external(ty, field) {
        return;
    }
    if !member.facts.is_used(ty, field) && !member.subgraph.federation1 {
        let message =
            format!("\"{coordinate}\" is @external, but no field set or interface of the subgraph uses it");
        error(Code::ExternalUnused, message);
    }
    let merged = DIRECTIVES.iter().filter(|spec| spec.supergraph.is_some());
    for spec in merged.filter(|spec| field.directives.has(&format!("federation__{}", spec.name))) {
        let message = format!(
            "@{} on \"{coordinate}\" belongs where the field is resolved; here it is @external",
            spec.name
        );
        error(Code::MergedDirectiveApplicationOnExternal, message);
    }
}

/// A type-level `@external` on an interface object says nothing about fields it adds itself.
fn false_external(ty: &TypeDef, field: &FieldDef) -> bool {
    ty.directives.has("federation__external") && !field.directives.has("federation__external")
}
