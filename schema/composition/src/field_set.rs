//! Field sets: the `fields` of `@key`, `@requires` and `@provides`.

use std::fmt;

use apollo_compiler::ast::{Argument, Definition, Document, Selection};
use apollo_compiler::{Name, Node};

use crate::merge::Member;
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

    /// What remains of a context's selection where the type that set it is an object of type `object`: selections
    /// under conditions that object does not fulfil in the subgraph are for other setters.
    pub(crate) fn for_object(&self, object: &Name, members: &[Member], subgraph: usize) -> Self {
        let fulfils = |on: &Name| {
            let possible = members[subgraph].subgraph.runtime_types(on);
            on == object || possible.contains(&object)
        };
        let kept = self.0.iter().flat_map(|item| match item {
            Item::Fragment {
                on: Some(on), sub, ..
            } if fulfils(on) => sub.0.clone(),
            Item::Fragment { on: Some(_), .. } => Vec::new(),
            item => vec![item.clone()],
        });
        Self(kept.collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What keeps the set from being a valid selection of `parent`.
    pub(crate) fn problems(&self, subgraph: &Subgraph, parent: &TypeDef) -> Vec<String> {
        let mut problems = Vec::new();
        if self.is_empty() {
            problems.push("it selects nothing".to_owned());
        }
        self.collect_problems(subgraph, parent, &mut problems);
        problems
    }

    fn collect_problems(&self, subgraph: &Subgraph, parent: &TypeDef, problems: &mut Vec<String>) {
        for item in &self.0 {
            match item {
                Item::Field(field) if field.name == "__typename" => {}
                Item::Field(item) => match parent.fields.get(&item.name) {
                    Some(field) => item.collect_problems(subgraph, parent, field, problems),
                    None => problems.push(format!("there is no field \"{}.{}\"", parent.name, item.name)),
                },
                Item::Fragment { on, sub, .. } => {
                    let on = on.as_ref().unwrap_or(&parent.name);
                    match subgraph.types.get(on).filter(|ty| ty.kind.is_composite()) {
                        None => problems.push(format!("there is no type \"{on}\" to select from")),
                        Some(target) => sub.collect_problems(subgraph, target, problems),
                    }
                }
            }
        }
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

impl FieldItem {
    fn collect_problems(
        &self,
        subgraph: &Subgraph,
        parent: &TypeDef,
        field: &FieldDef,
        problems: &mut Vec<String>,
    ) {
        let coordinate = format!("{}.{}", parent.name, self.name);
        for argument in &self.arguments {
            if !field.arguments.contains_key(&argument.name) {
                problems.push(format!("\"{coordinate}\" has no argument \"{}\"", argument.name));
            }
        }
        for argument in field.arguments.values().filter(|argument| argument.is_required()) {
            if !self.arguments.iter().any(|given| given.name == argument.name) {
                problems.push(format!(
                    "\"{coordinate}\" needs the argument \"{}\"",
                    argument.name
                ));
            }
        }
        let target = subgraph.types.get(field.ty.inner_named_type());
        match target.filter(|target| target.kind.is_composite()) {
            Some(_) if self.sub.is_empty() => {
                problems.push(format!("\"{coordinate}\" is an object: select fields of it"));
            }
            Some(target) => self.sub.collect_problems(subgraph, target, problems),
            None if !self.sub.is_empty() => {
                problems.push(format!("\"{coordinate}\" has no fields to select"));
            }
            None => {}
        }
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

impl fmt::Display for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            match item {
                Item::Field(field) => {
                    f.write_str(&field.name)?;
                    if !field.arguments.is_empty() {
                        let arguments: Vec<String> = field
                            .arguments
                            .iter()
                            .map(|argument| {
                                format!("{}: {}", argument.name, argument.value.serialize().no_indent())
                            })
                            .collect();
                        write!(f, "({})", arguments.join(", "))?;
                    }
                    if !field.sub.is_empty() {
                        write!(f, " {{ {} }}", field.sub)?;
                    }
                }
                Item::Fragment {
                    on: Some(on), sub, ..
                } => write!(f, "... on {on} {{ {sub} }}")?,
                Item::Fragment { on: None, sub, .. } => write!(f, "... {{ {sub} }}")?,
            }
        }
        Ok(())
    }
}
