//! Enforces `@authenticated`, `@requiresScopes` and `@policy`: what the caller may not see leaves the operation before it is
//! planned, so that no subgraph is ever asked for it.

use std::collections::HashSet;

use apollo_compiler::ast::DirectiveList;
use apollo_compiler::executable::{
    ExecutableDocument, Field, InlineFragment, Operation, Selection, SelectionSet,
};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, name};
use fondaco_executor::{GraphqlError, PathElement};
use fondaco_supergraph::{Requirement, Supergraph};

use super::Caller;
use super::policies::Granted;

/// The requirements an operation touches, each once.
#[derive(Debug, Clone, Default)]
pub struct Gates {
    requirements: Vec<Requirement>,
    /// The policies they name, each once.
    policies: Vec<String>,
}

/// Which gates of an operation are shut for a caller, by index: equal outcomes share a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Outcome(Vec<u16>);

impl Outcome {
    /// Whether the caller may see everything the operation asks for.
    pub fn is_open(&self) -> bool {
        self.0.is_empty()
    }
}

impl Gates {
    /// Collects the requirements of everything the operation selects.
    pub fn of(document: &ExecutableDocument, operation: &Operation, supergraph: &Supergraph) -> Self {
        let mut gates = Self::default();
        if supergraph.requirements().is_empty() {
            return gates;
        }
        let scope = Scope { document, supergraph };
        let root = scope.possible_types(&operation.selection_set.ty);
        gates.collect(&scope, &operation.selection_set, &root);
        gates
    }

    fn collect(&mut self, scope: &Scope<'_>, selections: &SelectionSet, possible: &[Name]) {
        for selection in &selections.selections {
            match selection {
                Selection::Field(field) => {
                    for requirement in scope.requirements(&selections.ty, possible, field) {
                        self.add(requirement);
                    }
                    self.collect(
                        scope,
                        &field.selection_set,
                        &scope.possible_types(&field.selection_set.ty),
                    );
                }
                Selection::InlineFragment(fragment) => {
                    let narrowed = scope.narrow(possible, &fragment.selection_set.ty);
                    self.collect(scope, &fragment.selection_set, &narrowed);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = scope.document.fragments.get(&spread.fragment_name) {
                        let narrowed = scope.narrow(possible, &fragment.selection_set.ty);
                        self.collect(scope, &fragment.selection_set, &narrowed);
                    }
                }
            }
        }
    }

    fn add(&mut self, requirement: &Requirement) {
        if self.requirements.contains(requirement) {
            return;
        }
        for policy in requirement.policies.iter().flatten() {
            if !self.policies.contains(policy) {
                self.policies.push(policy.clone());
            }
        }
        self.requirements.push(requirement.clone());
    }

    /// Adds every requirement of the schema: what introspection shows depends on all of them.
    pub fn add_all(&mut self, supergraph: &Supergraph) {
        for requirement in supergraph.requirements().iter() {
            self.add(requirement);
        }
    }

    /// The policies to decide before [`Gates::outcome`].
    pub fn policies(&self) -> &[String] {
        &self.policies
    }

    /// Tries every gate for the caller, who was granted these policies.
    pub fn outcome(&self, caller: &Caller, granted: &Granted) -> Outcome {
        let requirements = self.requirements.iter().enumerate();
        let shut = requirements.filter(|(_, requirement)| !is_met(requirement, caller, granted));
        Outcome(shut.map(|(index, _)| index as u16).collect())
    }

    /// The gates that are shut.
    pub fn shut<'a>(&'a self, outcome: &'a Outcome) -> impl Iterator<Item = &'a Requirement> {
        let indices = outcome.0.iter();
        indices.map(|index| &self.requirements[usize::from(*index)])
    }
}

/// Each directive must be met; of its sets any one, whole.
fn is_met(requirement: &Requirement, caller: &Caller, granted: &Granted) -> bool {
    let any_set = |sets: &[Vec<String>], holds: &dyn Fn(&str) -> bool| {
        sets.is_empty() || sets.iter().any(|set| set.iter().all(|item| holds(item)))
    };
    (!requirement.authenticated || caller.is_authenticated())
        && any_set(&requirement.scopes, &|scope| caller.has_scope(scope))
        && any_set(&requirement.policies, &|policy| granted.has(policy))
}

/// An operation without the parts its caller may not see.
#[derive(Debug)]
pub struct Filtered {
    /// Only this operation, its fragments written out; `None` where nothing is left.
    pub document: Option<Valid<ExecutableDocument>>,
    /// What was left out.
    pub denials: Vec<Denial>,
}

/// Variables and the values they must have.
pub type Conditions = Vec<(Name, bool)>;

/// A field that was left out.
#[derive(Debug, Clone)]
pub struct Denial {
    /// The error to report, with the field's path (without indices of lists).
    pub error: GraphqlError,
    /// The `@skip` and `@include` above it, as variable and the value it must have: the client asked only if all hold.
    pub conditions: Conditions,
}

/// Takes out of the operation what lies behind shut gates.
pub fn filter(
    document: &ExecutableDocument,
    operation: &Node<Operation>,
    supergraph: &Supergraph,
    gates: &Gates,
    outcome: &Outcome,
) -> Filtered {
    let scope = Scope { document, supergraph };
    let mut filter = Filter {
        scope: &scope,
        shut: gates.shut(outcome).collect(),
        path: Vec::new(),
        conditions: Vec::new(),
        denied: HashSet::new(),
        denials: Vec::new(),
    };
    let root = scope.possible_types(&operation.selection_set.ty);
    let selection_set = filter.selections(&operation.selection_set, &root);
    let denials = filter.denials;
    if selection_set.is_empty() {
        return Filtered {
            document: None,
            denials,
        };
    }
    let mut filtered = ExecutableDocument::new();
    filtered.sources = document.sources.clone();
    filtered.operations.insert(Operation {
        selection_set,
        ..Operation::clone(operation)
    });
    Filtered {
        document: Some(Valid::assume_valid(filtered)),
        denials,
    }
}

struct Filter<'a> {
    scope: &'a Scope<'a>,
    shut: Vec<&'a Requirement>,
    path: Vec<PathElement>,
    conditions: Conditions,
    denied: HashSet<(Vec<PathElement>, Conditions)>,
    denials: Vec<Denial>,
}

impl Filter<'_> {
    fn selections(&mut self, selections: &SelectionSet, possible: &[Name]) -> SelectionSet {
        let mut kept = SelectionSet::new(selections.ty.clone());
        for selection in &selections.selections {
            let outer = self.conditions.len();
            self.conditions.extend(conditions(selection.directives()));
            let selection = match selection {
                Selection::Field(field) => self.field(&selections.ty, possible, field).map(Selection::from),
                Selection::InlineFragment(fragment) => self
                    .fragment(
                        &fragment.selection_set,
                        possible,
                        fragment.type_condition.clone(),
                        &fragment.directives,
                    )
                    .map(Selection::from),
                Selection::FragmentSpread(spread) => {
                    let definition = self.scope.document.fragments.get(&spread.fragment_name);
                    definition.and_then(|fragment| {
                        let condition = Some(fragment.type_condition().clone());
                        self.fragment(&fragment.selection_set, possible, condition, &spread.directives)
                            .map(Selection::from)
                    })
                }
            };
            self.conditions.truncate(outer);
            kept.selections.extend(selection);
        }
        kept
    }

    fn fragment(
        &mut self,
        selections: &SelectionSet,
        possible: &[Name],
        type_condition: Option<Name>,
        directives: &DirectiveList,
    ) -> Option<InlineFragment> {
        let narrowed = self.scope.narrow(possible, &selections.ty);
        let selection_set = self.selections(selections, &narrowed);
        let directives = directives.clone();
        (!selection_set.is_empty()).then_some(InlineFragment {
            type_condition,
            directives,
            selection_set,
        })
    }

    fn field(&mut self, parent: &Name, possible: &[Name], field: &Node<Field>) -> Option<Node<Field>> {
        self.path.push(PathElement::Key(field.response_key().to_string()));
        let shut = self
            .scope
            .requirements(parent, possible, field)
            .iter()
            .any(|one| self.shut.contains(one));
        let kept = if shut {
            self.deny();
            None
        } else if field.selection_set.is_empty() {
            Some(field.clone())
        } else {
            Some(self.object_field(field))
        };
        self.path.pop();
        kept
    }

    /// The object itself may be seen even where nothing of it may: its type name stands in for its fields.
    fn object_field(&mut self, field: &Node<Field>) -> Node<Field> {
        let below = self.scope.possible_types(&field.selection_set.ty);
        let mut selection_set = self.selections(&field.selection_set, &below);
        if selection_set.is_empty() {
            let typename = selection_set.new_field(self.scope.supergraph.schema(), name!("__typename"));
            selection_set.push(typename.expect("every composite type has __typename"));
        }
        Node::new(Field {
            selection_set,
            ..Field::clone(field)
        })
    }

    fn deny(&mut self) {
        if self.denied.insert((self.path.clone(), self.conditions.clone())) {
            let error = GraphqlError::new("Unauthorized field or type", "UNAUTHORIZED_FIELD_OR_TYPE");
            self.denials.push(Denial {
                error: error.at(self.path.clone()),
                conditions: self.conditions.clone(),
            });
        }
    }
}

/// `@skip` and `@include` by variables. Those by constants are not looked at: they are rare and the error is harmless.
fn conditions(directives: &DirectiveList) -> impl Iterator<Item = (Name, bool)> + '_ {
    [("skip", false), ("include", true)]
        .into_iter()
        .filter_map(|(directive, expected)| {
            let value = directives.get(directive)?.specified_argument_by_name("if")?;
            Some((value.as_variable()?.clone(), expected))
        })
}

/// What types and requirements are looked up in.
struct Scope<'a> {
    document: &'a ExecutableDocument,
    supergraph: &'a Supergraph,
}

impl<'a> Scope<'a> {
    fn possible_types(&self, type_name: &str) -> Vec<Name> {
        self.supergraph.possible_types(type_name).to_vec()
    }

    /// Object types that are possible before and inside a fragment.
    fn narrow(&self, possible: &[Name], type_condition: &str) -> Vec<Name> {
        let inside = self.supergraph.possible_types(type_condition);
        possible
            .iter()
            .filter(|name| inside.contains(name))
            .cloned()
            .collect()
    }

    /// Everything that must be met to read the field: of its parent and itself, of every object type it may be read from,
    /// and of its own type. The name of a type has no requirement of its own: it says no more than that there is an object, and
    /// fields of a guarded type are not read at all.
    fn requirements(&self, parent: &Name, possible: &[Name], field: &Field) -> Vec<&'a Requirement> {
        if field.name == "__typename" {
            return Vec::new();
        }
        let all = self.supergraph.requirements();
        let parents = std::iter::once(parent).chain(possible.iter().filter(|name| *name != parent));
        let mut found = Vec::new();
        for parent in parents {
            found.extend(all.of_type(parent));
            found.extend(all.of_field(parent, &field.name));
        }
        found.extend(all.of_type(field.definition.ty.inner_named_type()));
        found
    }
}
