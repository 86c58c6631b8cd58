//! Directives that composition keeps in the supergraph (`@tag`, `@cost`, …), by their name in the document.

use apollo_compiler::ast::{Directive, DirectiveList};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, Schema};

use crate::coordinate::Coordinate;

/// The name the directive `name` of specification `specification` has in this document.
pub(crate) fn local_name(schema: &Schema, specification: &str, name: &str) -> String {
    for link in schema.schema_definition.directives.get_all("link") {
        let argument = |key: &str| link.specified_argument_by_name(key);
        let Some(url) = argument("url").and_then(|url| url.as_str()) else {
            continue;
        };
        if !url.split('/').any(|part| part == specification) {
            continue;
        }
        let imports = argument("import")
            .and_then(|imports| imports.as_list())
            .unwrap_or(&[]);
        for import in imports {
            let get = |key: &str| {
                let object = import.as_object()?;
                object.iter().find(|(name, _)| name == key)?.1.as_str()
            };
            if get("name").is_some_and(|imported| imported.trim_start_matches('@') == name) {
                return get("as").unwrap_or(name).trim_start_matches('@').to_owned();
            }
            if import
                .as_str()
                .is_some_and(|imported| imported.trim_start_matches('@') == name)
            {
                return name.to_owned();
            }
        }
        if let Some(prefix) = argument("as").and_then(|prefix| prefix.as_str()) {
            return if specification == name {
                prefix.to_owned()
            } else {
                format!("{prefix}__{name}")
            };
        }
    }
    name.to_owned()
}

/// Finds the directives of one element that have a name.
pub(crate) type Applied<'a> = dyn Fn(&str) -> Vec<Node<Directive>> + 'a;

/// Calls `visit` with every element of a type that can carry directives.
pub(crate) fn each_element(
    ty: &Name,
    definition: &ExtendedType,
    visit: &mut dyn FnMut(Coordinate, &Applied<'_>),
) {
    let on_type = |name: &str| {
        definition
            .directives()
            .get_all(name)
            .map(|directive| directive.node.clone())
            .collect()
    };
    visit(Coordinate::Type(ty.clone()), &on_type);
    let fields = match definition {
        ExtendedType::Object(ty) => &ty.fields,
        ExtendedType::Interface(ty) => &ty.fields,
        ExtendedType::Enum(it) => {
            for (name, value) in &it.values {
                visit(Coordinate::member(ty, name), &|name| {
                    applied(&value.directives, name)
                });
            }
            return;
        }
        ExtendedType::InputObject(it) => {
            for (name, field) in &it.fields {
                visit(Coordinate::member(ty, name), &|name| {
                    applied(&field.directives, name)
                });
            }
            return;
        }
        _ => return,
    };
    for (name, field) in fields {
        visit(Coordinate::member(ty, name), &|name| {
            applied(&field.directives, name)
        });
        for argument in &field.arguments {
            let coordinate = Coordinate::argument(ty, name, &argument.name);
            visit(coordinate, &|name| applied(&argument.directives, name));
        }
    }
}

fn applied(directives: &DirectiveList, name: &str) -> Vec<Node<Directive>> {
    directives.get_all(name).cloned().collect()
}
