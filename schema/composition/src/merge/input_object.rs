//! Input objects: the fields all declarations have in common.

use super::arguments::InputCodes;
use super::{Merger, Source, gather};
use crate::diagnostic::{Code, Hint};
use crate::join;
use crate::model::{InputDef, TypeDef};

const INPUT_FIELD: InputCodes = InputCodes {
    type_mismatch: Code::FieldTypeMismatch,
    default_mismatch: Code::InputFieldDefaultMismatch,
};

impl<'a> Merger<'a> {
    pub(super) fn merge_inputs(&mut self, sources: &[Source<'a, TypeDef>], merged: &mut TypeDef) {
        let mut failed = false;
        for (name, fields) in gather(sources, |ty| &ty.inputs) {
            let coordinate = format!("{}.{name}", merged.name);
            if fields.len() < sources.len() {
                failed |= self.input_field_missing(&coordinate, sources, &fields);
                continue;
            }
            let Some(mut input) = self.merge_input(&name, &coordinate, &fields, &INPUT_FIELD) else {
                failed = true;
                continue;
            };
            if fields.iter().any(|(_, field)| field.ty != fields[0].1.ty) {
                let joined = fields.iter().map(|(index, field)| {
                    let arguments = vec![
                        ("graph", join::graph(self.graph(*index))),
                        ("type", join::string(field.ty.to_string())),
                    ];
                    join::directive("join__field", arguments)
                });
                input.directives.0.splice(0..0, joined.collect::<Vec<_>>());
            }
            merged.inputs.insert(name, input);
        }
        if merged.inputs.is_empty() && !failed {
            let message = format!(
                "no field of input object \"{}\" is common to all its subgraphs",
                merged.name
            );
            let (index, ty) = sources[0];
            self.errors.push(
                self.subgraph(index)
                    .error(Code::EmptyMergedInputType, ty.span, message),
            );
        }
    }

    /// Drops the field with a hint, unless a subgraph insists on it; says whether one does.
    fn input_field_missing(
        &mut self,
        coordinate: &str,
        sources: &[Source<'a, TypeDef>],
        fields: &[Source<'a, InputDef>],
    ) -> bool {
        let missing = sources
            .iter()
            .map(|(index, _)| *index)
            .filter(|index| !fields.iter().any(|(f, _)| f == index));
        let missing = self.names(missing);
        let required = fields.iter().find(|(_, field)| field.is_required());
        match required {
            Some((index, field)) => {
                let message = format!(
                    "input field \"{coordinate}\" is required in subgraph {}, but missing in {missing}",
                    self.names([*index])
                );
                let code = Code::RequiredInputFieldMissingInSomeSubgraph;
                self.errors
                    .push(self.subgraph(*index).error(code, field.span, message));
            }
            None => {
                let message =
                    format!("input field \"{coordinate}\" is dropped: it is missing in subgraph {missing}");
                self.hints.push(Hint {
                    code: "INCONSISTENT_INPUT_OBJECT_FIELD",
                    message,
                });
            }
        }
        required.is_some()
    }
}
