//! Steps that make a split more difficult, one use of a federation feature each.

use fastrand::Rng;

use crate::layout::{keys_in, layouts};
use crate::world::{Field, InterfacePlace, Key, Kind, Pick, Place, Sub, World};

/// Most steps a world goes through.
pub const STEPS: usize = 40;

/// Makes one random change, which may be an invalid one.
pub fn step(world: &mut World, rng: &mut Rng) {
    match rng.u8(..14) {
        0 | 1 => share(world, rng),
        2 | 3 => add_key(world, rng),
        4 => replace_key(world, rng),
        5 => close_key(world, rng),
        6 | 7 => require(world, rng),
        8 => provide(world, rng),
        9 => override_field(world, rng),
        10 => narrow_interface(world, rng),
        11 => narrow_union(world, rng),
        12 => match rng.bool() {
            true => hide(world, rng),
            false => tighten(world, rng),
        },
        _ => interface_object(world, rng),
    }
}

fn any_sub(world: &World, rng: &mut Rng) -> Sub {
    rng.u8(..world.subgraphs)
}

/// A random object type of the kinds wanted, by index.
fn any_object(world: &World, rng: &mut Rng, wanted: impl Fn(Kind) -> bool) -> Option<usize> {
    let fitting: Vec<_> = (0..world.objects.len())
        .filter(|&index| wanted(world.objects[index].kind))
        .collect();
    (!fitting.is_empty()).then(|| fitting[rng.usize(..fitting.len())])
}

fn any_field(world: &World, object: usize, rng: &mut Rng) -> Option<usize> {
    let fields = &world.objects[object].fields;
    (!fields.is_empty()).then(|| rng.usize(..fields.len()))
}

/// One more subgraph resolves a field.
fn share(world: &mut World, rng: &mut Rng) {
    let sub = any_sub(world, rng);
    let Some(object) = any_object(world, rng, |kind| kind != Kind::Value) else {
        return;
    };
    let Some(field) = any_field(world, object, rng) else {
        return;
    };
    let object = &mut world.objects[object];
    if !object.fields[field].places.is_empty() && object.name != "Mutation" {
        object.fields[field].places.entry(sub).or_default();
        ensure_key(object, sub);
    }
}

fn ensure_key(object: &mut crate::world::Object, sub: Sub) {
    if object.kind == Kind::Entity {
        object.keys.entry(sub).or_insert_with(|| {
            vec![Key {
                fields: vec![Pick::leaf("id")],
                resolvable: true,
            }]
        });
    }
}

/// The keys an entity may have.
fn catalogue(world: &World, object: usize) -> Vec<Vec<Pick>> {
    let object = &world.objects[object];
    let has = |name: &str| object.field(name).is_some();
    let mut out = vec![vec![Pick::leaf("id")]];
    if has("sku") {
        out.push(vec![Pick::leaf("sku")]);
        out.push(vec![Pick::leaf("id"), Pick::leaf("sku")]);
    }
    if has("ka") && has("kb") {
        out.push(vec![Pick::leaf("ka"), Pick::leaf("kb")]);
    }
    if let Some(nested) = object.field("nk") {
        let is_entity = world
            .object(&nested.ty.name)
            .is_some_and(|nested| nested.kind == Kind::Entity);
        let nested = Pick {
            below: vec![Pick::leaf(if is_entity { "id" } else { "k" })],
            ..Pick::leaf("nk")
        };
        out.push(vec![nested.clone()]);
        out.push(vec![nested, Pick::leaf("id")]);
    }
    out
}

fn random_key(world: &World, object: usize, rng: &mut Rng) -> Key {
    let mut catalogue = catalogue(world, object);
    Key {
        fields: catalogue.swap_remove(rng.usize(..catalogue.len())),
        resolvable: true,
    }
}

fn add_key(world: &mut World, rng: &mut Rng) {
    let sub = any_sub(world, rng);
    let Some(object) = any_object(world, rng, |kind| kind == Kind::Entity) else {
        return;
    };
    let key = random_key(world, object, rng);
    let keys = world.objects[object].keys.entry(sub).or_default();
    if !keys.iter().any(|known| known.fields == key.fields) {
        keys.insert(rng.usize(..=keys.len()), key);
    }
}

fn replace_key(world: &mut World, rng: &mut Rng) {
    let sub = any_sub(world, rng);
    let Some(object) = any_object(world, rng, |kind| kind == Kind::Entity) else {
        return;
    };
    let key = random_key(world, object, rng);
    if let Some(keys) = world.objects[object].keys.get_mut(&sub) {
        *keys = vec![key];
    }
}

fn close_key(world: &mut World, rng: &mut Rng) {
    let sub = any_sub(world, rng);
    let Some(object) = any_object(world, rng, |kind| kind == Kind::Entity) else {
        return;
    };
    if let Some(keys) = world.objects[object].keys.get_mut(&sub) {
        let index = rng.usize(..keys.len());
        keys[index].resolvable = false;
    }
}

/// A field requires others of its entity, maybe through objects, maybe with arguments.
fn require(world: &mut World, rng: &mut Rng) {
    let Some(object) = any_object(world, rng, |kind| kind == Kind::Entity) else {
        return;
    };
    let Some(field) = any_field(world, object, rng) else {
        return;
    };
    let name = world.objects[object].name.clone();
    let picks: Vec<_> = (0..1 + rng.usize(..2))
        .filter_map(|_| pick_of(world, &name, rng, 0))
        .filter(|pick| pick.field != world.objects[object].fields[field].name)
        .collect();
    let field = &mut world.objects[object].fields[field];
    if let Some(place) = random_place(field, rng) {
        for pick in picks {
            if !place.requires.iter().any(|known| known.field == pick.field) {
                place.requires.push(pick);
            }
        }
    }
}

fn random_place<'f>(field: &'f mut Field, rng: &mut Rng) -> Option<&'f mut Place> {
    let count = field.places.len();
    if count == 0 {
        return None;
    }
    field.places.values_mut().nth(rng.usize(..count))
}

/// A random element of a field set on a type.
fn pick_of(world: &World, parent: &str, rng: &mut Rng, depth: usize) -> Option<Pick> {
    let is_abstract = world.interface(parent).is_some() || world.union_(parent).is_some();
    let possible = world.possible(parent);
    let parent = *possible.get(rng.usize(..possible.len().max(1)))?;
    let object = world.object(parent)?;
    let field = object.fields.get(rng.usize(..object.fields.len().max(1)))?;
    let mut below = Vec::new();
    if world.is_composite(&field.ty.name) {
        if depth > 2 {
            return None;
        }
        below.push(pick_of(world, &field.ty.name, rng, depth + 1)?);
    }
    let arguments = match field.arguments.as_slice() {
        [] => String::new(),
        arguments => {
            let texts: Vec<_> = arguments
                .iter()
                .filter_map(|argument| literal(argument, rng))
                .collect();
            let required = arguments
                .iter()
                .filter(|argument| argument.ty.is_non_null())
                .count();
            if texts.len() < required {
                return None;
            }
            match texts.is_empty() {
                true => String::new(),
                false => format!("({})", texts.join(", ")),
            }
        }
    };
    Some(Pick {
        on: is_abstract.then(|| parent.to_owned()),
        field: field.name.clone(),
        arguments,
        below,
    })
}

fn literal(argument: &crate::world::Argument, rng: &mut Rng) -> Option<String> {
    if !argument.ty.lists.is_empty() {
        return argument
            .ty
            .is_non_null()
            .then(|| format!("{}: []", argument.name));
    }
    let value = match argument.ty.name.as_str() {
        "Int" => rng.i32(0..3).to_string(),
        "String" => "'x'".replace('\'', "\""),
        "Boolean" => rng.bool().to_string(),
        "Color" => "GREEN".to_owned(),
        _ => "{a: 1}".to_owned(),
    };
    (argument.ty.is_non_null() || rng.bool()).then(|| format!("{}: {value}", argument.name))
}

fn provide(world: &mut World, rng: &mut Rng) {
    let Some(object) = any_object(world, rng, |_| true) else {
        return;
    };
    let Some(field) = any_field(world, object, rng) else {
        return;
    };
    let target = world.objects[object].fields[field].ty.name.clone();
    let Some(pick) = pick_of(world, &target, rng, 1) else {
        return;
    };
    if !pick.arguments.is_empty() {
        return;
    }
    if let Some(place) = random_place(&mut world.objects[object].fields[field], rng) {
        place.provides.push(pick);
    }
}

fn override_field(world: &mut World, rng: &mut Rng) {
    let sub = any_sub(world, rng);
    let Some(object) = any_object(world, rng, |kind| kind == Kind::Entity) else {
        return;
    };
    let Some(field) = any_field(world, object, rng) else {
        return;
    };
    let object = &mut world.objects[object];
    let field = &mut object.fields[field];
    let [from] = field.places.keys().copied().collect::<Vec<_>>()[..] else {
        return;
    };
    if from == sub {
        return;
    }
    let label = (rng.u8(..3) == 0).then(|| "percent(50)".to_owned());
    if let Some(label) = label.as_ref().filter(|_| rng.bool())
        && !world.active_labels.contains(label)
    {
        world.active_labels.push(label.clone());
    }
    let place = Place {
        overrides: Some((from, label)),
        ..Place::default()
    };
    field.places.insert(sub, place);
    ensure_key(object, sub);
}

/// A subgraph has fewer fields or implementers of an interface.
fn narrow_interface(world: &mut World, rng: &mut Rng) {
    let sub = any_sub(world, rng);
    if world.interfaces.is_empty() {
        return;
    }
    let index = rng.usize(..world.interfaces.len());
    let interface = &mut world.interfaces[index];
    let keep = |list: &[String], rng: &mut Rng| list.iter().filter(|_| rng.u8(..3) > 0).cloned().collect();
    let place = InterfacePlace {
        fields: keep(&interface.fields, rng),
        implementers: keep(&interface.implementers, rng),
    };
    interface.places.insert(sub, place);
}

fn narrow_union(world: &mut World, rng: &mut Rng) {
    let sub = any_sub(world, rng);
    if let Some(union_) = world.unions.first_mut() {
        let members = union_
            .members
            .iter()
            .filter(|_| rng.u8(..3) > 0)
            .cloned()
            .collect();
        union_.places.insert(sub, members);
    }
}

/// A field is hidden from clients.
fn hide(world: &mut World, rng: &mut Rng) {
    let Some(object) = any_object(world, rng, |kind| kind != Kind::Root) else {
        return;
    };
    let Some(field) = any_field(world, object, rng) else {
        return;
    };
    world.objects[object].fields[field].inaccessible = true;
}

/// A nullable field is non-null in one of its subgraphs.
fn tighten(world: &mut World, rng: &mut Rng) {
    let Some(object) = any_object(world, rng, |kind| kind != Kind::Value) else {
        return;
    };
    let Some(field) = any_field(world, object, rng) else {
        return;
    };
    if let Some(place) = random_place(&mut world.objects[object].fields[field], rng) {
        place.strict = true;
    }
}

/// A subgraph that has nothing to do with an interface: a new one where there is none.
fn stranger(world: &mut World, interface: usize, rng: &mut Rng) -> Sub {
    let name = world.interfaces[interface].name.clone();
    let layouts = layouts(world);
    let implementers = &world.interfaces[interface].implementers;
    let is_stranger = |sub: &Sub| {
        let layout = &layouts[usize::from(*sub)];
        !layout.interfaces.contains_key(&name)
            && !implementers.iter().any(|it| layout.objects.contains_key(it))
    };
    let strangers: Vec<_> = (0..world.subgraphs).filter(is_stranger).collect();
    if strangers.is_empty() {
        world.subgraphs += 1;
        return world.subgraphs - 1;
    }
    strangers[rng.usize(..strangers.len())]
}

/// A subgraph adds a field to every implementer of an interface without knowing any of them.
fn interface_object(world: &mut World, rng: &mut Rng) {
    if world.interfaces.is_empty() {
        return;
    }
    let index = rng.usize(..world.interfaces.len());
    let whole = any_sub(world, rng);
    let part = match world.interfaces[index].object {
        Some((_, part)) => part,
        None => stranger(world, index, rng),
    };
    let known = world.interfaces[index].object.map(|(whole, _)| whole);
    if whole == part || known.is_some_and(|known| known != whole) {
        return;
    }
    let interface = &mut world.interfaces[index];
    let name = interface.name.clone();
    interface.object = Some((whole, part));
    interface.places.remove(&whole);
    let number = interface.added.len();
    let types: [&str; 4] = ["String", "Int", "Boolean", &name];
    let mut ty = crate::world::TypeRef::nullable(types[rng.usize(..types.len())]);
    ty.non_null = rng.u8(..4) == 0 && ty.name != name;
    if rng.u8(..4) == 0 {
        ty.lists.push(rng.bool());
    }
    interface.added.push(Field {
        name: format!("x{index}_{number}"),
        ty,
        arguments: Vec::new(),
        places: [(part, Place::default())].into(),
        inaccessible: false,
    });
    let implementers = interface.implementers.clone();
    for implementer in &implementers {
        let layouts = layouts(world);
        let present = layouts[usize::from(part)].objects.contains_key(implementer);
        let keys = keys_in(world, implementer, whole);
        if let Some(object) = world.object_mut(implementer).filter(|_| !present) {
            let id = vec![Pick::leaf("id")];
            if !keys.iter().any(|key| key.resolvable && key.fields == id) {
                let mine = object.keys.entry(whole).or_default();
                mine.retain(|key| key.fields != id);
                mine.push(Key {
                    fields: id,
                    resolvable: true,
                });
            }
        }
    }
    // Subgraphs that return the interface now return the object.
    let moved = rng.bool();
    if let Some(field) = world.objects[0]
        .fields
        .iter_mut()
        .find(|field| field.ty.name == name)
        .filter(|_| moved)
    {
        field.places = [(part, Place::default())].into();
    }
}
