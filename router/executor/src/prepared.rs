//! What is computed once for an operation and reused by every request for it.

use std::sync::Arc;

use apollo_compiler::introspection::check_max_depth;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Node, Schema, executable::Operation};
use fondaco_planner::query_plan::QueryPlan;

use crate::collect::compile;
use crate::fetch::PreparedFetch;
use crate::projection::Projection;
use crate::variables::VariableDefinitions;

/// An operation ready to run: its plan, its request bodies and the compiled shape of its response.
///
/// Build it once for each operation, schema and plan, and keep it: requests only read it.
#[derive(Debug)]
pub struct PreparedOperation {
    pub(crate) schema: Arc<Valid<Schema>>,
    pub(crate) document: Arc<Valid<ExecutableDocument>>,
    pub(crate) operation: Node<Operation>,
    pub(crate) plan: QueryPlan,
    /// One for each of the plan's fetches.
    pub(crate) fetches: Vec<PreparedFetch>,
    pub(crate) variables: VariableDefinitions,
    pub(crate) projection: Projection,
    pub(crate) has_introspection: bool,
}

/// Why an operation cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The document has no such operation, or several and none was named.
    #[error("{0}")]
    UnknownOperation(String),
    /// Introspection nested so deeply that its answer would explode.
    #[error("{0}")]
    IntrospectionTooDeep(String),
}

impl PreparedOperation {
    /// Prepares one operation of the client's document.
    ///
    /// `schema` is the API schema. `plan` may come from a filtered copy of the document: what it does not fetch is null.
    pub fn new(
        schema: Arc<Valid<Schema>>,
        document: Arc<Valid<ExecutableDocument>>,
        operation_name: Option<&str>,
        plan: QueryPlan,
    ) -> Result<Self, PrepareError> {
        let operation = document
            .operations
            .get(operation_name)
            .map_err(|error| PrepareError::UnknownOperation(error.message().to_string()))?
            .clone();
        check_max_depth(&document, &operation)
            .map_err(|error| PrepareError::IntrospectionTooDeep(error.message().to_string()))?;
        let has_introspection = operation
            .root_fields(&document)
            .any(|field| matches!(field.name.as_str(), "__schema" | "__type"));
        Ok(Self {
            fetches: plan.fetches.iter().map(PreparedFetch::new).collect(),
            variables: VariableDefinitions::new(&operation),
            projection: compile(&schema, &document, &operation),
            has_introspection,
            schema,
            document,
            operation,
            plan,
        })
    }

    /// The plan that runs.
    pub fn plan(&self) -> &QueryPlan {
        &self.plan
    }
}
