//! Changes the plan makes to an answer before it is merged.

use fondaco_planner::query_plan::{OutputRewrite, PathSegment};

use crate::place::typename;
use crate::response::PathElement;
use crate::value::{Object, Value};

/// Applies the rewrites to an answer's `data`.
pub(crate) fn rewrite<'a>(rewrites: &'a [OutputRewrite], data: &mut Object<'a>) {
    for OutputRewrite::RenameKey { path, from, to } in rewrites {
        rename_in_object(data, path, from, to);
    }
}

fn rename_in_object<'a>(object: &mut Object<'a>, path: &[PathSegment], from: &str, to: &'a str) {
    match path.split_first() {
        None => object.rename(from, to),
        Some((PathSegment::Key(key), rest)) => {
            if let Some(value) = object.get_mut(key) {
                rename(value, rest, from, to);
            }
        }
        Some((PathSegment::TypeCondition(types), rest)) => {
            if typename(object).is_some_and(|name| types.iter().any(|ty| ty == name)) {
                rename_in_object(object, rest, from, to);
            }
        }
    }
}

fn rename<'a>(value: &mut Value<'a>, path: &[PathSegment], from: &str, to: &'a str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, path, from, to)),
        Value::Object(object) => rename_in_object(object, path, from, to),
        _ => {}
    }
}

/// The path an error of the answer has after the rewrites.
pub(crate) fn rewrite_path(rewrites: &[OutputRewrite], path: &mut [PathElement]) {
    for OutputRewrite::RenameKey {
        path: place,
        from,
        to,
    } in rewrites
    {
        let mut place = place.iter().filter_map(|segment| match segment {
            PathSegment::Key(key) => Some(key.as_str()),
            PathSegment::TypeCondition(_) => None,
        });
        for element in path.iter_mut() {
            let PathElement::Key(key) = element else { continue };
            match place.next() {
                Some(step) if step == key => {}
                None if key == from.as_str() => {
                    *element = PathElement::from(to.as_str());
                    break;
                }
                _ => break,
            }
        }
    }
}
