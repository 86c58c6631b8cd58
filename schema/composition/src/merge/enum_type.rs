//! Enums: merged by how the graph uses them. Read only: all values; given only: common values; both: all must agree.

use std::collections::BTreeMap;

use apollo_compiler::Name;
use rustc_hash::FxHashMap;

use super::{Merger, Source, gather};
use crate::diagnostic::{Code, Hint};
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
        for (value, declared) in gather(sources, |ty| &ty.values) {
            let everywhere = declared.len() == sources.len();
            let value = self.merge_value(&name, &value, &declared);
            let hidden = value.directives.has("federation__inaccessible");
            if !everywhere && used.input && used.output && !hidden {
                self.value_mismatch(&name, &value.name, sources, &declared);
            }
            if everywhere || !used.input || (used.output && hidden) {
                merged.values.insert(value.name.clone(), value);
            } else {
                let message = format!(
                    "enum value \"{name}.{}\" is dropped: not every subgraph accepts it",
                    value.name
                );
                self.hints.push(Hint {
                    code: "INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM",
                    message,
                });
            }
        }
        if merged.values.is_empty() {
            let message = format!("no value of enum \"{name}\" is common to all its subgraphs");
            let (index, ty) = sources[0];
            self.errors.push(
                self.subgraph(index)
                    .error(Code::EmptyMergedEnumType, ty.span, message),
            );
        }
    }

    fn value_mismatch(
        &mut self,
        name: &Name,
        value: &Name,
        sources: &[Source<'a, TypeDef>],
        declared: &[Source<'a, EnumValue>],
    ) {
        let without = sources
            .iter()
            .map(|(index, _)| *index)
            .filter(|index| !declared.iter().any(|(d, _)| d == index));
        let message = format!(
            "enum \"{name}\" is both read and given, so its values must agree: \"{value}\" is missing in subgraph {}",
            self.names(without)
        );
        let (index, source) = declared[0];
        self.errors.push(
            self.subgraph(index)
                .error(Code::EnumValueMismatch, source.span, message),
        );
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
        let applied: Vec<_> = declared
            .iter()
            .map(|(index, value)| (*index, &value.directives))
            .collect();
        directives.extend(self.merge_directives(&applied, &coordinate));
        let description = self.merge_description(
            declared.iter().map(|(_, value)| value.description.as_ref()),
            &coordinate,
        );
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
