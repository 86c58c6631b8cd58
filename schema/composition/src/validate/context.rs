//! `@context` and `@fromContext`: names, and selections that yield one value from a context that is set.

use apollo_compiler::ast::Type;

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::facts::{from_context, sets_context, split_context};
use crate::field_set::{FieldSet, Item};
use crate::merge::Member;
use crate::model::{FieldDef, InputDef, Kind, TypeDef, string_argument};

/// Checks every context set or used in the subgraph.
pub(super) fn check(member: &Member, errors: &mut Vec<Diagnostic>) {
    for ty in member.subgraph.types.values() {
        for directive in ty.directives.get_all("federation__context") {
            let name = string_argument(directive, "name").unwrap_or_default();
            if !name.starts_with(|c: char| c.is_ascii_alphabetic())
                || !name.chars().all(|c| c.is_ascii_alphanumeric())
            {
                let message = format!(
                    "\"{name}\" cannot name a context: letters and digits are expected, a letter first"
                );
                errors.push(
                    member
                        .subgraph
                        .error(Code::ContextNameInvalid, directive.location(), message),
                );
            }
        }
        for field in ty.fields.values() {
            for argument in field.arguments.values() {
                if let Some(text) = from_context(&argument.directives) {
                    check_argument(member, ty, field, argument, text, errors);
                }
            }
        }
    }
}

fn check_argument(
    member: &Member,
    ty: &TypeDef,
    field: &FieldDef,
    argument: &InputDef,
    text: &str,
    errors: &mut Vec<Diagnostic>,
) {
    let coordinate = format!("{}.{}({}:)", ty.name, field.name, argument.name);
    let mut error = |code, message| errors.push(member.subgraph.error(code, argument.span, message));
    if ty.kind != Kind::Object {
        let message = format!(
            "\"{coordinate}\" belongs to a field of an interface, which nobody resolves: no context is set for it"
        );
        return error(Code::ContextNotSet, message);
    }
    check_field(member, ty, field, argument, &mut error);
    let Some((context, selection)) = split_context(text).filter(|(_, selection)| !selection.is_empty())
    else {
        let message = format!("\"{coordinate}\": \"{text}\" is not of the form \"$context {{ field }}\"");
        return error(Code::NoContextInSelection, message);
    };
    let setters: Vec<_> = member
        .subgraph
        .types
        .values()
        .filter(|ty| sets_context(ty, context))
        .collect();
    if setters.is_empty() {
        return error(
            Code::ContextNotSet,
            format!("\"{coordinate}\" uses context \"{context}\", which no type sets"),
        );
    }
    let Ok(set) = FieldSet::parse(selection) else {
        return error(
            Code::ContextInvalidSelection,
            format!("\"{coordinate}\": \"{selection}\" is not a selection"),
        );
    };
    for setter in setters {
        let problem = selection_problem(member, &set, setter).map(str::to_owned);
        let problem = problem.or_else(|| type_problem(member, &set, setter, &argument.ty));
        if let Some(problem) = problem {
            let message = format!(
                "\"{coordinate}\": \"{selection}\" on \"{}\" {problem}",
                setter.name
            );
            error(Code::ContextInvalidSelection, message);
        }
    }
}

/// What the field of such an argument, and its type, must be like.
fn check_field(
    member: &Member,
    ty: &TypeDef,
    field: &FieldDef,
    argument: &InputDef,
    error: &mut dyn FnMut(Code, String),
) {
    let coordinate = format!("{}.{}({}:)", ty.name, field.name, argument.name);
    for interface in ty
        .implements
        .iter()
        .filter_map(|name| member.subgraph.types.get(name))
    {
        if interface.fields.contains_key(&field.name) {
            let message = format!(
                "\"{coordinate}\" comes from a context, so its field cannot implement \"{}.{}\"",
                interface.name, field.name
            );
            error(Code::ContextNotSet, message);
        }
    }
    if argument.default.is_some() {
        let message = format!("\"{coordinate}\" comes from a context, so it cannot have a default");
        error(Code::ContextNotSet, message);
    }
    if !member.facts.keys(&ty.name).iter().any(|key| key.resolvable) {
        let message = format!(
            "\"{coordinate}\" comes from a context, so \"{}\" needs a resolvable @key",
            ty.name
        );
        error(Code::ContextNoResolvableKey, message);
    }
}

/// What is selected must be what the argument takes: the same type, not null where null is refused.
fn type_problem(member: &Member, set: &FieldSet, ty: &TypeDef, expected: &Type) -> Option<String> {
    let found = selected_types(member, set, ty);
    let found = found.into_iter().find(|found| !fits(found, expected))?;
    Some(format!("gives \"{found}\", not \"{expected}\""))
}

fn fits(found: &Type, expected: &Type) -> bool {
    match (found, expected) {
        (Type::NonNullNamed(found), Type::Named(expected) | Type::NonNullNamed(expected))
        | (Type::Named(found), Type::Named(expected)) => found == expected,
        (Type::NonNullList(found), Type::List(expected) | Type::NonNullList(expected))
        | (Type::List(found), Type::List(expected)) => fits(found, expected),
        _ => false,
    }
}

/// The types of the leaves a valid selection leads to, with the lists and nulls met on the way.
fn selected_types(member: &Member, set: &FieldSet, ty: &TypeDef) -> Vec<Type> {
    let types = &member.subgraph.types;
    let of = |item: &Item| match item {
        Item::Field(item) => {
            let candidates = match ty.kind {
                Kind::Union => member.subgraph.runtime_types(&ty.name),
                _ => vec![&ty.name],
            };
            let fields = candidates
                .into_iter()
                .filter_map(|name| types[name].fields.get(&item.name));
            let through = |field: &FieldDef| -> Vec<Type> {
                match types
                    .get(field.ty.inner_named_type())
                    .filter(|_| !item.sub.is_empty())
                {
                    Some(target) => {
                        let below = selected_types(member, &item.sub, target);
                        below.iter().map(|below| wrap(&field.ty, below)).collect()
                    }
                    None => vec![field.ty.clone()],
                }
            };
            fields.flat_map(through).collect()
        }
        Item::Fragment { on, sub, .. } => match types.get(on.as_ref().unwrap_or(&ty.name)) {
            Some(target) if target.name == ty.name || ty.kind.is_abstract() => {
                selected_types(member, sub, target)
            }
            _ => Vec::new(),
        },
    };
    set.0.iter().flat_map(of).collect()
}

/// The type of a value below one of type `outer`.
fn wrap(outer: &Type, below: &Type) -> Type {
    match outer {
        Type::NonNullNamed(_) => below.clone(),
        Type::Named(_) => below.clone().nullable(),
        Type::List(item) => Type::List(Box::new(wrap(item, below))),
        Type::NonNullList(item) => Type::NonNullList(Box::new(wrap(item, below))),
    }
}

/// The selection must lead to one leaf, by one field at a level (for each type condition).
fn selection_problem(member: &Member, set: &FieldSet, ty: &TypeDef) -> Option<&'static str> {
    let fields = set.0.iter().filter(|item| matches!(item, Item::Field(_))).count();
    if fields > 1 || (fields == 1 && set.0.len() > 1) || set.is_empty() {
        return Some("must select exactly one field");
    }
    set.0.iter().find_map(|item| match item {
        Item::Field(item) if item.aliased || item.directives => Some("cannot use aliases or directives"),
        Item::Field(item) => {
            let candidates = match ty.kind {
                Kind::Union => member.subgraph.runtime_types(&ty.name),
                _ => vec![&ty.name],
            };
            candidates.into_iter().find_map(|name| {
                let field = member.subgraph.types[name].fields.get(&item.name);
                let Some(field) = field else {
                    return Some("selects a field that does not exist");
                };
                match member
                    .subgraph
                    .types
                    .get(field.ty.inner_named_type())
                    .filter(|ty| ty.kind.is_composite())
                {
                    Some(target) => selection_problem(member, &item.sub, target),
                    None => None,
                }
            })
        }
        Item::Fragment { on, sub, .. } => {
            let on = on.as_ref().unwrap_or(&ty.name);
            match member.subgraph.types.get(on) {
                // A condition that another setter fulfils does not concern this one.
                Some(target) if target.name == ty.name || ty.kind.is_abstract() => {
                    selection_problem(member, sub, target)
                }
                _ => None,
            }
        }
    })
}
