//! Deep merge of subgraph answers into the response data.

use std::collections::HashMap;

use apollo_compiler::Schema;

use crate::value::{Object, Value};

/// Objects larger than this are merged by way of an index.
const INDEXED_FROM: usize = 32;

/// Merges `source` into `target`: objects key by key, lists of objects item by item; of two leaves the newer one stays.
/// `null` never replaces a value, for another subgraph may have known better.
pub fn merge<'a>(schema: &Schema, target: &mut Value<'a>, source: Value<'a>) {
    match (target, source) {
        (_, Value::Null) => {}
        (Value::Object(target), Value::Object(source)) => merge_objects(schema, target, source),
        (Value::Array(target), Value::Array(source)) if nested(target) && nested(&source) => {
            merge_lists(schema, target, source);
        }
        (target, source) => *target = source,
    }
}

/// Merges the entries of `source` into `target`.
pub fn merge_objects<'a>(schema: &Schema, target: &mut Object<'a>, source: Object<'a>) {
    if target.is_empty() {
        *target = source;
        return;
    }
    let index: Option<HashMap<&'a str, usize>> = (source.len() > INDEXED_FROM).then(|| {
        target
            .iter()
            .enumerate()
            .rev()
            .map(|(position, (key, _))| (*key, position))
            .collect()
    });
    for (key, value) in source {
        let position = match &index {
            Some(index) => index.get(key).copied(),
            None => target.position(key),
        };
        match position.and_then(|position| target.value_at_mut(position)) {
            None => target.push(key, value),
            Some(known) if key == "__typename" => merge_typename(schema, known, value),
            Some(known) => merge(schema, known, value),
        }
    }
}

fn merge_lists<'a>(schema: &Schema, target: &mut Vec<Value<'a>>, source: Vec<Value<'a>>) {
    for (index, item) in source.into_iter().enumerate() {
        match target.get_mut(index) {
            Some(known) => merge(schema, known, item),
            None => target.push(item),
        }
    }
}

/// A subgraph with an `@interfaceObject` knows only the interface; the object type, once known, stays.
fn merge_typename<'a>(schema: &Schema, known: &mut Value<'a>, value: Value<'a>) {
    let is_object = |name: &str| schema.get_object(name).is_some();
    let is_abstract = |name: &str| {
        schema
            .types
            .get(name)
            .is_some_and(|definition| definition.is_interface() || definition.is_union())
    };
    let known_well = known.as_raw_str().is_some_and(is_object);
    if !known_well && value.as_raw_str().is_some_and(|name| !is_abstract(name)) {
        *known = value;
    }
}

fn nested(items: &[Value<'_>]) -> bool {
    items
        .iter()
        .all(|item| matches!(item, Value::Object(_) | Value::Array(_) | Value::Null))
}
