//! A [`World`] as schema text: the whole schema, and the SDL of every subgraph.

use std::fmt::Write as _;

use crate::layout::{Layout, Role, is_overridden, keys_in};
use crate::world::{Argument, Field, Kind, Pick, Sub, World, field_set};

const LINK: &str = "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.9\", import: [\"@key\", \"@shareable\", \
\"@external\", \"@requires\", \"@provides\", \"@override\", \"@inaccessible\", \"@interfaceObject\"])\n";

/// The schema of one plain server with everything in it.
pub fn whole(world: &World) -> String {
    let mut out = String::new();
    for object in &world.objects {
        let interfaces: Vec<_> = world
            .interfaces
            .iter()
            .filter(|interface| interface.implementers.contains(&object.name))
            .map(|interface| interface.name.as_str())
            .collect();
        let _ = write!(out, "\ntype {}{} {{\n", object.name, implements(&interfaces));
        let added = world.added_to(&object.name).map(|(_, field)| field);
        for field in object
            .fields
            .iter()
            .chain(added)
            .filter(|field| !field.inaccessible)
        {
            let _ = writeln!(
                out,
                "  {}{}: {}",
                field.name,
                arguments(&field.arguments),
                field.ty
            );
        }
        out += "}\n";
    }
    for interface in &world.interfaces {
        let _ = write!(out, "\ninterface {} {{\n", interface.name);
        for name in &interface.fields {
            let _ = writeln!(
                out,
                "  {name}: {}",
                interface_field_type(world, &interface.name, name)
            );
        }
        for field in interface.added.iter().filter(|field| !field.inaccessible) {
            let _ = writeln!(
                out,
                "  {}{}: {}",
                field.name,
                arguments(&field.arguments),
                field.ty
            );
        }
        out += "}\n";
    }
    for union_ in &world.unions {
        let _ = write!(out, "\nunion {} = {}\n", union_.name, union_.members.join(" | "));
    }
    others(world, |_| true, &mut out);
    out
}

/// The SDL of one subgraph.
pub fn subgraph(world: &World, layouts: &[Layout], sub: Sub) -> String {
    let layout = &layouts[usize::from(sub)];
    let mut out = LINK.to_owned();
    for (name, fields) in &layout.objects {
        let Some(object) = world.object(name) else {
            continue;
        };
        let interfaces: Vec<_> = layout
            .interfaces
            .iter()
            .filter(|(_, (_, implementers))| implementers.contains(name))
            .map(|(name, _)| name.as_str())
            .collect();
        let _ = write!(
            out,
            "\ntype {name}{}{}",
            implements(&interfaces),
            keys(world, name, sub)
        );
        if object.kind == Kind::Value {
            out += " @shareable";
        }
        out += " {\n";
        for (&index, &role) in fields {
            let field = &object.fields[index];
            let directives = field_directives(world, layouts, sub, name, index, role);
            write_field(field, sub, &directives, &mut out);
        }
        out += "}\n";
    }
    for (name, (fields, _)) in &layout.interfaces {
        let _ = write!(out, "\ninterface {name}");
        if world
            .interface(name)
            .is_some_and(|it| it.object.is_some_and(|(whole, _)| whole == sub))
        {
            out += " @key(fields: \"id\")";
        }
        out += " {\n";
        for field in fields {
            let _ = writeln!(out, "  {field}: {}", interface_field_type(world, name, field));
        }
        out += "}\n";
    }
    for name in &layout.interface_objects {
        let _ = write!(
            out,
            "\ntype {name} @key(fields: \"id\") @interfaceObject {{\n  id: ID!\n"
        );
        for field in world
            .interface(name)
            .iter()
            .flat_map(|interface| &interface.added)
        {
            write_field(
                field,
                sub,
                if field.inaccessible { " @inaccessible" } else { "" },
                &mut out,
            );
        }
        out += "}\n";
    }
    for (name, members) in &layout.unions {
        let _ = write!(out, "\nunion {name} = {}\n", members.join(" | "));
    }
    others(world, |name| layout.others.contains(name), &mut out);
    out
}

/// The type an interface gives one of its fields: that of its implementers.
pub fn interface_field_type(world: &World, interface: &str, field: &str) -> String {
    let implementers = world
        .interface(interface)
        .map(|it| it.implementers.as_slice())
        .unwrap_or_default();
    implementers
        .iter()
        .filter_map(|name| world.object(name)?.field(field))
        .map(|field| field.ty.to_string())
        .next()
        .unwrap_or_else(|| "ID!".to_owned())
}

fn write_field(field: &Field, sub: Sub, directives: &str, out: &mut String) {
    let strict = field.places.get(&sub).is_some_and(|place| place.strict);
    let ty = if strict {
        field.ty.strict()
    } else {
        field.ty.clone()
    };
    let _ = writeln!(
        out,
        "  {}{}: {ty}{directives}",
        field.name,
        arguments(&field.arguments)
    );
}

fn field_directives(
    world: &World,
    layouts: &[Layout],
    sub: Sub,
    object: &str,
    index: usize,
    role: Role,
) -> String {
    let Some(field) = world.object(object).map(|object| &object.fields[index]) else {
        return String::new();
    };
    let mut out = String::new();
    if role == Role::External {
        return " @external".to_owned();
    }
    if field.inaccessible {
        out += " @inaccessible";
    }
    if let Some(place) = field.places.get(&sub) {
        if !place.requires.is_empty() {
            let _ = write!(out, " @requires(fields: {:?})", field_set(&place.requires));
        }
        if !place.provides.is_empty() {
            let _ = write!(out, " @provides(fields: {:?})", field_set(&place.provides));
        }
        if let Some((from, label)) = &place.overrides {
            let _ = write!(out, " @override(from: \"{}\"", subgraph_name(*from));
            if let Some(label) = label {
                let _ = write!(out, ", label: \"{label}\"");
            }
            out += ")";
        }
    }
    let is_key = keys_in(world, object, sub)
        .iter()
        .any(|key| key.fields.iter().any(|pick| pick.field == field.name));
    let is_value = world
        .object(object)
        .is_some_and(|object| object.kind == Kind::Value);
    if !is_key && !is_value && answering(world, layouts, field, object, index) > 1 {
        out += " @shareable";
    }
    out
}

/// In how many subgraphs the field is resolved, somewhere at least, not counting those it was taken over from.
fn answering(world: &World, layouts: &[Layout], field: &Field, object: &str, index: usize) -> usize {
    let resolved = |layout: &Layout| {
        layout.objects.get(object).and_then(|fields| fields.get(&index)) == Some(&Role::Resolved)
    };
    let taken = |sub: usize| {
        is_overridden(field, sub as Sub)
            || field.places.values().any(|place| {
                place
                    .overrides
                    .as_ref()
                    .is_some_and(|(from, _)| usize::from(*from) == sub)
            })
    };
    let provided = |sub: usize| is_provided(world, sub as Sub, object, &field.name);
    (0..layouts.len())
        .filter(|&sub| resolved(&layouts[sub]) && !taken(sub) || provided(sub))
        .count()
}

/// Whether a subgraph's `@provides` names the field.
fn is_provided(world: &World, sub: Sub, object: &str, field: &str) -> bool {
    fn names(world: &World, parent: &str, picks: &[Pick], object: &str, field: &str) -> bool {
        picks.iter().any(|pick| {
            let parent = pick.on.as_deref().unwrap_or(parent);
            let below = world.object(parent).and_then(|parent| parent.field(&pick.field));
            parent == object && pick.field == field
                || below.is_some_and(|below| names(world, &below.ty.name, &pick.below, object, field))
        })
    }
    let fields = world.objects.iter().flat_map(|object| &object.fields);
    fields
        .filter_map(|it| Some((it, it.places.get(&sub)?)))
        .any(|(it, place)| names(world, &it.ty.name, &place.provides, object, field))
}

/// The name of a subgraph.
pub fn subgraph_name(sub: Sub) -> String {
    char::from(b'a' + sub).to_string()
}

fn keys(world: &World, object: &str, sub: Sub) -> String {
    let mut out = String::new();
    for key in keys_in(world, object, sub) {
        let _ = write!(out, " @key(fields: {:?}", field_set(&key.fields));
        out += if key.resolvable {
            ")"
        } else {
            ", resolvable: false)"
        };
    }
    out
}

fn implements(interfaces: &[&str]) -> String {
    match interfaces.is_empty() {
        true => String::new(),
        false => format!(" implements {}", interfaces.join(" & ")),
    }
}

fn arguments(arguments: &[Argument]) -> String {
    if arguments.is_empty() {
        return String::new();
    }
    let argument = |argument: &Argument| {
        let default = argument
            .default
            .as_ref()
            .map(|default| format!(" = {default}"))
            .unwrap_or_default();
        format!("{}: {}{default}", argument.name, argument.ty)
    };
    format!(
        "({})",
        arguments.iter().map(argument).collect::<Vec<_>>().join(", ")
    )
}

fn others(world: &World, present: impl Fn(&str) -> bool, out: &mut String) {
    for (name, values) in world.enums.iter().filter(|(name, _)| present(name)) {
        let _ = write!(out, "\nenum {name} {{\n  {}\n}}\n", values.join("\n  "));
    }
    for name in world.scalars.iter().filter(|name| present(name)) {
        let _ = write!(out, "\nscalar {name}\n");
    }
    for (name, fields) in world.inputs.iter().filter(|(name, _)| present(name)) {
        let _ = write!(out, "\ninput {name} {{\n");
        for (field, ty) in fields {
            let _ = writeln!(out, "  {field}: {ty}");
        }
        out.push_str("}\n");
    }
}
