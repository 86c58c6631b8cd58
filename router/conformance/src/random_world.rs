//! Random worlds: a plain schema, split so that everything is reached by one key, then made difficult step by step.
//! A step that would make the graph invalid is taken back.

use std::collections::BTreeMap;

use fastrand::Rng;

use crate::random_data::fill;
use crate::random_split::{STEPS, step};
use crate::validity::is_valid;
use crate::world::{Argument, Field, Interface, Key, Kind, Object, Pick, Place, Sub, TypeRef, Union, World};

/// Makes a world from a seed.
pub fn random_world(seed: u64) -> World {
    let mut rng = Rng::with_seed(seed);
    let mut world = plain(&mut rng);
    for _ in 0..rng.usize(..STEPS) {
        let mut changed = world.clone();
        step(&mut changed, &mut rng);
        fill(&mut changed, &mut Rng::with_seed(seed));
        if is_valid(&changed) {
            world = changed;
        }
    }
    fill(&mut world, &mut rng);
    world
}

/// The schema, each field in one subgraph, every entity with its first key everywhere it is.
fn plain(rng: &mut Rng) -> World {
    loop {
        let mut writer = Writer {
            world: World {
                subgraphs: 2 + rng.u8(..5),
                objects: Vec::new(),
                interfaces: Vec::new(),
                unions: Vec::new(),
                enums: Vec::new(),
                scalars: Vec::new(),
                inputs: Vec::new(),
                active_labels: Vec::new(),
            },
            rng,
        };
        writer.write();
        let mut world = writer.world;
        fill(&mut world, rng);
        if is_valid(&world) {
            return world;
        }
    }
}

struct Writer<'r> {
    world: World,
    rng: &'r mut Rng,
}

impl Writer<'_> {
    fn write(&mut self) {
        self.leaf_types();
        let entities: Vec<_> = (0..1 + self.rng.usize(..4))
            .map(|index| format!("E{index}"))
            .collect();
        let values: Vec<_> = (0..self.rng.usize(..3))
            .map(|index| format!("V{index}"))
            .collect();
        self.root("Query");
        if self.rng.u8(..4) == 0 {
            self.root("Mutation");
        }
        for name in &values {
            self.value(name);
        }
        for name in &entities {
            self.entity(name);
        }
        for index in 0..self.rng.usize(..3) {
            self.interface(index, &entities, &values);
        }
        if entities.len() + values.len() > 1 && self.rng.u8(..5) < 3 {
            self.union_(&entities, &values);
        }
        let targets = self.targets(&entities, &values);
        for name in &entities {
            for index in 0..1 + self.rng.usize(..5) {
                let field = self.field(&format!("f{index}"), &targets);
                self.add(name, field);
            }
        }
        for name in &values {
            for index in 0..self.rng.usize(..3) {
                let mut field = self.field(&format!("g{index}"), &entities);
                field.places.clear();
                self.add(name, field);
            }
        }
        self.root_fields(&targets);
        for name in &entities {
            self.key_everywhere(name);
        }
    }

    fn leaf_types(&mut self) {
        if self.rng.bool() {
            let values = ["RED", "GREEN", "BLUE"].map(str::to_owned).to_vec();
            self.world.enums.push(("Color".to_owned(), values));
        }
        if self.rng.u8(..3) == 0 {
            self.world.scalars.push("Json".to_owned());
        }
        if self.rng.u8(..3) == 0 {
            let mut fields = vec![
                ("a".to_owned(), TypeRef::nullable("Int")),
                (
                    "b".to_owned(),
                    TypeRef {
                        lists: vec![false],
                        ..TypeRef::required("String")
                    },
                ),
                ("deep".to_owned(), TypeRef::nullable("Filter")),
            ];
            if !self.world.enums.is_empty() {
                fields.push(("color".to_owned(), TypeRef::nullable("Color")));
            }
            self.world.inputs.push(("Filter".to_owned(), fields));
        }
    }

    fn root(&mut self, name: &str) {
        self.object(name, Kind::Root, Vec::new());
    }

    fn object(&mut self, name: &str, kind: Kind, fields: Vec<Field>) {
        self.world.objects.push(Object {
            name: name.to_owned(),
            kind,
            fields,
            keys: BTreeMap::new(),
            instances: Vec::new(),
        });
    }

    fn add(&mut self, object: &str, field: Field) {
        if let Some(object) = self.world.object_mut(object) {
            let mut field = field;
            if object.kind == Kind::Entity && !object.fields[0].ty.is_non_null() {
                // An entity that may have null keys may be null in everything.
                match field.ty.lists.first_mut() {
                    Some(outer) => *outer = false,
                    None => field.ty.non_null = false,
                }
            }
            object.fields.push(field);
        }
    }

    fn value(&mut self, name: &str) {
        let mut fields: Vec<_> = (0..1 + self.rng.usize(..3))
            .map(|index| self.field(&format!("w{index}"), &[]))
            .collect();
        fields.iter_mut().for_each(|field| field.places.clear());
        self.object(name, Kind::Value, fields);
    }

    /// An entity with its key fields only: `id`, and maybe others of every form. Some have null keys.
    fn entity(&mut self, name: &str) {
        let ghosts = self.rng.u8(..8) == 0;
        let required = |ty: &str| {
            if ghosts {
                TypeRef::nullable(ty)
            } else {
                TypeRef::required(ty)
            }
        };
        let key = |name: &str, ty: TypeRef| Field {
            name: name.to_owned(),
            ty,
            arguments: Vec::new(),
            places: BTreeMap::new(),
            inaccessible: false,
        };
        let mut fields = vec![key("id", required("ID"))];
        if self.rng.bool() {
            fields.push(key("sku", required("String")));
        }
        if self.rng.u8(..3) == 0 {
            fields.push(key("ka", required("Int")));
            fields.push(key("kb", required("String")));
        }
        if self.rng.u8(..3) == 0 {
            let solid = |object: &&Object| object.kind == Kind::Entity && object.fields[0].ty.is_non_null();
            let other = self
                .world
                .objects
                .iter()
                .find(solid)
                .map(|object| object.name.clone());
            let nested = match other.filter(|_| self.rng.bool()) {
                Some(other) => other,
                None => {
                    let nested = format!("{name}Key");
                    self.object(&nested, Kind::Value, vec![key("k", TypeRef::required("String"))]);
                    nested
                }
            };
            fields.push(key("nk", required(&nested)));
        }
        self.object(name, Kind::Entity, fields);
    }

    fn interface(&mut self, index: usize, entities: &[String], values: &[String]) {
        let ghosts = |world: &World, name: &String| {
            world
                .object(name)
                .is_some_and(|object| object.kind == Kind::Entity && !object.fields[0].ty.is_non_null())
        };
        let mut implementers: Vec<_> = entities
            .iter()
            .filter(|name| !ghosts(&self.world, name))
            .cloned()
            .collect();
        let keyed = self.rng.bool();
        if !keyed {
            implementers.extend(values.iter().cloned());
        }
        while implementers.len() > 3 || implementers.len() > 1 && self.rng.u8(..4) == 0 {
            implementers.remove(self.rng.usize(..implementers.len()));
        }
        if implementers.is_empty() {
            return;
        }
        let mut fields: Vec<String> = keyed.then(|| "id".to_owned()).into_iter().collect();
        for number in 0..usize::from(!keyed) + self.rng.usize(..2) {
            let name = format!("i{index}_{number}");
            let ty = self.field(&name, &[]).ty;
            for implementer in &implementers {
                let mut field = self.field(&name, &[]);
                field.arguments.clear();
                field.ty = ty.clone();
                if values.contains(implementer) {
                    field.places.clear();
                }
                self.add(implementer, field);
            }
            fields.push(name);
        }
        self.world.interfaces.push(Interface {
            name: format!("I{index}"),
            fields,
            implementers,
            places: BTreeMap::new(),
            added: Vec::new(),
            object: None,
        });
    }

    fn union_(&mut self, entities: &[String], values: &[String]) {
        let mut members: Vec<_> = entities.iter().chain(values).cloned().collect();
        while members.len() > 4 || members.len() > 2 && self.rng.u8(..3) == 0 {
            members.remove(self.rng.usize(..members.len()));
        }
        self.world.unions.push(Union {
            name: "U".to_owned(),
            members,
            places: BTreeMap::new(),
        });
    }

    /// What entity and root fields may return.
    fn targets(&self, entities: &[String], values: &[String]) -> Vec<String> {
        let interfaces = self
            .world
            .interfaces
            .iter()
            .map(|interface| interface.name.clone());
        let unions = self.world.unions.iter().map(|union_| union_.name.clone());
        entities
            .iter()
            .chain(values)
            .cloned()
            .chain(interfaces)
            .chain(unions)
            .collect()
    }

    /// A random field in one random subgraph: a leaf, or one of the targets.
    fn field(&mut self, name: &str, targets: &[String]) -> Field {
        let composite = !targets.is_empty() && self.rng.u8(..100) < 55;
        let named = match composite {
            true => targets[self.rng.usize(..targets.len())].clone(),
            false => self.leaf(),
        };
        let mut ty = TypeRef::nullable(&named);
        ty.non_null = self.rng.u8(..3) == 0;
        for _ in 0..[0, 0, 0, 1, 1, 2][self.rng.usize(..6)] {
            ty.lists.push(self.rng.u8(..3) == 0);
        }
        let place = BTreeMap::from([(self.rng.u8(..self.world.subgraphs), Place::default())]);
        Field {
            name: name.to_owned(),
            arguments: match self.world.enums.iter().any(|(enum_, _)| *enum_ == ty.name) {
                // Fields tell their arguments in their text, which an enum cannot.
                true => Vec::new(),
                false => self.arguments(&ty),
            },
            ty,
            places: place,
            inaccessible: false,
        }
    }

    fn leaf(&mut self) -> String {
        let mut leaves: Vec<String> = ["String", "String", "Int", "Float", "Boolean", "ID"]
            .map(str::to_owned)
            .to_vec();
        leaves.extend(self.world.enums.iter().map(|(name, _)| name.clone()));
        leaves.extend(self.world.scalars.iter().cloned());
        leaves.swap_remove(self.rng.usize(..leaves.len()))
    }

    fn arguments(&mut self, ty: &TypeRef) -> Vec<Argument> {
        let mut out = Vec::new();
        if self.rng.u8(..4) > 0 {
            return out;
        }
        if !ty.lists.is_empty() {
            out.push(Argument {
                name: "first".to_owned(),
                ty: TypeRef::nullable("Int"),
                default: self.rng.bool().then(|| "2".to_owned()),
            });
        }
        let mut types = vec!["String".to_owned(), "Int".to_owned(), "Boolean".to_owned()];
        types.extend(self.world.enums.iter().map(|(name, _)| name.clone()));
        types.extend(self.world.inputs.iter().map(|(name, _)| name.clone()));
        let named = types.swap_remove(self.rng.usize(..types.len()));
        let mut argument = TypeRef::nullable(&named);
        argument.non_null = self.rng.u8(..4) == 0;
        if self.rng.u8(..5) == 0 {
            argument.lists.push(self.rng.bool());
        }
        out.push(Argument {
            name: "by".to_owned(),
            ty: argument,
            default: None,
        });
        out
    }

    fn root_fields(&mut self, targets: &[String]) {
        for root in ["Query", "Mutation"] {
            if self.world.object(root).is_none() {
                continue;
            }
            for index in 0..2 + self.rng.usize(..4) {
                let name = format!("{}{index}", &root[..1].to_lowercase());
                let mut field = self.field(&name, targets);
                while !self.world.is_composite(&field.ty.name) && self.rng.u8(..6) > 0 {
                    field = self.field(&name, targets);
                }
                self.add(root, field);
            }
        }
    }

    /// `id` is a key wherever the entity is: with places, and where others return it.
    fn key_everywhere(&mut self, name: &str) {
        let subgraphs = self.world.subgraphs;
        let Some(object) = self.world.object_mut(name) else {
            return;
        };
        let mut subs: Vec<Sub> = object
            .fields
            .iter()
            .flat_map(|field| field.places.keys().copied())
            .collect();
        subs.push(self.rng.u8(..subgraphs));
        let key = Key {
            fields: vec![Pick::leaf("id")],
            resolvable: true,
        };
        for sub in subs {
            object.keys.insert(sub, vec![key.clone()]);
        }
        // Other key fields live somewhere, as plain fields until they become keys.
        for field in &mut object.fields {
            let is_key_field = ["sku", "ka", "kb", "nk"].contains(&field.name.as_str());
            if is_key_field && field.places.is_empty() {
                let keyed: Vec<Sub> = object.keys.keys().copied().collect();
                let sub = keyed[self.rng.usize(..keyed.len())];
                field.places.insert(sub, Place::default());
            }
        }
    }
}
