//! Asks the oracle, and brings its answer to what the specification says; see [`crate::oracle`] for why.

use std::fmt::Write as _;

use apollo_compiler::ast::{Type, Value};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::executable::{DirectiveList, Field, Operation, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Name, Node, Schema};
use serde_json::{Map, Value as Json, json};

use crate::oracle::{ALIVE, MARKER};

/// The answer to an operation.
pub async fn answer(
    dynamic: &async_graphql::dynamic::Schema,
    schema: &Valid<Schema>,
    operation: &str,
    variables: &Json,
) -> Result<Json, String> {
    let document = ExecutableDocument::parse_and_validate(schema, operation, "operation.graphql")
        .map_err(|error| error.errors.to_string())?;
    let operation = document
        .operations
        .get(None)
        .map_err(|error| error.message().to_string())?;
    let request = Request {
        schema,
        document: &document,
        operation,
        variables,
    };
    let text = request.text();
    let sent = async_graphql::Request::new(text.clone())
        .variables(async_graphql::Variables::from_json(variables.clone()));
    let response = dynamic.execute(sent).await;
    if let Some(error) = response.errors.first() {
        return Err(format!("{}\n{text}", error.message));
    }
    let data = response.data.into_json().map_err(|error| error.to_string())?;
    let mut completion = Completion {
        request,
        errors: Vec::new(),
        path: Vec::new(),
    };
    let root = operation.object_type().clone();
    let data = completion
        .object(&root, &[(&operation.selection_set, &data)])
        .unwrap_or_default();
    Ok(json!({ "data": data, "errors": completion.errors }))
}

struct Request<'r> {
    schema: &'r Valid<Schema>,
    document: &'r ExecutableDocument,
    operation: &'r Operation,
    variables: &'r Json,
}

impl<'r> Request<'r> {
    /// The operation as the oracle understands it: without named fragments and fragments on unions, every object with
    /// [`ALIVE`].
    fn text(&self) -> String {
        let mut out = self.operation.operation_type.to_string();
        if !self.operation.variables.is_empty() {
            let variables = self.operation.variables.iter().map(ToString::to_string);
            let _ = write!(out, "({})", variables.collect::<Vec<_>>().join(", "));
        }
        let _ = write!(out, " {{ {ALIVE}");
        self.write(&self.operation.selection_set, &mut out);
        out + "}"
    }

    fn write(&self, set: &SelectionSet, out: &mut String) {
        for selection in set
            .selections
            .iter()
            .filter(|it| self.is_included(it.directives()))
        {
            match selection {
                Selection::Field(field) => self.write_field(field, out),
                Selection::InlineFragment(fragment) => {
                    self.write_fragment(&set.ty, &fragment.selection_set, out)
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &self.document.fragments[&spread.fragment_name];
                    self.write_fragment(&set.ty, &fragment.selection_set, out);
                }
            }
        }
    }

    fn write_field(&self, field: &Node<Field>, out: &mut String) {
        let _ = write!(out, " {}: {}", alias(field), field.name);
        let sent = field
            .arguments
            .iter()
            .filter(|argument| self.is_sent(&argument.value));
        let arguments: Vec<_> = sent
            .map(|argument| format!("{}: {}", argument.name, argument.value))
            .collect();
        if !arguments.is_empty() {
            let _ = write!(out, "({})", arguments.join(", "));
        }
        if field.selection_set.is_empty() {
            return;
        }
        *out += " {";
        for object in self.union_members(&field.selection_set.ty) {
            let _ = write!(out, " ... on {object} {{ {ALIVE} }}");
        }
        self.write(&field.selection_set, out);
        *out += " }";
    }

    /// A variable without value and default stands for an argument that is not there.
    fn is_sent(&self, value: &Value) -> bool {
        let Value::Variable(name) = value else { return true };
        let definition = self
            .operation
            .variables
            .iter()
            .find(|variable| variable.name == *name);
        self.variables.get(name.as_str()).is_some() || definition.is_some_and(|it| it.default_value.is_some())
    }

    fn write_fragment(&self, parent: &Name, set: &SelectionSet, out: &mut String) {
        for object in self.union_members(&set.ty) {
            if self.overlap(parent, &object) {
                let _ = write!(out, " ... on {object} {{ {ALIVE}");
                let mut narrowed = set.clone();
                narrowed.ty = object;
                self.write(&narrowed, out);
                *out += " }";
            }
        }
    }

    fn union_members(&self, ty: &Name) -> Vec<Name> {
        match self.schema.types.get(ty) {
            Some(ExtendedType::Union(union_)) => {
                union_.members.iter().map(|member| member.name.clone()).collect()
            }
            _ => vec![ty.clone()],
        }
    }

    fn overlap(&self, one: &Name, other: &Name) -> bool {
        let objects = self.schema.types.values().filter_map(ExtendedType::as_object);
        objects
            .into_iter()
            .any(|object| self.is_a(&object.name, one) && self.is_a(&object.name, other))
    }

    fn is_a(&self, object: &Name, ty: &Name) -> bool {
        object == ty || self.schema.is_subtype(ty, object)
    }

    /// <https://spec.graphql.org/September2025/#CollectFields()>
    fn collect<'v>(
        &self,
        object: &Name,
        set: &'r SelectionSet,
        value: &'v Json,
        fields: &mut Collected<'r, 'v>,
    ) {
        for selection in &set.selections {
            if !self.is_included(selection.directives()) {
                continue;
            }
            match selection {
                Selection::Field(field) => {
                    fields
                        .entry(field.response_key())
                        .or_default()
                        .push((field, value));
                }
                Selection::InlineFragment(fragment) => {
                    if fragment
                        .type_condition
                        .as_ref()
                        .is_none_or(|on| self.is_a(object, on))
                    {
                        self.collect(object, &fragment.selection_set, value, fields);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &self.document.fragments[&spread.fragment_name];
                    if self.is_a(object, &fragment.selection_set.ty) {
                        self.collect(object, &fragment.selection_set, value, fields);
                    }
                }
            }
        }
    }

    fn is_included(&self, directives: &DirectiveList) -> bool {
        let condition = |directive| {
            let argument = directives.get(directive)?.specified_argument_by_name("if")?;
            match &**argument {
                Value::Variable(name) => {
                    let sent = self.variables.get(name.as_str()).and_then(Json::as_bool);
                    let definition = self
                        .operation
                        .variables
                        .iter()
                        .find(|variable| variable.name == *name)?;
                    sent.or_else(|| definition.default_value.as_ref()?.to_bool())
                }
                value => value.to_bool(),
            }
        };
        condition("skip") != Some(true) && condition("include") != Some(false)
    }
}

/// Every occurrence of a field has a key of its own, so that the oracle merges nothing.
fn alias(field: &Node<Field>) -> String {
    format!("f{:x}", std::ptr::from_ref::<Field>(field).addr())
}

/// Occurrences of each response key, with the object each was asked on.
type Collected<'r, 'v> = IndexMap<&'r Name, Vec<(&'r Node<Field>, &'v Json)>>;

/// Selection sets merged at a place, each with its own answer.
type Part<'r, 'v> = (&'r SelectionSet, &'v Json);

struct Completion<'r> {
    request: Request<'r>,
    errors: Vec<Json>,
    path: Vec<Json>,
}

/// Null, or an error, where neither may be.
struct Nulled;

impl<'r> Completion<'r> {
    fn object(&mut self, object: &Name, parts: &[Part<'r, '_>]) -> Result<Json, Nulled> {
        let mut fields = IndexMap::default();
        for (set, value) in parts {
            self.request.collect(object, set, value, &mut fields);
        }
        let mut out = Map::new();
        for (key, occurrences) in fields {
            let completed = match occurrences[0].0.name.as_str() {
                "__typename" => json!(object.as_str()),
                name => {
                    let schema = self.request.schema;
                    let definition = schema.type_field(object, name).map_err(|_| Nulled)?;
                    let parts: Vec<_> = occurrences
                        .iter()
                        .map(|(field, parent)| {
                            (
                                &field.selection_set,
                                parent.get(alias(field)).unwrap_or(&Json::Null),
                            )
                        })
                        .collect();
                    self.path.push(json!(key.as_str()));
                    let completed = self.value(&definition.ty, &parts);
                    self.path.pop();
                    completed?
                }
            };
            out.insert(key.to_string(), completed);
        }
        Ok(Json::Object(out))
    }

    fn value(&mut self, ty: &Type, parts: &[Part<'r, '_>]) -> Result<Json, Nulled> {
        match (self.inner(ty, parts), ty.is_non_null()) {
            (Ok(Json::Null), true) => {
                self.fail("null where it may not be");
                Err(Nulled)
            }
            (Err(Nulled), false) => Ok(Json::Null),
            (completed, _) => completed,
        }
    }

    fn inner(&mut self, ty: &Type, parts: &[Part<'r, '_>]) -> Result<Json, Nulled> {
        let first = parts[0].1;
        match marker(first, 0).as_deref() {
            Some("null") => return Ok(Json::Null),
            Some(_) => {
                self.fail("failed");
                return Err(Nulled);
            }
            None => {}
        }
        match (ty, first) {
            (Type::List(item) | Type::NonNullList(item), Json::Array(items)) => {
                let mut out = Vec::new();
                for index in 0..items.len() {
                    let parts: Vec<_> = parts
                        .iter()
                        .filter_map(|(set, value)| Some((*set, value.get(index)?)))
                        .collect();
                    self.path.push(json!(index));
                    let completed = self.value(item, &parts);
                    self.path.pop();
                    out.push(completed?);
                }
                Ok(Json::Array(out))
            }
            (_, Json::Object(map)) if map.contains_key(ALIVE) => {
                let name = map[ALIVE]
                    .as_str()
                    .and_then(|name| Name::new(name).ok())
                    .ok_or(Nulled)?;
                self.object(&name, parts)
            }
            _ => Ok(first.clone()),
        }
    }

    fn fail(&mut self, message: &str) {
        self.errors.push(json!({ "message": message, "path": self.path }));
    }
}

/// What a value stands for, if it is a marker for this level: as many lists around it as it has signs.
fn marker(value: &Json, lists: usize) -> Option<String> {
    match value {
        Json::Array(items) => match items.as_slice() {
            [only] => marker(only, lists + 1),
            _ => None,
        },
        Json::Object(map) => {
            let text = map.get(MARKER).or_else(|| map.get(ALIVE))?.as_str()?;
            let kind = text.trim_end_matches('^');
            let is_marker = map.contains_key(MARKER) || kind == "null" || kind == "error";
            (is_marker && text.len() - kind.len() == lists).then(|| kind.to_owned())
        }
        _ => None,
    }
}
