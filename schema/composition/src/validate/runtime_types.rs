//! Subgraphs sharing a field of an abstract type must be able to give the same objects for it.

use std::collections::BTreeSet;

use apollo_compiler::Name;

use crate::diagnostic::{Code, Diagnostic, Hint};
use crate::merge::{Member, Supergraph};
use crate::model::{FieldDef, TypeDef};

/// A shared field whose subgraphs have different possible objects.
struct Mismatch<'a> {
    coordinate: String,
    common: usize,
    first: (&'a Member, &'a FieldDef),
}

/// Fields for which nothing is possible in all subgraphs.
pub(super) fn check(supergraph: &Supergraph, members: &[Member], errors: &mut Vec<Diagnostic>) {
    for mismatch in mismatches(supergraph, members)
        .into_iter()
        .filter(|mismatch| mismatch.common == 0)
    {
        let message = format!(
            "\"{}\" is shared, but no object type is possible for it in all subgraphs that resolve it",
            mismatch.coordinate
        );
        let (member, field) = mismatch.first;
        errors.push(
            member
                .subgraph
                .error(Code::ShareableHasMismatchedRuntimeTypes, field.span, message),
        );
    }
}

/// Fields for which some subgraph might give an object that another one does not know.
pub(super) fn hints(supergraph: &Supergraph, members: &[Member]) -> Vec<Hint> {
    let partial = mismatches(supergraph, members).into_iter();
    let hint = |mismatch: Mismatch<'_>| Hint {
        code: "INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN",
        message: format!(
            "\"{}\" is shared, but its subgraphs differ in what object types are possible for it; only common ones are safe",
            mismatch.coordinate
        ),
    };
    partial.map(hint).collect()
}

fn mismatches<'a>(supergraph: &Supergraph, members: &'a [Member]) -> Vec<Mismatch<'a>> {
    let mut found = Vec::new();
    for ty in supergraph.types.values() {
        for field in ty.fields.values() {
            let target = supergraph.types.get(field.ty.inner_named_type());
            if target.is_some_and(|target| target.kind.is_abstract()) {
                found.extend(mismatch(ty, &field.name, members));
            }
        }
    }
    found
}

fn mismatch<'a>(ty: &TypeDef, field: &Name, members: &'a [Member]) -> Option<Mismatch<'a>> {
    let mut possible: Vec<BTreeSet<&Name>> = Vec::new();
    let mut first = None;
    for member in members {
        let Some(declaring) = member.subgraph.types.get(&ty.name) else {
            continue;
        };
        let Some(def) = declaring.fields.get(field) else {
            continue;
        };
        let target = def.ty.inner_named_type();
        let interface_object = member
            .subgraph
            .types
            .get(target)
            .is_some_and(TypeDef::is_interface_object);
        if declaring.is_interface_object() || interface_object || member.facts.is_external(declaring, def) {
            continue;
        }
        possible.push(member.subgraph.runtime_types(target).into_iter().collect());
        first.get_or_insert((member, def));
    }
    let common = possible.iter().cloned().reduce(|a, b| &a & &b)?;
    let equal = possible.iter().all(|types| *types == possible[0]);
    let mismatch = Mismatch {
        coordinate: format!("{}.{field}", ty.name),
        common: common.len(),
        first: first?,
    };
    (possible.len() > 1 && !equal).then_some(mismatch)
}
