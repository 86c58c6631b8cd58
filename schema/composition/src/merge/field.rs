//! Fields of objects and interfaces: type, arguments, directives, and who resolves them (`@join__field`).

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{Argument, Directive, DirectiveList, Value};
use apollo_compiler::collections::IndexMap;

use super::field_type::Variance;
use super::override_field::Overrides;
use super::{Merger, Source, gather};
use crate::diagnostic::{Code, Hint};
use crate::facts::{from_context, split_context};
use crate::join;
use crate::model::{FieldDef, Kind, TypeDef, string_argument};

/// One field's declarations in the subgraphs, with what the join metadata needs.
pub(super) struct FieldSources<'a> {
    pub(super) ty: Name,
    pub(super) name: Name,
    /// Declarations of the type.
    pub(super) types: &'a [Source<'a, TypeDef>],
    /// Declarations of the field.
    pub(super) fields: Vec<Source<'a, FieldDef>>,
}

impl<'a> FieldSources<'a> {
    pub(super) fn coordinate(&self) -> String {
        format!("{}.{}", self.ty, self.name)
    }

    pub(super) fn declaring_type(&self, index: usize) -> &'a TypeDef {
        let declared = self.types.iter().find(|(other, _)| *other == index);
        declared
            .expect("a field is declared by a declaration of its type")
            .1
    }
}

impl<'a> Merger<'a> {
    pub(super) fn merge_fields(&mut self, types: &[Source<'a, TypeDef>], merged: &mut TypeDef) {
        for (name, fields) in gather(types, |ty| &ty.fields) {
            let sources = FieldSources {
                ty: merged.name.clone(),
                name: name.clone(),
                types,
                fields,
            };
            if let Some(field) = self.merge_field(&sources, merged.kind) {
                merged.fields.insert(name, field);
            }
        }
    }

    fn merge_field(&mut self, sources: &FieldSources<'_>, kind: Kind) -> Option<FieldDef> {
        let resolving = self.non_external(sources);
        if resolving.is_empty() {
            self.external_everywhere(sources);
            return None;
        }
        let overrides = self.overrides(sources);
        self.check_sharing(sources, &overrides, kind);
        let active: Vec<_> = resolving
            .iter()
            .copied()
            .filter(|(index, _)| !overrides.is_removed(*index))
            .collect();
        let typed = if active.is_empty() {
            resolving.clone()
        } else {
            active
        };
        let ty = self.merge_field_type(sources, &typed)?;
        let coordinate = sources.coordinate();
        let mut field = FieldDef {
            name: sources.name.clone(),
            description: self.merge_description(
                resolving.iter().map(|(_, field)| field.description.as_ref()),
                &coordinate,
            ),
            arguments: self.merge_arguments(sources, &resolving),
            ty,
            directives: DirectiveList::default(),
            span: None,
        };
        self.check_external_declarations(sources, &field);
        field.directives.extend(self.join_fields(sources, &overrides));
        let applied: Vec<_> = resolving
            .iter()
            .map(|(index, field)| (*index, &field.directives))
            .collect();
        let applied = self.merge_directives(&applied, &coordinate);
        field.directives.extend(applied);
        Some(field)
    }

    /// Declarations that are not external.
    pub(super) fn non_external<'s>(&self, sources: &FieldSources<'s>) -> Vec<Source<'s, FieldDef>> {
        let all = sources.fields.iter().copied();
        all.filter(|(index, field)| {
            !self
                .facts(*index)
                .is_external(sources.declaring_type(*index), field)
        })
        .collect()
    }

    fn external_everywhere(&mut self, sources: &FieldSources<'_>) {
        let (index, field) = sources.fields[0];
        let message = format!(
            "field \"{}\" is @external in every subgraph that declares it ({}), so none resolves it",
            sources.coordinate(),
            self.names(sources.fields.iter().map(|(index, _)| *index)),
        );
        self.errors.push(
            self.subgraph(index)
                .error(Code::ExternalMissingOnBase, field.span, message),
        );
    }

    fn merge_field_type(
        &mut self,
        sources: &FieldSources<'_>,
        resolving: &[Source<'_, FieldDef>],
    ) -> Option<apollo_compiler::ast::Type> {
        let types: Vec<_> = resolving
            .iter()
            .map(|(index, field)| (*index, &field.ty))
            .collect();
        match self.merge_type_reference(&types, Variance::Output) {
            Ok(ty) => {
                if types.iter().any(|(_, other)| **other != ty) {
                    let message = format!(
                        "field \"{}\" has several compatible types; \"{ty}\" is used",
                        sources.coordinate()
                    );
                    self.hints.push(Hint {
                        code: "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE",
                        message,
                    });
                }
                Some(ty)
            }
            Err((first, second)) => {
                let of = |index| {
                    resolving
                        .iter()
                        .find(|(other, _)| *other == index)
                        .expect("a source")
                        .1
                };
                let message = format!(
                    "field \"{}\" is of type \"{}\" in subgraph {}, which does not go with \"{}\" in subgraph {}",
                    sources.coordinate(),
                    of(first).ty,
                    self.names([first]),
                    of(second).ty,
                    self.names([second]),
                );
                self.errors.push(self.subgraph(second).error(
                    Code::FieldTypeMismatch,
                    of(second).span,
                    message,
                ));
                None
            }
        }
    }

    /// External declarations must look like the real field: its type or a more general one, all its arguments.
    fn check_external_declarations(&mut self, sources: &FieldSources<'_>, merged: &FieldDef) {
        let coordinate = sources.coordinate();
        for &(index, field) in &sources.fields {
            if !self
                .facts(index)
                .is_external(sources.declaring_type(index), field)
            {
                continue;
            }
            let mut found = Vec::new();
            if field.ty != merged.ty && !self.is_subtype(&merged.ty, &field.ty, Variance::Output) {
                let message = format!(
                    "@external \"{coordinate}\" is of type \"{}\", but the field itself of \"{}\"",
                    field.ty, merged.ty
                );
                found.push((Code::ExternalTypeMismatch, message));
            }
            for argument in merged.arguments.values() {
                let name = &argument.name;
                match field.arguments.get(name) {
                    None => found.push((
                        Code::ExternalArgumentMissing,
                        format!("@external \"{coordinate}\" lacks the argument \"{name}\" of the field itself"),
                    )),
                    Some(own) if own.ty != argument.ty && !self.is_subtype(&argument.ty, &own.ty, Variance::Input) => found.push((
                        Code::ExternalArgumentTypeMismatch,
                        format!("argument \"{name}\" of @external \"{coordinate}\" is of type \"{}\", but of \"{}\" on the field itself", own.ty, argument.ty),
                    )),
                    Some(own) if own.default != argument.default => found.push((
                        Code::ExternalArgumentDefaultMismatch,
                        format!("argument \"{name}\" of @external \"{coordinate}\" has another default than on the field itself"),
                    )),
                    Some(_) => {}
                }
            }
            let subgraph = self.subgraph(index);
            self.errors.extend(
                found
                    .into_iter()
                    .map(|(code, message)| subgraph.error(code, field.span, message)),
            );
        }
    }

    /// The `@join__field`s; none where every subgraph of the type resolves the field in the same plain way.
    fn join_fields(&self, sources: &FieldSources<'_>, overrides: &Overrides) -> Vec<Node<Directive>> {
        let kept: Vec<_> = sources
            .fields
            .iter()
            .copied()
            .filter(|(index, _)| !overrides.is_gone(*index))
            .collect();
        let differing_types = kept.iter().any(|(_, field)| field.ty != kept[0].1.ty);
        let joined: Vec<_> = kept
            .iter()
            .map(|(index, field)| self.join_field(sources, overrides, *index, field, differing_types))
            .collect();
        let in_every_type = kept.len() == sources.types.len();
        let plain = joined.iter().all(|directive| directive.arguments.len() == 1);
        if in_every_type && plain {
            Vec::new()
        } else {
            joined
        }
    }

    fn join_field(
        &self,
        sources: &FieldSources<'_>,
        overrides: &Overrides,
        index: usize,
        field: &FieldDef,
        with_type: bool,
    ) -> Node<Directive> {
        let mut arguments = vec![("graph", join::graph(self.graph(index)))];
        for (name, directive) in [
            ("requires", "federation__requires"),
            ("provides", "federation__provides"),
        ] {
            let applied = field.directives.get(directive);
            if let Some(fields) = applied.and_then(|applied| string_argument(applied, "fields")) {
                arguments.push((name, join::string(fields)));
            }
        }
        if let Some(from) = overrides.source_of(index) {
            arguments.push(("override", join::string(from)));
        }
        if with_type {
            arguments.push(("type", join::string(field.ty.to_string())));
        }
        if self
            .facts(index)
            .is_external(sources.declaring_type(index), field)
        {
            arguments.push(("external", Value::Boolean(true)));
        }
        if overrides.is_used_overridden(index) {
            arguments.push(("usedOverridden", Value::Boolean(true)));
        }
        if let Some(label) = overrides.label_of(index) {
            arguments.push(("overrideLabel", join::string(label)));
        }
        if let Some(contexts) = self.context_arguments(index, field) {
            arguments.push(("contextArguments", contexts));
        }
        join::directive("join__field", arguments)
    }

    fn context_arguments(&self, index: usize, field: &FieldDef) -> Option<Value> {
        let subgraph = &self.subgraph(index).name;
        let contexts = field.arguments.values().filter_map(|argument| {
            let (context, selection) = split_context(from_context(&argument.directives)?)?;
            let entry = |name: &'static str, value: String| {
                (Name::new_unchecked(name), Node::new(Value::String(value)))
            };
            Some(Node::new(Value::Object(vec![
                entry("context", format!("{subgraph}__{context}")),
                entry("name", argument.name.to_string()),
                entry("type", argument.ty.to_string()),
                entry("selection", format!(" {selection}")),
            ])))
        });
        let contexts: Vec<_> = contexts.collect();
        (!contexts.is_empty()).then(|| Value::List(contexts))
    }
}

/// The arguments of a directive by name, for comparisons that ignore their order.
pub(super) fn argument_map(directive: &Directive) -> IndexMap<&Name, &Value> {
    let mut arguments: Vec<&Node<Argument>> = directive.arguments.iter().collect();
    arguments.sort_by(|a, b| a.name.cmp(&b.name));
    arguments
        .into_iter()
        .map(|argument| (&argument.name, &*argument.value))
        .collect()
}
