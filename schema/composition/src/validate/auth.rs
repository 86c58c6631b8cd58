//! Access requirements belong on what is resolved: not on interfaces, their fields, or interface objects.

use apollo_compiler::ast::DirectiveList;

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::merge::Member;
use crate::model::Kind;

const REQUIREMENTS: [&str; 3] = [
    "federation__authenticated",
    "federation__requiresScopes",
    "federation__policy",
];

/// Checks every interface and interface object of the subgraph.
pub(super) fn check(member: &Member, errors: &mut Vec<Diagnostic>) {
    for ty in member.subgraph.types.values() {
        if ty.kind != Kind::Interface && !ty.is_interface_object() {
            continue;
        }
        let mut report = |directives: &DirectiveList, coordinate: &str| {
            for directive in REQUIREMENTS.iter().filter_map(|name| directives.get(name)) {
                let shown = directive.name.trim_start_matches("federation__");
                let message = format!(
                    "@{shown} cannot be used on \"{coordinate}\": put it on the implementations, from where it is inherited"
                );
                errors.push(member.subgraph.error(
                    Code::AuthRequirementsAppliedOnInterface,
                    directive.location(),
                    message,
                ));
            }
        };
        report(&ty.directives, &ty.name);
        for field in ty.fields.values().filter(|_| ty.kind == Kind::Interface) {
            report(&field.directives, &format!("{}.{}", ty.name, field.name));
        }
    }
}
