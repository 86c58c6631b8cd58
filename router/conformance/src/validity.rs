//! Which [`World`]s are valid federated graphs: an independent, naive restatement of composition's rules for what the
//! generator makes. A world that passes and does not compose is a finding.

use std::collections::BTreeSet;

use crate::data::Datum;
use crate::layout::{Layout, Role, is_overridden, keys_in, layouts};
use crate::world::{Field, Interface, Key, Kind, Object, Pick, Place, Sub, TypeRef, World};

/// Whether the world is valid.
pub fn is_valid(world: &World) -> bool {
    if world.subgraphs == 0 || world.objects.iter().any(|object| object.fields.is_empty()) {
        return false;
    }
    let layouts = layouts(world);
    let check = Check {
        world,
        layouts: &layouts,
    };
    check.types_are_whole()
        && check.fields_are_resolved()
        && check.abstract_types_are_whole()
        && world
            .interfaces
            .iter()
            .all(|interface| check.interface_object(interface))
        && check
            .places()
            .all(|(object, field, sub, place)| check.place(object, field, sub, place))
        && check.entities_are_reached()
        && check.data_fits()
}

/// Object types that every subgraph resolving the field may return.
pub fn candidates(world: &World, layouts: &[Layout], field: &Field, subs: &[Sub]) -> Vec<String> {
    let name = &field.ty.name;
    let mut candidates: Vec<String> = world.possible(name).into_iter().map(str::to_owned).collect();
    for &sub in subs {
        let layout = &layouts[usize::from(sub)];
        let here = layout.interfaces.get(name).map(|(_, implementers)| implementers);
        if let Some(here) = here.or_else(|| layout.unions.get(name)) {
            candidates.retain(|candidate| here.contains(candidate));
        }
    }
    candidates
}

/// Subgraphs that define the field as their own, overridden ones included.
pub fn resolving(world: &World, layouts: &[Layout], object: &str, field: &str) -> Vec<Sub> {
    let index = world
        .object(object)
        .and_then(|object| object.fields.iter().position(|known| known.name == field));
    let Some(index) = index else {
        let added = world.added_to(object).find(|(_, added)| added.name == field);
        return added
            .map(|(_, field)| field.places.keys().copied().collect())
            .unwrap_or_default();
    };
    let resolved = |layout: &Layout| {
        layout.objects.get(object).and_then(|fields| fields.get(&index)) == Some(&Role::Resolved)
    };
    (0..world.subgraphs)
        .filter(|&sub| resolved(&layouts[usize::from(sub)]))
        .collect()
}

struct Check<'w> {
    world: &'w World,
    layouts: &'w [Layout],
}

impl<'w> Check<'w> {
    fn places(&self) -> impl Iterator<Item = (&'w Object, &'w Field, Sub, &'w Place)> {
        self.world.objects.iter().flat_map(|object| {
            object.fields.iter().flat_map(move |field| {
                field
                    .places
                    .iter()
                    .map(move |(sub, place)| (object, field, *sub, place))
            })
        })
    }

    fn types_are_whole(&self) -> bool {
        let shown = |object: &Object| object.fields.iter().any(|field| !field.inaccessible);
        let known = |field: &Field| {
            self.is_known(&field.ty) && field.arguments.iter().all(|it| self.is_known(&it.ty))
        };
        let keyed = |object: &Object| {
            let picks = object.keys.values().flatten().flat_map(|key| &key.fields);
            picks.into_iter().all(|pick| object.field(&pick.field).is_some())
        };
        self.world
            .objects
            .iter()
            .all(|object| shown(object) && keyed(object) && object.fields.iter().all(known))
            && self
                .layouts
                .iter()
                .all(|layout| layout.objects.values().all(|fields| !fields.is_empty()))
            && self
                .layouts
                .iter()
                .all(|layout| !layout.objects.is_empty() || !layout.interface_objects.is_empty())
    }

    fn is_known(&self, ty: &TypeRef) -> bool {
        let world = self.world;
        let name = ty.name.as_str();
        ["Int", "Float", "String", "Boolean", "ID"].contains(&name)
            || world.is_composite(name)
            || world.enums.iter().any(|(known, _)| known == name)
            || world.scalars.iter().any(|known| known == name)
            || world.inputs.iter().any(|(known, _)| known == name)
    }

    /// Every field is resolved somewhere; types that nobody has do not exist.
    fn fields_are_resolved(&self) -> bool {
        self.world.objects.iter().all(|object| {
            object.fields.iter().all(|field| {
                let subs = resolving(self.world, self.layouts, &object.name, &field.name);
                let abstract_ = self.world.interface(&field.ty.name).is_some()
                    || self.world.union_(&field.ty.name).is_some();
                subs.iter().any(|&sub| !is_overridden(field, sub))
                    && (!abstract_ || !candidates(self.world, self.layouts, field, &subs).is_empty())
                    && (object.kind != Kind::Root || field.places.len() == subs.len())
                    && (object.name != "Mutation" || subs.len() == 1)
                    && (!field.places.values().any(|place| place.strict)
                        || self.is_loose_elsewhere(field, &subs))
            })
        })
    }

    /// A field that is non-null in one subgraph must be nullable in another, or it would be non-null in the whole.
    fn is_loose_elsewhere(&self, field: &Field, subs: &[Sub]) -> bool {
        let overrides = field.places.values().any(|place| place.overrides.is_some());
        let loose = subs
            .iter()
            .any(|sub| field.places.get(sub).is_some_and(|place| !place.strict));
        !field.ty.is_non_null() && !overrides && loose
    }

    fn abstract_types_are_whole(&self) -> bool {
        self.world.interfaces.iter().all(|interface| {
            let here = |layout: &Layout| layout.interfaces.get(&interface.name).cloned();
            let places: Vec<_> = self.layouts.iter().filter_map(here).collect();
            let fields: BTreeSet<_> = places.iter().flat_map(|(fields, _)| fields).collect();
            let implementers: BTreeSet<_> =
                places.iter().flat_map(|(_, implementers)| implementers).collect();
            fields.len() == interface.fields.len()
                && implementers.len() == interface.implementers.len()
                && places
                    .iter()
                    .all(|(fields, implementers)| !fields.is_empty() && !implementers.is_empty())
                && interface
                    .implementers
                    .iter()
                    .all(|name| self.implements(name, interface))
        }) && self.world.unions.iter().all(|union_| {
            let here = |layout: &Layout| layout.unions.get(&union_.name).cloned();
            let places: Vec<_> = self.layouts.iter().filter_map(here).collect();
            let members: BTreeSet<_> = places.iter().flatten().collect();
            members.len() == union_.members.len()
                && places.iter().all(|members| !members.is_empty())
                && union_
                    .members
                    .iter()
                    .all(|name| self.world.object(name).is_some())
        })
    }

    fn implements(&self, object: &str, interface: &Interface) -> bool {
        let Some(object) = self.world.object(object) else {
            return false;
        };
        let types: Vec<_> = interface
            .implementers
            .iter()
            .filter_map(|name| self.world.object(name))
            .collect();
        interface.fields.iter().all(|name| {
            let field = object.field(name);
            field.is_some_and(|field| {
                !field.inaccessible
                    && field.arguments.is_empty()
                    && types
                        .iter()
                        .all(|other| other.field(name).is_some_and(|other| other.ty == field.ty))
            })
        }) && interface
            .added
            .iter()
            .all(|field| object.field(&field.name).is_none())
    }

    /// The subgraph with the interface has it whole, with a key; the one with the object has none of its types.
    fn interface_object(&self, interface: &Interface) -> bool {
        let Some((whole, part)) = interface.object else {
            return interface.added.is_empty();
        };
        let keyed = |name: &String| {
            keys_in(self.world, name, whole)
                .iter()
                .any(|key| key.resolvable && key.fields == [Pick::leaf("id")])
        };
        let id = |name: &String| {
            self.world
                .object(name)
                .and_then(|object| object.field("id"))
                .is_some_and(|field| field.ty.is_non_null())
        };
        whole != part
            && !interface.added.is_empty()
            && interface.fields.iter().any(|field| field == "id")
            && !interface.places.contains_key(&whole)
            && interface.implementers.iter().all(|name| keyed(name) && id(name))
            && interface
                .implementers
                .iter()
                .all(|name| !self.layouts[usize::from(part)].objects.contains_key(name))
            && interface
                .added
                .iter()
                .all(|field| field.places.len() == 1 && field.places.contains_key(&part))
    }

    fn place(&self, object: &Object, field: &Field, sub: Sub, place: &Place) -> bool {
        let is_key = |sub| {
            keys_in(self.world, &object.name, sub)
                .iter()
                .any(|key| names(key, &field.name))
        };
        let is_plain =
            |place: &Place| place.requires.is_empty() && place.provides.is_empty() && !place.strict;
        let override_fits = place.overrides.as_ref().is_none_or(|(from, _)| {
            let other = field.places.get(from);
            *from != sub
                && object.kind != Kind::Root
                && field.places.len() == 2
                && is_plain(place)
                && !(0..self.world.subgraphs).any(is_key)
                && other.is_some_and(|other| is_plain(other) && other.overrides.is_none())
        });
        let requires_fit = place.requires.is_empty()
            || object.kind == Kind::Entity
                && !(0..self.world.subgraphs).any(is_key)
                && self.picks_fit(&object.name, sub, &place.requires, false, true)
                && self.conditions_are_met(&object.name, &self.all_subs(), &place.requires);
        override_fits
            && requires_fit
            && self.picks_fit(&field.ty.name, sub, &place.provides, false, false)
            && (!is_key(sub) || is_plain(place))
    }

    /// Every leaf of a field set is external or lies below an external field, and what it names exists.
    fn picks_fit(&self, parent: &str, sub: Sub, picks: &[Pick], external: bool, requires: bool) -> bool {
        let layout = &self.layouts[usize::from(sub)];
        picks.iter().all(|pick| {
            if let Some(on) = &pick.on {
                let members = layout
                    .interfaces
                    .get(parent)
                    .map(|(_, implementers)| implementers);
                if !members
                    .or_else(|| layout.unions.get(parent))
                    .is_some_and(|members| members.contains(on))
                {
                    return false;
                }
            }
            let parent = pick.on.as_deref().unwrap_or(parent);
            let Some(object) = self.world.object(parent) else {
                return false;
            };
            let Some(index) = object.fields.iter().position(|field| field.name == pick.field) else {
                return false;
            };
            let field = &object.fields[index];
            let here = layout.objects.get(parent).and_then(|fields| fields.get(&index));
            let external = external || here == Some(&Role::External);
            let overridden = field.places.values().any(|place| place.overrides.is_some());
            let simple = !requires || field.places.values().all(|place| place.requires.is_empty());
            let composite = self.world.is_composite(&field.ty.name);
            let provided = requires || field.arguments.is_empty();
            simple
                && provided
                && !overridden
                && composite != pick.below.is_empty()
                && (composite || external)
                && self.picks_fit(&field.ty.name, sub, &pick.below, external, requires)
        })
    }

    /// Each type condition of a requirement is one that a subgraph resolving the field above it can meet: composers refuse
    /// to ask for what nobody could ever give. `subs` have the parent.
    fn conditions_are_met(&self, parent: &str, subs: &[Sub], picks: &[Pick]) -> bool {
        picks.iter().all(|pick| {
            let can_meet = |sub: &Sub| {
                let layout = &self.layouts[usize::from(*sub)];
                let implementers = layout
                    .interfaces
                    .get(parent)
                    .map(|(_, implementers)| implementers);
                let members = implementers.or_else(|| layout.unions.get(parent));
                pick.on
                    .as_ref()
                    .is_none_or(|on| members.is_some_and(|members| members.contains(on)))
            };
            let meeting: Vec<Sub> = subs.iter().copied().filter(can_meet).collect();
            let parent = pick.on.as_deref().unwrap_or(parent);
            let object = self.world.object(parent);
            let is_entity = object.is_some_and(|object| object.kind == Kind::Entity);
            let having = if is_entity {
                self.all_subs()
            } else {
                meeting.clone()
            };
            let mut below = resolving(self.world, self.layouts, parent, &pick.field);
            below.retain(|sub| having.contains(sub));
            let ty = object
                .and_then(|object| object.field(&pick.field))
                .map(|field| &field.ty.name);
            !meeting.is_empty() && ty.is_none_or(|ty| self.conditions_are_met(ty, &below, &pick.below))
        })
    }

    fn all_subs(&self) -> Vec<Sub> {
        (0..self.world.subgraphs).collect()
    }

    /// From every subgraph that has an entity, all its fields are reached, whichever labels are active.
    fn entities_are_reached(&self) -> bool {
        let entities = self
            .world
            .objects
            .iter()
            .filter(|object| object.kind == Kind::Entity);
        entities.into_iter().all(|object| {
            let present = (0..self.world.subgraphs).filter(|&sub| self.has(object, sub));
            present.into_iter().all(|sub| {
                [false, true]
                    .into_iter()
                    .all(|active| self.is_reached_from(object, sub, active))
            })
        })
    }

    fn has(&self, object: &Object, sub: Sub) -> bool {
        self.layouts[usize::from(sub)].objects.contains_key(&object.name)
    }

    fn is_reached_from(&self, object: &Object, start: Sub, active: bool) -> bool {
        let mut available: BTreeSet<&str> = BTreeSet::new();
        let mut entered = BTreeSet::from([start]);
        let mut looked_up: BTreeSet<Sub> = BTreeSet::new();
        loop {
            let before = (available.len(), looked_up.len());
            for sub in 0..self.world.subgraphs {
                let keys = keys_in(self.world, &object.name, sub);
                let known = |key: &Key| {
                    key.resolvable
                        && key
                            .fields
                            .iter()
                            .all(|pick| available.contains(pick.field.as_str()))
                };
                if self.has(object, sub) && keys.iter().any(known) {
                    looked_up.insert(sub);
                    entered.insert(sub);
                }
                for (index, field) in object.fields.iter().enumerate() {
                    if !entered.contains(&sub) || !self.resolves(object, index, sub, active) {
                        continue;
                    }
                    let requires = field
                        .places
                        .get(&sub)
                        .map(|place| place.requires.as_slice())
                        .unwrap_or_default();
                    let has_required = requires
                        .iter()
                        .all(|pick| available.contains(pick.field.as_str()));
                    if requires.is_empty() || looked_up.contains(&sub) && has_required {
                        available.insert(&field.name);
                    }
                }
            }
            if (available.len(), looked_up.len()) == before {
                break;
            }
        }
        let added = self.world.added_to(&object.name).next().is_some();
        object
            .fields
            .iter()
            .all(|field| available.contains(field.name.as_str()))
            && (!added || available.contains("id"))
    }

    fn resolves(&self, object: &Object, index: usize, sub: Sub, active: bool) -> bool {
        let field = &object.fields[index];
        let fields = self.layouts[usize::from(sub)].objects.get(&object.name);
        let overridden = |active: bool| {
            let mine = field.places.get(&sub).and_then(|place| place.overrides.as_ref());
            let inactive = mine.is_some_and(|(_, label)| label.is_some() && !active);
            let taken = field.places.values().filter_map(|place| place.overrides.as_ref());
            let taken = taken
                .filter(|(from, _)| *from == sub)
                .any(|(_, label)| label.is_none() || active);
            inactive || taken
        };
        fields.and_then(|fields| fields.get(&index)) == Some(&Role::Resolved) && !overridden(active)
    }

    fn data_fits(&self) -> bool {
        self.world.objects.iter().all(|object| {
            object.fields.iter().all(|field| {
                let subs = resolving(self.world, self.layouts, &object.name, &field.name);
                let candidates = candidates(self.world, self.layouts, field, &subs);
                let strict = field.places.values().any(|place| place.strict);
                object.instances.iter().all(|instance| {
                    let datum = instance.get(&field.name);
                    datum.is_none_or(|datum| {
                        self.refers(datum, &candidates)
                            && !(strict
                                && matches!(datum, Datum::Error(_) | Datum::Leaf(serde_json::Value::Null)))
                    })
                })
            })
        })
    }

    fn refers(&self, datum: &Datum, candidates: &[String]) -> bool {
        match datum {
            Datum::Ref(name, index) => {
                let exists = self
                    .world
                    .object(name)
                    .is_some_and(|object| *index < object.instances.len());
                exists && candidates.contains(name)
            }
            Datum::List(items) => items.iter().all(|item| self.refers(item, candidates)),
            _ => true,
        }
    }
}

fn names(key: &Key, field: &str) -> bool {
    key.fields.iter().any(|pick| pick.field == field)
}
