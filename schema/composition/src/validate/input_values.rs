//! Arguments and input fields: defaults must be values of their type, and what must be given cannot be deprecated.

use apollo_compiler::ast::{Type, Value};

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::merge::Member;
use crate::model::{InputDef, Kind, Subgraph, TypeDef};

/// Checks every argument and input field of the subgraph.
pub(super) fn check(member: &Member, errors: &mut Vec<Diagnostic>) {
    let subgraph = &member.subgraph;
    for ty in subgraph.types.values() {
        for input in ty.inputs.values() {
            check_input(subgraph, &format!("{}.{}", ty.name, input.name), input, errors);
        }
        for field in ty.fields.values() {
            for argument in field.arguments.values() {
                let coordinate = format!("{}.{}({}:)", ty.name, field.name, argument.name);
                check_input(subgraph, &coordinate, argument, errors);
            }
        }
    }
}

fn check_input(subgraph: &Subgraph, coordinate: &str, input: &InputDef, errors: &mut Vec<Diagnostic>) {
    if let Some(deprecated) = input.directives.get("deprecated")
        && input.is_required()
    {
        let message = format!("\"{coordinate}\" must be given, so it cannot be @deprecated");
        errors.push(subgraph.error(Code::InvalidGraphql, deprecated.location(), message));
    }
    if let Some(default) = &input.default
        && !is_value(subgraph, default, &input.ty)
    {
        let message = format!(
            "the default {} of \"{coordinate}\" is no value of type \"{}\"",
            default.serialize().no_indent(),
            input.ty
        );
        errors.push(subgraph.error(Code::InvalidGraphql, default.location().or(input.span), message));
    }
}

/// Input coercion of literals: GraphQL specification, section 3.
fn is_value(subgraph: &Subgraph, value: &Value, ty: &Type) -> bool {
    match (ty, value) {
        (Type::NonNullNamed(_) | Type::NonNullList(_), Value::Null) => false,
        (_, Value::Null) => true,
        (Type::List(item) | Type::NonNullList(item), Value::List(items)) => {
            items.iter().all(|value| is_value(subgraph, value, item))
        }
        (Type::List(item) | Type::NonNullList(item), value) => is_value(subgraph, value, item),
        (Type::Named(name) | Type::NonNullNamed(name), value) => match name.as_str() {
            "Int" => matches!(value, Value::Int(_)),
            "Float" => matches!(value, Value::Int(_) | Value::Float(_)),
            "String" => matches!(value, Value::String(_)),
            "Boolean" => matches!(value, Value::Boolean(_)),
            "ID" => matches!(value, Value::String(_) | Value::Int(_)),
            name => subgraph
                .types
                .get(name)
                .is_none_or(|ty| is_value_of(subgraph, value, ty)),
        },
    }
}

fn is_value_of(subgraph: &Subgraph, value: &Value, ty: &TypeDef) -> bool {
    match ty.kind {
        Kind::Enum => match value {
            Value::Enum(name) => ty.values.contains_key(name),
            _ => false,
        },
        Kind::InputObject => {
            let Value::Object(entries) = value else {
                return false;
            };
            let known = entries.iter().all(|(name, value)| {
                ty.inputs
                    .get(name)
                    .is_some_and(|input| is_value(subgraph, value, &input.ty))
            });
            let mut required = ty.inputs.values().filter(|input| input.is_required());
            known && required.all(|input| entries.iter().any(|(name, _)| *name == input.name))
        }
        _ => true,
    }
}
