//! Selection sets without fragments: every field knows the object types it applies to and its `@skip`/`@include` conditions.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use apollo_compiler::ast::{Argument, Directive};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::executable::{Field, Fragment, Selection, SelectionSet as Source};
use apollo_compiler::{Name, Node};
use fondaco_supergraph::Supergraph;
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::contexts::ContextUse;
use crate::query_plan::Condition;
use crate::work::Work;

/// Fields selected on one composite type.
#[derive(Debug)]
pub(crate) struct SelectionSet {
    /// Unique within one planning session.
    pub(crate) id: u32,
    pub(crate) entries: Vec<Entry>,
}

impl PartialEq for SelectionSet {
    /// Sets that select the same are equal, whatever their ids.
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id || self.entries == other.entries
    }
}

/// One field of a selection set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// Object types the field is selected for; `None`: every type the position can have.
    pub(crate) on: Option<Arc<[Name]>>,
    pub(crate) field: Arc<FieldNode>,
}

impl Entry {
    pub(crate) fn applies_to(&self, object: &Name) -> bool {
        self.on.as_ref().is_none_or(|types| types.contains(object))
    }
}

/// A field with everything below it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FieldNode {
    /// Key in the client's response. For internal fields the name; the key is chosen when the fetch is written.
    pub(crate) response_key: Name,
    pub(crate) name: Name,
    pub(crate) arguments: Vec<Node<Argument>>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) selections: Option<Arc<SelectionSet>>,
    /// Executable directives other than `@skip` and `@include`; subgraphs get them too.
    pub(crate) directives: Vec<Node<Directive>>,
    /// Arguments that take their values from objects above; only subgraphs that have them use them.
    pub(crate) contexts: Vec<ContextUse>,
    /// Selected for a key or `@requires`, not by the client.
    pub(crate) internal: bool,
}

impl FieldNode {
    pub(crate) fn with_selections(&self, selections: Arc<SelectionSet>) -> Arc<FieldNode> {
        Arc::new(FieldNode {
            selections: Some(selections),
            ..self.clone()
        })
    }

    pub(crate) fn with_conditions(&self, conditions: &[Condition]) -> Arc<FieldNode> {
        let mut field = self.clone();
        field.conditions.extend(
            conditions
                .iter()
                .filter(|condition| !self.conditions.contains(condition))
                .cloned(),
        );
        Arc::new(field)
    }
}

/// Makes selection sets and numbers them.
pub(crate) struct Normalizer<'a> {
    pub(crate) supergraph: &'a Supergraph,
    pub(crate) fragments: Option<&'a IndexMap<Name, Node<Fragment>>>,
    pub(crate) work: Work,
    next_id: Cell<u32>,
    /// What became of selection sets of the sources, which outlive the session: fragments are spread more than once.
    normalized: RefCell<FxHashMap<(*const Source, bool), Arc<SelectionSet>>>,
    joined: RefCell<FxHashMap<Vec<*const FieldNode>, Joined>>,
}

/// A join with its operands, which it keeps alive so that their addresses stay theirs.
type Joined = (Vec<Arc<FieldNode>>, Arc<FieldNode>);

/// Selections of one field that are to be joined.
struct Twins {
    conditions: Vec<Condition>,
    members: Vec<Arc<FieldNode>>,
}

/// What surrounds a selection: the type conditions and `@skip`/`@include` of the fragments it stands in.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Scope {
    on: Option<Arc<[Name]>>,
    conditions: Vec<Condition>,
}

/// A selection set while it is flattened.
struct Flattened {
    internal: bool,
    entries: Vec<Entry>,
    /// Fragments spread so far: again in the same scope they add nothing.
    spread: FxHashSet<(Name, Scope)>,
}

impl<'a> Normalizer<'a> {
    pub(crate) fn new(
        supergraph: &'a Supergraph,
        fragments: Option<&'a IndexMap<Name, Node<Fragment>>>,
        work: Work,
    ) -> Self {
        Normalizer {
            supergraph,
            fragments,
            work,
            next_id: Cell::new(0),
            normalized: RefCell::default(),
            joined: RefCell::default(),
        }
    }

    /// Normalizes what the client wrote.
    pub(crate) fn client(&self, source: &Source) -> Arc<SelectionSet> {
        self.normalize(source, false)
    }

    /// Normalizes a key, `@requires` or `@provides`.
    pub(crate) fn internal(&self, source: &Source) -> Arc<SelectionSet> {
        self.normalize(source, true)
    }

    /// A selection set of these entries.
    pub(crate) fn set(&self, entries: Vec<Entry>) -> Arc<SelectionSet> {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        self.work.spend(entries.len());
        Arc::new(SelectionSet { id, entries })
    }

    fn normalize(&self, source: &Source, internal: bool) -> Arc<SelectionSet> {
        let memo = (std::ptr::from_ref(source), internal);
        if let Some(known) = self.normalized.borrow().get(&memo) {
            return known.clone();
        }
        let mut into = Flattened {
            internal,
            entries: Vec::new(),
            spread: FxHashSet::default(),
        };
        if self.work.enter() {
            self.flatten(source, &source.ty, &Scope::default(), &mut into);
        }
        self.work.leave();
        let set = self.set(into.entries);
        self.normalized.borrow_mut().insert(memo, set.clone());
        set
    }

    fn flatten(&self, source: &Source, at: &Name, scope: &Scope, into: &mut Flattened) {
        for selection in &source.selections {
            self.work.spend(1);
            if self.work.is_refused() {
                return;
            }
            let directives = match selection {
                Selection::Field(field) => &field.directives,
                Selection::InlineFragment(fragment) => &fragment.directives,
                Selection::FragmentSpread(spread) => &spread.directives,
            };
            let Some(conditions) = conditions(&scope.conditions, directives) else {
                continue;
            };
            match selection {
                Selection::Field(field) => {
                    let field = self.field(field, conditions, into.internal);
                    let on = scope.on.clone();
                    into.entries.push(Entry { on, field });
                }
                Selection::InlineFragment(fragment) => {
                    let on = self.narrow(scope, at, fragment.type_condition.as_ref());
                    let scope = Scope { on, conditions };
                    self.flatten(&fragment.selection_set, at, &scope, into);
                }
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self
                        .fragments
                        .and_then(|fragments| fragments.get(&spread.fragment_name))
                    else {
                        continue;
                    };
                    let on = self.narrow(scope, at, Some(&fragment.selection_set.ty));
                    let scope = Scope { on, conditions };
                    if into.spread.insert((spread.fragment_name.clone(), scope.clone())) {
                        self.flatten(&fragment.selection_set, at, &scope, into);
                    }
                }
            }
        }
    }

    fn field(&self, field: &Field, conditions: Vec<Condition>, internal: bool) -> Arc<FieldNode> {
        let selections = (!field.selection_set.selections.is_empty())
            .then(|| self.normalize(&field.selection_set, internal));
        let response_key = match internal {
            true => field.name.clone(),
            false => field.response_key().clone(),
        };
        Arc::new(FieldNode {
            response_key,
            name: field.name.clone(),
            arguments: field.arguments.clone(),
            conditions,
            selections,
            directives: forwarded(&field.directives),
            contexts: Vec::new(),
            internal,
        })
    }

    /// Object types left of `scope` on a position of type `at` under a type condition.
    fn narrow(&self, scope: &Scope, at: &Name, condition: Option<&Name>) -> Option<Arc<[Name]>> {
        let Some(condition) = condition else {
            return scope.on.clone();
        };
        let possible = self.supergraph.possible_types(condition);
        let before = scope.on.as_deref().unwrap_or(self.supergraph.possible_types(at));
        if before.iter().all(|object| possible.contains(object)) {
            return scope.on.clone();
        }
        Some(
            before
                .iter()
                .filter(|object| possible.contains(object))
                .cloned()
                .collect(),
        )
    }

    /// Fields for objects of type `object`, those of one response key merged.
    pub(crate) fn collect(&self, entries: &[Entry], object: &Name) -> Vec<Arc<FieldNode>> {
        self.merge(entries.iter().filter(|entry| entry.applies_to(object)))
    }

    /// Fields for objects of every type, those of one response key merged.
    pub(crate) fn collect_common(&self, entries: &[Entry]) -> Vec<Arc<FieldNode>> {
        self.merge(entries.iter().filter(|entry| entry.on.is_none()))
    }

    fn merge<'e>(&self, entries: impl Iterator<Item = &'e Entry>) -> Vec<Arc<FieldNode>> {
        let mut fields: Vec<Twins> = Vec::new();
        let mut by_key: FxHashMap<&Name, SmallVec<[usize; 1]>> = FxHashMap::default();
        for entry in entries {
            let field = &entry.field;
            let known = by_key.entry(&field.response_key).or_default();
            match known.iter().find(|&&index| fields[index].takes(field)) {
                Some(&index) => fields[index].add(field),
                None => {
                    known.push(fields.len());
                    fields.push(Twins {
                        conditions: field.conditions.clone(),
                        members: vec![field.clone()],
                    });
                }
            }
        }
        fields.into_iter().map(|twins| self.join(twins)).collect()
    }

    /// Joins selections of one field, once a session: what is below is then also solved once.
    fn join(&self, twins: Twins) -> Arc<FieldNode> {
        if let [only] = twins.members.as_slice() {
            return only.clone();
        }
        let key: Vec<_> = twins.members.iter().map(Arc::as_ptr).collect();
        if let Some((_, joined)) = self.joined.borrow().get(&key) {
            return joined.clone();
        }
        let joined = self.join_now(&twins);
        let kept = (twins.members, joined.clone());
        self.joined.borrow_mut().insert(key, kept);
        joined
    }

    /// Where one selection is unconditional, the others' conditions move below it.
    fn join_now(&self, twins: &Twins) -> Arc<FieldNode> {
        let mut entries = Vec::new();
        for field in &twins.members {
            let moved: &[Condition] = match field.conditions == twins.conditions {
                true => &[],
                false => &field.conditions,
            };
            let below = field.selections.iter().flat_map(|set| &set.entries);
            entries.extend(below.map(|entry| match moved {
                [] => entry.clone(),
                moved => Entry {
                    on: entry.on.clone(),
                    field: entry.field.with_conditions(moved),
                },
            }));
        }
        let first = &twins.members[0];
        Arc::new(FieldNode {
            conditions: twins.conditions.clone(),
            selections: first.selections.is_some().then(|| self.set(entries)),
            ..(**first).clone()
        })
    }
}

impl Twins {
    fn takes(&self, field: &FieldNode) -> bool {
        let first = &self.members[0];
        let comparable =
            self.conditions == field.conditions || self.conditions.is_empty() || field.conditions.is_empty();
        first.name == field.name
            && first.arguments == field.arguments
            && first.directives == field.directives
            && comparable
    }

    /// A selection that is there already adds nothing.
    fn add(&mut self, field: &Arc<FieldNode>) {
        if field.conditions.is_empty() {
            self.conditions.clear();
        }
        let same_set = |other: &FieldNode| match (&other.selections, &field.selections) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        let covers = |other: &Arc<FieldNode>| {
            (other.conditions.is_empty() || other.conditions == field.conditions) && same_set(other)
        };
        if !self.members.iter().any(covers) {
            self.members.push(field.clone());
        }
    }
}

/// Adds the conditions of `directives` to `outer`; `None` where the selection can never run.
fn conditions(outer: &[Condition], directives: &[Node<Directive>]) -> Option<Vec<Condition>> {
    let mut conditions = outer.to_vec();
    for directive in directives {
        let expected = match directive.name.as_str() {
            "skip" => false,
            "include" => true,
            _ => continue,
        };
        let Some(value) = directive.specified_argument_by_name("if") else {
            continue;
        };
        if let Some(variable) = value.as_variable() {
            let condition = Condition {
                variable: variable.clone(),
                expected,
            };
            if conditions.contains(&Condition {
                variable: variable.clone(),
                expected: !expected,
            }) {
                return None;
            }
            if !conditions.contains(&condition) {
                conditions.push(condition);
            }
        } else if value.to_bool() != Some(expected) {
            return None;
        }
    }
    Some(conditions)
}

/// Directives that the subgraph gets: all but those that were turned into conditions.
pub(crate) fn forwarded(directives: &[Node<Directive>]) -> Vec<Node<Directive>> {
    let ours = |directive: &&Node<Directive>| !matches!(directive.name.as_str(), "skip" | "include");
    directives.iter().filter(ours).cloned().collect()
}
