//! Builders for the directives of the join specification.

use apollo_compiler::ast::{Argument, Directive, Value};
use apollo_compiler::{Name, Node};

/// An applied directive.
pub(crate) fn directive(name: &str, arguments: Vec<(&'static str, Value)>) -> Node<Directive> {
    let arguments = arguments
        .into_iter()
        .map(|(name, value)| {
            Argument {
                name: Name::new_unchecked(name),
                value: Node::new(value),
            }
            .into()
        })
        .collect();
    Node::new(Directive {
        name: Name::new_unchecked(name),
        arguments,
    })
}

/// A string value.
pub(crate) fn string(value: impl Into<String>) -> Value {
    Value::String(value.into())
}

/// A value of `join__Graph`.
pub(crate) fn graph(graph: &Name) -> Value {
    Value::Enum(graph.clone())
}
