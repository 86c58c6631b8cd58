//! Random data for a world: values every subgraph that resolves a field may return, with nulls and errors where nothing
//! else depends on them.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Value as Json, json};

use crate::data::Datum;
use crate::layout::{Layout, layouts};
use crate::validity::{candidates, resolving};
use crate::world::{Field, Kind, Object, Pick, TypeRef, World};

const INSTANCES: usize = 3;

/// Gives every object its instances.
pub fn fill(world: &mut World, rng: &mut Rng) {
    let layouts = layouts(world);
    let filled: Vec<_> = world
        .objects
        .iter()
        .map(|object| instances(world, &layouts, object, rng))
        .collect();
    for (object, instances) in world.objects.iter_mut().zip(filled) {
        object.instances = instances;
    }
}

fn instances(
    world: &World,
    layouts: &[Layout],
    object: &Object,
    rng: &mut Rng,
) -> Vec<BTreeMap<String, Datum>> {
    let count = if object.kind == Kind::Root { 1 } else { INSTANCES };
    let ghosts = object.kind == Kind::Entity && !object.fields[0].ty.is_non_null();
    let depended = depended_on(world, object);
    (0..count)
        .map(|index| {
            // An entity with null keys is null in everything: nothing of it can be looked up.
            let ghost = ghosts && index == 0;
            let own = object.fields.iter().map(|field| (object.name.as_str(), field));
            let added = world
                .added_to(&object.name)
                .map(|(interface, field)| (interface.name.as_str(), field));
            own.chain(added)
                .map(|(_, field)| {
                    let value = match key_value(object, field, index) {
                        _ if ghost => Datum::Leaf(Json::Null),
                        Some(key) => key,
                        None => {
                            let subs = resolving(world, layouts, &object.name, &field.name);
                            let mut maker = Maker {
                                world,
                                candidates: candidates(world, layouts, field, &subs),
                                rng,
                                safe: depended.contains(&field.name),
                                errors: if object.kind == Kind::Root { 1 } else { 3 },
                                nulls: if object.kind == Kind::Root { 4 } else { 10 },
                            };
                            if field.places.values().any(|place| place.strict) {
                                maker.strict(&field.ty)
                            } else {
                                maker.value(&field.ty)
                            }
                        }
                    };
                    (field.name.clone(), value)
                })
                .collect()
        })
        .collect()
}

/// Fields named by a field set anywhere; errors in them would change more than themselves.
fn depended_on(world: &World, object: &Object) -> Vec<String> {
    fn collect(world: &World, parent: &str, picks: &[Pick], wanted: &str, out: &mut Vec<String>) {
        for pick in picks {
            let parent = pick.on.as_deref().unwrap_or(parent);
            if parent == wanted {
                out.push(pick.field.clone());
            }
            if let Some(field) = world.object(parent).and_then(|object| object.field(&pick.field)) {
                collect(world, &field.ty.name, &pick.below, wanted, out);
            }
        }
    }
    let mut out = Vec::new();
    for owner in &world.objects {
        for field in &owner.fields {
            for place in field.places.values() {
                collect(world, &owner.name, &place.requires, &object.name, &mut out);
                collect(world, &field.ty.name, &place.provides, &object.name, &mut out);
            }
        }
    }
    out
}

fn key_value(object: &Object, field: &Field, index: usize) -> Option<Datum> {
    let leaf = |value: Json| Some(Datum::Leaf(value));
    match (object.kind, field.name.as_str()) {
        (Kind::Entity, "id") => leaf(json!(format!("{}-{index}", object.name))),
        (Kind::Entity, "sku") => leaf(json!(format!("sku {index} of {}", object.name))),
        (Kind::Entity, "ka") => leaf(json!(index / 2)),
        (Kind::Entity, "kb") => leaf(json!(format!("b{}", index % 2))),
        (Kind::Entity, "nk") => Some(Datum::Ref(field.ty.name.clone(), index)),
        (Kind::Value, "k") => leaf(json!(format!("k{index}"))),
        _ => None,
    }
}

struct Maker<'m> {
    world: &'m World,
    candidates: Vec<String>,
    rng: &'m mut Rng,
    safe: bool,
    /// Percentages.
    errors: u8,
    nulls: u8,
}

impl Maker<'_> {
    fn strict(&mut self, ty: &TypeRef) -> Datum {
        self.safe = true;
        self.value(&ty.strict())
    }

    fn value(&mut self, ty: &TypeRef) -> Datum {
        if !self.safe && self.rng.u8(..100) < self.errors {
            return Datum::Error("failed".to_owned());
        }
        if !ty.is_non_null() && self.rng.u8(..100) < self.nulls {
            return Datum::Leaf(Json::Null);
        }
        if ty.lists.is_empty() {
            return self.named(&ty.name);
        }
        let item = TypeRef {
            lists: ty.lists[1..].to_vec(),
            ..ty.clone()
        };
        // The plain servers fail a list for an item that cannot be resolved, so errors in lists lie below objects.
        self.errors = 0;
        let length = [0, 1, 2, 2, 3][self.rng.usize(..5)];
        Datum::List((0..length).map(|_| self.value(&item)).collect())
    }

    fn named(&mut self, name: &str) -> Datum {
        if self.world.is_composite(name) {
            return match self.candidates.is_empty() {
                true => Datum::Leaf(Json::Null),
                false => {
                    let target = self.candidates[self.rng.usize(..self.candidates.len())].clone();
                    Datum::Ref(target, self.rng.usize(..INSTANCES))
                }
            };
        }
        let rng = &mut *self.rng;
        Datum::Leaf(match name {
            "Int" => json!([0, 1, -7, i32::MAX, i32::MIN][rng.usize(..5)]),
            "Float" => json!([0.5, -1.25, 1e10, 3.0][rng.usize(..4)]),
            "Boolean" => json!(rng.bool()),
            "String" => json!(["s", "", "quote \" and \\", "é\n😀", "other"][rng.usize(..5)]),
            "ID" => json!(format!("x{}", rng.u8(..9))),
            "Json" => {
                [json!({"a": [1, {"b": null}]}), json!([]), json!("t"), json!(12.5)][rng.usize(..4)].clone()
            }
            _ => self
                .world
                .enums
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, values)| json!(values[rng.usize(..values.len())]))
                .unwrap_or_default(),
        })
    }
}
