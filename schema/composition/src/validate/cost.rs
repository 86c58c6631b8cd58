//! `@cost` and `@listSize`: on what can have a cost, and about lists that exist.

use apollo_compiler::Node;
use apollo_compiler::ast::{Directive, Value};

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::merge::Member;
use crate::model::{FieldDef, Kind};

/// Checks every cost of the subgraph.
pub(super) fn check(member: &Member, errors: &mut Vec<Diagnostic>) {
    for ty in member.subgraph.types.values() {
        for field in ty.fields.values() {
            let coordinate = format!("{}.{}", ty.name, field.name);
            if ty.kind == Kind::Interface
                && let Some(directive) = field.directives.get("federation__cost")
            {
                let message = format!(
                    "\"{coordinate}\" is a field of an interface; @cost belongs on its implementations"
                );
                errors.push(member.subgraph.error(
                    Code::CostAppliedToInterfaceField,
                    directive.location(),
                    message,
                ));
            }
            if let Some(directive) = field.directives.get("federation__listSize") {
                for (code, problem) in list_size_problems(member, field, directive) {
                    let message = format!("@listSize on \"{coordinate}\": {problem}");
                    errors.push(member.subgraph.error(code, directive.location(), message));
                }
            }
        }
    }
}

fn list_size_problems(member: &Member, field: &FieldDef, directive: &Node<Directive>) -> Vec<(Code, String)> {
    let mut problems = Vec::new();
    let sized = strings(directive, "sizedFields");
    if !field.ty.is_list() && sized.is_empty() {
        problems.push((
            Code::ListSizeAppliedToNonList,
            format!("\"{}\" is no list", field.ty),
        ));
    }
    let assumed = directive
        .specified_argument_by_name("assumedSize")
        .and_then(|size| size.to_i32());
    if let Some(size) = assumed.filter(|size| *size < 0) {
        problems.push((
            Code::ListSizeInvalidAssumedSize,
            format!("{size} cannot be the size of a list"),
        ));
    }
    for name in strings(directive, "slicingArguments") {
        let problem = match field.arguments.get(name) {
            None => format!("there is no argument \"{name}\""),
            Some(argument) if argument.ty.is_list() || argument.ty.inner_named_type() != "Int" => {
                format!("argument \"{name}\" is no Int")
            }
            Some(_) => continue,
        };
        problems.push((Code::ListSizeInvalidSlicingArgument, problem));
    }
    let target = member.subgraph.types.get(field.ty.inner_named_type());
    for name in sized {
        let problem = match target.and_then(|target| target.fields.get(name)) {
            None => (
                Code::ListSizeInvalidSizedField,
                format!("\"{}\" has no field \"{name}\"", field.ty.inner_named_type()),
            ),
            Some(sized) if !sized.ty.is_list() => (
                Code::ListSizeAppliedToNonList,
                format!("field \"{name}\" is no list"),
            ),
            Some(_) => continue,
        };
        problems.push(problem);
    }
    problems
}

fn strings<'a>(directive: &'a Directive, name: &str) -> Vec<&'a str> {
    let items: &[Node<Value>] = directive
        .specified_argument_by_name(name)
        .and_then(|value| value.as_list())
        .unwrap_or_default();
    items.iter().filter_map(|item| item.as_str()).collect()
}
