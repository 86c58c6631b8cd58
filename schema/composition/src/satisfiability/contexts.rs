//! Contexts: which were set on the way to a field, and where the values they give come from.

use apollo_compiler::Name;

use super::places::Places;
use crate::merge::{Member, Supergraph};
use crate::model::{Kind, TypeDef, string_argument};

/// A context in force: the nearest type on the way that sets it, and where that type's entity can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SetContext {
    pub(super) subgraph: usize,
    pub(super) name: String,
    pub(super) ty: Name,
    pub(super) places: Places,
}

/// All contexts in force.
pub(super) type Contexts = Vec<SetContext>;

/// The contexts in force below an object of type `ty`.
pub(super) fn below(
    supergraph: &Supergraph,
    members: &[Member],
    ty: &Name,
    places: &Places,
    above: &Contexts,
) -> Contexts {
    let set = set_by(supergraph, members, ty);
    if set.is_empty() {
        return above.clone();
    }
    let overridden = |context: &&SetContext| {
        set.iter()
            .any(|(subgraph, name)| *subgraph == context.subgraph && *name == context.name)
    };
    let mut contexts: Contexts = above
        .iter()
        .filter(|context| !overridden(context))
        .cloned()
        .collect();
    contexts.extend(set.into_iter().map(|(subgraph, name)| SetContext {
        subgraph,
        name,
        ty: ty.clone(),
        places: places.clone(),
    }));
    contexts
}

/// The contexts the type sets itself, or by an interface or union it belongs to.
fn set_by(supergraph: &Supergraph, members: &[Member], ty: &Name) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, member) in members.iter().enumerate() {
        if !member.facts.sets_contexts() {
            continue;
        }
        let setters = member.subgraph.types.values();
        for setter in setters.filter(|setter| covers(supergraph, setter, ty)) {
            let applied = setter.directives.get_all("federation__context");
            let names = applied.filter_map(|directive| string_argument(directive, "name"));
            found.extend(names.map(|name| (index, name.to_owned())));
        }
    }
    found.sort();
    found.dedup();
    found
}

fn covers(supergraph: &Supergraph, setter: &TypeDef, ty: &Name) -> bool {
    setter.name == *ty
        || match setter.kind {
            Kind::Union => setter.members.contains(ty),
            Kind::Interface => {
                let ty = supergraph.types.get(ty);
                ty.is_some_and(|ty| ty.implements.contains(&setter.name))
            }
            _ => false,
        }
}
