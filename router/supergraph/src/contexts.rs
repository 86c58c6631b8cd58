//! `@context` and `@fromContext` (join v0.5): which types set a context, and what an argument takes from it.

use apollo_compiler::ast::{self, Definition, Document, Selection, Type, Value};
use apollo_compiler::schema::{Directive, ExtendedType};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema};
use rustc_hash::FxHashMap;

use crate::error::SupergraphError;
use crate::field_set;
use crate::link::Links;
use crate::model::ContextArgument;

/// Types that set each context, by the context's name in the supergraph (`subgraph__context`).
pub(crate) struct Contexts {
    setters: FxHashMap<String, Vec<Name>>,
}

impl Contexts {
    pub(crate) fn of(schema: &Schema, links: &Links) -> Contexts {
        let directive_name = links.directive("context", "context");
        let mut setters: FxHashMap<String, Vec<Name>> = FxHashMap::default();
        for (type_name, definition) in &schema.types {
            for directive in definition.directives().get_all(&directive_name) {
                let name = directive
                    .specified_argument_by_name("name")
                    .and_then(|value| value.as_str());
                if let Some(name) = name {
                    setters
                        .entry(name.to_owned())
                        .or_default()
                        .push(type_name.clone());
                }
            }
        }
        Contexts { setters }
    }

    /// Reads `join__field(contextArguments:)`.
    pub(crate) fn arguments(
        &self,
        schema: &Valid<Schema>,
        join: &Directive,
        coordinate: &str,
    ) -> Result<Vec<ContextArgument>, SupergraphError> {
        let list = join
            .specified_argument_by_name("contextArguments")
            .and_then(|value| value.as_list());
        list.unwrap_or_default()
            .iter()
            .filter_map(|value| value.as_object())
            .map(|object| self.argument(schema, object, coordinate))
            .collect()
    }

    fn argument(
        &self,
        schema: &Valid<Schema>,
        object: &[(Name, Node<Value>)],
        coordinate: &str,
    ) -> Result<ContextArgument, SupergraphError> {
        let text = |key: &str| {
            let value = object.iter().find(|(name, _)| name == key);
            value.and_then(|(_, value)| value.as_str()).unwrap_or_default()
        };
        let faulty = |message: String| SupergraphError::ContextArgument {
            coordinate: coordinate.to_owned(),
            context: text("context").to_owned(),
            message,
        };
        let name = Name::new(text("name")).map_err(|error| faulty(error.to_string()))?;
        let ty = Type::parse(text("type"), coordinate).map_err(|error| faulty(error.to_string()))?;
        let Some(setters) = self.setters.get(text("context")) else {
            return Err(faulty("no type sets this context".to_owned()));
        };
        let mut selections = Vec::new();
        for setter in setters {
            let on_setter = selection_on(schema, setter, text("selection"));
            if let Some(on_setter) = on_setter {
                let set = field_set::parse(schema, setter, &on_setter, coordinate)?;
                selections.push((setter.clone(), set));
            }
        }
        if selections.is_empty() {
            return Err(faulty(format!(
                "the selection {:?} selects nothing of {}",
                text("selection"),
                setters.iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
            )));
        }
        Ok(ContextArgument {
            name,
            ty,
            selections: selections.into(),
        })
    }
}

/// What `selection` selects on a value of type `setter`: a selection may have a fragment for each type that sets the context.
fn selection_on(schema: &Schema, setter: &Name, selection: &str) -> Option<String> {
    let selection = selection.trim();
    let text = if selection.starts_with('{') {
        format!("query {selection}")
    } else {
        format!("query {{ {selection} }}")
    };
    let document = Document::parse(text, "selection").ok()?;
    let Some(Definition::OperationDefinition(operation)) = document.definitions.first() else {
        return None;
    };
    let mut text = String::new();
    for selection in &operation.selection_set {
        match selection {
            Selection::InlineFragment(fragment) if narrows(schema, setter, fragment) => {
                text.push_str(&format!("{} ", fragment.serialize().no_indent()));
            }
            Selection::InlineFragment(fragment) if !applies(schema, setter, fragment) => {}
            Selection::InlineFragment(fragment) => {
                for inner in &fragment.selection_set {
                    text.push_str(&format!("{} ", inner.serialize().no_indent()));
                }
            }
            other => text.push_str(&format!("{} ", other.serialize().no_indent())),
        }
    }
    (!text.is_empty()).then_some(text)
}

/// Whether the condition is one of the types that the setter, a union or interface, can be.
fn narrows(schema: &Schema, setter: &Name, fragment: &ast::InlineFragment) -> bool {
    let condition = fragment.type_condition.as_ref();
    condition.is_some_and(|condition| condition != setter && schema.is_subtype(setter, condition))
}

fn applies(schema: &Schema, setter: &Name, fragment: &ast::InlineFragment) -> bool {
    let Some(condition) = &fragment.type_condition else {
        return true;
    };
    let implements = |definition: &ExtendedType| match definition {
        ExtendedType::Object(object) => object.implements_interfaces.contains(condition),
        ExtendedType::Interface(interface) => interface.implements_interfaces.contains(condition),
        _ => false,
    };
    condition == setter
        || schema.types.get(setter).is_some_and(implements)
        || schema
            .get_union(condition)
            .is_some_and(|union_| union_.members.contains(setter))
}
