//! A plain GraphQL server over the data of a case: the whole schema, or one subgraph.
//!
//! A subgraph also watches how it is called. What a router must never ask for is noted as a violation: documents that
//! are not valid for its SDL, fields it does not resolve, representations without key or without required fields.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use apollo_compiler::ast::{self, Type};
use apollo_compiler::collections::HashMap;
use apollo_compiler::executable::{FieldSet, Selection, SelectionSet};
use apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::schema::{ExtendedType, Implementers};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Name, Schema};
use serde_json::{Map, Value as Json, json};

use crate::constant::constant_arguments;
use crate::data::{Data, Datum, with_arguments};
use crate::representation::is_complete;

const DIRECTIVES: &str = r#"
directive @link(url: String!, as: String, for: String, import: [String]) repeatable on SCHEMA
directive @key(fields: String!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
directive @shareable on OBJECT | FIELD_DEFINITION
directive @external on OBJECT | FIELD_DEFINITION
directive @requires(fields: String!) on FIELD_DEFINITION
directive @provides(fields: String!) on FIELD_DEFINITION
directive @override(from: String!, label: String) on FIELD_DEFINITION
directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCALAR | ARGUMENT_DEFINITION
directive @interfaceObject on OBJECT
scalar _Any
"#;

/// Fields by type and name.
pub type Coordinates = BTreeSet<(String, String)>;

/// A server.
pub struct Server {
    /// Name of the subgraph; empty for the whole.
    pub name: String,
    schema: Valid<Schema>,
    implementers: HashMap<Name, Implementers>,
    facts: BTreeMap<(String, String), Facts>,
    keys: BTreeMap<String, Vec<Valid<FieldSet>>>,
    interface_objects: BTreeSet<String>,
    violations: Mutex<Vec<String>>,
}

/// What federation directives say about a field.
#[derive(Default)]
struct Facts {
    external: bool,
    overridden: bool,
    requires: Option<Valid<FieldSet>>,
    provides: Option<Valid<FieldSet>>,
}

impl Server {
    /// The server of the whole schema.
    pub fn whole(sdl: &str) -> Result<Server, String> {
        let schema = Schema::parse_and_validate(sdl, "whole.graphql").map_err(|error| error.to_string())?;
        Ok(Server::new("", schema))
    }

    /// The server of a subgraph. `overridden` are fields that others have taken over.
    pub fn subgraph(name: &str, sdl: &str, overridden: &Coordinates) -> Result<Server, String> {
        let entities = Schema::builder()
            .adopt_orphan_extensions()
            .parse(sdl.to_owned() + DIRECTIVES, name)
            .build()
            .map_err(|error| error.to_string())?;
        let entities: Vec<_> = entities
            .types
            .values()
            .filter(|ty| ty.is_object() && ty.directives().has("key"))
            .map(|ty| ty.name().to_string())
            .collect();
        let machinery = match entities.is_empty() {
            true => "extend type Query { _service: String }".to_owned(),
            false => format!(
                "union _Entity = {}\nextend type Query {{ _entities(representations: [_Any!]!): [_Entity]! }}",
                entities.join(" | ")
            ),
        };
        let schema = Schema::builder()
            .adopt_orphan_extensions()
            .parse(format!("{sdl}{DIRECTIVES}{machinery}"), name)
            .build()
            .and_then(Schema::validate)
            .map_err(|error| error.to_string())?;
        let mut server = Server::new(name, schema);
        server.read_directives(overridden)?;
        Ok(server)
    }

    fn new(name: &str, schema: Valid<Schema>) -> Server {
        Server {
            name: name.to_owned(),
            implementers: schema.implementers_map(),
            schema,
            facts: BTreeMap::new(),
            keys: BTreeMap::new(),
            interface_objects: BTreeSet::new(),
            violations: Mutex::default(),
        }
    }

    fn read_directives(&mut self, overridden: &Coordinates) -> Result<(), String> {
        for (name, ty) in &self.schema.types {
            let fields = match ty {
                ExtendedType::Object(object) => &object.fields,
                ExtendedType::Interface(interface) => &interface.fields,
                _ => continue,
            };
            if ty.directives().has("interfaceObject") {
                self.interface_objects.insert(name.to_string());
            }
            for key in ty.directives().get_all("key") {
                let resolvable = key
                    .specified_argument_by_name("resolvable")
                    .and_then(|it| it.to_bool());
                if resolvable != Some(false) {
                    let set = self.field_set(name, key)?;
                    self.keys.entry(name.to_string()).or_default().push(set);
                }
            }
            for (field, definition) in fields {
                let set = |directive: &str, parent: &Name| {
                    let directive = definition.directives.get(directive);
                    directive
                        .map(|directive| self.field_set(parent, directive))
                        .transpose()
                };
                let coordinate = (name.to_string(), field.to_string());
                let facts = Facts {
                    external: definition.directives.has("external"),
                    overridden: overridden.contains(&coordinate),
                    requires: set("requires", name)?,
                    provides: set("provides", definition.ty.inner_named_type())?,
                };
                self.facts.insert(coordinate, facts);
            }
        }
        Ok(())
    }

    fn field_set(&self, parent: &Name, directive: &ast::Directive) -> Result<Valid<FieldSet>, String> {
        let text = directive
            .specified_argument_by_name("fields")
            .and_then(|value| value.as_str())
            .ok_or("a field set is not a string")?;
        FieldSet::parse_and_validate(&self.schema, parent.clone(), text, "field set")
            .map_err(|error| error.to_string())
    }

    /// The schema served.
    pub fn schema(&self) -> &Valid<Schema> {
        &self.schema
    }

    /// What the router has done wrong since the last call.
    pub fn take_violations(&self) -> Vec<String> {
        self.violations
            .lock()
            .map(|mut found| std::mem::take(&mut *found))
            .unwrap_or_default()
    }

    fn violation(&self, text: String) {
        if let Ok(mut violations) = self.violations.lock() {
            violations.push(format!("subgraph {}: {text}", self.name));
        }
    }

    /// Answers a request: `data` and `errors`.
    pub fn answer(&self, data: &Data, query: &str, variables: &Json) -> Json {
        let document = match ExecutableDocument::parse_and_validate(&self.schema, query, "query.graphql") {
            Ok(document) => document,
            Err(error) => {
                self.violation(format!("invalid document: {query}\n{}", error.errors));
                return json!({ "errors": [{ "message": "invalid document" }] });
            }
        };
        let variables = serde_json::from_value(variables.clone()).unwrap_or_default();
        let Ok(operation) = document.operations.get(None) else {
            return json!({ "errors": [{ "message": "no single operation" }] });
        };
        let root = Node {
            server: self,
            data,
            ty: operation.object_type().to_string(),
            shown: operation.object_type().to_string(),
            index: 0,
            provided: Vec::new(),
            representation: None,
        };
        let executed = Execution::new(&self.schema, &document)
            .implementers_map(&self.implementers)
            .raw_variable_values(&variables)
            .enable_schema_introspection(true)
            .execute_sync(&root);
        match executed {
            Ok(response) => {
                let mut answer = Map::new();
                if !response.errors.is_empty() {
                    answer.insert(
                        "errors".to_owned(),
                        serde_json::to_value(&response.errors).unwrap_or_default(),
                    );
                }
                answer.insert(
                    "data".to_owned(),
                    serde_json::to_value(&response.data).unwrap_or_default(),
                );
                Json::Object(answer)
            }
            Err(error) => {
                self.violation(format!("request refused: {}", error.message()));
                json!({ "errors": [{ "message": error.message().to_string() }] })
            }
        }
    }

    /// The entity a representation stands for.
    fn entity<'a>(&'a self, data: &'a Data, representation: &Json) -> Option<Node<'a>> {
        let typename = representation
            .get("__typename")
            .and_then(Json::as_str)
            .unwrap_or_default();
        let Some(keys) = self.keys.get(typename) else {
            self.violation(format!("`{typename}` has no resolvable key: {representation}"));
            return None;
        };
        let types: Vec<&String> = match self.interface_objects.contains(typename) {
            true => data.keys().collect(),
            false => data.keys().filter(|name| self.is_a(name, typename)).collect(),
        };
        let mut carries_key = false;
        for key in keys {
            if !is_complete(representation, &key.selection_set) {
                continue;
            }
            carries_key = true;
            for &ty in &types {
                let found = data[ty].iter().position(|instance| {
                    self.matches_all(data, representation, instance, &key.selection_set)
                        .is_ok()
                });
                if let Some(index) = found {
                    return Some(Node {
                        server: self,
                        data,
                        ty: ty.clone(),
                        shown: match self.schema.get_object(typename) {
                            Some(_) => typename.to_owned(),
                            None => ty.clone(),
                        },
                        index,
                        provided: Vec::new(),
                        representation: Some(representation.clone()),
                    });
                }
            }
        }
        let problem = if carries_key {
            "no entity has the key of"
        } else {
            "no key in"
        };
        self.violation(format!("{problem} {representation}"));
        None
    }

    fn is_a(&self, object: &str, ty: &str) -> bool {
        object == ty
            || self
                .implementers
                .get(ty)
                .is_some_and(|known| known.objects.iter().any(|name| name == object))
            || self
                .schema
                .get_union(ty)
                .is_some_and(|union_| union_.members.iter().any(|name| name.name == object))
    }

    /// Whether what a representation carries under a field set is what the data says.
    fn matches_all(
        &self,
        data: &Data,
        carried: &Json,
        instance: &BTreeMap<String, Datum>,
        set: &SelectionSet,
    ) -> Result<(), String> {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) if field.name == "__typename" => {}
                Selection::Field(field) => {
                    let Some(value) = carried.get(field.name.as_str()) else {
                        return Err(format!("`{}` is missing", field.name));
                    };
                    let datum = instance
                        .get(field.name.as_str())
                        .cloned()
                        .unwrap_or(Datum::Leaf(Json::Null));
                    let datum = with_arguments(&datum, &constant_arguments(field));
                    self.matches(data, value, &datum, &field.selection_set)
                        .map_err(|error| format!("`{}`: {error}", field.name))?;
                }
                Selection::InlineFragment(fragment) => {
                    self.matches_all(data, carried, instance, &fragment.selection_set)?;
                }
                Selection::FragmentSpread(_) => return Err("a fragment in a field set".to_owned()),
            }
        }
        Ok(())
    }

    fn matches(
        &self,
        data: &Data,
        carried: &Json,
        datum: &Datum,
        below: &SelectionSet,
    ) -> Result<(), String> {
        match (datum, carried) {
            (Datum::Leaf(expected), _) if expected == carried => Ok(()),
            (Datum::Error(_), Json::Null) => Ok(()),
            (Datum::List(items), Json::Array(found)) if items.len() == found.len() => {
                let mut pairs = items.iter().zip(found);
                pairs.try_for_each(|(item, found)| self.matches(data, found, item, below))
            }
            (Datum::Ref(ty, index), Json::Object(_)) => {
                let mut narrowed = below.clone();
                narrowed.selections.retain(|selection| match selection {
                    Selection::InlineFragment(fragment) => fragment
                        .type_condition
                        .as_ref()
                        .is_none_or(|on| self.is_a(ty, on)),
                    _ => true,
                });
                self.matches_all(data, carried, &data[ty][*index], &narrowed)
            }
            _ => Err(format!("carries {carried}, the data says {datum:?}")),
        }
    }
}

/// One object being answered.
struct Node<'a> {
    server: &'a Server,
    data: &'a Data,
    /// Type in the data.
    ty: String,
    /// Type in this schema: that of an interface object may differ.
    shown: String,
    index: usize,
    /// Field sets of `@provides` that hold here.
    provided: Vec<SelectionSet>,
    representation: Option<Json>,
}

impl ObjectValue for Node<'_> {
    fn type_name(&self) -> &str {
        &self.shown
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let name = info.field_name();
        let arguments = serde_json::to_value(info.arguments()).unwrap_or_default();
        if name == "_entities" {
            let list = arguments
                .get("representations")
                .and_then(Json::as_array)
                .cloned()
                .unwrap_or_default();
            let nodes = list
                .into_iter()
                .map(|representation| {
                    ResolvedValue::nullable_object(self.server.entity(self.data, &representation))
                })
                .collect::<Vec<_>>();
            return Ok(ResolvedValue::list(nodes));
        }
        let provided = self.check(name);
        let instance = self
            .data
            .get(&self.ty)
            .and_then(|instances| instances.get(self.index));
        let datum = instance.and_then(|instance| instance.get(name));
        let Some(datum) = datum else {
            return Ok(ResolvedValue::null());
        };
        let datum = with_arguments(datum, &arguments);
        self.value(&datum, &info.field_definition().ty, &provided)
    }
}

impl<'a> Node<'a> {
    /// Notes what may not be asked for here, and gives what is provided below the field.
    fn check(&self, field: &str) -> Vec<SelectionSet> {
        let server = self.server;
        let mut below: Vec<SelectionSet> = Vec::new();
        let mut is_provided = false;
        for set in &self.provided {
            is_provided |= self.find(set, field, &mut below);
        }
        let Some(facts) = server.facts.get(&(self.shown.clone(), field.to_owned())) else {
            return below;
        };
        if facts.overridden {
            server.violation(format!(
                "`{}.{field}` was taken over by another subgraph",
                self.shown
            ));
        }
        if facts.external && !is_provided {
            server.violation(format!("`{}.{field}` is external", self.shown));
        }
        if let (Some(requires), false) = (&facts.requires, is_provided) {
            self.check_required(field, &requires.selection_set);
        }
        below.extend(facts.provides.iter().map(|set| set.selection_set.clone()));
        below
    }

    fn check_required(&self, field: &str, requires: &SelectionSet) {
        let instance = &self.data[&self.ty][self.index];
        let problem = match &self.representation {
            None => Err("no representation".to_owned()),
            Some(carried) => self.server.matches_all(self.data, carried, instance, requires),
        };
        if let Err(problem) = problem {
            self.server
                .violation(format!("`{}.{field}` requires {requires}: {problem}", self.shown));
        }
    }

    fn find(&self, set: &SelectionSet, field: &str, below: &mut Vec<SelectionSet>) -> bool {
        let mut found = false;
        for selection in &set.selections {
            match selection {
                Selection::Field(known) if known.name == field => {
                    found = true;
                    if !known.selection_set.is_empty() {
                        below.push(known.selection_set.clone());
                    }
                }
                Selection::InlineFragment(fragment)
                    if fragment
                        .type_condition
                        .as_ref()
                        .is_none_or(|on| self.server.is_a(&self.shown, on)) =>
                {
                    found |= self.find(&fragment.selection_set, field, below);
                }
                _ => {}
            }
        }
        found
    }

    fn value(
        &self,
        datum: &Datum,
        ty: &Type,
        provided: &[SelectionSet],
    ) -> Result<ResolvedValue<'a>, FieldError> {
        match datum {
            Datum::Leaf(json) => Ok(ResolvedValue::leaf(
                serde_json::from_value::<apollo_compiler::response::JsonValue>(json.clone())
                    .unwrap_or_default(),
            )),
            Datum::Error(message) => Err(FieldError {
                message: message.clone(),
            }),
            Datum::List(items) => {
                let values: Vec<_> = items.iter().map(|item| self.value(item, ty, provided)).collect();
                Ok(ResolvedValue::List(Box::new(values.into_iter())))
            }
            Datum::Ref(name, index) => {
                let declared = ty.inner_named_type();
                let shown = match self.server.schema.get_object(declared) {
                    Some(_) => declared.to_string(),
                    None => name.clone(),
                };
                Ok(ResolvedValue::object(Node {
                    server: self.server,
                    data: self.data,
                    ty: name.clone(),
                    shown,
                    index: *index,
                    provided: provided.to_vec(),
                    representation: None,
                }))
            }
        }
    }
}
