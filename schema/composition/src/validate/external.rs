//! `@external`: only on fields of objects, and only where something uses it.

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::merge::Member;
use crate::model::{FieldDef, Kind, TypeDef};

/// Checks every external field of the subgraph.
pub(super) fn check(member: &Member, errors: &mut Vec<Diagnostic>) {
    for ty in member.subgraph.types.values() {
        for field in ty
            .fields
            .values()
            .filter(|field| member.facts.is_external(ty, field))
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
        error(Code::ExternalOnInterface, message);
    }
    if ty.is_interface_object() && false_external(ty, field) {
        return;
    }
    if !member.facts.is_used(ty, field) && !member.subgraph.federation1 {
        let message =
            format!("\"{coordinate}\" is @external, but no field set or interface of the subgraph uses it");
        error(Code::ExternalUnused, message);
    }
}

/// A type-level `@external` on an interface object says nothing about fields it adds itself.
fn false_external(ty: &TypeDef, field: &FieldDef) -> bool {
    ty.directives.has("federation__external") && !field.directives.has("federation__external")
}
