//! What a router must send about an entity.

use apollo_compiler::executable::{Selection, SelectionSet};
use serde_json::Value as Json;

/// Whether a representation has every field of a key, none of them null.
pub(crate) fn is_complete(representation: &Json, key: &SelectionSet) -> bool {
    key.selections.iter().all(|selection| match selection {
        Selection::Field(field) => match representation.get(field.name.as_str()) {
            None | Some(Json::Null) => false,
            Some(value) => field.selection_set.is_empty() || is_complete(value, &field.selection_set),
        },
        _ => true,
    })
}
