//! `__schema` and `__type`, answered from the part of the API schema that the caller may see.

use apollo_compiler::introspection::partial_execute;
use apollo_compiler::response::{GraphQLError, JsonMap, ResponseDataPathSegment};
use apollo_compiler::validation::Valid;

use crate::prepared::PreparedOperation;
use crate::response::{GraphqlError, Location, PathElement};
use crate::variables::Variables;

/// The introspection fields of an operation: JSON text of their values, and errors.
pub(crate) fn introspect(
    operation: &PreparedOperation,
    variables: &Variables<'_>,
) -> (Option<String>, Vec<GraphqlError>) {
    let mut json = Vec::new();
    variables.write(&mut json);
    let variables: JsonMap = serde_json::from_slice(&json).expect("variables are written as a JSON object");
    let executed = partial_execute(
        &operation.visible_schema,
        &operation.visible_schema.implementers_map(),
        &operation.document,
        &operation.operation,
        &Valid::assume_valid(variables),
    );
    match executed {
        Ok(response) => {
            let data = response
                .data
                .map(|data| serde_json::to_string(&data).expect("JSON is serialisable"));
            (data, response.errors.into_iter().map(client_error).collect())
        }
        Err(error) => (
            None,
            vec![client_error(error.to_graphql_error(&operation.document.sources))],
        ),
    }
}

fn client_error(error: GraphQLError) -> GraphqlError {
    let element = |segment: &ResponseDataPathSegment| match segment {
        ResponseDataPathSegment::Field(key) => PathElement::from(key.as_str()),
        ResponseDataPathSegment::ListIndex(index) => PathElement::from(*index),
    };
    let path = error.path.iter().map(element).collect();
    let mut shown = GraphqlError::new(error.message, "INTERNAL_SERVER_ERROR").at(path);
    shown.locations = error
        .locations
        .iter()
        .map(|at| Location {
            line: at.line,
            column: at.column,
        })
        .collect();
    shown
}
