//! Names of schema elements, written as the schema coordinates of the GraphQL specification.

use std::fmt;

use apollo_compiler::Name;

/// What a change or a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coordinate {
    /// The whole graph.
    Graph,
    /// A subgraph.
    Subgraph(String),
    /// A type.
    Type(Name),
    /// A field, input field or enum value: type and name.
    Member(Name, Name),
    /// An argument: type, field and name.
    Argument(Name, Name, Name),
    /// A directive definition.
    Directive(Name),
    /// An argument of a directive definition.
    DirectiveArgument(Name, Name),
}

impl Coordinate {
    /// A field, input field or enum value.
    pub fn member(ty: &Name, member: &Name) -> Self {
        Self::Member(ty.clone(), member.clone())
    }

    /// An argument of a field.
    pub fn argument(ty: &Name, field: &Name, argument: &Name) -> Self {
        Self::Argument(ty.clone(), field.clone(), argument.clone())
    }

    /// What this is a part of.
    pub fn parent(&self) -> Self {
        match self {
            Self::Graph | Self::Subgraph(_) | Self::Type(_) | Self::Directive(_) => Self::Graph,
            Self::Member(ty, _) => Self::Type(ty.clone()),
            Self::Argument(ty, field, _) => Self::Member(ty.clone(), field.clone()),
            Self::DirectiveArgument(directive, _) => Self::Directive(directive.clone()),
        }
    }
}

impl fmt::Display for Coordinate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Graph => f.write_str("the graph"),
            Self::Subgraph(name) => write!(f, "subgraph {name}"),
            Self::Type(ty) => write!(f, "{ty}"),
            Self::Member(ty, member) => write!(f, "{ty}.{member}"),
            Self::Argument(ty, field, argument) => write!(f, "{ty}.{field}({argument}:)"),
            Self::Directive(directive) => write!(f, "@{directive}"),
            Self::DirectiveArgument(directive, argument) => write!(f, "@{directive}({argument}:)"),
        }
    }
}
