//! Why a supergraph could not be read.

/// Why a supergraph could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SupergraphError {
    /// Not GraphQL, or not a valid schema.
    #[error("the supergraph is not a valid GraphQL schema:\n{0}")]
    Invalid(String),
    /// A valid schema, but no supergraph.
    #[error("{0} is not a supergraph: it links no join specification (is it a subgraph's schema?)")]
    NotASupergraph(String),
    /// The join specification is linked, but its list of subgraphs is missing.
    #[error("the supergraph lists no subgraphs: it has no enum `{0}`")]
    NoSubgraphs(String),
    /// A directive names a graph that the `join__Graph` enum lacks.
    #[error("{coordinate} names the graph `{graph}`, which the join__Graph enum does not list")]
    UnknownGraph {
        /// Where the directive stands.
        coordinate: String,
        /// The name used.
        graph: String,
    },
    /// A key, `requires` or `provides` that cannot be parsed against its type.
    #[error("{coordinate} has a faulty field set {field_set:?}: {message}")]
    FieldSet {
        /// Where the field set stands.
        coordinate: String,
        /// Its text.
        field_set: String,
        /// What is wrong with it.
        message: String,
    },
    /// A context argument that cannot be read.
    #[error("{coordinate} takes an argument from context `{context}`: {message}")]
    ContextArgument {
        /// The field.
        coordinate: String,
        /// The context's name in the supergraph.
        context: String,
        /// What is wrong with it.
        message: String,
    },
    /// Nothing valid is left when the inaccessible elements are removed.
    #[error("the API schema is not valid:\n{0}")]
    ApiSchema(String),
}
