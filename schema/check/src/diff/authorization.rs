//! `@authenticated`, `@requiresScopes` and `@policy`: who may read a type or field.

use apollo_compiler::Name;
use apollo_compiler::schema::ExtendedType;
use fondaco_supergraph::Requirement;

use crate::change::{Affects, Change};
use crate::coordinate::Coordinate;
use crate::diff::Sides;
use crate::rule::Rule;

/// Requirements of types and fields that clients see on both sides.
pub(crate) fn compare(sides: &Sides<'_>, changes: &mut Vec<Change>) {
    let (before, after) = (
        sides.before.supergraph.requirements(),
        sides.after.supergraph.requirements(),
    );
    if before.is_empty() && after.is_empty() {
        return;
    }
    for (ty, definition) in &sides.new_api().types {
        let Some(old_definition) = sides.old_api().types.get(ty) else {
            continue;
        };
        let coordinate = Coordinate::Type(ty.clone());
        let affects = Affects::Received(ty.clone());
        changes.extend(change(coordinate, before.of_type(ty), after.of_type(ty), affects));
        for field in fields(definition).filter(|field| fields(old_definition).any(|old| old == *field)) {
            let coordinate = Coordinate::member(ty, field);
            let affects = Affects::Field(ty.clone(), field.clone());
            changes.extend(change(
                coordinate,
                before.of_field(ty, field),
                after.of_field(ty, field),
                affects,
            ));
        }
    }
}

fn fields(ty: &ExtendedType) -> Box<dyn Iterator<Item = &Name> + '_> {
    match ty {
        ExtendedType::Object(ty) => Box::new(ty.fields.keys()),
        ExtendedType::Interface(ty) => Box::new(ty.fields.keys()),
        _ => Box::new(std::iter::empty()),
    }
}

fn change(
    coordinate: Coordinate,
    old: Option<&Requirement>,
    new: Option<&Requirement>,
    affects: Affects,
) -> Option<Change> {
    let nothing = Requirement::default();
    let (old, new) = (old.unwrap_or(&nothing), new.unwrap_or(&nothing));
    if old == new {
        return None;
    }
    let from_to = format!("{coordinate} requires {} instead of {}", words(new), words(old));
    if !admits(new, old) {
        return Some(Change::new(
            Rule::AuthorizationTightened,
            coordinate,
            from_to,
            affects,
        ));
    }
    let loosened = !admits(old, new);
    loosened.then(|| Change::new(Rule::AuthorizationLoosened, coordinate, from_to, Affects::Unknown))
}

/// Whether everybody that `narrow` admits is admitted by `wide`.
fn admits(wide: &Requirement, narrow: &Requirement) -> bool {
    // Scopes and policies are granted to a caller who is known.
    let known = narrow.authenticated || !narrow.scopes.is_empty();
    (!wide.authenticated || known)
        && admits_sets(&wide.scopes, &narrow.scopes)
        && admits_sets(&wide.policies, &narrow.policies)
}

/// Any one set, whole, is enough: each set of `narrow` must hold some set of `wide`. No sets at all: everybody.
fn admits_sets(wide: &[Vec<String>], narrow: &[Vec<String>]) -> bool {
    if wide.is_empty() {
        return true;
    }
    let holds = |narrow: &Vec<String>| {
        wide.iter()
            .any(|wide| wide.iter().all(|scope| narrow.contains(scope)))
    };
    !narrow.is_empty() && narrow.iter().all(holds)
}

fn words(requirement: &Requirement) -> String {
    let sets = |sets: &[Vec<String>]| -> String {
        let sets: Vec<String> = sets.iter().map(|set| set.join(" and ")).collect();
        sets.join(" or ")
    };
    let mut parts = Vec::new();
    if requirement.authenticated {
        parts.push("a signed-in caller".to_owned());
    }
    if !requirement.scopes.is_empty() {
        parts.push(format!("scopes {}", sets(&requirement.scopes)));
    }
    if !requirement.policies.is_empty() {
        parts.push(format!("policies {}", sets(&requirement.policies)));
    }
    if parts.is_empty() {
        return "nothing".to_owned();
    }
    parts.join(", ")
}
