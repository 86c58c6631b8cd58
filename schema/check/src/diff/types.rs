//! Named types, and what kind they are; what is inside is compared by the file of its kind.

use apollo_compiler::Name;
use apollo_compiler::schema::{ExtendedType, ScalarType};

use crate::change::{Affects, Change};
use crate::coordinate::Coordinate;
use crate::diff::{
    Sides, accessibility, deprecation, descriptions, enum_values, fields, input_fields, interfaces,
    union_members,
};
use crate::rule::Rule;

/// Types that came, went or changed.
pub(crate) fn compare(sides: &Sides<'_>, changes: &mut Vec<Change>) {
    for (name, old) in sides.old_api().types.iter().filter(|(_, ty)| !ty.is_built_in()) {
        match sides.new_api().types.get(name) {
            Some(new) => compare_type(sides, name, old, new, changes),
            None => {
                let coordinate = Coordinate::Type(name.clone());
                let affects = Affects::Type(name.clone());
                let message = format!("{} {name} was removed", capitalised(kind(old)));
                changes.push(accessibility::gone(
                    sides,
                    Rule::TypeRemoved,
                    coordinate,
                    message,
                    affects,
                ));
            }
        }
    }
    for (name, new) in sides.new_api().types.iter().filter(|(_, ty)| !ty.is_built_in()) {
        if !sides.old_api().types.contains_key(name) {
            let message = format!("{} {name} was added", capitalised(kind(new)));
            let coordinate = Coordinate::Type(name.clone());
            changes.push(accessibility::came(sides, Rule::TypeAdded, coordinate, message));
        }
    }
}

fn compare_type(
    sides: &Sides<'_>,
    name: &Name,
    old: &ExtendedType,
    new: &ExtendedType,
    changes: &mut Vec<Change>,
) {
    if old == new {
        return;
    }
    let coordinate = Coordinate::Type(name.clone());
    descriptions::compare(&coordinate, old.description(), new.description(), changes);
    match (old, new) {
        (ExtendedType::Object(old), ExtendedType::Object(new)) => {
            let (were, are) = (&old.implements_interfaces, &new.implements_interfaces);
            interfaces::compare(name, were, are, changes);
            fields::compare(sides, name, &old.fields, &new.fields, changes);
        }
        (ExtendedType::Interface(old), ExtendedType::Interface(new)) => {
            let (were, are) = (&old.implements_interfaces, &new.implements_interfaces);
            interfaces::compare(name, were, are, changes);
            fields::compare(sides, name, &old.fields, &new.fields, changes);
        }
        (ExtendedType::Union(old), ExtendedType::Union(new)) => {
            union_members::compare(sides, name, &old.members, &new.members, changes);
        }
        (ExtendedType::Enum(old), ExtendedType::Enum(new)) => {
            enum_values::compare(sides, name, old, new, changes)
        }
        (ExtendedType::InputObject(old), ExtendedType::InputObject(new)) => {
            input_fields::compare(sides, name, old, new, changes);
        }
        (ExtendedType::Scalar(old), ExtendedType::Scalar(new)) => compare_scalar(name, old, new, changes),
        _ => changes.push(kind_changed(name, old, new)),
    }
}

fn compare_scalar(name: &Name, old: &ScalarType, new: &ScalarType, changes: &mut Vec<Change>) {
    let url = |scalar: &ScalarType| {
        let directive = scalar.directives.get("specifiedBy").map(|found| &***found);
        deprecation::text_argument(directive, "url")
    };
    let (old, new) = (url(old), url(new));
    if old == new {
        return;
    }
    let written = |url: Option<String>| url.unwrap_or_else(|| "nothing".to_owned());
    let message = format!(
        "Scalar {name} is specified by {} instead of {}",
        written(new),
        written(old)
    );
    changes.push(Change::new(
        Rule::SpecifiedByChanged,
        Coordinate::Type(name.clone()),
        message,
        Affects::Type(name.clone()),
    ));
}

fn kind_changed(name: &Name, old: &ExtendedType, new: &ExtendedType) -> Change {
    let message = format!(
        "{name} is {} instead of {}",
        with_article(kind(new)),
        with_article(kind(old))
    );
    Change::new(
        Rule::TypeKindChanged,
        Coordinate::Type(name.clone()),
        message,
        Affects::Type(name.clone()),
    )
}

fn kind(ty: &ExtendedType) -> &'static str {
    match ty {
        ExtendedType::Scalar(_) => "scalar",
        ExtendedType::Object(_) => "type",
        ExtendedType::Interface(_) => "interface",
        ExtendedType::Union(_) => "union",
        ExtendedType::Enum(_) => "enum",
        ExtendedType::InputObject(_) => "input",
    }
}

fn with_article(kind: &str) -> String {
    let kind = if kind == "type" { "object type" } else { kind };
    let article = if kind.starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {kind}")
}

fn capitalised(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}
