//! Choices of progressive overrides: a query is resolved under some choice of every label it meets.

use apollo_compiler::Name;
use rustc_hash::FxHashMap;

use crate::merge::Member;
use crate::model::{FieldDef, TypeDef, string_argument};

/// The labels decided so far, by index, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Choices(Vec<(usize, bool)>);

impl Choices {
    pub(super) fn of(&self, label: usize) -> Option<bool> {
        let decided = self.0.iter().find(|(known, _)| *known == label);
        decided.map(|(_, on)| *on)
    }

    pub(super) fn with(&self, label: usize, on: bool) -> Self {
        let mut choices = self.0.clone();
        choices.push((label, on));
        choices.sort_unstable();
        Self(choices)
    }

    /// Whether everything possible under `other` is possible under these, which leave at least as much open.
    pub(super) fn cover(&self, other: &Self) -> bool {
        self.0.iter().all(|(label, on)| other.of(*label) == Some(*on))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, bool)> {
        self.0.iter().copied()
    }
}

/// When a subgraph does not resolve a field it declares.
#[derive(Debug, Clone, Copy)]
pub(super) enum Overridden {
    Never,
    Always,
    /// Unless the label (by index) is on or off.
    Unless(usize, bool),
}

type Coordinate = (usize, Name, Name);

/// Every `@override` of the graph.
pub(super) struct Overrides<'a> {
    fields: FxHashMap<Coordinate, Overridden>,
    /// Labels in order of appearance.
    pub(super) labels: Vec<&'a str>,
}

impl<'a> Overrides<'a> {
    pub(super) fn of(members: &'a [Member]) -> Self {
        let mut overrides = Self {
            fields: FxHashMap::default(),
            labels: Vec::new(),
        };
        for (index, member) in members.iter().enumerate() {
            for ty in member.subgraph.types.values() {
                for field in ty.fields.values() {
                    overrides.read(members, index, ty, field);
                }
            }
        }
        overrides
    }

    pub(super) fn of_field(&self, subgraph: usize, ty: &Name, field: &Name) -> Overridden {
        if self.fields.is_empty() {
            return Overridden::Never;
        }
        let coordinate = (subgraph, ty.clone(), field.clone());
        self.fields.get(&coordinate).copied().unwrap_or(Overridden::Never)
    }

    fn read(&mut self, members: &[Member], index: usize, ty: &TypeDef, field: &'a FieldDef) {
        let Some(directive) = field.directives.get("federation__override") else {
            return;
        };
        let from = string_argument(directive, "from");
        let source = members
            .iter()
            .position(|other| Some(other.subgraph.name.as_str()) == from);
        let Some(source) = source.filter(|source| declares(&members[*source], ty, field)) else {
            return;
        };
        let coordinate = |index| (index, ty.name.clone(), field.name.clone());
        let Some(label) = string_argument(directive, "label") else {
            self.fields.insert(coordinate(source), Overridden::Always);
            return;
        };
        let known = self.labels.iter().position(|known| *known == label);
        let label = known.unwrap_or_else(|| {
            self.labels.push(label);
            self.labels.len() - 1
        });
        self.fields
            .insert(coordinate(index), Overridden::Unless(label, true));
        self.fields
            .insert(coordinate(source), Overridden::Unless(label, false));
    }
}

fn declares(member: &Member, ty: &TypeDef, field: &FieldDef) -> bool {
    let declaring = member.subgraph.types.get(&ty.name);
    declaring.is_some_and(|ty| ty.fields.contains_key(&field.name))
}
