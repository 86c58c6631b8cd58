//! `@authenticated`, `@requiresScopes` and `@policy`, by coordinate.

use apollo_compiler::ast::Value;
use apollo_compiler::schema::{Directive, ExtendedType};
use apollo_compiler::{Name, Node, Schema};
use rustc_hash::FxHashMap;

use crate::link::Links;

/// What a caller needs to read a type or field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requirement {
    /// A signed-in caller.
    pub authenticated: bool,
    /// Any one of these sets of scopes, whole; empty: none needed.
    pub scopes: Vec<Vec<String>>,
    /// Any one of these sets of policies, whole; empty: none needed.
    pub policies: Vec<Vec<String>>,
}

impl Requirement {
    fn is_none(&self) -> bool {
        !self.authenticated && self.scopes.is_empty() && self.policies.is_empty()
    }
}

/// Every requirement of a supergraph.
#[derive(Debug, Clone, Default)]
pub struct Requirements {
    types: FxHashMap<Name, Requirement>,
    fields: FxHashMap<Name, FxHashMap<Name, Requirement>>,
}

impl Requirements {
    /// Requirement of the type itself (object, interface, scalar, enum).
    pub fn of_type(&self, type_name: &str) -> Option<&Requirement> {
        self.types.get(type_name)
    }

    /// Requirement of a field, without those of its parent type and its own type.
    pub fn of_field(&self, type_name: &str, field: &str) -> Option<&Requirement> {
        self.fields.get(type_name)?.get(field)
    }

    /// Whether the supergraph has none at all.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty() && self.fields.is_empty()
    }

    /// All of them, of types and of fields.
    pub fn iter(&self) -> impl Iterator<Item = &Requirement> {
        let fields = self.fields.values().flat_map(FxHashMap::values);
        self.types.values().chain(fields)
    }

    pub(crate) fn of(schema: &Schema, links: &Links) -> Requirements {
        let names = DirectiveNames::of(links);
        let mut requirements = Requirements::default();
        for (type_name, definition) in &schema.types {
            let own = names.read(definition.directives().iter().map(|directive| &directive.node));
            if !own.is_none() {
                requirements.types.insert(type_name.clone(), own);
            }
            let fields = match definition {
                ExtendedType::Object(object) => &object.fields,
                ExtendedType::Interface(interface) => &interface.fields,
                _ => continue,
            };
            for (field_name, field) in fields {
                let own = names.read(field.directives.iter());
                if !own.is_none() {
                    requirements
                        .fields
                        .entry(type_name.clone())
                        .or_default()
                        .insert(field_name.clone(), own);
                }
            }
        }
        requirements
    }
}

/// Names the three directives have in this document.
struct DirectiveNames {
    authenticated: String,
    requires_scopes: String,
    policy: String,
}

impl DirectiveNames {
    fn of(links: &Links) -> DirectiveNames {
        DirectiveNames {
            authenticated: links.directive("authenticated", "authenticated"),
            requires_scopes: links.directive("requiresScopes", "requiresScopes"),
            policy: links.directive("policy", "policy"),
        }
    }

    fn read<'a>(&self, directives: impl Iterator<Item = &'a Node<Directive>>) -> Requirement {
        let mut requirement = Requirement::default();
        for directive in directives {
            if *directive.name == *self.authenticated {
                requirement.authenticated = true;
            } else if *directive.name == *self.requires_scopes {
                requirement.scopes.extend(string_lists(directive, "scopes"));
            } else if *directive.name == *self.policy {
                requirement.policies.extend(string_lists(directive, "policies"));
            }
        }
        requirement
    }
}

/// Reads `[["a", "b"], ["c"]]`; by list coercion a single value stands for a list of one.
fn string_lists(directive: &Directive, argument: &str) -> Vec<Vec<String>> {
    let Some(value) = directive.specified_argument_by_name(argument) else {
        return Vec::new();
    };
    items(value)
        .into_iter()
        .map(|set| items(set).into_iter().filter_map(string).collect())
        .collect()
}

fn items(value: &Node<Value>) -> Vec<&Node<Value>> {
    value
        .as_list()
        .map_or_else(|| vec![value], |list| list.iter().collect())
}

fn string(value: &Node<Value>) -> Option<String> {
    value.as_str().map(str::to_owned)
}
