//! Where a rule on the merged graph points: merged elements have no position of their own, their declarations do.

use apollo_compiler::parser::SourceSpan;

use crate::code::Code;
use crate::diagnostic::{Diagnostic, graph_error};
use crate::merge::Member;
use crate::model::{Element, Subgraph, TypeDef};

/// An element of the merged graph by name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Coordinate<'a> {
    Type(&'a str),
    /// A field, an input field or an enum value.
    Member(&'a str, &'a str),
    Argument(&'a str, &'a str, &'a str),
}

/// An error at the declaration of `at` that carries `directive`, else at the first one.
pub(super) fn error_at(
    members: &[Member],
    code: Code,
    at: Coordinate<'_>,
    directive: &str,
    message: String,
) -> Diagnostic {
    let declared = || {
        let found = members.iter().map(|member| &member.subgraph);
        found.filter_map(|subgraph| Some((subgraph, find(subgraph, at)?)))
    };
    let place = |(subgraph, element): (&Subgraph, &dyn Element)| -> Diagnostic {
        let applied = element.directives().get(directive);
        let span: Option<SourceSpan> = applied
            .and_then(|directive| directive.location())
            .or(element.span());
        subgraph.error(code, span, message.clone())
    };
    declared()
        .find(|(_, element)| element.directives().has(directive))
        .or_else(|| declared().next())
        .map_or_else(|| graph_error(code, message.clone()), place)
}

fn find<'a>(subgraph: &'a Subgraph, at: Coordinate<'_>) -> Option<&'a dyn Element> {
    match at {
        Coordinate::Type(ty) => subgraph.types.get(ty).map(|ty| ty as &dyn Element),
        Coordinate::Member(ty, name) => member(subgraph.types.get(ty)?, name),
        Coordinate::Argument(ty, field, name) => {
            let field = subgraph.types.get(ty)?.fields.get(field)?;
            field.arguments.get(name).map(|argument| argument as &dyn Element)
        }
    }
}

fn member<'a>(ty: &'a TypeDef, name: &str) -> Option<&'a dyn Element> {
    let field = ty.fields.get(name).map(|field| field as &dyn Element);
    let input = ty.inputs.get(name).map(|input| input as &dyn Element);
    let value = ty.values.get(name).map(|value| value as &dyn Element);
    field.or(input).or(value)
}
