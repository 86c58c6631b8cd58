//! Entities of the data so far, as the representations an `_entities` selection is called with.

use std::collections::HashMap;

use fondaco_planner::query_plan::{
    ContextVariable, EntityFetch, PathSegment, Representation, RepresentationField,
};

use crate::place::{Place, object_above, typename, visit_objects};
use crate::value::{Object, Value};

/// The distinct representations of one `_entities` selection.
#[derive(Debug)]
pub struct Representations {
    /// Index of the selection in the plan's fetch.
    pub(crate) selection: usize,
    /// Response key of the selection in this request.
    pub(crate) response_key: String,
    /// Variable that carries the list in this request.
    pub(crate) variable: String,
    /// Values taken from contexts, in the order of the plan's variables: for all entities of the list the same.
    pub(crate) contexts: Vec<Context>,
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

/// An object with a null key: there is nothing to look up, so what the selection would have brought is null.
#[derive(Debug)]
pub(crate) struct Keyless {
    /// Index of the selection in the plan's fetch.
    pub(crate) selection: usize,
    pub(crate) place: Place,
}

/// Why an object has no representation.
enum Lack {
    /// A key is null.
    Key,
    /// A value was not brought, because a fetch failed.
    Value,
}

/// A variable filled from a context.
#[derive(Debug)]
pub(crate) struct Context {
    /// Its name in the plan.
    pub(crate) planned: String,
    /// Its name in this request.
    pub(crate) variable: String,
    /// Its value, as JSON text.
    pub(crate) json: Vec<u8>,
}

impl Representations {
    /// Collects the entities at the paths of `fetch`, the selection with index `selection`. Objects without a key are left
    /// out; those whose key is null are added to `keyless`. One list, or for a selection with contexts one for each
    /// combination of their values.
    pub(crate) fn collect(
        selection: usize,
        fetch: &EntityFetch,
        data: &Value<'_>,
        keyless: &mut Vec<Keyless>,
    ) -> Vec<Self> {
        let mut groups = Groups::new(selection, fetch);
        let mut scratch = Vec::new();
        for path in &fetch.paths {
            visit_objects(data, path, &mut Place::new(), &mut |place, object| {
                let Some(representation) = applicable(fetch, object) else {
                    return;
                };
                scratch.clear();
                match write_representation(representation, object, &mut scratch) {
                    Ok(()) => {
                        let contexts = context_values(fetch, path, data, place);
                        groups.add(contexts, &scratch, representation, place);
                    }
                    Err(Lack::Key) => keyless.push(Keyless {
                        selection,
                        place: place.clone(),
                    }),
                    Err(Lack::Value) => {}
                }
            });
        }
        groups.finish()
    }

    /// An empty list, number `group` of its selection.
    fn new(selection: usize, fetch: &EntityFetch, group: usize, contexts: Vec<Vec<u8>>) -> Self {
        let named = |name: &str| match group {
            0 => name.to_owned(),
            group => format!("{name}_{group}"),
        };
        let context = |(variable, json): (&ContextVariable, Vec<u8>)| Context {
            planned: variable.variable.to_string(),
            variable: named(&variable.variable),
            json,
        };
        Self {
            selection,
            response_key: named(&fetch.response_key),
            variable: named(&fetch.variable),
            contexts: fetch.contexts.iter().zip(contexts).map(context).collect(),
            json: vec![b'['],
            entities: Vec::new(),
        }
    }

    /// An empty list.
    pub fn none(selection: usize, fetch: &EntityFetch) -> Self {
        let mut list = Self::new(selection, fetch, 0, Vec::new());
        list.json.push(b']');
        list
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

/// Lists by the values of their contexts.
struct Groups<'f> {
    selection: usize,
    fetch: &'f EntityFetch,
    by_contexts: HashMap<Vec<Vec<u8>>, usize>,
    lists: Vec<(Representations, HashMap<Vec<u8>, usize>)>,
}

impl<'f> Groups<'f> {
    fn new(selection: usize, fetch: &'f EntityFetch) -> Self {
        Self {
            selection,
            fetch,
            by_contexts: HashMap::new(),
            lists: Vec::new(),
        }
    }

    fn add(&mut self, contexts: Vec<Vec<u8>>, json: &[u8], representation: &Representation, place: &Place) {
        let group = match self.by_contexts.get(&contexts) {
            Some(group) => *group,
            None => {
                let group = self.lists.len();
                self.by_contexts.insert(contexts.clone(), group);
                let list = Representations::new(self.selection, self.fetch, group, contexts);
                self.lists.push((list, HashMap::new()));
                group
            }
        };
        let (list, known) = &mut self.lists[group];
        list.add(known, json, representation, place);
    }

    fn finish(self) -> Vec<Representations> {
        if self.lists.is_empty() {
            return vec![Representations::none(self.selection, self.fetch)];
        }
        let closed = |(mut list, _): (Representations, _)| {
            list.json.push(b']');
            list
        };
        self.lists.into_iter().map(closed).collect()
    }
}

/// Values of the variables of `fetch` for the entity at `place`.
fn context_values(
    fetch: &EntityFetch,
    path: &[PathSegment],
    data: &Value<'_>,
    place: &Place,
) -> Vec<Vec<u8>> {
    let value = |context: &ContextVariable| {
        let above = &path[..context.depth.min(path.len())];
        let keys = above
            .iter()
            .filter(|segment| matches!(segment, PathSegment::Key(_)));
        let mut json = Vec::new();
        match object_above(data, place, keys.count()) {
            Some(object) => write_context(&context.fields, object, &mut json),
            None => json.extend_from_slice(b"null"),
        }
        json
    };
    fetch.contexts.iter().map(value).collect()
}

fn write_context(fields: &[RepresentationField], object: &Object<'_>, out: &mut Vec<u8>) {
    let field = fields
        .iter()
        .find(|field| applies(field, object) && field.name != "__typename");
    let value = field.and_then(|field| Some((field, object.get(&field.response_key)?)));
    match value {
        Some((field, value)) => write_context_value(field, value, out),
        None => out.extend_from_slice(b"null"),
    }
}

fn write_context_value(field: &RepresentationField, value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Object(object) if !field.fields.is_empty() => write_context(&field.fields, object, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_context_value(field, item, out);
            }
            out.push(b']');
        }
        value => value.write(out),
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

/// Where it fails, what was written is of no use.
fn write_representation(
    representation: &Representation,
    object: &Object<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Lack> {
    out.extend_from_slice(b"{\"__typename\":");
    Value::String(&representation.typename).write(out);
    write_fields(&representation.fields, object, true, out)?;
    out.push(b'}');
    Ok(())
}

fn write_fields(
    fields: &[RepresentationField],
    object: &Object<'_>,
    mut separate: bool,
    out: &mut Vec<u8>,
) -> Result<(), Lack> {
    for field in fields.iter().filter(|field| applies(field, object)) {
        let value = object.get(&field.response_key).ok_or(Lack::Value)?;
        if std::mem::replace(&mut separate, true) {
            out.push(b',');
        }
        Value::String(&field.name).write(out);
        out.push(b':');
        write_value(field, value, out)?;
    }
    Ok(())
}

fn applies(field: &RepresentationField, object: &Object<'_>) -> bool {
    field.on_types.is_empty()
        || typename(object).is_some_and(|name| field.on_types.iter().any(|ty| ty == name))
}

fn write_value(field: &RepresentationField, value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), Lack> {
    match value {
        Value::Null if field.is_key => return Err(Lack::Key),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(field, item, out)?;
            }
            out.push(b']');
        }
        Value::Object(object) if !field.fields.is_empty() => {
            out.push(b'{');
            write_fields(&field.fields, object, false, out)?;
            out.push(b'}');
        }
        value => value.write(out),
    }
    Ok(())
}
