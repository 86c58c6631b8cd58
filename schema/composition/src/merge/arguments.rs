//! Arguments of a field: those all declarations have in common, as demanding as the most demanding of them.

use apollo_compiler::Name;
use apollo_compiler::ast::DirectiveList;
use apollo_compiler::collections::IndexMap;

use super::field::FieldSources;
use super::field_type::Variance;
use super::{Merger, Source};
use crate::diagnostic::{Code, Hint};
use crate::facts::from_context;
use crate::model::{FieldDef, InputDef};

/// The codes that differ between arguments and input fields.
pub(super) struct InputCodes {
    pub(super) type_mismatch: Code,
    pub(super) default_mismatch: Code,
}

const ARGUMENT: InputCodes = InputCodes {
    type_mismatch: Code::FieldArgumentTypeMismatch,
    default_mismatch: Code::FieldArgumentDefaultMismatch,
};

impl Merger<'_> {
    pub(super) fn merge_arguments(
        &mut self,
        sources: &FieldSources<'_>,
        resolving: &[Source<'_, FieldDef>],
    ) -> IndexMap<Name, InputDef> {
        let mut gathered: IndexMap<Name, Vec<Source<'_, InputDef>>> = IndexMap::default();
        for (index, field) in resolving {
            for (name, argument) in &field.arguments {
                gathered.entry(name.clone()).or_default().push((*index, argument));
            }
        }
        let mut merged = IndexMap::default();
        for (name, arguments) in gathered {
            let coordinate = format!("{}({name}:)", sources.coordinate());
            if self.is_contextual(&coordinate, &arguments, resolving) {
                continue;
            }
            if arguments.len() < resolving.len() {
                self.argument_missing(&coordinate, &arguments, resolving);
            } else if let Some(argument) = self.merge_input(&name, &coordinate, &arguments, &ARGUMENT) {
                merged.insert(name, argument);
            }
        }
        merged
    }

    /// Arguments filled from a context are the router's business: clients never see them.
    fn is_contextual(
        &mut self,
        coordinate: &str,
        arguments: &[Source<'_, InputDef>],
        resolving: &[Source<'_, FieldDef>],
    ) -> bool {
        let contextual = |argument: &InputDef| from_context(&argument.directives).is_some();
        if !arguments.iter().any(|(_, argument)| contextual(argument)) {
            return false;
        }
        let plain = arguments.iter().find(|(_, argument)| !contextual(argument));
        match plain {
            Some((index, argument)) if argument.is_required() => {
                let message = format!(
                    "argument \"{coordinate}\" comes from a context in some subgraphs, but is required in {}",
                    self.names([*index])
                );
                let code = Code::ContextualArgumentNotContextualInAllSubgraphs;
                self.errors
                    .push(self.subgraph(*index).error(code, argument.span, message));
            }
            Some(_) => self.contextual_hint(coordinate),
            None if arguments.len() < resolving.len() => self.contextual_hint(coordinate),
            None => {}
        }
        true
    }

    fn contextual_hint(&mut self, coordinate: &str) {
        let message = format!(
            "argument \"{coordinate}\" comes from a context in some subgraphs only; elsewhere it is never given"
        );
        self.hints.push(Hint {
            code: "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS",
            message,
        });
    }

    fn argument_missing(
        &mut self,
        coordinate: &str,
        arguments: &[Source<'_, InputDef>],
        resolving: &[Source<'_, FieldDef>],
    ) {
        let missing: Vec<_> = resolving
            .iter()
            .map(|(index, _)| *index)
            .filter(|index| !arguments.iter().any(|(other, _)| other == index))
            .collect();
        let missing = self.names(missing);
        match arguments.iter().find(|(_, argument)| argument.is_required()) {
            Some((index, argument)) => {
                let message = format!(
                    "argument \"{coordinate}\" is required in subgraph {}, but missing in {missing}",
                    self.names([*index])
                );
                let code = Code::RequiredArgumentMissingInSomeSubgraph;
                self.errors
                    .push(self.subgraph(*index).error(code, argument.span, message));
            }
            None => {
                let message =
                    format!("argument \"{coordinate}\" is dropped: it is missing in subgraph {missing}");
                self.hints.push(Hint {
                    code: "INCONSISTENT_ARGUMENT_PRESENCE",
                    message,
                });
            }
        }
    }

    /// Merges the declarations of one argument or input field.
    pub(super) fn merge_input(
        &mut self,
        name: &Name,
        coordinate: &str,
        sources: &[Source<'_, InputDef>],
        codes: &InputCodes,
    ) -> Option<InputDef> {
        let types: Vec<_> = sources.iter().map(|(index, input)| (*index, &input.ty)).collect();
        let of = |index| {
            sources
                .iter()
                .find(|(other, _)| *other == index)
                .expect("a source")
                .1
        };
        let ty = match self.merge_type_reference(&types, Variance::Input) {
            Ok(ty) => ty,
            Err((first, second)) => {
                let message = format!(
                    "\"{coordinate}\" is of type \"{}\" in subgraph {}, which does not go with \"{}\" in subgraph {}",
                    of(first).ty,
                    self.names([first]),
                    of(second).ty,
                    self.names([second]),
                );
                self.errors.push(
                    self.subgraph(second)
                        .error(codes.type_mismatch, of(second).span, message),
                );
                return None;
            }
        };
        let description = self.merge_description(
            sources.iter().map(|(_, input)| input.description.as_ref()),
            coordinate,
        );
        let default = self.merge_default(coordinate, sources, codes);
        let applied: Vec<_> = sources
            .iter()
            .map(|(index, input)| (*index, &input.directives))
            .collect();
        let directives = self.merge_directives(&applied, coordinate);
        Some(InputDef {
            name: name.clone(),
            description,
            ty,
            default,
            directives: DirectiveList(directives),
            span: None,
        })
    }

    /// A default all declarations give; where only some do, there is none.
    fn merge_default(
        &mut self,
        coordinate: &str,
        sources: &[Source<'_, InputDef>],
        codes: &InputCodes,
    ) -> Option<apollo_compiler::Node<apollo_compiler::ast::Value>> {
        let (first_index, first) = sources[0];
        let Some(&(index, other)) = sources.iter().find(|(_, input)| input.default != first.default) else {
            return first.default.clone();
        };
        if sources.iter().any(|(_, input)| input.default.is_none()) {
            let message = format!("the default of \"{coordinate}\" is dropped: not every subgraph has it");
            self.hints.push(Hint {
                code: "INCONSISTENT_DEFAULT_VALUE_PRESENCE",
                message,
            });
            return None;
        }
        let message = format!(
            "\"{coordinate}\" has different defaults in subgraphs {}",
            self.names([first_index, index])
        );
        self.errors.push(
            self.subgraph(index)
                .error(codes.default_mismatch, other.span, message),
        );
        None
    }
}
