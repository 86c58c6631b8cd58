//! The part of the API schema that a caller may use, which is all that introspection then shows.
//!
//! It stays a valid schema: an interface loses a field as soon as one visible type that implements it has lost it, types without
//! fields go, and so does what nothing refers to any more. Types of arguments stay, since arguments are not guarded.

use std::collections::HashSet;

use apollo_compiler::schema::{ExtendedType, FieldDefinition};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Schema};
use fondaco_supergraph::{Requirement, Requirements};

/// The schema without what lies behind gates that are shut.
pub fn visible_schema(
    api: &Schema,
    requirements: &Requirements,
    is_shut: &dyn Fn(&Requirement) -> bool,
) -> Valid<Schema> {
    let mut schema = api.clone();
    let shut = |requirement: Option<&Requirement>| requirement.is_some_and(is_shut);
    let hidden = api.types.keys().filter(|name| shut(requirements.of_type(name)));
    let mut hidden: HashSet<Name> = hidden.cloned().collect();
    retain_fields(&mut schema, |parent, field| {
        !shut(requirements.of_field(parent, &field.name))
    });
    while shrink(&mut schema, &mut hidden) {}
    drop_hidden_members(&mut schema, &hidden);
    drop_unreachable(&mut schema);
    Valid::assume_valid(schema)
}

/// Drops fields that cannot be read any more, and notes types of which nothing is left. True where something changed.
fn shrink(schema: &mut Schema, hidden: &mut HashSet<Name>) -> bool {
    let missing = fields_missing_below(schema, hidden);
    let dropped = retain_fields(schema, |parent, field| {
        !hidden.contains(field.ty.inner_named_type())
            && !missing.contains(&(parent.clone(), field.name.clone()))
    });
    let known = hidden.len();
    let roots: Vec<&Name> = schema
        .schema_definition
        .iter_root_operations()
        .map(|(_, name)| &name.name)
        .collect();
    for (name, definition) in &schema.types {
        let empty = match definition {
            ExtendedType::Object(object) => object.fields.is_empty() && !roots.contains(&name),
            ExtendedType::Interface(interface) => interface.fields.is_empty(),
            ExtendedType::Union(union) => union.members.iter().all(|member| hidden.contains(&member.name)),
            _ => false,
        };
        if empty {
            hidden.insert(name.clone());
        }
    }
    dropped || hidden.len() > known
}

/// Interface fields that a visible implementation no longer has, by interface.
fn fields_missing_below(schema: &Schema, hidden: &HashSet<Name>) -> HashSet<(Name, Name)> {
    let mut missing = HashSet::new();
    for (name, definition) in schema.types.iter().filter(|(name, _)| !hidden.contains(*name)) {
        let (interfaces, fields) = match definition {
            ExtendedType::Object(object) => (&object.implements_interfaces, &object.fields),
            ExtendedType::Interface(interface) => (&interface.implements_interfaces, &interface.fields),
            _ => continue,
        };
        for interface in interfaces.iter().filter(|interface| interface.name != *name) {
            let Some(above) = schema.get_interface(&interface.name) else {
                continue;
            };
            let lost = above.fields.keys().filter(|field| !fields.contains_key(*field));
            missing.extend(lost.map(|field| (interface.name.clone(), field.clone())));
        }
    }
    missing
}

/// Keeps the output fields for which `keep` holds. True where one went.
fn retain_fields(schema: &mut Schema, mut keep: impl FnMut(&Name, &FieldDefinition) -> bool) -> bool {
    let mut dropped = false;
    for (name, definition) in &mut schema.types {
        if definition.is_built_in() {
            continue;
        }
        let fields = match definition {
            ExtendedType::Object(object) => &mut object.make_mut().fields,
            ExtendedType::Interface(interface) => &mut interface.make_mut().fields,
            _ => continue,
        };
        let before = fields.len();
        fields.retain(|_, field| keep(name, field));
        dropped |= fields.len() < before;
    }
    dropped
}

/// Takes hidden types out of unions and lists of interfaces.
fn drop_hidden_members(schema: &mut Schema, hidden: &HashSet<Name>) {
    for definition in schema.types.values_mut() {
        match definition {
            ExtendedType::Object(object) => {
                let object = object.make_mut();
                object
                    .implements_interfaces
                    .retain(|name| !hidden.contains(&name.name));
            }
            ExtendedType::Interface(interface) => {
                let interface = interface.make_mut();
                interface
                    .implements_interfaces
                    .retain(|name| !hidden.contains(&name.name));
            }
            ExtendedType::Union(union) => union
                .make_mut()
                .members
                .retain(|name| !hidden.contains(&name.name)),
            _ => {}
        }
    }
    // Scalars and enums may still be used by arguments; whether they are shows below.
    let is_output_only = |definition: &ExtendedType| {
        matches!(
            definition,
            ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_)
        )
    };
    schema
        .types
        .retain(|name, definition| !(hidden.contains(name) && is_output_only(definition)));
    let schema_definition = schema.schema_definition.make_mut();
    let has_fields = |name: &Name| matches!(schema.types.get(name), Some(ExtendedType::Object(object)) if !object.fields.is_empty());
    for root in [
        &mut schema_definition.mutation,
        &mut schema_definition.subscription,
    ] {
        if root.as_ref().is_some_and(|name| !has_fields(&name.name)) {
            *root = None;
        }
    }
}

/// Keeps what can be reached from the roots, and what every schema has.
fn drop_unreachable(schema: &mut Schema) {
    let mut open: Vec<Name> = schema
        .schema_definition
        .iter_root_operations()
        .map(|(_, name)| name.name.clone())
        .collect();
    let arguments = schema
        .directive_definitions
        .values()
        .flat_map(|one| &one.arguments);
    open.extend(arguments.map(|argument| argument.ty.inner_named_type().clone()));
    let mut reached = HashSet::new();
    while let Some(name) = open.pop() {
        if reached.insert(name.clone()) {
            open.extend(referred_to(schema, &name));
        }
    }
    schema
        .types
        .retain(|name, definition| definition.is_built_in() || reached.contains(name));
}

fn referred_to(schema: &Schema, name: &Name) -> Vec<Name> {
    let of_fields = |fields: &mut dyn Iterator<Item = &FieldDefinition>| -> Vec<Name> {
        let types = |field: &FieldDefinition| {
            let arguments = field
                .arguments
                .iter()
                .map(|argument| argument.ty.inner_named_type());
            arguments
                .chain([field.ty.inner_named_type()])
                .cloned()
                .collect::<Vec<_>>()
        };
        fields.flat_map(types).collect()
    };
    match schema.types.get(name) {
        Some(ExtendedType::Object(object)) => {
            let interfaces = object.implements_interfaces.iter().map(|one| one.name.clone());
            let fields = of_fields(&mut object.fields.values().map(|field| &***field));
            interfaces.chain(fields).collect()
        }
        Some(ExtendedType::Interface(interface)) => {
            let interfaces = interface.implements_interfaces.iter().map(|one| one.name.clone());
            let fields = of_fields(&mut interface.fields.values().map(|field| &***field));
            let implementations = schema.types.iter().filter(|(_, one)| implements(one, name));
            interfaces
                .chain(fields)
                .chain(implementations.map(|(name, _)| name.clone()))
                .collect()
        }
        Some(ExtendedType::Union(union)) => union.members.iter().map(|one| one.name.clone()).collect(),
        Some(ExtendedType::InputObject(input)) => input
            .fields
            .values()
            .map(|field| field.ty.inner_named_type().clone())
            .collect(),
        _ => Vec::new(),
    }
}

fn implements(definition: &ExtendedType, interface: &Name) -> bool {
    match definition {
        ExtendedType::Object(object) => object.implements_interfaces.contains(interface),
        ExtendedType::Interface(other) => other.implements_interfaces.contains(interface),
        _ => false,
    }
}
