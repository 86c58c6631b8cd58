//! Parses the selection sets inside `key:`, `requires:` and `provides:`.

use std::sync::Arc;

use apollo_compiler::executable;
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Schema};

use crate::error::SupergraphError;
use crate::model::FieldSet;

/// Parses `text` as a selection set on type `on`. `coordinate` says where it stands, for the error.
pub(crate) fn parse(
    schema: &Valid<Schema>,
    on: &Name,
    text: &str,
    coordinate: &str,
) -> Result<FieldSet, SupergraphError> {
    match executable::FieldSet::parse(schema, on.clone(), text, coordinate) {
        Ok(field_set) => Ok(Arc::new(field_set.selection_set)),
        Err(with_errors) => Err(SupergraphError::FieldSet {
            coordinate: coordinate.to_owned(),
            field_set: text.to_owned(),
            message: with_errors.errors.to_string(),
        }),
    }
}
