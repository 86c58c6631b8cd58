//! Subgraphs sharing a field of an abstract type must be able to give the same objects for it.

use std::collections::BTreeSet;

use apollo_compiler::Name;

use super::resolve::Resolver;
use super::walk::State;
use crate::model::{FieldDef, TypeDef};

/// How far subgraphs agree on what objects a field can give.
pub(super) enum Agreement {
    Full,
    Partial,
    None,
}

/// Compares the possible objects at all places of the state that `ty.field` led to.
pub(super) fn agreement(resolver: &Resolver<'_>, ty: &Name, field: &FieldDef, state: &State) -> Agreement {
    let supergraph = resolver.supergraph;
    if state.places.len() < 2
        || !supergraph.types[&state.ty].kind.is_abstract()
        || !is_shared(&supergraph.types[ty], field)
    {
        return Agreement::Full;
    }
    let mut possible: Vec<BTreeSet<&Name>> = Vec::new();
    let mut of_abstract_type = 0;
    for place in &state.places {
        let Some(ty) = resolver.type_at(place) else {
            continue;
        };
        // An interface object stands for whatever implements its interface.
        if !ty.is_interface_object() {
            of_abstract_type += usize::from(ty.kind.is_abstract());
            let types = resolver.members[place.subgraph].subgraph.runtime_types(&place.ty);
            possible.push(types.into_iter().collect());
        }
    }
    // Where nobody can give anything, all give null.
    if of_abstract_type < 2 || possible.iter().all(BTreeSet::is_empty) {
        return Agreement::Full;
    }
    let common = possible
        .iter()
        .cloned()
        .reduce(|a, b| &a & &b)
        .unwrap_or_default();
    if common.is_empty() {
        Agreement::None
    } else if possible.iter().all(|types| *types == possible[0]) {
        Agreement::Full
    } else {
        Agreement::Partial
    }
}

/// Whether several subgraphs resolve the merged field, according to its join metadata.
fn is_shared(ty: &TypeDef, field: &FieldDef) -> bool {
    let mut joined = field.directives.get_all("join__field").peekable();
    if joined.peek().is_none() {
        return ty.directives.get_all("join__type").count() > 1;
    }
    let resolving = joined.filter(|directive| {
        ["external", "usedOverridden"]
            .iter()
            .all(|argument| directive.specified_argument_by_name(argument).is_none())
    });
    resolving.count() > 1
}
