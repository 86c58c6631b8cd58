//! Contracts: the graph as one group of clients sees it, filtered by `@tag`.
//!
//! - `visible`: which elements stay
//! - here: the others become `@inaccessible`, so that any router serves the contract from the whole supergraph

mod visible;

use apollo_compiler::ast::DirectiveList;
use apollo_compiler::schema::{Component, ExtendedType};
use apollo_compiler::{Name, Node, Schema, ast};
use fondaco_supergraph::{Supergraph, SupergraphError};

use crate::diff::supergraph_directive::local_name;
use visible::Visible;

/// What a contract filters by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contract {
    /// Fields that have one of these tags, or whose type has, stay; empty: all do.
    pub include: Vec<String>,
    /// Elements that have one of these go, whatever else they have.
    pub exclude: Vec<String>,
}

/// Why there is no such contract.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// The contract names tags of which the graph has none.
    #[error("nothing in the graph has the tag \"{0}\"")]
    UnknownTag(String),
    /// Something that has to be sent is hidden.
    #[error("{0} is required, but the contract hides it; tag it, or make it optional")]
    RequiredHidden(String),
    /// No query is left.
    #[error("the contract leaves no field of Query")]
    NoQuery,
    /// What is left is not a schema.
    #[error("the contract is not a valid schema: {0}")]
    Invalid(#[from] SupergraphError),
}

const DEFINITION: &str = "directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | \
    ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION\n\
    extend schema @link(url: \"https://specs.apollo.dev/inaccessible/v0.2\", for: SECURITY)\n";

/// The supergraph of the contract.
///
/// # Errors
/// Where a tag does not exist, or what is left is not a schema.
pub fn filter(supergraph: &Supergraph, contract: &Contract) -> Result<String, ContractError> {
    let mut schema = supergraph.schema().clone().into_inner();
    let visible = Visible::of(&schema, supergraph.api_schema(), contract)?;
    let directive = inaccessible_directive(&mut schema);
    let hide = |directives: &mut DirectiveList| {
        if !directives.has(&directive) {
            directives.push(Node::new(ast::Directive::new(directive.clone())));
        }
    };
    for (name, definition) in &mut schema.types {
        if !supergraph.api_schema().types.contains_key(name) || definition.is_built_in() {
            continue;
        }
        if !visible.has_type(name) {
            hide_type(definition, &directive);
        }
        hide_members(name, definition, &visible, &hide);
    }
    let sdl = schema.to_string();
    Supergraph::parse(&sdl, "the contract")?;
    Ok(sdl)
}

/// The name `@inaccessible` has in the document, which imports it if it did not.
fn inaccessible_directive(schema: &mut Schema) -> Name {
    let name = local_name(schema, "inaccessible", "inaccessible");
    if !schema.directive_definitions.contains_key(name.as_str()) {
        let addition = Schema::builder()
            .adopt_orphan_extensions()
            .parse(DEFINITION, "inaccessible.graphql");
        let addition = addition.build().unwrap_or_else(|partial| partial.partial);
        schema.directive_definitions.extend(
            addition
                .directive_definitions
                .into_iter()
                .filter(|(name, _)| name == "inaccessible"),
        );
        let links = addition
            .schema_definition
            .directives
            .iter()
            .map(|link| Component::from(link.node.clone()));
        schema.schema_definition.make_mut().directives.0.extend(links);
    }
    Name::new_unchecked(&name)
}

fn hide_type(definition: &mut ExtendedType, directive: &Name) {
    let directives = match definition {
        ExtendedType::Scalar(ty) => &mut ty.make_mut().directives,
        ExtendedType::Object(ty) => &mut ty.make_mut().directives,
        ExtendedType::Interface(ty) => &mut ty.make_mut().directives,
        ExtendedType::Union(ty) => &mut ty.make_mut().directives,
        ExtendedType::Enum(ty) => &mut ty.make_mut().directives,
        ExtendedType::InputObject(ty) => &mut ty.make_mut().directives,
    };
    if !directives.has(directive) {
        directives.push(ast::Directive::new(directive.clone()));
    }
}

fn hide_members(
    ty: &Name,
    definition: &mut ExtendedType,
    visible: &Visible,
    hide: &dyn Fn(&mut DirectiveList),
) {
    let fields = match definition {
        ExtendedType::Object(ty) => &mut ty.make_mut().fields,
        ExtendedType::Interface(ty) => &mut ty.make_mut().fields,
        ExtendedType::Enum(it) => {
            for (name, value) in &mut it.make_mut().values {
                if !visible.has_member(ty, name) {
                    hide(&mut value.make_mut().directives);
                }
            }
            return;
        }
        ExtendedType::InputObject(it) => {
            for (name, field) in &mut it.make_mut().fields {
                if !visible.has_member(ty, name) {
                    hide(&mut field.make_mut().directives);
                }
            }
            return;
        }
        _ => return,
    };
    for (name, field) in fields {
        let field = field.make_mut();
        if !visible.has_member(ty, name) {
            hide(&mut field.directives);
        }
        for argument in &mut field.arguments {
            if visible.hides_argument(ty, name, &argument.name) {
                hide(&mut argument.make_mut().directives);
            }
        }
    }
}
