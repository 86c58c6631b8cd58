//! Which elements of the old schema an operation uses, and how.

use apollo_compiler::ast::Type;
use apollo_compiler::executable::{DirectiveList, Field, Selection, SelectionSet};
use apollo_compiler::{ExecutableDocument, Name, Schema};
use fondaco_supergraph::Supergraph;
use rustc_hash::FxHashSet;

use crate::change::{Affects, Given};
use crate::operations::values::{Sent, Variables};

/// What an operation uses. Fields of an abstract type count for every type a value may have.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    met: FxHashSet<Name>,
    returned: FxHashSet<Name>,
    /// Types that values of the returned abstract types may have.
    possible: FxHashSet<Name>,
    fields: FxHashSet<(Name, Name)>,
    arguments: FxHashSet<(Name, Name, Name, Given)>,
    directives: FxHashSet<Name>,
    sent: Sent,
}

impl Facts {
    /// Reads a document that is valid against the supergraph's API schema.
    pub(crate) fn of(document: &ExecutableDocument, supergraph: &Supergraph) -> Self {
        let mut reader = Reader {
            schema: supergraph.api_schema(),
            supergraph,
            document,
            facts: Self::default(),
        };
        for operation in document.operations.iter() {
            let variables = Variables::of(operation);
            reader.facts.sent.add_variables(operation, reader.schema);
            reader.directives(&operation.directives, &variables);
            reader.selections(&operation.selection_set, &variables, &mut FxHashSet::default());
        }
        reader.facts
    }

    /// Whether the operation notices such a change.
    pub(crate) fn notices(&self, affects: &Affects) -> bool {
        let pair = |a: &Name, b: &Name| (a.clone(), b.clone());
        match affects {
            Affects::Unknown => false,
            Affects::Type(ty) => {
                self.met.contains(ty) || self.returned.contains(ty) || self.sent.has_type(ty)
            }
            Affects::Received(ty) => {
                self.met.contains(ty) || self.returned.contains(ty) || self.possible.contains(ty)
            }
            Affects::Field(ty, field) => self.fields.contains(&pair(ty, field)),
            Affects::Argument(ty, field, argument, ways) => ways.iter().any(|way| {
                self.arguments
                    .contains(&(ty.clone(), field.clone(), argument.clone(), *way))
            }),
            Affects::Input(ty) => self.sent.has_type(ty),
            Affects::InputField(ty, field, ways) => self.sent.gives(ty, field, ways),
            Affects::SentValue(ty, value) => self.sent.may_hold(ty, value),
            Affects::Returned(ty) => self.returned.contains(ty),
            Affects::Both(a, b) => {
                (self.met.contains(a) || self.returned.contains(a)) && self.met.contains(b)
            }
            Affects::Directive(directive) => self.directives.contains(directive),
        }
    }
}

struct Reader<'a> {
    schema: &'a Schema,
    supergraph: &'a Supergraph,
    document: &'a ExecutableDocument,
    facts: Facts,
}

impl Reader<'_> {
    fn selections(&mut self, set: &SelectionSet, variables: &Variables, seen: &mut FxHashSet<Name>) {
        self.facts.met.insert(set.ty.clone());
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    self.field(&set.ty, field, variables);
                    if !field.selection_set.selections.is_empty() {
                        self.selections(&field.selection_set, variables, seen);
                    }
                }
                Selection::InlineFragment(fragment) => {
                    self.directives(&fragment.directives, variables);
                    self.selections(&fragment.selection_set, variables, seen);
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.directives, variables);
                    if let Some(fragment) = self.document.fragments.get(&spread.fragment_name)
                        && seen.insert(spread.fragment_name.clone())
                    {
                        self.selections(&fragment.selection_set, variables, seen);
                    }
                }
            }
        }
    }

    fn field(&mut self, parent: &Name, field: &Field, variables: &Variables) {
        self.directives(&field.directives, variables);
        if field.name.starts_with("__") {
            return;
        }
        let returned = field.definition.ty.inner_named_type();
        if self.facts.returned.insert(returned.clone()) {
            self.facts
                .possible
                .extend(self.supergraph.possible_types(returned).iter().cloned());
        }
        self.use_field(parent, field, variables);
        for possible in self.supergraph.possible_types(parent) {
            if possible != parent {
                self.use_field(possible, field, variables);
            }
        }
        for argument in &field.arguments {
            if let Some(definition) = field.definition.argument_by_name(&argument.name) {
                self.facts
                    .sent
                    .add_value(&definition.ty, &argument.value, self.schema, variables);
            }
        }
    }

    fn use_field(&mut self, parent: &Name, field: &Field, variables: &Variables) {
        self.facts.fields.insert((parent.clone(), field.name.clone()));
        for definition in &field.definition.arguments {
            let given = field.specified_argument_by_name(&definition.name);
            let given = given.map_or(Given::Absent, |value| variables.way_of(value));
            let argument = (parent.clone(), field.name.clone(), definition.name.clone(), given);
            self.facts.arguments.insert(argument);
        }
    }

    fn directives(&mut self, directives: &DirectiveList, variables: &Variables) {
        for directive in directives.iter() {
            self.facts.directives.insert(directive.name.clone());
            let definition = self.schema.directive_definitions.get(&directive.name);
            for argument in &directive.arguments {
                let expected = definition.and_then(|definition| definition.argument_by_name(&argument.name));
                if let Some(expected) = expected {
                    let ty: &Type = &expected.ty;
                    self.facts
                        .sent
                        .add_value(ty, &argument.value, self.schema, variables);
                }
            }
        }
    }
}
