//! From a validated GraphQL schema to the model: canonical directive names, canonical root names, no machinery.

use std::collections::BTreeMap;

use apollo_compiler::ast::{
    Directive, DirectiveDefinition, DirectiveList, InputValueDefinition, OperationType, Type,
};
use apollo_compiler::collections::{IndexMap, IndexSet};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::{Component, ComponentOrigin, ExtendedType, FieldDefinition};
use apollo_compiler::{Name, Node, Schema};

use crate::code::Code;
use crate::diagnostic::{Diagnostic, Origin};
use crate::federation_spec::{DIRECTIVES, Vocabulary};
use crate::model::{EnumValue, FieldDef, InputDef, Kind, SchemaDef, TypeDef, is_root_name};
use crate::subgraph::is_federation_type;

/// The names a federation link of this version can import.
pub(crate) fn federation_names(version: (u32, u32)) -> impl Iterator<Item = String> {
    let scalars = ["FieldSet", "Scope", "Policy", "ContextFieldValue", "Any"]
        .into_iter()
        .map(str::to_owned);
    let directives = DIRECTIVES
        .iter()
        .filter(move |spec| spec.since <= version)
        .map(|spec| format!("@{}", spec.name));
    directives.chain(scalars)
}

/// Reads one schema.
pub(crate) struct Reader<'a> {
    schema: &'a Schema,
    vocabulary: &'a Vocabulary,
    origin: Origin<'a>,
    /// Root types by their name in the subgraph.
    roots: IndexMap<Name, Name>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(schema: &'a Schema, vocabulary: &'a Vocabulary, origin: Origin<'a>) -> Self {
        let roots = [
            (OperationType::Query, "Query"),
            (OperationType::Mutation, "Mutation"),
            (OperationType::Subscription, "Subscription"),
        ];
        let roots = roots
            .into_iter()
            .filter_map(|(operation, name)| {
                Some((
                    schema.root_operation(operation)?.clone(),
                    Name::new_unchecked(name),
                ))
            })
            .collect();
        Self {
            schema,
            vocabulary,
            origin,
            roots,
        }
    }

    /// The subgraph's own types, by canonical name.
    pub(crate) fn types(&self, errors: &mut Vec<Diagnostic>) -> BTreeMap<Name, TypeDef> {
        let mut types = BTreeMap::new();
        for (name, ty) in &self.schema.types {
            if ty.is_built_in() || is_federation_type(name, self.vocabulary) {
                continue;
            }
            self.check_root_name(name, ty, errors);
            self.check_shareable_once(ty, errors);
            let ty = self.type_def(ty);
            types.insert(ty.name.clone(), ty);
        }
        // Every subgraph has a query root: federation's own fields are there, if nothing else.
        let query = Name::new_unchecked("Query");
        types
            .entry(query.clone())
            .or_insert_with(|| TypeDef::empty(query, Kind::Object));
        types
    }

    fn check_root_name(&self, name: &Name, ty: &ExtendedType, errors: &mut Vec<Diagnostic>) {
        let is_root = self.roots.contains_key(name) || is_root_name(name);
        if is_root && !ty.is_object() {
            let message = format!("root type \"{name}\" must be an object type");
            errors.push(self.origin.error(Code::InvalidGraphql, ty.location(), message));
        }
        let code = match name.as_str() {
            "Query" => Code::RootQueryUsed,
            "Mutation" => Code::RootMutationUsed,
            "Subscription" => Code::RootSubscriptionUsed,
            _ => return,
        };
        if let Some((used, _)) = self
            .roots
            .iter()
            .find(|(used, root)| *root == name && *used != name)
        {
            let message = format!(
                "a type is called \"{name}\" although the root type is \"{used}\"; rename one of them"
            );
            errors.push(self.origin.error(code, ty.location(), message));
        }
    }

    /// `@shareable` is repeatable only so that a type and its extensions can each have it.
    fn check_shareable_once(&self, ty: &ExtendedType, errors: &mut Vec<Diagnostic>) {
        let mut seen: Vec<&ComponentOrigin> = Vec::new();
        for directive in ty.directives().iter() {
            let spec = self.vocabulary.directive(&directive.name);
            if spec.is_none_or(|spec| spec.name != "shareable") {
                continue;
            }
            if seen.contains(&&directive.origin) {
                let message = format!("type \"{}\" is @shareable twice in one declaration", ty.name());
                let code = Code::InvalidShareableUsage;
                errors.push(self.origin.error(code, directive.location(), message));
            }
            seen.push(&directive.origin);
        }
    }

    /// The schema definition, but for its links.
    pub(crate) fn schema_def(&self) -> SchemaDef {
        let definition = &self.schema.schema_definition;
        SchemaDef {
            description: description(definition.description.as_ref()),
            directives: self.directives(definition.directives.iter().map(|directive| &directive.node)),
            span: definition.location(),
        }
    }

    /// Directives the subgraph defines for itself.
    pub(crate) fn directive_definitions(&self) -> BTreeMap<Name, Node<DirectiveDefinition>> {
        let own = self
            .schema
            .directive_definitions
            .iter()
            .filter(|(name, definition)| {
                !definition.is_built_in()
                    && self.vocabulary.directive(name).is_none()
                    && !is_link_definition(definition)
                    && !matches!(
                        name.as_str(),
                        "deprecated" | "skip" | "include" | "specifiedBy" | "oneOf" | "defer" | "stream"
                    )
            });
        own.map(|(name, definition)| (name.clone(), definition.clone()))
            .collect()
    }

    fn type_def(&self, ty: &ExtendedType) -> TypeDef {
        let kind = match ty {
            ExtendedType::Scalar(_) => Kind::Scalar,
            ExtendedType::Object(_) => Kind::Object,
            ExtendedType::Interface(_) => Kind::Interface,
            ExtendedType::Union(_) => Kind::Union,
            ExtendedType::Enum(_) => Kind::Enum,
            ExtendedType::InputObject(_) => Kind::InputObject,
        };
        let mut def = TypeDef::empty(self.canonical(ty.name()), kind);
        def.description = description(ty.description());
        def.directives = self.directives(ty.directives().iter().map(|directive| &directive.node));
        let only_extended = ty.iter_origins().next().is_some() && ty.iter_origins().all(is_extension);
        def.extension = only_extended;
        def.span = if def.extension {
            extension_span(ty).or(ty.location())
        } else {
            ty.location()
        };
        self.members(ty, &mut def);
        def
    }

    fn members(&self, ty: &ExtendedType, def: &mut TypeDef) {
        match ty {
            ExtendedType::Object(object) => {
                def.implements = object
                    .implements_interfaces
                    .iter()
                    .map(|name| name.name.clone())
                    .collect();
                self.fields(&object.fields, ty, def);
            }
            ExtendedType::Interface(interface) => {
                def.implements = interface
                    .implements_interfaces
                    .iter()
                    .map(|name| name.name.clone())
                    .collect();
                self.fields(&interface.fields, ty, def);
            }
            ExtendedType::Union(union_) => {
                def.members = union_
                    .members
                    .iter()
                    .map(|name| self.canonical(&name.name))
                    .collect::<IndexSet<_>>();
            }
            ExtendedType::Enum(enum_) => {
                for (name, value) in &enum_.values {
                    let value = EnumValue {
                        name: name.clone(),
                        description: description(value.description.as_ref()),
                        directives: self.directives(value.directives.iter()),
                        span: value.location(),
                    };
                    def.values.insert(name.clone(), value);
                }
            }
            ExtendedType::InputObject(input) => {
                for (name, field) in &input.fields {
                    def.inputs.insert(name.clone(), self.input(&field.node));
                }
            }
            ExtendedType::Scalar(_) => {}
        }
    }

    /// Fields, with `@shareable` and `@external` of the (part of the) type that declares them pushed down on them.
    fn fields(
        &self,
        fields: &IndexMap<Name, Component<FieldDefinition>>,
        ty: &ExtendedType,
        def: &mut TypeDef,
    ) {
        for (name, field) in fields {
            if def.name == "Query" && matches!(name.as_str(), "_service" | "_entities") {
                continue;
            }
            let mut directives = self.directives(field.directives.iter());
            for inherited in ["federation__shareable", "federation__external"] {
                let declared = ty
                    .directives()
                    .iter()
                    .filter(|directive| directive.origin == field.origin);
                let declared = self.directives(declared.map(|directive| &directive.node));
                if let Some(directive) = declared.get(inherited).filter(|_| !directives.has(inherited)) {
                    directives.push(directive.clone());
                }
            }
            let arguments = field
                .arguments
                .iter()
                .map(|argument| (argument.name.clone(), self.input(argument)));
            let field = FieldDef {
                name: name.clone(),
                description: description(field.description.as_ref()),
                ty: self.canonical_type(&field.ty),
                arguments: arguments.collect(),
                directives,
                span: field.location(),
            };
            def.fields.insert(name.clone(), field);
        }
    }

    fn input(&self, input: &Node<InputValueDefinition>) -> InputDef {
        InputDef {
            name: input.name.clone(),
            description: description(input.description.as_ref()),
            ty: self.canonical_type(&input.ty),
            default: input.default_value.clone(),
            directives: self.directives(input.directives.iter()),
            span: input.location(),
        }
    }

    fn directives<'d>(&self, applied: impl Iterator<Item = &'d Node<Directive>>) -> DirectiveList {
        let applied = applied.filter(|directive| directive.name != "link");
        DirectiveList(applied.map(|directive| self.directive(directive)).collect())
    }

    fn directive(&self, applied: &Node<Directive>) -> Node<Directive> {
        match self.vocabulary.directive(&applied.name) {
            None => applied.clone(),
            Some(spec) => {
                let name = Name::new_unchecked(&format!("federation__{}", spec.name));
                applied.same_location(Directive {
                    name,
                    arguments: applied.arguments.clone(),
                })
            }
        }
    }

    fn canonical(&self, name: &Name) -> Name {
        self.roots.get(name).unwrap_or(name).clone()
    }

    fn canonical_type(&self, ty: &Type) -> Type {
        match ty {
            Type::Named(name) => Type::Named(self.canonical(name)),
            Type::NonNullNamed(name) => Type::NonNullNamed(self.canonical(name)),
            Type::List(item) => Type::List(Box::new(self.canonical_type(item))),
            Type::NonNullList(item) => Type::NonNullList(Box::new(self.canonical_type(item))),
        }
    }
}

/// The link directive under whatever name.
fn is_link_definition(definition: &DirectiveDefinition) -> bool {
    definition.argument_by_name("url").is_some() && definition.argument_by_name("import").is_some()
}

fn is_extension(origin: &ComponentOrigin) -> bool {
    matches!(origin, ComponentOrigin::Extension(_))
}

fn extension_span(ty: &ExtendedType) -> Option<SourceSpan> {
    ty.iter_origins()
        .find_map(|origin| origin.extension_id()?.location())
}

/// Descriptions as clients see them: without surrounding blanks; an empty one is none.
fn description(text: Option<&Node<str>>) -> Option<Node<str>> {
    let text = text?;
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return None;
    }
    Some(if trimmed.len() == text.len() {
        text.clone()
    } else {
        Node::new_str(trimmed)
    })
}
