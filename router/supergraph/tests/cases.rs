//! Reads the supergraph of every case under `tests/cases` and compares what comes of it (`UPDATE_EXPECT=1` rewrites):
//! `api.graphql`, what clients see, and `graph.txt`, who resolves what; or `error.txt`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use fondaco_supergraph::{FieldSet, FieldSource, Supergraph, TypeModel};

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() >= 20, "{} cases", cases.len());
    for case in cases {
        let sdl = fs::read_to_string(case.join("supergraph.graphql")).unwrap();
        match Supergraph::parse(&sdl, "supergraph.graphql") {
            Ok(supergraph) => {
                let api = supergraph.api_schema().serialize().to_string();
                expect_file![case.join("api.graphql")].assert_eq(&api);
                expect_file![case.join("graph.txt")].assert_eq(&describe(&supergraph));
            }
            Err(error) => {
                expect_file![case.join("error.txt")].assert_eq(&format!("{error}\n"));
            }
        }
    }
}

fn describe(supergraph: &Supergraph) -> String {
    let mut text = String::new();
    for subgraph in supergraph.subgraphs() {
        writeln!(text, "subgraph {} at {}", subgraph.name, subgraph.url).unwrap();
    }
    if !supergraph.override_labels().is_empty() {
        writeln!(text, "labels {}", supergraph.override_labels().join(", ")).unwrap();
    }
    for name in supergraph.schema().types.keys() {
        if let Some(model) = supergraph.type_model(name) {
            describe_type(supergraph, model, &mut text);
        }
    }
    text
}

fn describe_type(supergraph: &Supergraph, model: &TypeModel, text: &mut String) {
    let name_of = |id| &*supergraph.subgraph(id).name;
    write!(text, "\n{}", model.name).unwrap();
    if model.is_abstract {
        write!(text, " = {}", model.possible_types.join(" | ")).unwrap();
    }
    requirement(text, supergraph.requirements().of_type(&model.name));
    text.push('\n');
    for (&id, source) in &model.sources {
        write!(text, "  in {}", name_of(id)).unwrap();
        if source.is_interface_object {
            text.push_str(", as an object");
        } else if model.is_abstract && source.possible_types != model.possible_types {
            write!(text, " = {}", source.possible_types.join(" | ")).unwrap();
        }
        for key in &source.keys {
            let unresolvable = if key.resolvable { "" } else { " (not resolvable)" };
            write!(text, ", key {}{unresolvable}", set(&key.fields)).unwrap();
        }
        text.push('\n');
    }
    for (&id, interfaces) in &model.interface_objects {
        writeln!(text, "  in {} as {}", name_of(id), interfaces.join(", ")).unwrap();
    }
    for (name, field) in &model.fields {
        write!(text, "  {name}: {}", field.ty).unwrap();
        requirement(text, supergraph.requirements().of_field(&model.name, name));
        text.push('\n');
        for (&id, source) in &field.sources {
            writeln!(text, "    {}{}", name_of(id), source_text(source, &field.ty)).unwrap();
        }
    }
}

fn source_text(source: &FieldSource, ty: &apollo_compiler::ast::Type) -> String {
    let mut text = String::new();
    if source.ty != *ty {
        write!(text, ": {}", source.ty).unwrap();
    }
    if source.external {
        text.push_str(", external");
    }
    if let Some(requires) = &source.requires {
        write!(text, ", requires {}", set(requires)).unwrap();
    }
    if let Some(provides) = &source.provides {
        write!(text, ", provides {}", set(provides)).unwrap();
    }
    if let Some(rule) = &source.override_rule {
        let word = if rule.active_here { "when" } else { "unless" };
        write!(text, ", {word} {}", rule.label).unwrap();
    }
    if !source.via_interfaces.is_empty() {
        write!(text, ", through {}", source.via_interfaces.join(", ")).unwrap();
    }
    for argument in source.context_arguments.iter() {
        write!(text, ", {}: {} from", argument.name, argument.ty).unwrap();
        for (setter, selection) in argument.selections.iter() {
            write!(text, " {setter} {}", set(selection)).unwrap();
        }
    }
    text
}

fn set(fields: &FieldSet) -> String {
    fields.serialize().no_indent().to_string()
}

fn requirement(text: &mut String, requirement: Option<&fondaco_supergraph::Requirement>) {
    let Some(requirement) = requirement else { return };
    if requirement.authenticated {
        text.push_str(" @authenticated");
    }
    for (name, sets) in [
        ("scopes", &requirement.scopes),
        ("policies", &requirement.policies),
    ] {
        if !sets.is_empty() {
            let sets: Vec<String> = sets.iter().map(|set| set.join(" and ")).collect();
            write!(text, " {name}: {}", sets.join(" or ")).unwrap();
        }
    }
}
