//! After merging, fields must still be what the interfaces of their type promise: merging widens what fields give and
//! narrows what arguments take, on each side for itself.

use apollo_compiler::ast::Type;

use super::locate::{Coordinate, error_at};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::merge::{Member, Supergraph};
use crate::model::{FieldDef, Kind, TypeDef};

/// Checks every implemented field of the merged graph.
pub(super) fn check(supergraph: &Supergraph, members: &[Member], errors: &mut Vec<Diagnostic>) {
    for ty in supergraph.types.values() {
        for interface in ty.implements.iter().filter_map(|name| supergraph.types.get(name)) {
            for implemented in interface.fields.values() {
                let Some(field) = ty.fields.get(&implemented.name) else {
                    continue;
                };
                for problem in problems(supergraph, field, implemented) {
                    let message = format!(
                        "merged field \"{}.{}\" does not implement \"{}.{}\": {problem}",
                        ty.name, field.name, interface.name, field.name
                    );
                    let at = Coordinate::Member(&ty.name, &field.name);
                    errors.push(error_at(members, Code::InvalidGraphql, at, "", message));
                }
            }
        }
    }
}

fn problems(supergraph: &Supergraph, field: &FieldDef, implemented: &FieldDef) -> Vec<String> {
    let mut problems = Vec::new();
    if !is_subtype(supergraph, &field.ty, &implemented.ty) {
        problems.push(format!(
            "it is of type \"{}\", not \"{}\"",
            field.ty, implemented.ty
        ));
    }
    for argument in implemented.arguments.values() {
        match field.arguments.get(&argument.name) {
            None => problems.push(format!("it lacks the argument \"{}\"", argument.name)),
            Some(own) if own.ty != argument.ty => problems.push(format!(
                "its argument \"{}\" is of type \"{}\", not \"{}\"",
                argument.name, own.ty, argument.ty
            )),
            Some(_) => {}
        }
    }
    let own = field.arguments.values();
    for argument in own.filter(|argument| argument.is_required()) {
        if !implemented.arguments.contains_key(&argument.name) {
            problems.push(format!("it requires the argument \"{}\"", argument.name));
        }
    }
    problems
}

/// Covariance of the GraphQL specification, section 3.7.1 (`IsValidImplementationFieldType`).
fn is_subtype(supergraph: &Supergraph, special: &Type, general: &Type) -> bool {
    match (special, general) {
        (Type::NonNullNamed(special), Type::Named(general) | Type::NonNullNamed(general))
        | (Type::Named(special), Type::Named(general)) => {
            special == general
                || supergraph
                    .types
                    .get(general)
                    .is_some_and(|general| is_special_case(supergraph, special, general))
        }
        (Type::NonNullList(special), Type::List(general) | Type::NonNullList(general))
        | (Type::List(special), Type::List(general)) => is_subtype(supergraph, special, general),
        _ => false,
    }
}

fn is_special_case(supergraph: &Supergraph, special: &str, general: &TypeDef) -> bool {
    match general.kind {
        Kind::Union => general.members.contains(special),
        Kind::Interface => {
            let special = supergraph.types.get(special);
            special.is_some_and(|special| special.implements.contains(&general.name))
        }
        _ => false,
    }
}
