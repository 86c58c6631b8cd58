//! A field must demand whatever access the data it `@requires` (or takes from a context) demands: else it would leak what is computed from it.

use apollo_compiler::ast::DirectiveList;

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::facts::{field_set_of, from_context, sets_context, split_context};
use crate::field_set::FieldSet;
use crate::merge::{Member, Supergraph, alternatives};
use crate::model::{FieldDef, TypeDef};

/// Checks every `@requires` of every subgraph against the merged requirements.
pub(super) fn check(supergraph: &Supergraph, members: &[Member], errors: &mut Vec<Diagnostic>) {
    for member in members {
        for ty in member.subgraph.types.values() {
            for field in ty.fields.values() {
                check_field(supergraph, member, ty, field, errors);
            }
        }
    }
}

fn check_field(
    supergraph: &Supergraph,
    member: &Member,
    ty: &TypeDef,
    field: &FieldDef,
    errors: &mut Vec<Diagnostic>,
) {
    let Some(merged) = supergraph.types.get(&ty.name) else {
        return;
    };
    let Some(merged_field) = merged.fields.get(&field.name) else {
        return;
    };
    let own = [&merged_field.directives, &merged.directives];
    if let Some(set) = field_set_of(field, "federation__requires")
        && let Some(lacking) = lacking(supergraph, member, ty, &set, &own)
    {
        let message = format!(
            "\"{}.{}\" requires \"{lacking}\", but does not demand the access that field demands",
            ty.name, field.name
        );
        let code = Code::MissingTransitiveAuthRequirements;
        errors.push(member.subgraph.error(code, field.span, message));
    }
    for argument in field.arguments.values() {
        let Some((context, selection)) = from_context(&argument.directives).and_then(split_context) else {
            continue;
        };
        let Ok(set) = FieldSet::parse(selection) else {
            continue;
        };
        let setters = member.subgraph.types.values();
        let found = setters
            .filter(|setter| sets_context(setter, context))
            .find_map(|setter| lacking(supergraph, member, setter, &set, &own));
        if let Some(lacking) = found {
            let message = format!(
                "\"{}.{}({}:)\" is filled from \"{lacking}\", but its field does not demand the access that field demands",
                ty.name, field.name, argument.name
            );
            let code = Code::MissingTransitiveAuthRequirements;
            errors.push(member.subgraph.error(code, argument.span, message));
        }
    }
}

/// The first field of the set that demands more than `own` grants.
fn lacking(
    supergraph: &Supergraph,
    member: &Member,
    ty: &TypeDef,
    set: &FieldSet,
    own: &[&DirectiveList],
) -> Option<String> {
    let mut lacking = None;
    set.walk(&member.subgraph, ty, &mut |parent, required| {
        let Some(required_parent) = supergraph.types.get(&parent.name) else {
            return;
        };
        let target = supergraph
            .types
            .get(required.ty.inner_named_type())
            .map(|target| &target.directives);
        let required_field = required_parent
            .fields
            .get(&required.name)
            .map(|field| &field.directives);
        let needed = [Some(&required_parent.directives), required_field, target];
        if needed.into_iter().flatten().any(|needed| !grants(own, needed)) {
            lacking.get_or_insert_with(|| format!("{}.{}", parent.name, required.name));
        }
    });
    lacking
}

/// Whether whoever fulfils all of `own` also fulfils `needed`.
fn grants(own: &[&DirectiveList], needed: &DirectiveList) -> bool {
    let authenticated = "federation__authenticated";
    if needed.has(authenticated) && !own.iter().any(|list| list.has(authenticated)) {
        return false;
    }
    [
        ("federation__requiresScopes", "scopes"),
        ("federation__policy", "policies"),
    ]
    .iter()
    .all(|(name, argument)| {
        let Some(directive) = needed.get(name) else {
            return true;
        };
        let needed = alternatives(directive, argument);
        own.iter().filter_map(|list| list.get(name)).any(|own| {
            let own = alternatives(own, argument);
            own.iter().all(|own| {
                needed
                    .iter()
                    .any(|needed| needed.iter().all(|scope| own.contains(scope)))
            })
        })
    })
}
