//! `@interfaceObject` needs a key; a key of an interface must be one of all its implementations.

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::merge::Member;
use crate::model::{Kind, TypeDef};

/// Checks interface objects and interfaces with keys.
pub(super) fn check(member: &Member, errors: &mut Vec<Diagnostic>) {
    for ty in member.subgraph.types.values() {
        if ty.is_interface_object() && member.facts.keys(&ty.name).is_empty() {
            let message = format!(
                "interface object \"{}\" needs a @key: there is no other way to it",
                ty.name
            );
            errors.push(
                member
                    .subgraph
                    .error(Code::InterfaceObjectUsageError, ty.span, message),
            );
        }
        if ty.kind == Kind::Interface && !member.subgraph.federation1 {
            check_interface(member, ty, errors);
        }
    }
}

fn check_interface(member: &Member, interface: &TypeDef, errors: &mut Vec<Diagnostic>) {
    for key in member.facts.keys(&interface.name) {
        for object in member.subgraph.runtime_types(&interface.name) {
            let same = |other: &&crate::facts::Key| other.set == key.set;
            let own = member.facts.keys(object).iter().find(same);
            let problem = match own {
                None => "does not have it",
                Some(own) if key.resolvable && !own.resolvable => "does not resolve it",
                Some(_) => continue,
            };
            let message = format!(
                "interface \"{}\" has the key \"{}\", but its implementation \"{object}\" {problem}",
                interface.name, key.fields
            );
            errors.push(member.subgraph.error(
                Code::InterfaceKeyNotOnImplementation,
                key.directive.location(),
                message,
            ));
        }
    }
}
