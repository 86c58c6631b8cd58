//! Makes a failing case small: takes parts out of the operation and of the world as long as it fails the same way.

use serde_json::Value as Json;

use crate::case::Schemas;
use crate::data::Datum;
use crate::graph::{Failure, Graph};
use crate::operation::Operation;
use crate::transport::Fault;
use crate::validity::is_valid;
use crate::world::{Field, Object, Place, Sub, World};

/// Most graphs tried for one failure.
const MOST_TRIALS: usize = 3_000;

/// A failing world with its operation; no operation where composing fails.
#[derive(Debug, Clone)]
pub struct Failing {
    /// The graph.
    pub world: World,
    /// The operation.
    pub operation: Operation,
    /// The call that fails, if any.
    pub fault: Option<Fault>,
    /// How it fails.
    pub failure: Failure,
}

impl Failing {
    /// How this fails, if it still does in the same way.
    fn still(&self, world: &World, operation: &Operation, graph: Option<&Graph>) -> Option<Failure> {
        let built;
        let graph = match graph {
            Some(graph) => graph,
            None => {
                if !is_valid(world) {
                    return None;
                }
                built = match Graph::new(&Schemas::of(world)) {
                    Ok(graph) => graph,
                    Err(failure) => return self.like(failure),
                };
                &built
            }
        };
        if operation.selections.is_empty() {
            return None;
        }
        let text = operation.text();
        let failure = graph.check(&text, &operation.variables(), self.fault).err()?;
        self.like(failure)
    }

    fn like(&self, failure: Failure) -> Option<Failure> {
        (failure.kind() == self.failure.kind()).then_some(failure)
    }
}

/// The smallest case found that fails like this one.
pub fn shrink(mut failing: Failing) -> Failing {
    let mut trials = 0;
    loop {
        let before = trials;
        let mut progressed = shrink_operation(&mut failing, &mut trials);
        progressed |= shrink_world(&mut failing, &mut trials);
        if !progressed || trials > MOST_TRIALS || trials == before {
            return failing;
        }
    }
}

fn shrink_operation(failing: &mut Failing, trials: &mut usize) -> bool {
    let Ok(graph) = Graph::new(&Schemas::of(&failing.world)) else {
        return false;
    };
    let mut progressed = false;
    'again: while *trials < MOST_TRIALS {
        for smaller in failing.operation.smaller() {
            *trials += 1;
            if graph.is_valid(&smaller.text())
                && let Some(failure) = failing.still(&failing.world, &smaller, Some(&graph))
            {
                failing.operation = smaller;
                failing.failure = failure;
                progressed = true;
                continue 'again;
            }
        }
        break;
    }
    progressed
}

fn shrink_world(failing: &mut Failing, trials: &mut usize) -> bool {
    let mut progressed = false;
    'again: while *trials < MOST_TRIALS {
        for change in changes(&failing.world) {
            let mut smaller = failing.world.clone();
            change(&mut smaller);
            *trials += 1;
            if let Some(failure) = failing.still(&smaller, &failing.operation, None) {
                failing.world = smaller;
                failing.failure = failure;
                progressed = true;
                continue 'again;
            }
            if *trials > MOST_TRIALS {
                break;
            }
        }
        break;
    }
    progressed
}

type Change = Box<dyn Fn(&mut World)>;

/// Everything that can be taken out of a world, the largest parts first.
fn changes(world: &World) -> Vec<Change> {
    let mut out: Vec<Change> = Vec::new();
    for sub in 0..world.subgraphs {
        out.push(Box::new(move |world| merge_subgraphs(world, sub, None)));
        for into in (0..world.subgraphs).filter(|&into| into != sub) {
            out.push(Box::new(move |world| merge_subgraphs(world, sub, Some(into))));
        }
    }
    let names = world.objects.iter().skip(1).map(|object| object.name.clone());
    let names = names.chain(world.interfaces.iter().map(|it| it.name.clone()));
    for name in names.chain(world.unions.iter().map(|it| it.name.clone())) {
        out.push(Box::new(move |world| remove_type(world, &name)));
    }
    for (index, interface) in world.interfaces.iter().enumerate() {
        for name in interface.implementers.clone() {
            out.push(Box::new(move |world| {
                world.interfaces[index]
                    .implementers
                    .retain(|known| *known != name);
                for place in world.interfaces[index].places.values_mut() {
                    place.implementers.retain(|known| *known != name);
                }
            }));
        }
        for name in interface.fields.clone() {
            out.push(Box::new(move |world| {
                world.interfaces[index].fields.retain(|known| *known != name);
                for place in world.interfaces[index].places.values_mut() {
                    place.fields.retain(|known| *known != name);
                }
            }));
        }
        for &sub in interface.places.keys() {
            out.push(Box::new(move |world| {
                world.interfaces[index].places.remove(&sub);
            }));
        }
        for added in 0..interface.added.len() {
            out.push(Box::new(move |world| {
                world.interfaces[index].added.remove(added);
                if world.interfaces[index].added.is_empty() {
                    world.interfaces[index].object = None;
                }
            }));
        }
    }
    if let Some(union_) = world.unions.first() {
        for name in union_.members.clone() {
            out.push(Box::new(move |world| {
                world.unions[0].members.retain(|known| *known != name);
                world.unions[0]
                    .places
                    .values_mut()
                    .for_each(|members| members.retain(|known| *known != name));
            }));
        }
        for &sub in union_.places.keys() {
            out.push(Box::new(move |world| {
                world.unions[0].places.remove(&sub);
            }));
        }
    }
    for (index, object) in world.objects.iter().enumerate() {
        object_changes(index, object, &mut out);
    }
    out
}

fn object_changes(index: usize, object: &Object, out: &mut Vec<Change>) {
    for field in (0..object.fields.len()).rev() {
        out.push(Box::new(move |world| {
            world.objects[index].fields.remove(field);
        }));
    }
    for (sub, keys) in &object.keys {
        let sub = *sub;
        out.push(Box::new(move |world| {
            world.objects[index].keys.remove(&sub);
        }));
        for key in 0..keys.len() {
            if keys.len() > 1 {
                out.push(Box::new(move |world| {
                    if let Some(keys) = world.objects[index].keys.get_mut(&sub) {
                        keys.remove(key);
                    }
                }));
            }
            if !keys[key].resolvable {
                out.push(Box::new(move |world| {
                    if let Some(keys) = world.objects[index].keys.get_mut(&sub) {
                        keys[key].resolvable = true;
                    }
                }));
            }
        }
    }
    for (position, field) in object.fields.iter().enumerate() {
        field_changes(index, position, field, out);
    }
}

fn field_changes(object: usize, index: usize, field: &Field, out: &mut Vec<Change>) {
    let mut change = |change: fn(&mut Field)| {
        out.push(
            Box::new(move |world: &mut World| change(&mut world.objects[object].fields[index])) as Change,
        );
    };
    if !field.arguments.is_empty() {
        change(|field| field.arguments.clear());
    }
    if field.inaccessible {
        change(|field| field.inaccessible = false);
    }
    if field.ty.lists.is_empty() && field.ty.non_null {
        change(|field| field.ty.non_null = false);
    }
    for (sub, place) in &field.places {
        place_changes(object, index, *sub, place, out);
    }
    if !field.ty.lists.is_empty() {
        out.push(Box::new(move |world| {
            let field = &mut world.objects[object].fields[index];
            field.ty.lists.remove(0);
            let name = field.name.clone();
            for instance in &mut world.objects[object].instances {
                if let Some(Datum::List(items)) = instance.get(&name) {
                    let first = items.first().cloned().unwrap_or(Datum::Leaf(Json::Null));
                    instance.insert(name.clone(), first);
                }
            }
        }));
    }
}

fn place_changes(object: usize, index: usize, sub: Sub, place: &Place, out: &mut Vec<Change>) {
    let mut change = |change: fn(&mut Place)| {
        let change = move |world: &mut World| {
            if let Some(place) = world.objects[object].fields[index].places.get_mut(&sub) {
                change(place);
            }
        };
        out.push(Box::new(change) as Change);
    };
    if !place.requires.is_empty() {
        change(|place| place.requires.clear());
    }
    if place.requires.len() > 1 {
        change(|place| {
            place.requires.remove(0);
        });
        change(|place| {
            place.requires.pop();
        });
    }
    if !place.provides.is_empty() {
        change(|place| place.provides.clear());
    }
    if place.provides.len() > 1 {
        change(|place| {
            place.provides.pop();
        });
    }
    if place.overrides.is_some() {
        change(|place| place.overrides = None);
    }
    if place.strict {
        change(|place| place.strict = false);
    }
    out.push(Box::new(move |world| {
        world.objects[object].fields[index].places.remove(&sub);
    }));
}

/// Takes a type out, with every field that returns it.
fn remove_type(world: &mut World, name: &str) {
    world.objects.retain(|object| object.name != name);
    world.interfaces.retain(|interface| interface.name != name);
    world.unions.retain(|union_| union_.name != name);
    for object in &mut world.objects {
        object.fields.retain(|field| field.ty.name != name);
    }
    for interface in &mut world.interfaces {
        interface.added.retain(|field| field.ty.name != name);
        interface.implementers.retain(|known| known != name);
        interface
            .places
            .values_mut()
            .for_each(|place| place.implementers.retain(|known| known != name));
    }
    for union_ in &mut world.unions {
        union_.members.retain(|known| known != name);
        union_
            .places
            .values_mut()
            .for_each(|members| members.retain(|known| known != name));
    }
    world
        .interfaces
        .retain(|interface| !interface.implementers.is_empty());
    let gone = |datum: &Datum| matches!(datum, Datum::Ref(known, _) if known == name);
    for datum in world
        .objects
        .iter_mut()
        .flat_map(|object| &mut object.instances)
        .flat_map(|it| it.values_mut())
    {
        if gone(datum) {
            *datum = Datum::Leaf(Json::Null);
        }
        if let Datum::List(items) = datum {
            items.retain(|item| !gone(item));
        }
    }
}

/// Takes a subgraph out; what it has goes to another, or is lost.
fn merge_subgraphs(world: &mut World, gone: Sub, into: Option<Sub>) {
    let renumber = |sub: Sub| if sub > gone { sub - 1 } else { sub };
    let target = |sub: Sub| match (sub == gone, into) {
        (true, Some(into)) => Some(renumber(into)),
        (true, None) => None,
        _ => Some(renumber(sub)),
    };
    let fields = |fields: &mut Vec<Field>| {
        for field in fields {
            let mut places = std::collections::BTreeMap::new();
            for (sub, mut place) in std::mem::take(&mut field.places) {
                place.overrides = place
                    .overrides
                    .and_then(|(from, label)| Some((target(from)?, label)));
                if let Some(sub) = target(sub) {
                    place.overrides = place.overrides.filter(|(from, _)| *from != sub);
                    places.entry(sub).or_insert(place);
                }
            }
            field.places = places;
        }
    };
    for object in &mut world.objects {
        fields(&mut object.fields);
        let keys = std::mem::take(&mut object.keys);
        for (sub, keys) in keys {
            if let Some(sub) = target(sub) {
                object.keys.entry(sub).or_insert(keys);
            }
        }
    }
    for interface in &mut world.interfaces {
        fields(&mut interface.added);
        let object = interface.object.take();
        interface.object = object.and_then(|(whole, part)| Some((target(whole)?, target(part)?)));
        let places = std::mem::take(&mut interface.places);
        interface.places = places
            .into_iter()
            .filter_map(|(sub, place)| Some((target(sub)?, place)))
            .collect();
    }
    for union_ in &mut world.unions {
        let places = std::mem::take(&mut union_.places);
        union_.places = places
            .into_iter()
            .filter_map(|(sub, place)| Some((target(sub)?, place)))
            .collect();
    }
    world.subgraphs -= 1;
}
