//! Constants of a schema or field set as JSON.

use apollo_compiler::{ast, executable};
use serde_json::{Map, Value as Json, json};

/// Arguments of a field in a field set, defaults included, as JSON.
pub(crate) fn constant_arguments(field: &executable::Field) -> Json {
    let mut map = Map::new();
    for definition in &field.definition.arguments {
        let given = field
            .arguments
            .iter()
            .find(|argument| argument.name == definition.name);
        let value = given
            .map(|argument| &argument.value)
            .or(definition.default_value.as_ref());
        if let Some(value) = value {
            map.insert(definition.name.to_string(), constant(value));
        }
    }
    Json::Object(map)
}

/// A constant as JSON.
pub(crate) fn constant(value: &ast::Value) -> Json {
    match value {
        ast::Value::Null | ast::Value::Variable(_) => Json::Null,
        ast::Value::Enum(name) => json!(name.as_str()),
        ast::Value::String(text) => json!(text),
        ast::Value::Boolean(value) => json!(value),
        ast::Value::Int(number) => serde_json::from_str(number.as_str()).unwrap_or_default(),
        ast::Value::Float(number) => serde_json::from_str(number.as_str()).unwrap_or_default(),
        ast::Value::List(items) => items.iter().map(|item| constant(item)).collect(),
        ast::Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.to_string(), constant(value)))
            .collect::<Map<_, _>>()
            .into(),
    }
}
