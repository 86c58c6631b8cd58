//! Arguments of a field: those all declarations have in common, as demanding as the most demanding of them.

use apollo_compiler::Name;
use apollo_compiler::ast::{DirectiveList, Type};
use apollo_compiler::collections::IndexMap;

use super::field::FieldSources;
use super::field_type::Variance;
use super::{Merger, Source};
use crate::code::{Code, HintCode};
use crate::facts::from_context;
use crate::model::{FieldDef, InputDef};

/// The codes that differ between arguments and input fields.
pub(super) struct InputCodes {
    pub(super) type_mismatch: Code,
    pub(super) default_mismatch: Code,
    pub(super) compatible_types: HintCode,
}

const ARGUMENT: InputCodes = InputCodes {
    type_mismatch: Code::FieldArgumentTypeMismatch,
    default_mismatch: Code::FieldArgumentDefaultMismatch,
    compatible_types: HintCode::InconsistentButCompatibleArgumentType,
};

impl<'a> Merger<'a> {
    pub(super) fn merge_arguments(
        &mut self,
        sources: &FieldSources<'a>,
        resolving: &[Source<'_, FieldDef>],
    ) -> IndexMap<Name, InputDef> {
        self.merge_argument_lists(&sources.coordinate(), resolving)
    }

    /// The arguments of a field or directive by that coordinate.
    pub(super) fn merge_argument_lists(
        &mut self,
        coordinate: &str,
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
            let coordinate = format!("{coordinate}({name}:)");
            if self.is_contextual(&coordinate, &arguments) {
                continue;
            }
            if arguments.len() < resolving.len() {
                self.argument_missing(&coordinate, &arguments, resolving);
            } else {
                let (argument, _) = self.merge_input(&name, &coordinate, &arguments, &ARGUMENT);
                merged.insert(name, argument);
            }
        }
        merged
    }

    /// Arguments filled from a context are the router's business: clients never see them.
    fn is_contextual(&mut self, coordinate: &str, arguments: &[Source<'_, InputDef>]) -> bool {
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
            Some(plain) => self.contextual_hint(coordinate, *plain),
            None => {}
        }
        true
    }

    fn contextual_hint(&mut self, coordinate: &str, plain: Source<'_, InputDef>) {
        let message = format!(
            "argument \"{coordinate}\" comes from a context in some subgraphs only; elsewhere it is never given"
        );
        let code = HintCode::ContextualArgumentNotContextualInAllSubgraphs;
        self.hint(code, plain, message);
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
                self.hint(HintCode::InconsistentArgumentPresence, arguments[0], message);
            }
        }
    }

    /// Merges the declarations of one argument or input field, and says whether all are of one type.
    pub(super) fn merge_input(
        &mut self,
        name: &Name,
        coordinate: &str,
        sources: &[Source<'_, InputDef>],
        codes: &InputCodes,
    ) -> (InputDef, bool) {
        let description = self.merge_description(sources, coordinate);
        let (ty, types_equal) = self.merge_input_type(coordinate, sources, codes);
        let input = InputDef {
            name: name.clone(),
            description,
            ty,
            default: self.merge_default(coordinate, sources, codes),
            directives: DirectiveList(self.merge_directives(sources, coordinate)),
            span: None,
        };
        (input, types_equal)
    }

    fn merge_input_type(
        &mut self,
        coordinate: &str,
        sources: &[Source<'_, InputDef>],
        codes: &InputCodes,
    ) -> (Type, bool) {
        let types: Vec<_> = sources.iter().map(|(index, input)| (*index, &input.ty)).collect();
        let of = |index| {
            *sources
                .iter()
                .find(|(other, _)| *other == index)
                .expect("a source")
        };
        match self.merge_type_reference(&types, Variance::Input) {
            Ok(ty) => {
                let unlike = sources.iter().find(|(_, input)| input.ty != ty);
                if let Some(other) = unlike {
                    let message = format!("\"{coordinate}\" has several compatible types; \"{ty}\" is used");
                    self.hint(codes.compatible_types, *other, message);
                }
                (ty, unlike.is_none())
            }
            Err((first, second)) => {
                let message = format!(
                    "\"{coordinate}\" is of type \"{}\" in subgraph {}, which does not go with \"{}\" in subgraph {}",
                    of(first).1.ty,
                    self.names([first]),
                    of(second).1.ty,
                    self.names([second]),
                );
                self.error(codes.type_mismatch, of(second), message);
                (of(first).1.ty.clone(), false)
            }
        }
    }

    /// A default all declarations give; where only some do, there is none.
    fn merge_default(
        &mut self,
        coordinate: &str,
        sources: &[Source<'_, InputDef>],
        codes: &InputCodes,
    ) -> Option<apollo_compiler::Node<apollo_compiler::ast::Value>> {
        let mut given = sources.iter().filter(|(_, input)| input.default.is_some());
        let &first = given.next()?;
        if let Some(&other) = given.find(|(_, input)| input.default != first.1.default) {
            let message = format!(
                "\"{coordinate}\" has different defaults in subgraphs {}",
                self.names([first.0, other.0])
            );
            self.error(codes.default_mismatch, other, message);
            return None;
        }
        let Some(&without) = sources.iter().find(|(_, input)| input.default.is_none()) else {
            return first.1.default.clone();
        };
        let message = format!(
            "the default of \"{coordinate}\" is dropped: subgraph {} does not have it",
            self.names([without.0])
        );
        self.hint(HintCode::InconsistentDefaultValuePresence, first, message);
        None
    }
}
