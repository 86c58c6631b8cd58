//! `@shareable`: not on fields of interfaces, which nobody resolves, and once a declaration.

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::merge::Member;
use crate::model::Kind;

/// Checks every shareable field of the subgraph.
pub(super) fn check(member: &Member, errors: &mut Vec<Diagnostic>) {
    for ty in member.subgraph.types.values() {
        for field in ty.fields.values() {
            let mut applied = field.directives.get_all("federation__shareable");
            let Some(directive) = applied.next() else { continue };
            let coordinate = format!("{}.{}", ty.name, field.name);
            let span = directive.location().or(field.span);
            if ty.kind == Kind::Interface {
                let message = format!("\"{coordinate}\" cannot be @shareable: it is a field of an interface");
                errors.push(member.subgraph.error(Code::InvalidShareableUsage, span, message));
            } else if applied.next().is_some() {
                let message = format!("\"{coordinate}\" is @shareable twice in one declaration");
                errors.push(member.subgraph.error(Code::InvalidShareableUsage, span, message));
            }
        }
    }
}
