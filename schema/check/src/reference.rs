//! A page about the schema clients see, in Markdown, from its descriptions.

use std::fmt::Write as _;

use apollo_compiler::ast::{DirectiveList, FieldDefinition, InputValueDefinition, Type};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, Schema};

/// The page: root fields first, then every type in order of name, each with links to the types it names.
pub fn markdown(schema: &Schema, title: &str) -> String {
    let mut page = format!("# {title}\n\nGenerated from the graph; do not edit.\n");
    let roots: Vec<&Name> = schema
        .schema_definition
        .iter_root_operations()
        .map(|(_, root)| &root.name)
        .collect();
    for root in &roots {
        if let Some(ty) = schema.types.get(root.as_str()) {
            section(&mut page, ty);
        }
    }
    let mut types: Vec<&ExtendedType> = schema
        .types
        .values()
        .filter(|ty| !ty.is_built_in() && !roots.contains(&ty.name()))
        .collect();
    types.sort_by_key(|ty| (ty.name().to_lowercase(), ty.name().clone()));
    for ty in types {
        section(&mut page, ty);
    }
    page
}

fn section(page: &mut String, ty: &ExtendedType) {
    let kind = match ty {
        ExtendedType::Scalar(_) => "scalar",
        ExtendedType::Object(_) => "type",
        ExtendedType::Interface(_) => "interface",
        ExtendedType::Union(_) => "union",
        ExtendedType::Enum(_) => "enum",
        ExtendedType::InputObject(_) => "input",
    };
    let _ = write!(page, "\n## {}\n\n*{kind}*", ty.name());
    if let ExtendedType::Object(object) = ty
        && !object.implements_interfaces.is_empty()
    {
        let names: Vec<String> = object
            .implements_interfaces
            .iter()
            .map(|name| link(name))
            .collect();
        let _ = write!(page, " implements {}", names.join(", "));
    }
    let _ = writeln!(page);
    if let Some(description) = ty.description() {
        let _ = writeln!(page, "\n{}", description.trim());
    }
    match ty {
        ExtendedType::Object(ty) => fields(page, ty.fields.values().map(|field| &field.node)),
        ExtendedType::Interface(ty) => fields(page, ty.fields.values().map(|field| &field.node)),
        ExtendedType::Union(ty) => {
            let members: Vec<String> = ty.members.iter().map(|member| link(member)).collect();
            let _ = writeln!(page, "\nOne of {}.", members.join(", "));
        }
        ExtendedType::Enum(ty) => {
            rows(
                page,
                "value",
                ty.values.values().map(|value| {
                    (
                        format!("`{}`", value.value),
                        String::new(),
                        about(&value.description, &value.directives),
                    )
                }),
            );
        }
        ExtendedType::InputObject(ty) => rows(page, "field", ty.fields.values().map(|field| input(field))),
        ExtendedType::Scalar(_) => {}
    }
}

fn fields<'a>(page: &mut String, fields: impl Iterator<Item = &'a Node<FieldDefinition>>) {
    let mut list = Vec::new();
    for field in fields {
        list.push((
            format!("`{}`", field.name),
            type_link(&field.ty),
            about(&field.description, &field.directives),
        ));
        for argument in &field.arguments {
            let (name, ty, about) = input(argument);
            list.push((format!("&nbsp;&nbsp;{name}"), ty, about));
        }
    }
    rows(page, "field, arguments", list.into_iter());
}

fn input(input: &InputValueDefinition) -> (String, String, String) {
    let default = input
        .default_value
        .as_ref()
        .map(|default| format!(" = `{default}`"))
        .unwrap_or_default();
    let ty = type_link(&input.ty) + &default;
    (
        format!("`{}`", input.name),
        ty,
        about(&input.description, &input.directives),
    )
}

fn rows(page: &mut String, head: &str, rows: impl Iterator<Item = (String, String, String)>) {
    let _ = writeln!(page, "\n| {head} | type | |\n|---|---|---|");
    for (name, ty, about) in rows {
        let _ = writeln!(page, "| {name} | {ty} | {about} |");
    }
}

/// The description on one line, after a note where the element is deprecated.
fn about(description: &Option<Node<str>>, directives: &DirectiveList) -> String {
    let mut text = String::new();
    if let Some(deprecated) = directives.get("deprecated") {
        let reason = deprecated
            .specified_argument_by_name("reason")
            .and_then(|reason| reason.as_str());
        let _ = write!(text, "**Deprecated.** {} ", cell(reason.unwrap_or_default()));
    }
    text += &cell(description.as_deref().unwrap_or_default());
    text.trim().to_owned()
}

/// Text for a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}

/// The type, its name a link to its section.
fn type_link(ty: &Type) -> String {
    let name = ty.inner_named_type();
    let written = ty.to_string();
    let built_in = matches!(name.as_str(), "ID" | "String" | "Int" | "Float" | "Boolean");
    if built_in {
        format!("`{written}`")
    } else {
        format!("[`{written}`](#{})", anchor(name))
    }
}

fn link(name: &str) -> String {
    format!("[{name}](#{})", anchor(name))
}

fn anchor(name: &str) -> String {
    name.to_lowercase()
}
