//! Writes an operation again for entities whose contexts differ (`@fromContext`).
//!
//! An argument has one value in a selection, so entities for which a context differs need a selection each, under an alias
//! and with variables of its own. The plan has one selection; how many it takes shows only in the data.

use std::collections::BTreeSet;

use apollo_compiler::ast::{
    Argument, Definition, Document, Field, FragmentDefinition, OperationDefinition, Selection, Value,
    VariableDefinition,
};
use apollo_compiler::{Name, Node};
use fondaco_planner::query_plan::{Fetch, FetchTarget};

use crate::representations::Representations;

/// The parsed operation of a fetch that has contexts.
#[derive(Debug)]
pub(crate) struct Regrouping {
    operation: OperationDefinition,
    /// Fragments that the operation spreads. Contexts are arguments outside of them.
    fragments: Vec<Node<FragmentDefinition>>,
    /// Response keys of the selections and variables of their representations, in the plan's order.
    planned: Vec<(Name, Name)>,
}

impl Regrouping {
    pub(crate) fn of(fetch: &Fetch) -> Option<Self> {
        let FetchTarget::Entities(selections) = &fetch.target else {
            return None;
        };
        if selections.iter().all(|selection| selection.contexts.is_empty()) {
            return None;
        }
        let document = Document::parse(fetch.operation.to_string(), "fetch.graphql").ok()?;
        let mut operation = None;
        let mut fragments = Vec::new();
        for definition in document.definitions {
            match definition {
                Definition::OperationDefinition(definition) => operation = Some((*definition).clone()),
                Definition::FragmentDefinition(fragment) => fragments.push(fragment),
                _ => {}
            }
        }
        let operation = operation?;
        let planned = selections
            .iter()
            .map(|selection| (selection.response_key.clone(), selection.variable.clone()))
            .collect();
        Some(Self {
            operation,
            fragments,
            planned,
        })
    }

    /// The operation with a selection for each list that is not empty; `None` where the plan's has just those.
    pub(crate) fn operation(&self, lists: &[Representations]) -> Option<String> {
        if lists.len() == self.planned.len() && lists.iter().all(|list| !list.is_empty()) {
            return None;
        }
        let mut operation = self.operation.clone();
        operation.selection_set = lists
            .iter()
            .filter(|list| !list.is_empty())
            .filter_map(|list| self.selection(list))
            .collect();
        let fragments = self.spread_in(&operation.selection_set);
        operation.variables = self.variables(&operation.selection_set, &fragments, lists);
        let mut text = operation.serialize().no_indent().to_string();
        for fragment in fragments {
            text.push(' ');
            text.push_str(&fragment.serialize().no_indent().to_string());
        }
        Some(text)
    }

    /// The plan's selection under the key and with the variables of `list`.
    fn selection(&self, list: &Representations) -> Option<Selection> {
        let (key, _) = &self.planned[list.selection];
        let planned = self
            .operation
            .selection_set
            .iter()
            .find_map(|selection| match selection {
                Selection::Field(field) if field.response_name() == key => Some(field),
                _ => None,
            })?;
        let mut field = Field::clone(planned);
        field.alias = Name::new(&list.response_key)
            .ok()
            .filter(|key| *key != field.name);
        rename_in_field(&mut field, &|name| self.renamed(list, name));
        Some(Selection::Field(Node::new(field)))
    }

    /// Fragments that the selections spread, also within one another.
    fn spread_in(&self, selections: &[Selection]) -> Vec<&FragmentDefinition> {
        let mut spread: Vec<&FragmentDefinition> = Vec::new();
        let mut open: Vec<&[Selection]> = vec![selections];
        while let Some(selections) = open.pop() {
            for selection in selections {
                match selection {
                    Selection::Field(field) => open.push(&field.selection_set),
                    Selection::InlineFragment(fragment) => open.push(&fragment.selection_set),
                    Selection::FragmentSpread(one) => {
                        let named = self
                            .fragments
                            .iter()
                            .find(|known| known.name == one.fragment_name);
                        let is_new = |named: &&Node<FragmentDefinition>| {
                            spread.iter().all(|known| known.name != named.name)
                        };
                        if let Some(named) = named.filter(is_new) {
                            spread.push(named);
                            open.push(&named.selection_set);
                        }
                    }
                }
            }
        }
        spread
    }

    /// Definitions of the variables that the selections use.
    fn variables(
        &self,
        selections: &[Selection],
        fragments: &[&FragmentDefinition],
        lists: &[Representations],
    ) -> Vec<Node<VariableDefinition>> {
        let mut used = BTreeSet::new();
        selections
            .iter()
            .for_each(|selection| used_in(selection, &mut used));
        let in_fragments = fragments.iter().flat_map(|fragment| &fragment.selection_set);
        in_fragments.for_each(|selection| used_in(selection, &mut used));
        let mut definitions: Vec<Node<VariableDefinition>> = Vec::new();
        for definition in &self.operation.variables {
            let names = lists
                .iter()
                .filter_map(|list| self.renamed(list, &definition.name));
            for name in std::iter::once(definition.name.clone()).chain(names) {
                if used.remove(&name) {
                    let mut definition = VariableDefinition::clone(definition);
                    definition.name = name;
                    definitions.push(Node::new(definition));
                }
            }
        }
        definitions
    }

    /// The name that a variable of the plan has in the selection of `list`.
    fn renamed(&self, list: &Representations, name: &Name) -> Option<Name> {
        if self.planned[list.selection].1 == *name {
            return Name::new(&list.variable).ok();
        }
        let mut contexts = list.contexts.iter();
        let context = contexts.find(|context| context.planned == name.as_str())?;
        Name::new(&context.variable).ok()
    }
}

fn rename_in_field(field: &mut Field, rename: &dyn Fn(&Name) -> Option<Name>) {
    for argument in &mut field.arguments {
        rename_in_argument(argument, rename);
    }
    for selection in &mut field.selection_set {
        rename_in_selection(selection, rename);
    }
}

fn rename_in_selection(selection: &mut Selection, rename: &dyn Fn(&Name) -> Option<Name>) {
    match selection {
        Selection::Field(field) => rename_in_field(field.make_mut(), rename),
        Selection::InlineFragment(fragment) => {
            for selection in &mut fragment.make_mut().selection_set {
                rename_in_selection(selection, rename);
            }
        }
        Selection::FragmentSpread(_) => {}
    }
}

/// Contexts and representations are whole arguments, never parts of one.
fn rename_in_argument(argument: &mut Node<Argument>, rename: &dyn Fn(&Name) -> Option<Name>) {
    if let Some(name) = argument.value.as_variable().and_then(rename) {
        argument.make_mut().value = Node::new(Value::Variable(name));
    }
}

fn used_in(selection: &Selection, used: &mut BTreeSet<Name>) {
    let (directives, below) = match selection {
        Selection::Field(field) => {
            for argument in &field.arguments {
                used_in_value(&argument.value, used);
            }
            (&field.directives, field.selection_set.as_slice())
        }
        Selection::InlineFragment(fragment) => (&fragment.directives, fragment.selection_set.as_slice()),
        Selection::FragmentSpread(spread) => (&spread.directives, [].as_slice()),
    };
    for argument in directives.iter().flat_map(|directive| &directive.arguments) {
        used_in_value(&argument.value, used);
    }
    below.iter().for_each(|selection| used_in(selection, used));
}

fn used_in_value(value: &Value, used: &mut BTreeSet<Name>) {
    used.extend(value.as_variable().cloned());
    for item in value.as_list().unwrap_or_default() {
        used_in_value(item, used);
    }
    for (_, item) in value.as_object().unwrap_or_default() {
        used_in_value(item, used);
    }
}
