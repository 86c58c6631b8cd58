//! What clients see of the graph: no join metadata, nothing inaccessible.

use std::collections::BTreeMap;

use apollo_compiler::Name;
use apollo_compiler::ast::{DirectiveDefinition, DirectiveList};

use crate::emit::{ONE_OF, Printer};
use crate::merge::Supergraph;
use crate::model::TypeDef;

/// The directives that tell clients something.
const FOR_CLIENTS: [&str; 3] = ["deprecated", "specifiedBy", "oneOf"];

/// The client schema's SDL, types in the order of the supergraph's.
pub(crate) fn api_sdl(supergraph: &Supergraph) -> String {
    let mut types: BTreeMap<Name, TypeDef> = supergraph.types.clone();
    types.retain(|_, ty| !is_hidden(&ty.directives));
    let visible: Vec<Name> = types.keys().cloned().collect();
    types.values_mut().for_each(|ty| strip(ty, &visible));

    let printer = Printer { composed: &[] };
    let directives = supergraph
        .executable
        .values()
        .map(|definition| visible_part(definition).to_string().trim_end().to_owned());
    let mut definitions: Vec<String> = printer.described_schema(supergraph).into_iter().collect();
    definitions.extend(directives);
    if types.values().any(|ty| ty.directives.has("oneOf")) {
        definitions.push(ONE_OF.to_owned());
    }
    let mut types: Vec<&TypeDef> = types.values().collect();
    types.sort_by_key(|ty| (ty.name.to_lowercase(), ty.name.clone()));
    definitions.extend(types.into_iter().map(|ty| printer.type_def(ty)));
    definitions.join("\n\n") + "\n"
}

fn visible_part(definition: &DirectiveDefinition) -> DirectiveDefinition {
    let mut visible = definition.clone();
    visible
        .arguments
        .retain(|argument| !is_hidden(&argument.directives));
    for argument in &mut visible.arguments {
        if !argument.directives.is_empty() {
            keep_client_directives(&mut argument.make_mut().directives);
        }
    }
    visible
}

fn is_hidden(directives: &DirectiveList) -> bool {
    directives.has("federation__inaccessible")
}

/// Leaves of a type what clients may see.
fn strip(ty: &mut TypeDef, visible: &[Name]) {
    keep_client_directives(&mut ty.directives);
    let is_visible = |name: &Name| visible.binary_search(name).is_ok();
    ty.implements.retain(is_visible);
    ty.members.retain(is_visible);
    ty.fields.retain(|_, field| !is_hidden(&field.directives));
    ty.inputs.retain(|_, input| !is_hidden(&input.directives));
    ty.values.retain(|_, value| !is_hidden(&value.directives));
    for field in ty.fields.values_mut() {
        keep_client_directives(&mut field.directives);
        field
            .arguments
            .retain(|_, argument| !is_hidden(&argument.directives));
        field
            .arguments
            .values_mut()
            .for_each(|argument| keep_client_directives(&mut argument.directives));
    }
    ty.inputs
        .values_mut()
        .for_each(|input| keep_client_directives(&mut input.directives));
    ty.values
        .values_mut()
        .for_each(|value| keep_client_directives(&mut value.directives));
}

fn keep_client_directives(directives: &mut DirectiveList) {
    directives.retain(|directive| FOR_CLIENTS.contains(&directive.name.as_str()));
}
