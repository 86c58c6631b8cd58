//! Enums: merged by how the graph uses them. Read only: all values; given only: common values; both: all must agree.

use std::collections::BTreeMap;

use apollo_compiler::Name;
use rustc_hash::FxHashMap;

use super::{Merger, Source, gather};
use crate::code::{Code, HintCode};
use crate::join;
use crate::model::{EnumValue, Kind, TypeDef};

#[derive(Default, Clone, Copy)]
struct Usage {
    input: bool,
    output: bool,
}

impl<'a> Merger<'a> {
    pub(super) fn merge_enums(&mut self, types: &mut BTreeMap<Name, TypeDef>) {
        let usage = enum_usage(types);
        let names: Vec<Name> = types
            .values()
            .filter(|ty| ty.kind == Kind::Enum)
            .map(|ty| ty.name.clone())
            .collect();
        for name in names {
            let used = usage.get(&name).copied().unwrap_or_default();
            let sources = self.sources(&name);
            let mut merged = types.remove(&name).expect("the name was just listed");
            self.merge_values(&sources, used, &mut merged);
            types.insert(name, merged);
        }
    }

    fn merge_values(&mut self, sources: &[Source<'a, TypeDef>], used: Usage, merged: &mut TypeDef) {
        let name = merged.name.clone();
        if !used.input && !used.output {
            let message = format!("enum \"{name}\" is used nowhere; all its values are kept");
            self.hint(HintCode::UnusedEnumType, sources[0], message);
        }
        for (value, declared) in gather(sources, |ty| &ty.values) {
            let value = self.merge_value(&name, &value, &declared);
            // A hidden value is neither read nor given, so it need not be everywhere.
            let hidden = value.directives.has("federation__inaccessible");
            let missing = self.lacking(sources, &declared).filter(|_| !hidden);
            match missing {
                Some((_, missing)) if used.input && !used.output => {
                    let message = format!(
                        "enum value \"{name}.{}\" is dropped: subgraph {missing} does not accept it",
                        value.name
                    );
                    self.hint(HintCode::InconsistentEnumValueForInputEnum, declared[0], message);
                    continue;
                }
                Some((_, missing)) if used.input => {
                    let message = format!(
                        "enum \"{name}\" is both read and given, so its values must agree: \"{}\" is missing in subgraph {missing}",
                        value.name
                    );
                    self.error(Code::EnumValueMismatch, declared[0], message);
                }
                Some((_, missing)) => {
                    let message = format!(
                        "enum value \"{name}.{}\" is kept, although subgraph {missing} never gives it",
                        value.name
                    );
                    self.hint(HintCode::InconsistentEnumValueForOutputEnum, declared[0], message);
                }
                None => {}
            }
            merged.values.insert(value.name.clone(), value);
        }
        if merged.values.is_empty() {
            let message = format!("no value of enum \"{name}\" is common to all its subgraphs");
            self.error(Code::EmptyMergedEnumType, sources[0], message);
        }
    }

    fn merge_value(&mut self, ty: &Name, name: &Name, declared: &[Source<'a, EnumValue>]) -> EnumValue {
        let coordinate = format!("{ty}.{name}");
        let mut directives: apollo_compiler::ast::DirectiveList = declared
            .iter()
            .map(|(index, _)| {
                join::directive(
                    "join__enumValue",
                    vec![("graph", join::graph(self.graph(*index)))],
                )
            })
            .collect();
        directives.extend(self.merge_directives(declared, &coordinate));
        let description = self.merge_description(declared, &coordinate);
        EnumValue {
            name: name.clone(),
            description,
            directives,
            span: None,
        }
    }
}

/// Where merged types mention each type.
fn enum_usage(types: &BTreeMap<Name, TypeDef>) -> FxHashMap<Name, Usage> {
    let mut usage: FxHashMap<Name, Usage> = FxHashMap::default();
    for ty in types.values() {
        for field in ty.fields.values() {
            usage
                .entry(field.ty.inner_named_type().clone())
                .or_default()
                .output = true;
            for argument in field.arguments.values() {
                usage
                    .entry(argument.ty.inner_named_type().clone())
                    .or_default()
                    .input = true;
            }
        }
        for input in ty.inputs.values() {
            usage
                .entry(input.ty.inner_named_type().clone())
                .or_default()
                .input = true;
        }
    }
    usage
}
