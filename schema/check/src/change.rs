//! One difference between two graphs, and which operations could notice it.

use apollo_compiler::Name;

use crate::coordinate::Coordinate;
use crate::rule::Rule;

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What kind of difference.
    pub rule: Rule,
    /// The element.
    pub coordinate: Coordinate,
    /// What happened to it, in words.
    pub message: String,
    /// Which operations could notice.
    pub affects: Affects,
    /// The subgraph it was made in, where only one comes into question.
    pub subgraph: Option<String>,
}

impl Change {
    /// A difference of the schema clients see.
    pub fn new(rule: Rule, coordinate: Coordinate, message: impl Into<String>, affects: Affects) -> Self {
        Self {
            rule,
            coordinate,
            message: message.into(),
            affects,
            subgraph: None,
        }
    }

    /// A difference of one subgraph, which operations do not notice by themselves.
    pub fn in_subgraph(
        rule: Rule,
        subgraph: &str,
        coordinate: Coordinate,
        message: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            coordinate,
            message: message.into(),
            affects: Affects::Unknown,
            subgraph: Some(subgraph.to_owned()),
        }
    }
}

/// How an operation gives a value for an argument or input field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Given {
    /// Not at all.
    Absent,
    /// With null, or with a variable that may be null or absent.
    Nullable,
    /// With a value that is not null.
    Value,
}

/// Which operations notice a change. It decides whether recorded usage makes the change safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Affects {
    /// Operations do not tell.
    Unknown,
    /// Those that name, send or receive the type.
    Type(Name),
    /// Those that may receive a value of the type, also through an abstract one.
    Received(Name),
    /// Those that select the field.
    Field(Name, Name),
    /// Those that select the field and give the argument in one of these ways.
    Argument(Name, Name, Name, &'static [Given]),
    /// Those that send the input type.
    Input(Name),
    /// Those that give the input field in one of these ways, or send the input in a variable.
    InputField(Name, Name, &'static [Given]),
    /// Those that send the enum value, or a variable that may hold it.
    SentValue(Name, Name),
    /// Those that select a field which returns the type.
    Returned(Name),
    /// Those that meet both types: through a fragment or a field.
    Both(Name, Name),
    /// Those that use the directive.
    Directive(Name),
}
