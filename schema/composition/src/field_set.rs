//! Field sets: the `fields` of `@key`, `@requires` and `@provides`.

use apollo_compiler::ast::{Argument, Definition, Document, Selection};
use apollo_compiler::{Name, Node};

use crate::model::{FieldDef, Kind, Subgraph, TypeDef};

/// A parsed field set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldSet(pub(crate) Vec<Item>);

/// One selection of a field set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// A field; `sub` is empty on a leaf.
    Field(FieldItem),
    /// An inline fragment.
    Fragment {
        on: Option<Name>,
        directives: bool,
        sub: FieldSet,
    },
}

/// A field in a field set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldItem {
    pub(crate) name: Name,
    pub(crate) aliased: bool,
    pub(crate) arguments: Vec<Node<Argument>>,
    pub(crate) directives: bool,
    pub(crate) sub: FieldSet,
}

impl FieldSet {
    /// Parses with or without the outer braces; the error is the parser's.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let braced = if text.starts_with('{') {
            text.to_owned()
        } else {
            format!("{{ {text} }}")
        };
        let document = Document::parse(braced, "fields").map_err(|failed| {
            failed
                .errors
                .iter()
                .next()
                .map_or_else(String::new, |first| first.error.to_string())
        })?;
        match document.definitions.as_slice() {
            [Definition::OperationDefinition(operation)] => Self::read(&operation.selection_set),
            _ => Err("it is not one selection set".to_owned()),
        }
    }

    fn read(selections: &[Selection]) -> Result<Self, String> {
        selections
            .iter()
            .map(Item::read)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Calls `visit` with every field the set reaches in `subgraph`, together with the type that declares it; what
    /// does not exist is passed over.
    pub(crate) fn walk<'s>(
        &self,
        subgraph: &'s Subgraph,
        parent: &'s TypeDef,
        visit: &mut dyn FnMut(&'s TypeDef, &'s FieldDef),
    ) {
        for item in &self.0 {
            match item {
                Item::Field(selected) => {
                    let Some(field) = parent.fields.get(&selected.name) else {
                        continue;
                    };
                    visit(parent, field);
                    if let Some(ty) = subgraph.types.get(field.ty.inner_named_type()) {
                        selected.sub.walk(subgraph, ty, visit);
                    }
                }
                Item::Fragment { on, sub, .. } => {
                    let on = on.as_ref().unwrap_or(&parent.name);
                    if let Some(ty) = subgraph.types.get(on) {
                        sub.walk(subgraph, ty, visit);
                    }
                }
            }
        }
    }

    /// Like [`Self::walk`]; a field of an interface also visits the fields implementing it.
    pub(crate) fn walk_implementations<'s>(
        &self,
        subgraph: &'s Subgraph,
        parent: &'s TypeDef,
        visit: &mut dyn FnMut(&'s TypeDef, &'s FieldDef),
    ) {
        self.walk(subgraph, parent, &mut |ty, field| {
            visit(ty, field);
            if ty.kind == Kind::Interface {
                for name in subgraph.runtime_types(&ty.name) {
                    let object = &subgraph.types[name];
                    if let Some(field) = object.fields.get(&field.name) {
                        visit(object, field);
                    }
                }
            }
        });
    }
}

impl Item {
    fn read(selection: &Selection) -> Result<Self, String> {
        match selection {
            Selection::Field(field) => Ok(Self::Field(FieldItem {
                name: field.name.clone(),
                aliased: field.alias.is_some(),
                arguments: field.arguments.clone(),
                directives: !field.directives.is_empty(),
                sub: FieldSet::read(&field.selection_set)?,
            })),
            Selection::InlineFragment(fragment) => Ok(Self::Fragment {
                on: fragment.type_condition.clone(),
                directives: !fragment.directives.is_empty(),
                sub: FieldSet::read(&fragment.selection_set)?,
            }),
            Selection::FragmentSpread(_) => Err("named fragments cannot be used".to_owned()),
        }
    }
}
