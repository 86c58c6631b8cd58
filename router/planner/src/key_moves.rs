//! From a position to other subgraphs: which keys lead where, in how many waves.

use std::rc::Rc;
use std::sync::Arc;

use apollo_compiler::Name;
use fondaco_supergraph::{FieldSet, Key, SubgraphId};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::choices::Part;
use crate::normalize::FieldNode;
use crate::position::{Position, Reach, Rivals, Selected};
use crate::solve::{Session, Value};

/// Nesting of keys whose own fields need entity fetches.
const MAX_KEY_DEPTH: usize = 2;

/// Ways to look the object of a position up, by subgraph.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    by_subgraph: FxHashMap<SubgraphId, Vec<Move>>,
}

impl Moves {
    /// Whether a key leads to the subgraph, where the object goes by `typename`.
    pub(crate) fn reaches(&self, subgraph: SubgraphId, typename: &Name) -> bool {
        self.to(subgraph, typename).next().is_some()
    }

    pub(crate) fn to(&self, subgraph: SubgraphId, typename: &Name) -> impl Iterator<Item = &Move> {
        let moves = self.by_subgraph.get(&subgraph).into_iter().flatten();
        moves.filter(move |way| way.typename == *typename)
    }
}

/// One key that leads to a subgraph.
#[derive(Debug)]
pub(crate) struct Move {
    /// `__typename` of the representation.
    pub(crate) typename: Name,
    /// The key's fields, each with the subgraphs it can be read from.
    pub(crate) key: Vec<KeyField>,
}

/// A field of a key.
#[derive(Debug)]
pub(crate) struct KeyField {
    pub(crate) field: Arc<FieldNode>,
    /// Where it can be read, soonest first.
    pub(crate) sources: Vec<KeySource>,
}

/// A subgraph from which a key field can be read.
#[derive(Debug, Clone)]
pub(crate) struct KeySource {
    pub(crate) subgraph: SubgraphId,
    /// What the object is called there.
    pub(crate) typename: Name,
    pub(crate) selected: Selected,
    /// What the subgraph requires to resolve the field.
    pub(crate) requires: Option<FieldSet>,
    /// Wave after which it is there.
    ready: usize,
}

/// A subgraph to which keys lead, what the object is called there, and after how many waves.
struct Reached {
    subgraph: SubgraphId,
    typename: Name,
    wave: usize,
}

impl KeySource {
    pub(crate) fn part(&self) -> Part {
        Part {
            subgraph: self.subgraph,
            typenames: SmallVec::from_iter([self.typename.clone()]),
            selected: self.selected.clone(),
            requires: self.requires.clone(),
            contexts: Vec::new(),
        }
    }
}

impl Session<'_> {
    /// All moves from `at`: subgraphs are reached wave by wave, each through keys readable in those reached before.
    pub(crate) fn moves(&mut self, at: &Position) -> Rc<Moves> {
        let memo = (at.ty.clone(), at.source, at.provided.ids());
        if let Some(known) = self.moves.get(&memo) {
            return known.clone();
        }
        let cuts = self.cuts;
        let moves = Rc::new(self.find_moves(at));
        if cuts == self.cuts {
            self.moves.insert(memo, moves.clone());
        }
        moves
    }

    fn find_moves(&mut self, at: &Position) -> Moves {
        let mut moves = Moves::default();
        if at.source.is_some() && self.is_query_root(&at.ty) {
            return self.moves_to_root_fields(at);
        }
        let mut open = self.keyed_subgraphs(at);
        let mut reached: Vec<Reached> = Vec::new();
        reached.extend(at.source.map(|subgraph| Reached {
            subgraph,
            typename: at.ty.clone(),
            wave: 0,
        }));
        let mut wave = 0;
        let mut last_gain = 0;
        // A key whose nested fields need fetches of their own is ready some waves after its subgraph is reached.
        while !open.is_empty() && wave <= last_gain + MAX_KEY_DEPTH {
            wave += 1;
            let mut gained = Vec::new();
            for (subgraph, typename, keys) in &open {
                let found: Vec<Move> = keys
                    .iter()
                    .filter_map(|key| self.read_key(at, key, &reached, wave - 1))
                    .map(|key| Move {
                        typename: typename.clone(),
                        key,
                    })
                    .collect();
                if !found.is_empty() {
                    moves.by_subgraph.entry(*subgraph).or_default().extend(found);
                    gained.push(Reached {
                        subgraph: *subgraph,
                        typename: typename.clone(),
                        wave,
                    });
                }
            }
            if !gained.is_empty() {
                last_gain = wave;
                open.retain(|(subgraph, typename, _)| {
                    !gained
                        .iter()
                        .any(|found| found.subgraph == *subgraph && found.typename == *typename)
                });
                let is_elsewhere = |found: &Reached| at.source != Some(found.subgraph);
                reached.extend(gained.into_iter().filter(is_elsewhere));
            }
        }
        moves
    }

    fn is_query_root(&self, ty: &Name) -> bool {
        let query = &self.supergraph.schema().schema_definition.query;
        query.as_ref().is_some_and(|query| query.name == *ty)
    }

    /// The query type has no key: any subgraph resolves its fields at any time.
    fn moves_to_root_fields(&self, at: &Position) -> Moves {
        let model = self.model(&at.ty);
        let others = model.iter().flat_map(|model| model.sources.keys());
        let others = others.filter(|&&subgraph| at.source != Some(subgraph));
        let way = || Move {
            typename: at.ty.clone(),
            key: Vec::new(),
        };
        Moves {
            by_subgraph: others.map(|&subgraph| (subgraph, vec![way()])).collect(),
        }
    }

    /// Subgraphs that look up objects of this type, with the type's name there and its resolvable keys.
    fn keyed_subgraphs(&self, at: &Position) -> Vec<(SubgraphId, Name, Vec<Key>)> {
        let Some(model) = self.model(&at.ty) else {
            return Vec::new();
        };
        let own = model
            .sources
            .iter()
            .map(|(&id, source)| (id, at.ty.clone(), Some(source)));
        let through = model.interface_objects.iter().flat_map(|(&id, interfaces)| {
            let source = move |name: &Name| self.model(name)?.sources.get(&id);
            interfaces
                .iter()
                .map(move |name| (id, name.clone(), source(name)))
        });
        own.chain(through)
            .map(|(id, name, source)| {
                let keys = source
                    .iter()
                    .flat_map(|source| &source.keys)
                    .filter(|key| key.resolvable);
                (id, name, keys.cloned().collect::<Vec<_>>())
            })
            .filter(|(.., keys)| !keys.is_empty())
            .collect()
    }

    fn read_key(
        &mut self,
        at: &Position,
        key: &Key,
        reached: &[Reached],
        deadline: usize,
    ) -> Option<Vec<KeyField>> {
        let set = self.field_set(&key.fields);
        let fields = self.normalizer.collect(&set.entries, &at.ty);
        fields
            .into_iter()
            .map(|field| {
                let mut sources: Vec<KeySource> = reached
                    .iter()
                    .filter_map(|source| self.read_key_field(at, &field, source, reached))
                    .filter(|source| source.ready <= deadline)
                    .collect();
                sources.sort_by_key(|source| source.ready);
                (!sources.is_empty()).then_some(KeyField { field, sources })
            })
            .collect()
    }

    fn read_key_field(
        &mut self,
        at: &Position,
        field: &Arc<FieldNode>,
        from: &Reached,
        reached: &[Reached],
    ) -> Option<KeySource> {
        let Reached { subgraph, wave, .. } = *from;
        if field.name == "__typename" {
            let selected = crate::solve::typename(field);
            return (at.source == Some(subgraph)).then_some(KeySource {
                subgraph,
                typename: from.typename.clone(),
                selected,
                requires: None,
                ready: wave,
            });
        }
        let resolution = self.resolution(at, &field.name, subgraph)?;
        if at.source != Some(subgraph) && !resolution.typenames.contains(&from.typename) {
            return None;
        }
        let wave = match &resolution.requires {
            None => wave,
            Some(requires) => wave.max(1 + self.read_required(at, requires, reached)?),
        };
        let ty = resolution.ty.inner_named_type();
        let value = || Value {
            ty,
            source: subgraph,
            provided: &resolution.provided,
            rivals: Rivals::new(),
        };
        let mut below = field
            .selections
            .as_ref()
            .map(|selections| self.solve(selections, value(), Reach::Inline)[0].clone());
        if let (Some(inline), Some(selections)) = (&below, &field.selections)
            && !inline.rest.is_empty()
        {
            if self.key_depth >= MAX_KEY_DEPTH {
                self.cuts += 1;
                return None;
            }
            self.key_depth += 1;
            let solved = self.solve(selections, value(), Reach::Anywhere)[0].clone();
            self.key_depth -= 1;
            if !solved.rest.is_empty() {
                return None;
            }
            below = Some(solved);
        }
        let ready = wave + below.as_ref().map_or(0, |below| below.cost.depth());
        let selected = Selected {
            field: field.clone(),
            ty: resolution.ty.clone(),
            below,
        };
        Some(KeySource {
            subgraph,
            typename: from.typename.clone(),
            selected,
            requires: resolution.requires,
            ready,
        })
    }

    /// Wave after which everything is there that a field of a key requires.
    fn read_required(&mut self, at: &Position, requires: &FieldSet, reached: &[Reached]) -> Option<usize> {
        if self.key_depth >= MAX_KEY_DEPTH {
            self.cuts += 1;
            return None;
        }
        self.key_depth += 1;
        let set = self.field_set(requires);
        let mut ready = Some(0);
        for field in self.normalizer.collect(&set.entries, &at.ty) {
            let sources = reached
                .iter()
                .filter_map(|source| self.read_key_field(at, &field, source, reached));
            let soonest = sources.map(|source| source.ready).min();
            ready = ready.zip(soonest).map(|(ready, soonest)| ready.max(soonest));
        }
        self.key_depth -= 1;
        ready
    }
}
