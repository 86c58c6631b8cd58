//! Entities of the data so far, as the representations an `_entities` selection is called with.

use std::collections::HashMap;

use fondaco_planner::query_plan::{EntityFetch, Representation, RepresentationField};

use crate::place::{Place, typename, visit_objects};
use crate::value::{Object, Value};

/// The distinct representations of one `_entities` selection.
#[derive(Debug)]
pub struct Representations {
    /// JSON text of the list.
    pub(crate) json: Vec<u8>,
    /// For every representation, where its entity belongs and as what it was asked for.
    pub(crate) entities: Vec<RequestedEntity>,
}

/// What a representation stands for.
#[derive(Debug)]
pub struct RequestedEntity {
    /// `__typename` sent.
    pub(crate) typename: String,
    /// Every place whose object has this representation.
    pub(crate) places: Vec<Place>,
}

impl Representations {
    /// Collects the entities at the paths of `fetch`. Objects without a key are left out.
    pub fn collect(fetch: &EntityFetch, data: &Value<'_>) -> Self {
        let mut list = Self {
            json: vec![b'['],
            entities: Vec::new(),
        };
        let mut known = HashMap::new();
        let mut scratch = Vec::new();
        for path in &fetch.paths {
            visit_objects(data, path, &mut Place::new(), &mut |place, object| {
                let Some(representation) = applicable(fetch, object) else {
                    return;
                };
                scratch.clear();
                if write_representation(representation, object, &mut scratch) {
                    list.add(&mut known, &scratch, representation, place);
                }
            });
        }
        list.json.push(b']');
        list
    }

    /// An empty list.
    pub fn none() -> Self {
        Self {
            json: b"[]".to_vec(),
            entities: Vec::new(),
        }
    }

    /// True where nothing is to be asked for.
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty()
    }

    fn add(
        &mut self,
        known: &mut HashMap<Vec<u8>, usize>,
        json: &[u8],
        representation: &Representation,
        place: &Place,
    ) {
        if let Some(&index) = known.get(json) {
            self.entities[index].places.push(place.clone());
            return;
        }
        known.insert(json.to_vec(), self.entities.len());
        if !self.entities.is_empty() {
            self.json.push(b',');
        }
        self.json.extend_from_slice(json);
        let typename = representation.typename.to_string();
        self.entities.push(RequestedEntity {
            typename,
            places: vec![place.clone()],
        });
    }
}

/// The representation for an object's type.
fn applicable<'f>(fetch: &'f EntityFetch, object: &Object<'_>) -> Option<&'f Representation> {
    let name = typename(object);
    fetch
        .representations
        .iter()
        .find(|it| it.on_types.is_empty() || name.is_some_and(|name| it.on_types.iter().any(|ty| ty == name)))
}

/// False where a value is missing; what was written is then of no use.
fn write_representation(representation: &Representation, object: &Object<'_>, out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(b"{\"__typename\":");
    Value::String(&representation.typename).write(out);
    write_fields(&representation.fields, object, true, out) && {
        out.push(b'}');
        true
    }
}

fn write_fields(
    fields: &[RepresentationField],
    object: &Object<'_>,
    mut separate: bool,
    out: &mut Vec<u8>,
) -> bool {
    for field in fields.iter().filter(|field| applies(field, object)) {
        let Some(value) = object.get(&field.response_key) else {
            return false;
        };
        if std::mem::replace(&mut separate, true) {
            out.push(b',');
        }
        Value::String(&field.name).write(out);
        out.push(b':');
        if !write_value(field, value, out) {
            return false;
        }
    }
    true
}

fn applies(field: &RepresentationField, object: &Object<'_>) -> bool {
    field.on_types.is_empty()
        || typename(object).is_some_and(|name| field.on_types.iter().any(|ty| ty == name))
}

fn write_value(field: &RepresentationField, value: &Value<'_>, out: &mut Vec<u8>) -> bool {
    match value {
        Value::Null if field.is_key => false,
        Value::Array(items) => write_list(field, items, out),
        Value::Object(object) if !field.fields.is_empty() => {
            out.push(b'{');
            let complete = write_fields(&field.fields, object, false, out);
            out.push(b'}');
            complete
        }
        value => {
            value.write(out);
            true
        }
    }
}

fn write_list(field: &RepresentationField, items: &[Value<'_>], out: &mut Vec<u8>) -> bool {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        if !write_value(field, item, out) {
            return false;
        }
    }
    out.push(b']');
    true
}
