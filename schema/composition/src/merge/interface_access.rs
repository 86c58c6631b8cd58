//! Access requirements of implementations hold for the interfaces they implement, too: who may not read a field of
//! some object may not read it through an interface that object implements.

use std::collections::BTreeMap;

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{Directive, DirectiveList};

use super::directives::all_requirements;
use crate::model::{Kind, TypeDef};

const REQUIREMENTS: [(&str, &str); 3] = [
    ("federation__authenticated", ""),
    ("federation__requiresScopes", "scopes"),
    ("federation__policy", "policies"),
];

/// Adds to every interface and its fields what their implementations demand.
pub(super) fn inherit_access(types: &mut BTreeMap<Name, TypeDef>) {
    for (interface, objects) in demanding_objects(types) {
        let Some(mut interface) = types.get(&interface).cloned() else {
            continue;
        };
        let objects: Vec<&TypeDef> = objects.iter().map(|name| &types[name]).collect();
        inherit(
            &mut interface.directives,
            objects.iter().map(|object| &object.directives),
        );
        for field in interface.fields.values_mut() {
            let implementing = objects.iter().filter_map(|object| object.fields.get(&field.name));
            inherit(&mut field.directives, implementing.map(|field| &field.directives));
        }
        types.insert(interface.name.clone(), interface);
    }
}

/// By interface, the objects implementing it that demand anything.
fn demanding_objects(types: &BTreeMap<Name, TypeDef>) -> BTreeMap<Name, Vec<Name>> {
    let demands = |list: &DirectiveList| REQUIREMENTS.iter().any(|(name, _)| list.has(name));
    let mut objects: BTreeMap<Name, Vec<Name>> = BTreeMap::new();
    for ty in types.values().filter(|ty| ty.kind == Kind::Object) {
        if !ty.implements.is_empty()
            && (demands(&ty.directives) || ty.fields.values().any(|field| demands(&field.directives)))
        {
            for interface in &ty.implements {
                objects
                    .entry(interface.clone())
                    .or_default()
                    .push(ty.name.clone());
            }
        }
    }
    objects
}

/// Adds to the requirements of an element those of what stands for it.
pub(super) fn inherit<'a>(own: &mut DirectiveList, implementing: impl Iterator<Item = &'a DirectiveList>) {
    let implementing: Vec<&DirectiveList> = implementing.collect();
    if implementing.is_empty() {
        return;
    }
    for (name, argument) in REQUIREMENTS {
        let mut applied: Vec<Node<Directive>> = own.get_all(name).cloned().collect();
        applied.extend(implementing.iter().flat_map(|list| list.get_all(name)).cloned());
        let Some(first) = applied.first().cloned() else {
            continue;
        };
        own.retain(|directive| directive.name != name);
        if argument.is_empty() {
            own.push(first);
        } else {
            let sources: Vec<_> = applied.iter().map(|directive| (0, directive)).collect();
            own.push(all_requirements(name, argument, &sources));
        }
    }
}
