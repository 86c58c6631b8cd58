//! A federated graph before it is text: one schema, who of the subgraphs has which part of it, and the data.
//!
//! Only decisions are stored. What follows from them (key fields, `@external` copies, types that must be present
//! because something returns them) is derived by [`crate::layout`], so that a decision can be taken back alone.

use std::collections::BTreeMap;

use crate::data::Datum;

/// Index of a subgraph.
pub type Sub = u8;

/// The whole graph.
#[derive(Debug, Clone)]
pub struct World {
    /// Number of subgraphs.
    pub subgraphs: Sub,
    /// `Query` first, then `Mutation` if there is one, entities and value types.
    pub objects: Vec<Object>,
    /// Interfaces.
    pub interfaces: Vec<Interface>,
    /// Unions.
    pub unions: Vec<Union>,
    /// Enums: name and values.
    pub enums: Vec<(String, Vec<String>)>,
    /// Custom scalars.
    pub scalars: Vec<String>,
    /// Input objects: name and fields with their types.
    pub inputs: Vec<(String, Vec<(String, TypeRef)>)>,
    /// Labels of progressive overrides that are active.
    pub active_labels: Vec<String>,
}

/// An object type.
#[derive(Debug, Clone)]
pub struct Object {
    /// Name.
    pub name: String,
    /// What kind it is.
    pub kind: Kind,
    /// Fields of the whole schema, key fields included.
    pub fields: Vec<Field>,
    /// Keys by subgraph. An entity present elsewhere has its first field as a key that is not resolvable.
    pub keys: BTreeMap<Sub, Vec<Key>>,
    /// Values of the fields, for each instance.
    pub instances: Vec<BTreeMap<String, Datum>>,
}

/// What an object type is to federation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `Query` or `Mutation`.
    Root,
    /// Has keys.
    Entity,
    /// Has none: every subgraph that has the type has all of it.
    Value,
}

/// A field of an object type.
#[derive(Debug, Clone)]
pub struct Field {
    /// Name.
    pub name: String,
    /// Type in the whole schema.
    pub ty: TypeRef,
    /// Arguments: name, type, default.
    pub arguments: Vec<Argument>,
    /// Subgraphs that resolve it. Empty for value types and for fields that are only part of keys.
    pub places: BTreeMap<Sub, Place>,
    /// Hidden from clients.
    pub inaccessible: bool,
}

/// An argument of a field.
#[derive(Debug, Clone)]
pub struct Argument {
    /// Name.
    pub name: String,
    /// Type.
    pub ty: TypeRef,
    /// Default value as GraphQL text.
    pub default: Option<String>,
}

/// A field in a subgraph that resolves it.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// `@requires`.
    pub requires: Vec<Pick>,
    /// `@provides`.
    pub provides: Vec<Pick>,
    /// `@override`: from which subgraph, with which label.
    pub overrides: Option<(Sub, Option<String>)>,
    /// Non-null here although nullable in the whole schema.
    pub strict: bool,
}

/// An element of a field set.
#[derive(Debug, Clone, PartialEq)]
pub struct Pick {
    /// Type condition it stands in.
    pub on: Option<String>,
    /// Field name.
    pub field: String,
    /// Arguments as GraphQL text, with parentheses.
    pub arguments: String,
    /// Below.
    pub below: Vec<Pick>,
}

/// A key in a subgraph.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Its fields.
    pub fields: Vec<Pick>,
    /// Whether `_entities` takes it.
    pub resolvable: bool,
}

/// A type: the named type, and what is around it from the outside in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeRef {
    /// Innermost type.
    pub name: String,
    /// Nullability of the value itself.
    pub non_null: bool,
    /// Lists around it, the outermost first: whether each is non-null.
    pub lists: Vec<bool>,
}

/// An interface.
#[derive(Debug, Clone)]
pub struct Interface {
    /// Name.
    pub name: String,
    /// Names of its fields, which every implementer has.
    pub fields: Vec<String>,
    /// Object types that implement it.
    pub implementers: Vec<String>,
    /// How subgraphs have it, where not whole.
    pub places: BTreeMap<Sub, InterfacePlace>,
    /// Fields that its interface objects add to every implementer.
    pub added: Vec<Field>,
    /// Subgraph that has it as an interface with a key, and the subgraph with the interface object.
    pub object: Option<(Sub, Sub)>,
}

/// An interface in one subgraph.
#[derive(Debug, Clone)]
pub struct InterfacePlace {
    /// Fields it has there.
    pub fields: Vec<String>,
    /// Types that implement it there.
    pub implementers: Vec<String>,
}

/// A union.
#[derive(Debug, Clone)]
pub struct Union {
    /// Name.
    pub name: String,
    /// Members in the whole schema.
    pub members: Vec<String>,
    /// Members in subgraphs that do not have all.
    pub places: BTreeMap<Sub, Vec<String>>,
}

impl World {
    /// The object type of that name.
    pub fn object(&self, name: &str) -> Option<&Object> {
        self.objects.iter().find(|object| object.name == name)
    }

    /// The object type of that name, to change it.
    pub fn object_mut(&mut self, name: &str) -> Option<&mut Object> {
        self.objects.iter_mut().find(|object| object.name == name)
    }

    /// The interface of that name.
    pub fn interface(&self, name: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.name == name)
    }

    /// The union of that name.
    pub fn union_(&self, name: &str) -> Option<&Union> {
        self.unions.iter().find(|union_| union_.name == name)
    }

    /// Object types a value of this composite type can have.
    pub fn possible<'w>(&'w self, name: &'w str) -> Vec<&'w str> {
        if let Some(interface) = self.interface(name) {
            return interface.implementers.iter().map(String::as_str).collect();
        }
        if let Some(union_) = self.union_(name) {
            return union_.members.iter().map(String::as_str).collect();
        }
        self.object(name)
            .map(|object| object.name.as_str())
            .into_iter()
            .collect()
    }

    /// Whether the type has fields or members.
    pub fn is_composite(&self, name: &str) -> bool {
        self.object(name).is_some() || self.interface(name).is_some() || self.union_(name).is_some()
    }

    /// Fields that interface objects add to this object type.
    pub fn added_to<'w>(&'w self, object: &'w str) -> impl Iterator<Item = (&'w Interface, &'w Field)> {
        self.interfaces
            .iter()
            .filter(move |interface| interface.implementers.iter().any(|name| name == object))
            .flat_map(|interface| interface.added.iter().map(move |field| (interface, field)))
    }
}

impl Object {
    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The field of that name, to change it.
    pub fn field_mut(&mut self, name: &str) -> Option<&mut Field> {
        self.fields.iter_mut().find(|field| field.name == name)
    }
}

impl Pick {
    /// A field without anything below.
    pub fn leaf(field: &str) -> Pick {
        Pick {
            on: None,
            field: field.to_owned(),
            arguments: String::new(),
            below: Vec::new(),
        }
    }
}

impl TypeRef {
    /// A nullable named type.
    pub fn nullable(name: &str) -> TypeRef {
        TypeRef {
            name: name.to_owned(),
            non_null: false,
            lists: Vec::new(),
        }
    }

    /// A non-null named type.
    pub fn required(name: &str) -> TypeRef {
        TypeRef {
            non_null: true,
            ..TypeRef::nullable(name)
        }
    }

    /// Whether null is refused for the whole value.
    pub fn is_non_null(&self) -> bool {
        *self.lists.first().unwrap_or(&self.non_null)
    }

    /// The same type, non-null at the outside.
    pub fn strict(&self) -> TypeRef {
        let mut ty = self.clone();
        match ty.lists.first_mut() {
            Some(outer) => *outer = true,
            None => ty.non_null = true,
        }
        ty
    }
}

impl std::fmt::Display for TypeRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for _ in &self.lists {
            f.write_str("[")?;
        }
        f.write_str(&self.name)?;
        if self.non_null {
            f.write_str("!")?;
        }
        for non_null in self.lists.iter().rev() {
            f.write_str(if *non_null { "]!" } else { "]" })?;
        }
        Ok(())
    }
}

/// A field set as GraphQL text.
pub fn field_set(picks: &[Pick]) -> String {
    let pick = |pick: &Pick| {
        let mut text = format!("{}{}", pick.field, pick.arguments);
        if !pick.below.is_empty() {
            text += &format!(" {{ {} }}", field_set(&pick.below));
        }
        match &pick.on {
            Some(on) => format!("... on {on} {{ {text} }}"),
            None => text,
        }
    };
    picks.iter().map(pick).collect::<Vec<_>>().join(" ")
}
