//! Places in the response data: how an object found there is found again after other answers were merged.

use fondaco_planner::query_plan::PathSegment;
use smallvec::SmallVec;

use crate::response::PathElement;
use crate::value::{Object, Value};

/// Positions of entries and items from the root down to an object.
///
/// Merging only appends entries and items, so a place stays valid for the whole request.
pub(crate) type Place = SmallVec<[u32; 8]>;

/// Calls `visit` for every object that `path` leads to from `value`. Lists on the way are flattened.
pub(crate) fn visit_objects<'v, 'a>(
    value: &'v Value<'a>,
    path: &[PathSegment],
    place: &mut Place,
    visit: &mut impl FnMut(&Place, &'v Object<'a>),
) {
    match (value, path.split_first()) {
        (Value::Array(items), _) => {
            for (index, item) in items.iter().enumerate() {
                step(item, path, index, place, visit);
            }
        }
        (Value::Object(object), None) => visit(place, object),
        (Value::Object(object), Some((PathSegment::Key(key), rest))) => {
            if let Some(position) = object.position(key)
                && let Some((_, value)) = object.entry_at(position)
            {
                step(value, rest, position, place, visit);
            }
        }
        (Value::Object(object), Some((PathSegment::TypeCondition(types), rest)))
            if typename(object).is_some_and(|name| types.iter().any(|ty| ty == name)) =>
        {
            visit_objects(value, rest, place, visit);
        }
        _ => {}
    }
}

fn step<'v, 'a>(
    value: &'v Value<'a>,
    rest: &[PathSegment],
    position: usize,
    place: &mut Place,
    visit: &mut impl FnMut(&Place, &'v Object<'a>),
) {
    place.push(u32::try_from(position).expect("an answer has fewer than 2^32 values"));
    visit_objects(value, rest, place, visit);
    place.pop();
}

/// The places of all objects that `path` leads to.
pub(crate) fn places(data: &Value<'_>, path: &[PathSegment]) -> Vec<Place> {
    let mut places = Vec::new();
    visit_objects(data, path, &mut Place::new(), &mut |place, _| {
        places.push(place.clone())
    });
    places
}

/// The object above or at `place` that lies `keys` response keys below the root, and its item where that is a list.
pub(crate) fn object_above<'v, 'a>(
    data: &'v Value<'a>,
    place: &Place,
    keys: usize,
) -> Option<&'v Object<'a>> {
    let mut value = data;
    let mut keys_left = keys;
    for &position in place {
        let position = position as usize;
        value = match value {
            Value::Array(items) => items.get(position)?,
            Value::Object(object) if keys_left == 0 => return Some(object),
            Value::Object(object) => {
                keys_left -= 1;
                &object.entry_at(position)?.1
            }
            _ => return None,
        };
    }
    match value {
        Value::Object(object) if keys_left == 0 => Some(object),
        _ => None,
    }
}

/// Name of an object's type, where the answer told it.
pub(crate) fn typename<'a>(object: &Object<'a>) -> Option<&'a str> {
    object.get("__typename").and_then(Value::as_raw_str)
}

/// The value at a place, to change it.
pub(crate) fn value_at_mut<'v, 'a>(data: &'v mut Value<'a>, place: &Place) -> Option<&'v mut Value<'a>> {
    place.iter().try_fold(data, |value, &position| match value {
        Value::Array(items) => items.get_mut(position as usize),
        Value::Object(object) => object.value_at_mut(position as usize),
        _ => None,
    })
}

/// The response path of a place.
pub(crate) fn response_path(data: &Value<'_>, place: &Place) -> Vec<PathElement> {
    let mut path = Vec::with_capacity(place.len());
    let mut value = Some(data);
    for &position in place {
        let position = position as usize;
        value = match value {
            Some(Value::Array(items)) => {
                path.push(PathElement::Index(position));
                items.get(position)
            }
            Some(Value::Object(object)) => object.entry_at(position).map(|(key, value)| {
                path.push(PathElement::from(*key));
                value
            }),
            _ => None,
        };
    }
    path
}
