//! What each subgraph's schema contains, derived from the decisions of a [`World`].

use std::collections::{BTreeMap, BTreeSet};

use crate::world::{Field, Key, Kind, Pick, Sub, TypeRef, World};

/// How a subgraph has a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// `@external`: named by a field set, or asked for by an interface.
    External,
    /// It answers.
    Resolved,
}

/// The schema of one subgraph.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// Object types with their fields, by index in the whole type.
    pub objects: BTreeMap<String, BTreeMap<usize, Role>>,
    /// Interfaces with their fields and the types that implement them here.
    pub interfaces: BTreeMap<String, (Vec<String>, Vec<String>)>,
    /// Unions with their members here.
    pub unions: BTreeMap<String, Vec<String>>,
    /// Interfaces that are objects here.
    pub interface_objects: BTreeSet<String>,
    /// Enums, scalars and inputs.
    pub others: BTreeSet<String>,
}

/// The layouts of all subgraphs.
pub fn layouts(world: &World) -> Vec<Layout> {
    (0..world.subgraphs).map(|sub| layout(world, sub)).collect()
}

/// Keys of an entity in a subgraph that has it.
pub fn keys_in(world: &World, object: &str, sub: Sub) -> Vec<Key> {
    let Some(object) = world.object(object).filter(|object| object.kind == Kind::Entity) else {
        return Vec::new();
    };
    match object.keys.get(&sub) {
        Some(keys) if !keys.is_empty() => keys.clone(),
        _ => vec![Key {
            fields: vec![Pick::leaf(&object.fields[0].name)],
            resolvable: false,
        }],
    }
}

/// Whether another subgraph takes the field over from `sub` for good.
pub fn is_overridden(field: &Field, sub: Sub) -> bool {
    field.places.values().any(|place| {
        place
            .overrides
            .as_ref()
            .is_some_and(|(from, label)| *from == sub && label.is_none())
    })
}

fn layout(world: &World, sub: Sub) -> Layout {
    let mut deriving = Deriving {
        world,
        sub,
        layout: Layout::default(),
    };
    for interface in &world.interfaces {
        if interface
            .object
            .is_some_and(|(whole, part)| whole == sub || part == sub)
        {
            deriving.need(&interface.name);
        }
    }
    for object in &world.objects {
        for (index, field) in object.fields.iter().enumerate() {
            if field.places.contains_key(&sub) {
                deriving.need(&object.name);
                deriving.field(&object.name, index, Role::Resolved);
            }
        }
        if object.keys.contains_key(&sub) {
            deriving.need(&object.name);
        }
    }
    for object in &world.objects {
        for field in &object.fields {
            if let Some(place) = field.places.get(&sub) {
                deriving.picks(&object.name, &place.requires);
                deriving.picks(&field.ty.name, &place.provides);
            }
        }
    }
    for interface in &world.interfaces {
        for field in &interface.added {
            if let Some(place) = field.places.get(&sub) {
                deriving.types_of(field);
                deriving.picks(&field.ty.name, &place.provides);
            }
        }
    }
    deriving.interface_fields();
    deriving.layout
}

struct Deriving<'w> {
    world: &'w World,
    sub: Sub,
    layout: Layout,
}

impl Deriving<'_> {
    /// Makes a type present.
    fn need(&mut self, name: &str) {
        let world = self.world;
        if let Some(object) = world.object(name) {
            if self.layout.objects.contains_key(name) {
                return;
            }
            self.layout.objects.insert(name.to_owned(), BTreeMap::new());
            if object.kind == Kind::Value {
                (0..object.fields.len()).for_each(|index| self.field(name, index, Role::Resolved));
            }
            for key in keys_in(world, name, self.sub) {
                self.key(name, &key.fields);
            }
        } else if let Some(interface) = world.interface(name) {
            if interface.object.is_some_and(|(_, part)| part == self.sub) {
                self.layout.interface_objects.insert(name.to_owned());
                return;
            }
            if self.layout.interfaces.contains_key(name) {
                return;
            }
            let (fields, implementers) = match interface.places.get(&self.sub) {
                Some(place) => (place.fields.clone(), place.implementers.clone()),
                None => (interface.fields.clone(), interface.implementers.clone()),
            };
            self.layout
                .interfaces
                .insert(name.to_owned(), (fields, implementers.clone()));
            implementers.iter().for_each(|name| self.need(name));
        } else if let Some(union_) = world.union_(name) {
            if !self.layout.unions.contains_key(name) {
                let members = union_.places.get(&self.sub).unwrap_or(&union_.members).clone();
                self.layout.unions.insert(name.to_owned(), members.clone());
                members.iter().for_each(|name| self.need(name));
            }
        } else {
            self.input(name);
        }
    }

    fn input(&mut self, name: &str) {
        if !self.layout.others.insert(name.to_owned()) {
            return;
        }
        if let Some((_, fields)) = self.world.inputs.iter().find(|(input, _)| input == name) {
            fields
                .iter()
                .for_each(|(_, ty): &(String, TypeRef)| self.input(&ty.name));
        }
    }

    fn field(&mut self, object: &str, index: usize, role: Role) {
        let fields = self.layout.objects.entry(object.to_owned()).or_default();
        let known = fields.entry(index).or_insert(role);
        *known = (*known).max(role);
        if let Some(object) = self.world.object(object) {
            self.types_of(&object.fields[index]);
        }
    }

    fn types_of(&mut self, field: &Field) {
        self.need(&field.ty.name);
        for argument in &field.arguments {
            self.input(&argument.ty.name);
        }
    }

    fn key(&mut self, object: &str, picks: &[Pick]) {
        for pick in picks {
            self.pick(object, pick, Role::Resolved);
            if let Some(field) = self
                .world
                .object(object)
                .and_then(|object| object.field(&pick.field))
            {
                self.key(&field.ty.name, &pick.below);
            }
        }
    }

    /// Fields of `@requires` or `@provides`.
    fn picks(&mut self, parent: &str, picks: &[Pick]) {
        for pick in picks {
            let parent = pick.on.as_deref().unwrap_or(parent);
            self.need(parent);
            self.pick(parent, pick, Role::External);
            if let Some(field) = self
                .world
                .object(parent)
                .and_then(|object| object.field(&pick.field))
            {
                self.picks(&field.ty.name, &pick.below);
            }
        }
    }

    fn pick(&mut self, object: &str, pick: &Pick, role: Role) {
        let index = self
            .world
            .object(object)
            .and_then(|object| object.fields.iter().position(|field| field.name == pick.field));
        if let Some(index) = index {
            self.field(object, index, role);
        }
    }

    /// Implementers have the fields of their interfaces, if only as external ones.
    fn interface_fields(&mut self) {
        let interfaces: Vec<_> = self.layout.interfaces.values().cloned().collect();
        for (fields, implementers) in interfaces {
            for implementer in implementers {
                for field in &fields {
                    self.pick(&implementer, &Pick::leaf(field), Role::External);
                }
            }
        }
    }
}
