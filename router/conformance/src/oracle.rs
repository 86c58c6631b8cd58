//! async-graphql's dynamic schema as the one plain server.
//!
//! It deviates from the specification in ways that are known and undone, so that what is left is comparable:
//!
//! 1. A fragment on a union does not apply to its members: such fragments are spread over the members before.
//! 2. A field that fails is left out, null or not; a failing list item fails its list; a null object in a list is
//!    resolved all the same; nulls do not propagate. So resolvers never fail and never give null: they give markers,
//!    which `oracle_answer` turns into nulls and errors and propagates as the specification says.
//! 3. Repeated fields are resolved again, and lists of lists of them are not merged; an object without any field is
//!    null. So every occurrence has its own alias, and `oracle_answer` merges them by the specification's field collection.
//! 4. Of variables that were not sent, defaults do not count in `@skip` and `@include`, and arguments count as null
//!    instead of absent. Both are decided before.

use std::sync::Arc;

use apollo_compiler::ast::Type;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Schema};
use async_graphql::dynamic::{
    Enum, Field, FieldFuture, FieldValue, InputObject, InputValue, Interface, InterfaceField, Object,
    ResolverContext, Scalar, TypeRef, Union,
};
use serde_json::{Map, Value as Json, json};

use crate::data::{Data, Datum, with_arguments};

/// Key of a marker that stands for a leaf.
pub const MARKER: &str = "$marker";

/// Field every object has: its type, or a marker.
pub const ALIVE: &str = "alive__";

/// An object of the data: its type and index. An index beyond the end stands for null or an error.
#[derive(Clone)]
struct Reference {
    ty: String,
    index: usize,
}

/// Indexes so near the end stand for null and errors in lists of lists.
const MOST_MARKERS: usize = 100;

/// The dynamic schema of the whole.
pub fn schema(schema: &Valid<Schema>, data: Arc<Data>) -> Result<async_graphql::dynamic::Schema, String> {
    let mutation = schema
        .schema_definition
        .mutation
        .as_ref()
        .map(|name| name.as_str());
    let mut builder = async_graphql::dynamic::Schema::build("Query", mutation, None)
        .validation_mode(async_graphql::ValidationMode::Fast);
    for (name, ty) in schema.types.iter().filter(|(_, ty)| !ty.is_built_in()) {
        builder = match ty {
            ExtendedType::Object(object) => {
                let mut out = Object::new(name.as_str()).field(alive(name));
                for interface in &object.implements_interfaces {
                    out = out.implement(interface.name.as_str());
                }
                for (field, definition) in &object.fields {
                    out = out.field(resolved(name, field, definition, schema, &data));
                }
                builder.register(out)
            }
            ExtendedType::Interface(interface) => {
                let mut out = Interface::new(name.as_str());
                out = out.field(InterfaceField::new(ALIVE, TypeRef::named("Leaf__")));
                for (field, definition) in &interface.fields {
                    let mut field = InterfaceField::new(field.as_str(), output(&definition.ty, schema));
                    for argument in &definition.arguments {
                        field = field.argument(input(argument));
                    }
                    out = out.field(field);
                }
                builder.register(out)
            }
            ExtendedType::Union(union_) => {
                let out = union_
                    .members
                    .iter()
                    .fold(Union::new(name.as_str()), |out, member| {
                        out.possible_type(member.name.as_str())
                    });
                builder.register(out)
            }
            ExtendedType::Enum(enum_) => {
                let values = enum_.values.keys().map(|value| value.as_str());
                builder.register(values.fold(Enum::new(name.as_str()), Enum::item))
            }
            ExtendedType::Scalar(_) => builder.register(Scalar::new(name.as_str())),
            ExtendedType::InputObject(definition) => {
                let fields = definition.fields.values();
                builder.register(fields.fold(InputObject::new(name.as_str()), |out, field| {
                    out.field(input(field))
                }))
            }
        };
    }
    builder
        .register(Scalar::new("Leaf__"))
        .finish()
        .map_err(|error| error.to_string())
}

fn alive(parent: &Name) -> Field {
    let parent = parent.to_string();
    Field::new(
        ALIVE,
        TypeRef::named("Leaf__"),
        move |context: ResolverContext| {
            let at = context.parent_value.downcast_ref::<Reference>();
            let missing = at.map_or(usize::MAX, |at| usize::MAX - at.index);
            let text = match missing < MOST_MARKERS {
                true => format!("{}{}", ["null", "error"][missing % 2], "^".repeat(missing / 2)),
                false => at.map_or_else(|| parent.clone(), |at| at.ty.clone()),
            };
            FieldFuture::Value(Some(FieldValue::value(text)))
        },
    )
}

/// Leaves become a scalar that takes any value, so that markers pass; coercion is [`complete`]'s.
fn output(ty: &Type, schema: &Schema) -> TypeRef {
    match ty {
        Type::Named(name) | Type::NonNullNamed(name) => match schema.types.get(name) {
            Some(ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_)) => {
                TypeRef::named(name.as_str())
            }
            _ => TypeRef::named("Leaf__"),
        },
        Type::List(item) | Type::NonNullList(item) => TypeRef::List(Box::new(output(item, schema))),
    }
}

fn input(definition: &apollo_compiler::ast::InputValueDefinition) -> InputValue {
    fn reference(ty: &Type) -> TypeRef {
        match ty {
            Type::Named(name) => TypeRef::named(name.as_str()),
            Type::NonNullNamed(name) => TypeRef::named_nn(name.as_str()),
            Type::List(item) => TypeRef::List(Box::new(reference(item))),
            Type::NonNullList(item) => TypeRef::NonNull(Box::new(TypeRef::List(Box::new(reference(item))))),
        }
    }
    let value = InputValue::new(definition.name.as_str(), reference(&definition.ty));
    match &definition.default_value {
        Some(default) => {
            let constant = crate::constant::constant(default);
            value.default_value(async_graphql::Value::from_json(constant).unwrap_or_default())
        }
        None => value,
    }
}

fn resolved(
    parent: &Name,
    name: &Name,
    definition: &apollo_compiler::ast::FieldDefinition,
    schema: &Schema,
    data: &Arc<Data>,
) -> Field {
    let (data, parent, key) = (data.clone(), parent.to_string(), name.to_string());
    let ty = definition.ty.clone();
    let inner = schema.types.get(definition.ty.inner_named_type());
    let is_abstract = inner.is_some_and(|ty| ty.is_interface() || ty.is_union());
    let is_leaf = inner.is_none_or(|ty| !ty.is_object() && !ty.is_interface() && !ty.is_union());
    let types = data.keys().cloned().collect::<Vec<_>>();
    let stand_in = possible(schema, definition.ty.inner_named_type(), &types);
    let mut field = Field::new(
        name.as_str(),
        output(&definition.ty, schema),
        move |context: ResolverContext| {
            let arguments: Map<_, _> = context
                .args
                .iter()
                .map(|(name, value)| {
                    (
                        name.to_string(),
                        value.as_value().clone().into_json().unwrap_or_default(),
                    )
                })
                .collect();
            let at = context.parent_value.downcast_ref::<Reference>();
            let (ty_name, index) = at.map_or((parent.clone(), 0), |at| (at.ty.clone(), at.index));
            let datum = data
                .get(&ty_name)
                .and_then(|all| all.get(index))
                .and_then(|one| one.get(&key));
            let datum = datum.map(|datum| with_arguments(datum, &Json::Object(arguments)));
            let shape = Shape {
                is_leaf,
                is_abstract,
                stand_in: &stand_in,
            };
            FieldFuture::Value(Some(shape.value(&datum.unwrap_or(Datum::Leaf(Json::Null)), &ty)))
        },
    );
    for argument in &definition.arguments {
        field = field.argument(input(argument));
    }
    field
}

/// Some object type that a value of the type can have: what stands for null.
fn possible(schema: &Schema, name: &Name, types: &[String]) -> String {
    let fits = |object: &&String| {
        object.as_str() == name.as_str()
            || Name::new(object).is_ok_and(|object| schema.is_subtype(name, &object))
    };
    types.iter().find(fits).cloned().unwrap_or_default()
}

struct Shape<'s> {
    is_leaf: bool,
    is_abstract: bool,
    stand_in: &'s str,
}

impl Shape<'_> {
    /// A value or a marker, in as many lists as the type has.
    fn value(&self, datum: &Datum, ty: &Type) -> FieldValue<'static> {
        match (datum, ty) {
            (Datum::List(items), Type::List(item) | Type::NonNullList(item)) => {
                FieldValue::list(items.iter().map(|datum| self.value(datum, item)))
            }
            (Datum::Ref(name, index), _) => self.object(name, *index),
            (Datum::Leaf(Json::Null), _) => self.marker("null", ty),
            (Datum::Error(_), _) => self.marker("error", ty),
            (Datum::Leaf(json), _) => {
                FieldValue::value(async_graphql::Value::from_json(json.clone()).unwrap_or_default())
            }
            (Datum::List(_), _) => self.marker("error", ty),
        }
    }

    fn object(&self, ty: &str, index: usize) -> FieldValue<'static> {
        let value = FieldValue::owned_any(Reference {
            ty: ty.to_owned(),
            index,
        });
        if self.is_abstract {
            value.with_type(ty.to_owned())
        } else {
            value
        }
    }

    /// Lists cannot be told from null lists, so a marker stands in a list of one with an item that cannot be.
    fn marker(&self, text: &str, ty: &Type) -> FieldValue<'static> {
        match ty {
            Type::List(item) | Type::NonNullList(item) => {
                FieldValue::list([self.marker(&format!("{text}^"), item)])
            }
            _ if self.is_leaf => {
                let marker = json!({ MARKER: text });
                FieldValue::value(async_graphql::Value::from_json(marker).unwrap_or_default())
            }
            _ => {
                let levels = text.matches('^').count() * 2 + usize::from(text.starts_with("error"));
                self.object(self.stand_in, usize::MAX - levels)
            }
        }
    }
}
