//! Derives the schema clients see: machinery of the imported specifications and `@inaccessible` elements are removed.

use apollo_compiler::ast::{DirectiveList, FieldDefinition, InputValueDefinition, Type};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::schema::{Component, ExtendedType, SchemaDefinition};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema};
use rustc_hash::FxHashSet;

use crate::error::SupergraphError;
use crate::link::Links;

type Fields = IndexMap<Name, Component<FieldDefinition>>;

/// Removes machinery and inaccessible elements, and checks that what is left is a valid schema.
pub(crate) fn of(supergraph: &Valid<Schema>, links: &Links) -> Result<Valid<Schema>, SupergraphError> {
    let mut schema = supergraph.clone().into_inner();
    let filter = Filter::of(&schema, links);
    schema
        .directive_definitions
        .retain(|name, _| !filter.machinery.contains(name));
    schema.types.retain(|name, _| !filter.hidden_types.contains(name));
    for definition in schema.directive_definitions.values_mut() {
        filter.clean_arguments(&mut definition.make_mut().arguments);
    }
    filter.clean_definition(schema.schema_definition.make_mut());
    for definition in schema.types.values_mut() {
        filter.clean_type(definition);
    }
    schema
        .validate()
        .map_err(|with_errors| SupergraphError::ApiSchema(with_errors.errors.to_string()))
}

/// What is to be removed.
struct Filter {
    /// Name of `@inaccessible` in this document.
    inaccessible: String,
    /// Directives of imported specifications.
    machinery: FxHashSet<Name>,
    /// Types of imported specifications, and inaccessible types.
    hidden_types: FxHashSet<Name>,
}

impl Filter {
    fn of(schema: &Schema, links: &Links) -> Filter {
        let inaccessible = links.directive("inaccessible", "inaccessible");
        let is_machinery = |name: &Name, is_directive| {
            let unlinked = [inaccessible.as_str(), "link", "core"].contains(&name.as_str()) && is_directive;
            unlinked
                || name.starts_with("link__")
                || name.starts_with("core__")
                || links.owns(name, is_directive)
        };
        let machinery = schema
            .directive_definitions
            .keys()
            .filter(|name| is_machinery(name, true));
        let hidden = schema.types.iter().filter(|(name, definition)| {
            !definition.is_built_in()
                && (is_machinery(name, false) || definition.directives().has(&inaccessible))
        });
        Filter {
            machinery: machinery.cloned().collect(),
            hidden_types: hidden.map(|(name, _)| name.clone()).collect(),
            inaccessible,
        }
    }

    fn clean_definition(&self, definition: &mut SchemaDefinition) {
        definition
            .directives
            .0
            .retain(|directive| !self.machinery.contains(&directive.name));
        for root in [
            &mut definition.query,
            &mut definition.mutation,
            &mut definition.subscription,
        ] {
            if root
                .as_ref()
                .is_some_and(|name| self.hidden_types.contains(&name.name))
            {
                *root = None;
            }
        }
    }

    fn clean_type(&self, definition: &mut ExtendedType) {
        match definition {
            ExtendedType::Scalar(scalar) => self.clean_components(&mut scalar.make_mut().directives),
            ExtendedType::Object(object) => {
                let object = object.make_mut();
                self.clean_components(&mut object.directives);
                object
                    .implements_interfaces
                    .retain(|name| !self.hidden_types.contains(&name.name));
                self.clean_fields(&mut object.fields);
            }
            ExtendedType::Interface(interface) => {
                let interface = interface.make_mut();
                self.clean_components(&mut interface.directives);
                interface
                    .implements_interfaces
                    .retain(|name| !self.hidden_types.contains(&name.name));
                self.clean_fields(&mut interface.fields);
            }
            ExtendedType::Union(union_) => {
                let union_ = union_.make_mut();
                self.clean_components(&mut union_.directives);
                union_
                    .members
                    .retain(|name| !self.hidden_types.contains(&name.name));
            }
            ExtendedType::Enum(enum_) => {
                let enum_ = enum_.make_mut();
                self.clean_components(&mut enum_.directives);
                enum_.values.retain(|_, value| self.is_visible(&value.directives));
                for value in enum_.values.values_mut() {
                    self.clean_directives(&mut value.make_mut().directives);
                }
            }
            ExtendedType::InputObject(input) => {
                let input = input.make_mut();
                self.clean_components(&mut input.directives);
                input
                    .fields
                    .retain(|_, field| self.is_visible(&field.directives) && self.is_known(&field.ty));
                for field in input.fields.values_mut() {
                    self.clean_directives(&mut field.make_mut().directives);
                }
            }
        }
    }

    fn clean_fields(&self, fields: &mut Fields) {
        fields.retain(|_, field| self.is_visible(&field.directives) && self.is_known(&field.ty));
        for field in fields.values_mut() {
            let field = field.make_mut();
            self.clean_directives(&mut field.directives);
            self.clean_arguments(&mut field.arguments);
        }
    }

    fn clean_arguments(&self, arguments: &mut Vec<Node<InputValueDefinition>>) {
        arguments.retain(|argument| self.is_visible(&argument.directives) && self.is_known(&argument.ty));
        for argument in arguments {
            self.clean_directives(&mut argument.make_mut().directives);
        }
    }

    fn clean_components(&self, directives: &mut apollo_compiler::schema::DirectiveList) {
        directives
            .0
            .retain(|directive| !self.machinery.contains(&directive.name));
    }

    fn clean_directives(&self, directives: &mut DirectiveList) {
        directives
            .0
            .retain(|directive| !self.machinery.contains(&directive.name));
    }

    fn is_visible(&self, directives: &DirectiveList) -> bool {
        !directives.has(&self.inaccessible)
    }

    fn is_known(&self, ty: &Type) -> bool {
        !self.hidden_types.contains(ty.inner_named_type())
    }
}
