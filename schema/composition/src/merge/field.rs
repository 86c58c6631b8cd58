//! Fields of objects and interfaces: type, arguments, directives, and who resolves them (`@join__field`).

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{Argument, Directive, DirectiveList, Value};
use apollo_compiler::collections::IndexMap;

use super::field_type::Variance;
use super::override_field::Overrides;
use super::{Merger, Source, gather, interface_access};
use crate::code::{Code, HintCode};
use crate::facts::{from_context, split_context};
use crate::join;
use crate::model::{FieldDef, Kind, TypeDef, string_argument};

/// One field's declarations in the subgraphs, with what the join metadata needs.
pub(super) struct FieldSources<'a> {
    pub(super) ty: Name,
    pub(super) name: Name,
    /// Declarations of the type.
    pub(super) types: Vec<Source<'a, TypeDef>>,
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
                types: types.to_vec(),
                fields,
            };
            if let Some(field) = self.merge_field(&sources, merged.kind) {
                merged.fields.insert(name, field);
            }
        }
    }

    fn merge_field(&mut self, sources: &FieldSources<'a>, kind: Kind) -> Option<FieldDef> {
        let overrides = self.overrides(sources);
        if kind == Kind::Object {
            self.check_sharing(sources, &overrides);
            self.check_subscription(sources);
        }
        if self.is_external_everywhere(sources) {
            self.external_everywhere(sources);
            return None;
        }
        let resolving = self.non_external(sources);
        // Where only interface objects resolve it, the external declarations say what it looks like.
        let typed = if resolving.is_empty() {
            sources.fields.clone()
        } else {
            resolving.clone()
        };
        let (ty, types_equal) = self.merge_field_type(sources, &typed);
        let coordinate = sources.coordinate();
        let mut field = FieldDef {
            name: sources.name.clone(),
            description: self.merge_description(&resolving, &coordinate),
            arguments: self.merge_arguments(sources, &resolving),
            ty,
            directives: DirectiveList::default(),
            span: None,
        };
        self.check_external_declarations(sources, &field, types_equal);
        field
            .directives
            .extend(self.join_fields(sources, &overrides, types_equal));
        let applied = self.merge_directives(&resolving, &coordinate);
        field.directives.extend(applied);
        field.directives.extend(self.cache_tags(&sources.fields));
        if kind == Kind::Object {
            interface_access::inherit(&mut field.directives, self.abstracting_directives(sources));
        }
        Some(field)
    }

    /// Directives of the interface objects' fields that stand for this one.
    fn abstracting_directives(&self, sources: &FieldSources<'a>) -> impl Iterator<Item = &'a DirectiveList> {
        let mut directives = Vec::new();
        if self.has_interface_objects {
            for index in 0..self.members.len() {
                let fields = self
                    .abstracted_fields(&sources.ty, &sources.name, index)
                    .into_iter();
                let resolved = fields.filter(|(ty, field)| !self.facts(index).is_external(ty, field));
                directives.extend(resolved.map(|(_, field)| &field.directives));
            }
        }
        directives.into_iter()
    }

    /// Whether no subgraph resolves the field, be it by an interface object.
    fn is_external_everywhere(&self, sources: &FieldSources<'a>) -> bool {
        let external =
            |index: usize, ty: &TypeDef, field: &FieldDef| self.facts(index).is_external(ty, field);
        let declared = sources
            .fields
            .iter()
            .all(|(index, field)| external(*index, sources.declaring_type(*index), field));
        declared
            && (0..self.members.len()).all(|index| {
                let mut abstracted = self
                    .abstracted_fields(&sources.ty, &sources.name, index)
                    .into_iter();
                abstracted.all(|(ty, field)| external(index, ty, field))
            })
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

    fn external_everywhere(&mut self, sources: &FieldSources<'a>) {
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
        sources: &FieldSources<'a>,
        resolving: &[Source<'_, FieldDef>],
    ) -> (apollo_compiler::ast::Type, bool) {
        let types: Vec<_> = resolving
            .iter()
            .map(|(index, field)| (*index, &field.ty))
            .collect();
        match self.merge_type_reference(&types, Variance::Output) {
            Ok(ty) => {
                let unlike = resolving.iter().find(|(_, field)| field.ty != ty);
                if let Some(other) = unlike {
                    let message = format!(
                        "field \"{}\" has several compatible types; \"{ty}\" is used",
                        sources.coordinate()
                    );
                    self.hint(HintCode::InconsistentButCompatibleFieldType, *other, message);
                }
                (ty, unlike.is_none())
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
                (of(first).ty.clone(), false)
            }
        }
    }

    /// External declarations must look like the real field: its type (or, where its declarations differ, a more
    /// special one) and all its arguments.
    fn check_external_declarations(
        &mut self,
        sources: &FieldSources<'a>,
        merged: &FieldDef,
        types_equal: bool,
    ) {
        let coordinate = sources.coordinate();
        for &(index, field) in &sources.fields {
            if !self
                .facts(index)
                .is_external(sources.declaring_type(index), field)
            {
                continue;
            }
            self.check_external_directives(&coordinate, (index, field));
            let mut found = Vec::new();
            let fits = field.ty == merged.ty
                || (!types_equal && self.is_subtype(&field.ty, &merged.ty, Variance::Output));
            if !fits {
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

    /// Directives that are merged belong where the field is resolved.
    fn check_external_directives(&mut self, coordinate: &str, (index, field): Source<'a, FieldDef>) {
        for directive in field.directives.iter() {
            if !self.is_merged(&directive.name) {
                continue;
            }
            let message = format!(
                "@{} on \"{coordinate}\" belongs where the field is resolved; here it is @external",
                directive.name.trim_start_matches("federation__")
            );
            let code = Code::MergedDirectiveApplicationOnExternal;
            let error = self.subgraph(index).error(code, directive.location(), message);
            self.errors.push(error);
        }
    }

    /// The `@join__field`s; none where every subgraph of the type resolves the field in the same plain way.
    fn join_fields(
        &self,
        sources: &FieldSources<'a>,
        overrides: &Overrides,
        types_equal: bool,
    ) -> Vec<Node<Directive>> {
        let kept: Vec<_> = sources
            .fields
            .iter()
            .copied()
            .filter(|(index, _)| !overrides.is_gone(*index))
            .collect();
        let joined: Vec<_> = kept
            .iter()
            .map(|(index, field)| self.join_field(sources, overrides, *index, field, !types_equal))
            .collect();
        let in_every_type = kept.len() == sources.types.len();
        let plain = |directive: &Node<Directive>| {
            let mut arguments = directive.arguments.iter();
            arguments.all(|argument| matches!(argument.name.as_str(), "graph" | "override"))
        };
        if in_every_type && joined.iter().all(plain) {
            Vec::new()
        } else {
            joined
        }
    }

    fn join_field(
        &self,
        sources: &FieldSources<'a>,
        overrides: &Overrides,
        index: usize,
        field: &FieldDef,
        with_type: bool,
    ) -> Node<Directive> {
        let mut arguments = vec![("graph", join::graph(self.graph(index)))];
        for (name, directive, text) in [
            ("requires", "federation__requires", "fields"),
            ("provides", "federation__provides", "fields"),
            ("override", "federation__override", "from"),
        ] {
            let applied = field.directives.get(directive);
            if let Some(text) = applied.and_then(|applied| string_argument(applied, text)) {
                arguments.push((name, join::string(text)));
            }
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
