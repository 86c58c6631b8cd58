//! Input objects: the fields all declarations have in common.

use apollo_compiler::Node;
use apollo_compiler::ast::Directive;

use super::arguments::InputCodes;
use super::{Merger, Source, gather};
use crate::code::{Code, HintCode};
use crate::join;
use crate::model::{InputDef, TypeDef};

const INPUT_FIELD: InputCodes = InputCodes {
    type_mismatch: Code::FieldTypeMismatch,
    default_mismatch: Code::InputFieldDefaultMismatch,
    compatible_types: HintCode::InconsistentButCompatibleFieldType,
};

impl<'a> Merger<'a> {
    pub(super) fn merge_inputs(&mut self, sources: &[Source<'a, TypeDef>], merged: &mut TypeDef) {
        for (name, fields) in gather(sources, |ty| &ty.inputs) {
            let coordinate = format!("{}.{name}", merged.name);
            let (mut input, types_equal) = self.merge_input(&name, &coordinate, &fields, &INPUT_FIELD);
            let hidden = input.directives.has("federation__inaccessible");
            // Nobody can give a hidden field, so it need not be everywhere.
            if fields.len() < sources.len() && !hidden {
                self.input_field_missing(&coordinate, sources, &fields);
                continue;
            }
            if !types_equal || fields.len() < sources.len() {
                let joined = fields
                    .iter()
                    .map(|(index, field)| self.join_input(*index, field, !types_equal));
                input.directives.0.splice(0..0, joined.collect::<Vec<_>>());
            }
            merged.inputs.insert(name, input);
        }
        if merged.inputs.is_empty() {
            let message = format!(
                "no field of input object \"{}\" is common to all its subgraphs",
                merged.name
            );
            self.error(Code::EmptyMergedInputType, sources[0], message);
        }
    }

    fn join_input(&self, index: usize, field: &InputDef, with_type: bool) -> Node<Directive> {
        let mut arguments = vec![("graph", join::graph(self.graph(index)))];
        if with_type {
            arguments.push(("type", join::string(field.ty.to_string())));
        }
        join::directive("join__field", arguments)
    }

    /// Drops the field: with a hint, or an error where a subgraph insists on it.
    fn input_field_missing(
        &mut self,
        coordinate: &str,
        sources: &[Source<'a, TypeDef>],
        fields: &[Source<'a, InputDef>],
    ) {
        let Some((_, missing)) = self.lacking(sources, fields) else {
            return;
        };
        match fields.iter().find(|(_, field)| field.is_required()) {
            Some(&required) => {
                let message = format!(
                    "input field \"{coordinate}\" is required in subgraph {}, but missing in {missing}",
                    self.names([required.0])
                );
                self.error(Code::RequiredInputFieldMissingInSomeSubgraph, required, message);
            }
            None => {
                let message =
                    format!("input field \"{coordinate}\" is dropped: it is missing in subgraph {missing}");
                self.hint(HintCode::InconsistentInputObjectField, fields[0], message);
            }
        }
    }
}
