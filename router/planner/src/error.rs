//! Why an operation could not be planned.

use apollo_compiler::Name;

use crate::normalize::FieldNode;

/// Why an operation could not be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No operation of that name, or several and no name.
    #[error("{}", match .0 {
        Some(name) => format!("the document has no operation named `{name}`"),
        None => "the document has several operations: operationName must say which".to_owned(),
    })]
    OperationNotFound(Option<String>),
    /// Subscriptions are not planned.
    #[error("subscriptions are not supported")]
    Subscription,
    /// The operation selects more than [`crate::PlannerConfig::max_work`] allows.
    #[error("the operation is too complex: planning it takes more than {0} steps")]
    TooComplex(usize),
    /// Fields nested more deeply than [`crate::PlannerConfig::max_depth`] allows.
    #[error("the operation is too deep: it nests fields more than {0} levels")]
    TooDeep(usize),
    /// No chain of subgraphs resolves the field: the supergraph is not satisfiable.
    #[error("no subgraph can be reached that resolves `{field}`")]
    Unreachable {
        /// Path of the field from its root type.
        field: String,
    },
}

/// The first field below `field` that has nothing below it: the one that could not be reached.
pub(crate) fn path_of(root: &Name, field: &FieldNode) -> String {
    let mut path = format!("{root}.{}", field.name);
    let mut at = field;
    while let Some(entry) = at.selections.as_ref().and_then(|set| set.entries.first()) {
        at = &entry.field;
        path.push('.');
        path.push_str(&at.name);
    }
    path
}
