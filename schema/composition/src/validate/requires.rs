//! `@requires` with arguments: merging keeps only arguments that all subgraphs have, and may make them required.

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::facts::field_set_of;
use crate::field_set::{FieldSet, Item};
use crate::merge::{Member, Supergraph};
use crate::model::TypeDef;

/// Checks the arguments of every `@requires` against the merged fields.
pub(super) fn check(supergraph: &Supergraph, members: &[Member], errors: &mut Vec<Diagnostic>) {
    for member in members {
        for ty in member.subgraph.types.values() {
            for field in ty.fields.values() {
                let Some(directive) = field.directives.get("federation__requires") else {
                    continue;
                };
                let (Some(set), Some(merged)) = (
                    field_set_of(field, "federation__requires"),
                    supergraph.types.get(&ty.name),
                ) else {
                    continue;
                };
                let mut problems = Vec::new();
                collect(supergraph, &set, merged, &mut problems);
                errors.extend(problems.into_iter().map(|problem| {
                    let message = format!("@requires on \"{}.{}\": {problem}", ty.name, field.name);
                    let code = Code::RequiresInvalidFields;
                    member.subgraph.error(code, directive.location(), message)
                }));
            }
        }
    }
}

fn collect(supergraph: &Supergraph, set: &FieldSet, parent: &TypeDef, problems: &mut Vec<String>) {
    for item in &set.0 {
        match item {
            Item::Field(item) => {
                let Some(field) = parent.fields.get(&item.name) else {
                    continue;
                };
                for given in &item.arguments {
                    if !field.arguments.contains_key(&given.name) {
                        problems.push(format!(
                            "argument \"{}\" of \"{}.{}\" is unknown to some subgraph that has the field",
                            given.name, parent.name, item.name
                        ));
                    }
                }
                let required = field.arguments.values().filter(|argument| argument.is_required());
                for argument in required {
                    if !item.arguments.iter().any(|given| given.name == argument.name) {
                        problems.push(format!(
                            "argument \"{}\" of \"{}.{}\" is required by some subgraph that has the field",
                            argument.name, parent.name, item.name
                        ));
                    }
                }
                if let Some(target) = supergraph.types.get(field.ty.inner_named_type()) {
                    collect(supergraph, &item.sub, target, problems);
                }
            }
            Item::Fragment { on, sub, .. } => {
                if let Some(target) = supergraph.types.get(on.as_ref().unwrap_or(&parent.name)) {
                    collect(supergraph, sub, target, problems);
                }
            }
        }
    }
}
