//! Which places a key leads to, and which of them resolve a field.

use apollo_compiler::Name;
use apollo_compiler::parser::SourceSpan;
use rustc_hash::FxHashMap;

use super::contexts::Contexts;
use super::labels::{Choices, Overridden, Overrides};
use super::places::{Place, Places};
use crate::facts::{Key, field_set_of, from_context, split_context};
use crate::field_set::{FieldSet, Item};
use crate::merge::{Member, Supergraph};
use crate::model::{FieldDef, Kind, Subgraph, TypeDef, is_root_name, string_argument};

/// How long a chain of fields requiring each other is followed; what needs more counts as not to be had.
const DEEPEST_REQUIRES: usize = 100;

type Coordinate = (usize, Name, Name);

/// A key by which entities of a type can be entered.
pub(super) struct Entry<'a> {
    pub(super) subgraph: usize,
    /// The type the subgraph knows them by: their own, or an interface object.
    pub(super) ty: Name,
    pub(super) key: &'a Key,
}

/// Why a place does not resolve a field.
pub(super) enum Obstacle<'a> {
    Absent,
    External,
    Overridden,
    Context(&'a str),
    Requires(&'a str),
}

/// Answers for one supergraph; see the module.
pub(super) struct Resolver<'a> {
    pub(super) supergraph: &'a Supergraph,
    pub(super) members: &'a [Member],
    entries: FxHashMap<Name, Vec<Entry<'a>>>,
    pub(super) runtime: FxHashMap<Name, Vec<Name>>,
    pub(super) overrides: Overrides<'a>,
    choices: Choices,
    /// A label that was met and is not among the choices.
    undecided: Option<usize>,
    provided: Vec<FieldSet>,
    reached: FxHashMap<(Name, Places, Choices), Places>,
    /// Fields whose requirements are being examined: meeting one again is a circle.
    examining: Vec<(usize, Name, Name)>,
    /// The outermost field being examined that was met again since.
    circle: usize,
    /// Requirements whose answer does not depend on what else is being examined.
    required: FxHashMap<(Coordinate, Places, Choices), bool>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(supergraph: &'a Supergraph, members: &'a [Member]) -> Self {
        Self {
            supergraph,
            members,
            entries: entries(supergraph, members),
            runtime: runtime_types(supergraph),
            overrides: Overrides::of(members),
            choices: Choices::default(),
            undecided: None,
            provided: vec![FieldSet::default()],
            reached: FxHashMap::default(),
            examining: Vec::new(),
            circle: usize::MAX,
            required: FxHashMap::default(),
        }
    }

    /// What `answer` gives under the choices; where it meets a label they leave open, once for each value of it.
    pub(super) fn under_all_choices<T>(
        &mut self,
        choices: &Choices,
        mut answer: impl FnMut(&mut Self) -> T,
    ) -> Vec<(Choices, T)> {
        let mut open = vec![choices.clone()];
        let mut answers = Vec::new();
        while let Some(choices) = open.pop() {
            self.choices = choices.clone();
            self.undecided = None;
            let found = answer(self);
            match self.undecided.take() {
                Some(label) => open.extend([choices.with(label, false), choices.with(label, true)]),
                None => answers.push((choices, found)),
            }
        }
        answers
    }

    pub(super) fn roots(&self, root: &Name) -> Places {
        let having = self
            .members
            .iter()
            .enumerate()
            .filter(|(_, member)| member.subgraph.types.contains_key(root));
        having
            .map(|(subgraph, _)| Place {
                subgraph,
                ty: root.clone(),
                provided: 0,
            })
            .collect()
    }

    pub(super) fn runtime_types(&self, ty: &Name) -> Vec<Name> {
        self.runtime.get(ty).cloned().unwrap_or_default()
    }

    pub(super) fn entries(&self, ty: &Name) -> &[Entry<'a>] {
        self.entries.get(ty).map_or(&[], Vec::as_slice)
    }

    pub(super) fn type_at(&self, place: &Place) -> Option<&'a TypeDef> {
        self.members[place.subgraph].subgraph.types.get(&place.ty)
    }

    /// The places, and all that keys lead to from them.
    pub(super) fn reachable(&mut self, ty: &Name, places: &Places) -> Places {
        if is_root_name(ty) {
            return self.roots(ty);
        }
        let memo = (ty.clone(), places.clone(), self.choices.clone());
        if let Some(known) = self.reached.get(&memo) {
            return known.clone();
        }
        let mut reached = places.clone();
        let mut grown = true;
        while grown {
            grown = false;
            for index in 0..self.entries(ty).len() {
                let entry = &self.entries[ty][index];
                let place = Place {
                    subgraph: entry.subgraph,
                    ty: entry.ty.clone(),
                    provided: 0,
                };
                let key = entry.key;
                if !reached.contains(&place) && self.satisfies(&key.set, ty, &reached) {
                    grown |= reached.insert(place);
                }
            }
        }
        // Inside a circle of requirements the answer may be smaller than it is elsewhere.
        if self.examining.is_empty() && self.undecided.is_none() {
            self.reached.insert(memo, reached.clone());
        }
        reached
    }

    /// Whether some place knows that its value is never `object`.
    pub(super) fn excludes(&self, places: &Places, object: &Name) -> bool {
        places.iter().any(|place| {
            self.type_at(place).is_some_and(|ty| {
                let subgraph = &self.members[place.subgraph].subgraph;
                !ty.is_interface_object() && !subgraph.runtime_types(&ty.name).contains(&object)
            })
        })
    }

    /// The places that remain once an abstract type turns out to be `object`.
    pub(super) fn narrow(&self, places: &Places, object: &Name) -> Places {
        let narrowed = places.iter().filter_map(|place| {
            let ty = self.type_at(place)?;
            if ty.is_interface_object() {
                return Some(place.clone());
            }
            let possible = self.members[place.subgraph]
                .subgraph
                .runtime_types(&place.ty)
                .contains(&object);
            possible.then(|| Place {
                ty: object.clone(),
                ..place.clone()
            })
        });
        let narrowed: Places = narrowed.collect();
        // An interface object does not know what it is: without a place that does, there is no such object to meet.
        let known = narrowed.iter().any(|place| place.ty == *object);
        if known { narrowed } else { Places::new() }
    }

    /// Where the value of `ty.field` can be; empty where nothing resolves it.
    pub(super) fn resolve(
        &mut self,
        ty: &Name,
        field: &Name,
        places: &Places,
        contexts: &Contexts,
    ) -> Places {
        let mut next = Places::new();
        for place in places {
            if let Ok(place) = self.resolve_at(ty, field, place, places, contexts) {
                next.insert(place);
            }
        }
        next
    }

    pub(super) fn resolve_at(
        &mut self,
        ty: &Name,
        field: &Name,
        place: &Place,
        places: &Places,
        contexts: &Contexts,
    ) -> Result<Place, Obstacle<'a>> {
        let Some(declaring) = self.type_at(place) else {
            return Err(Obstacle::Absent);
        };
        let Some(def) = declaring.fields.get(field) else {
            return Err(Obstacle::Absent);
        };
        let given = self.provided_below(place, field);
        let facts = &self.members[place.subgraph].facts;
        if facts.is_external(declaring, def) && given.is_none() {
            return Err(Obstacle::External);
        }
        if self.is_overridden(place.subgraph, &declaring.name, field) {
            return Err(Obstacle::Overridden);
        }
        self.check_contexts(ty, def, place, places, contexts)?;
        self.check_requires(ty, def, place, places)?;
        let mut provided = given.unwrap_or_default();
        provided
            .0
            .extend(field_set_of(def, "federation__provides").unwrap_or_default().0);
        let provided = self.provided_index(provided);
        Ok(Place {
            subgraph: place.subgraph,
            ty: def.ty.inner_named_type().clone(),
            provided,
        })
    }

    /// Whether another subgraph resolves the field, for good or under the label's choice.
    fn is_overridden(&mut self, subgraph: usize, ty: &Name, field: &Name) -> bool {
        match self.overrides.of_field(subgraph, ty, field) {
            Overridden::Never => false,
            Overridden::Always => true,
            Overridden::Unless(label, needed) => {
                let chosen = self.choices.of(label);
                if chosen.is_none() {
                    self.undecided.get_or_insert(label);
                }
                chosen != Some(needed)
            }
        }
    }

    /// Arguments that come from contexts need one set above, a value from there, and a key to come back by.
    fn check_contexts(
        &mut self,
        ty: &Name,
        def: &'a FieldDef,
        place: &Place,
        places: &Places,
        contexts: &Contexts,
    ) -> Result<(), Obstacle<'a>> {
        for argument in def.arguments.values() {
            let Some(text) = from_context(&argument.directives) else {
                continue;
            };
            let Some((name, selection)) = split_context(text) else {
                continue;
            };
            let set = contexts
                .iter()
                .find(|context| context.subgraph == place.subgraph && context.name == name);
            let (Some(set), Ok(selection)) = (set, FieldSet::parse(selection)) else {
                return Err(Obstacle::Context(name));
            };
            let selection = selection.for_object(&set.ty, self.members, place.subgraph);
            let had = self.satisfies(&selection, &set.ty, &set.places);
            if !had || !self.can_reenter(ty, place, places) {
                return Err(Obstacle::Context(name));
            }
        }
        Ok(())
    }

    /// `@requires` must be had from the places at hand, and a key must lead back.
    fn check_requires(
        &mut self,
        ty: &Name,
        def: &'a FieldDef,
        place: &Place,
        places: &Places,
    ) -> Result<(), Obstacle<'a>> {
        let Some(directive) = def.directives.get("federation__requires") else {
            return Ok(());
        };
        let (Some(text), Some(set)) = (
            string_argument(directive, "fields"),
            field_set_of(def, "federation__requires"),
        ) else {
            return Ok(());
        };
        let examined = (place.subgraph, place.ty.clone(), def.name.clone());
        if let Some(known) = self.examining.iter().position(|other| *other == examined) {
            self.circle = self.circle.min(known);
            return Err(Obstacle::Requires(text));
        }
        if self.is_required_had(examined, &set, ty, place, places) {
            Ok(())
        } else {
            Err(Obstacle::Requires(text))
        }
    }

    /// Whether a requirement can be had, and a key to come back with it.
    fn is_required_had(
        &mut self,
        examined: Coordinate,
        set: &FieldSet,
        ty: &Name,
        place: &Place,
        places: &Places,
    ) -> bool {
        let memo = (examined.clone(), places.clone(), self.choices.clone());
        if let Some(known) = self.required.get(&memo) {
            return *known;
        }
        let depth = self.examining.len();
        if depth >= DEEPEST_REQUIRES {
            self.circle = 0;
            return false;
        }
        let outer = std::mem::replace(&mut self.circle, usize::MAX);
        self.examining.push(examined);
        let had =
            self.satisfies(set, ty, places) && (is_root_name(ty) || self.can_reenter(ty, place, places));
        self.examining.pop();
        // What failed only for a circle through fields further out may be had without them.
        let independent = had || self.circle >= depth;
        if independent && self.undecided.is_none() {
            self.required.insert(memo, had);
        }
        self.circle = if independent {
            outer
        } else {
            outer.min(self.circle)
        };
        had
    }

    fn can_reenter(&mut self, ty: &Name, place: &Place, places: &Places) -> bool {
        let keys: Vec<&'a Key> = self
            .entries(ty)
            .iter()
            .filter(|entry| entry.subgraph == place.subgraph && entry.ty == place.ty)
            .map(|entry| entry.key)
            .collect();
        keys.into_iter().any(|key| self.satisfies(&key.set, ty, places))
    }

    /// What the place's provided set says below `field`; nothing where it does not mention the field.
    fn provided_below(&self, place: &Place, field: &Name) -> Option<FieldSet> {
        let mut below: Option<FieldSet> = None;
        collect_below(&self.provided[place.provided], &place.ty, field, &mut below);
        below
    }

    fn provided_index(&mut self, set: FieldSet) -> usize {
        match self.provided.iter().position(|known| *known == set) {
            Some(index) => index,
            None => {
                self.provided.push(set);
                self.provided.len() - 1
            }
        }
    }

    /// Where the field is declared, for positions: in the subgraph of the place if it has it, else anywhere.
    pub(super) fn declaration(
        &self,
        ty: &Name,
        field: &Name,
        place: Option<&Place>,
    ) -> (&'a Subgraph, Option<SourceSpan>) {
        let subgraphs = self.members.iter().map(|member| &member.subgraph);
        let found = subgraphs
            .clone()
            .find_map(|subgraph| Some((subgraph, subgraph.types.get(ty)?.fields.get(field)?.span)));
        found.unwrap_or_else(|| {
            let index = place.map_or(0, |place| place.subgraph);
            let subgraph = &self.members[index].subgraph;
            (subgraph, subgraph.types.get(ty).and_then(|ty| ty.span))
        })
    }
}

fn collect_below(set: &FieldSet, ty: &Name, field: &Name, below: &mut Option<FieldSet>) {
    for item in &set.0 {
        match item {
            Item::Field(item) if item.name == *field => {
                below.get_or_insert_default().0.extend(item.sub.0.iter().cloned());
            }
            Item::Fragment { on, sub, .. } if on.as_ref().is_none_or(|on| on == ty) => {
                collect_below(sub, ty, field, below);
            }
            _ => {}
        }
    }
}

/// Resolvable keys by the supergraph type they lead to; those of interface objects lead to every implementation.
fn entries<'a>(supergraph: &'a Supergraph, members: &'a [Member]) -> FxHashMap<Name, Vec<Entry<'a>>> {
    let mut entries: FxHashMap<Name, Vec<Entry<'a>>> = FxHashMap::default();
    for (subgraph, member) in members.iter().enumerate() {
        for ty in member.subgraph.types.values() {
            for key in member.facts.keys(&ty.name).iter().filter(|key| key.resolvable) {
                let entry = |target: &Name| {
                    (
                        target.clone(),
                        Entry {
                            subgraph,
                            ty: ty.name.clone(),
                            key,
                        },
                    )
                };
                let mut add =
                    |(target, entry): (Name, Entry<'a>)| entries.entry(target).or_default().push(entry);
                add(entry(&ty.name));
                if ty.is_interface_object() {
                    let objects = supergraph
                        .types
                        .values()
                        .filter(|other| other.kind == Kind::Object);
                    objects
                        .filter(|other| other.implements.contains(&ty.name))
                        .for_each(|object| add(entry(&object.name)));
                }
            }
        }
    }
    entries
}

fn runtime_types(supergraph: &Supergraph) -> FxHashMap<Name, Vec<Name>> {
    let mut runtime: FxHashMap<Name, Vec<Name>> = FxHashMap::default();
    for ty in supergraph.types.values() {
        match ty.kind {
            Kind::Object => {
                for interface in &ty.implements {
                    runtime
                        .entry(interface.clone())
                        .or_default()
                        .push(ty.name.clone());
                }
            }
            Kind::Union => {
                runtime.insert(ty.name.clone(), ty.members.iter().cloned().collect());
            }
            _ => {}
        }
    }
    runtime
}
