//! Changes the plan makes to an answer before it is merged.

use fondaco_planner::query_plan::{OutputRewrite, PathSegment};

use crate::place::typename;
use crate::response::PathElement;
use crate::value::Value;

/// Applies the rewrites to an answer's root object or to one of its entities.
pub(crate) fn rewrite<'a>(rewrites: &'a [OutputRewrite], value: &mut Value<'a>) {
    for OutputRewrite::RenameKey { path, from, to } in rewrites {
        rename(value, path, from, to);
    }
}

fn rename<'a>(value: &mut Value<'a>, path: &[PathSegment], from: &str, to: &'a str) {
    match (value, path.split_first()) {
        (Value::Array(items), _) => items.iter_mut().for_each(|item| rename(item, path, from, to)),
        (Value::Object(object), None) => object.rename(from, to),
        (Value::Object(object), Some((PathSegment::Key(key), rest))) => {
            if let Some(value) = object.get_mut(key) {
                rename(value, rest, from, to);
            }
        }
        (value @ Value::Object(_), Some((PathSegment::TypeCondition(types), rest))) => {
            let name = value.as_object().and_then(typename);
            if name.is_some_and(|name| types.iter().any(|ty| ty == name)) {
                rename(value, rest, from, to);
            }
        }
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
