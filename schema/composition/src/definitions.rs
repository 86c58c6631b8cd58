//! A subgraph may repeat the definition of a federation directive, as long as it means the same.

use apollo_compiler::Node;
use apollo_compiler::ast::{Definition, DirectiveDefinition, Document, Type};

use crate::code::Code;
use crate::diagnostic::{Diagnostic, Origin};
use crate::federation_spec::{SpecDirective, Vocabulary};

/// Compares a subgraph's definition with the specification's: no unknown or missing arguments, compatible types,
/// no locations beyond the specified ones.
pub(crate) fn check_directive_definition(
    found: &Node<DirectiveDefinition>,
    spec: &SpecDirective,
    vocabulary: &Vocabulary,
    origin: Origin<'_>,
) -> Vec<Diagnostic> {
    let expected = specified(spec, vocabulary);
    let mut problems = Vec::new();
    for argument in &found.arguments {
        match expected.argument_by_name(&argument.name) {
            None => problems.push(format!("unknown argument \"{}\"", argument.name)),
            Some(wanted) if !compatible(&argument.ty, &wanted.ty) => {
                problems.push(format!(
                    "argument \"{}\" must be of type {}",
                    argument.name, wanted.ty
                ));
            }
            Some(_) => {}
        }
    }
    for wanted in expected.arguments.iter().filter(|wanted| wanted.is_required()) {
        if found.argument_by_name(&wanted.name).is_none() {
            problems.push(format!("argument \"{}\" is missing", wanted.name));
        }
    }
    for location in &found.locations {
        if !expected.locations.contains(location) {
            problems.push(format!("location {location} is not allowed"));
        }
    }
    problems
        .into_iter()
        .map(|problem| {
            let message = format!(
                "the definition of @{} is not that of federation: {problem}",
                found.name
            );
            origin.error(Code::DirectiveDefinitionInvalid, found.location(), message)
        })
        .collect()
}

/// Compares a subgraph's definition of a type of federation's machinery with the specification's.
pub(crate) fn check_type_definition(
    found: &Definition,
    vocabulary: &Vocabulary,
    origin: Origin<'_>,
) -> Option<Diagnostic> {
    let name = found.name()?;
    let is_scalar = vocabulary.types.iter().any(|known| known == name.as_str());
    let (fits, expected) = match (name.as_str(), found) {
        ("_Entity", _) => (true, "union"),
        ("_Service", Definition::ObjectTypeDefinition(service)) => {
            let has_sdl = service.fields.iter().any(|field| field.name == "sdl");
            (has_sdl, "object with a field \"sdl\"")
        }
        ("_Service", _) => (false, "object with a field \"sdl\""),
        ("link__Purpose", Definition::EnumTypeDefinition(purpose)) => {
            let has = |wanted| purpose.values.iter().any(|value| value.value == wanted);
            (
                has("SECURITY") && has("EXECUTION"),
                "enum of SECURITY and EXECUTION",
            )
        }
        ("link__Purpose", _) => (false, "enum of SECURITY and EXECUTION"),
        (_, Definition::ScalarTypeDefinition(_) | Definition::ScalarTypeExtension(_)) => (true, "scalar"),
        (name, _) => (
            !(is_scalar || name.starts_with('_') || name == "link__Import"),
            "scalar",
        ),
    };
    let message = format!("the definition of \"{name}\" is not that of federation: it must be a {expected}");
    (!fits).then(|| origin.error(Code::TypeDefinitionInvalid, found.location(), message))
}

fn specified(spec: &SpecDirective, vocabulary: &Vocabulary) -> Node<DirectiveDefinition> {
    let sdl = spec.sdl(spec.name, |name| vocabulary.type_name(name));
    let document = Document::parse(sdl, "federation.graphql").expect("specified definitions parse");
    match document.definitions.into_iter().next() {
        Some(Definition::DirectiveDefinition(definition)) => definition,
        _ => unreachable!("the text is one directive definition"),
    }
}

/// Same shape but for nullability, where any custom scalar (field sets have had several names) may stand for another.
fn compatible(found: &Type, wanted: &Type) -> bool {
    match (found, wanted) {
        (Type::List(found) | Type::NonNullList(found), Type::List(wanted) | Type::NonNullList(wanted)) => {
            compatible(found, wanted)
        }
        (
            Type::Named(found) | Type::NonNullNamed(found),
            Type::Named(wanted) | Type::NonNullNamed(wanted),
        ) => {
            let builtin = ["Int", "Float", "Boolean", "ID"];
            found == wanted || !(builtin.contains(&found.as_str()) || builtin.contains(&wanted.as_str()))
        }
        _ => false,
    }
}
