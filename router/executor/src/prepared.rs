//! What is computed once for an operation and reused by every request for it.

use std::sync::Arc;

use apollo_compiler::executable::{Operation, SelectionSet};
use apollo_compiler::introspection::check_max_depth;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Node, Schema};
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
    /// What `__schema` and `__type` tell about.
    pub(crate) visible_schema: Arc<Valid<Schema>>,
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

/// What the callers of an operation may use of it and of the schema.
#[derive(Debug)]
pub struct Restriction<'a> {
    /// The operation without what its callers may not use, fragments written out; `None` where nothing is left of it.
    /// The rest is null in the response, whatever the plan fetches.
    pub permitted: Option<&'a ExecutableDocument>,
    /// The schema that introspection shows.
    pub visible_schema: Arc<Valid<Schema>>,
}

impl PreparedOperation {
    /// Prepares one operation of the client's document. `schema` is the API schema.
    pub fn new(
        schema: Arc<Valid<Schema>>,
        document: Arc<Valid<ExecutableDocument>>,
        operation_name: Option<&str>,
        plan: QueryPlan,
    ) -> Result<Self, PrepareError> {
        Self::build(schema, document, operation_name, plan, None)
    }

    /// Prepares an operation for callers who may not use all of it. `plan` fetches what is permitted.
    pub fn restricted(
        schema: Arc<Valid<Schema>>,
        document: Arc<Valid<ExecutableDocument>>,
        operation_name: Option<&str>,
        plan: QueryPlan,
        restriction: Restriction<'_>,
    ) -> Result<Self, PrepareError> {
        Self::build(schema, document, operation_name, plan, Some(restriction))
    }

    fn build(
        schema: Arc<Valid<Schema>>,
        document: Arc<Valid<ExecutableDocument>>,
        operation_name: Option<&str>,
        plan: QueryPlan,
        restriction: Option<Restriction<'_>>,
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
        let nothing = SelectionSet::new(operation.object_type().clone());
        let permitted = restriction
            .as_ref()
            .map(|restriction| permitted_part(restriction, &nothing));
        Ok(Self {
            fetches: plan.fetches.iter().map(PreparedFetch::new).collect(),
            variables: VariableDefinitions::new(&operation),
            projection: compile(&schema, &document, &operation, permitted),
            has_introspection,
            visible_schema: restriction.map_or_else(|| Arc::clone(&schema), |it| it.visible_schema),
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

fn permitted_part<'a>(restriction: &Restriction<'a>, nothing: &'a SelectionSet) -> &'a SelectionSet {
    let mut operations = restriction
        .permitted
        .iter()
        .flat_map(|document| document.operations.iter());
    operations
        .next()
        .map_or(nothing, |operation| &operation.selection_set)
}
