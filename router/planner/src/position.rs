//! A position of the response and what has been decided for it.
//!
//! At a position there is one object. The fetch that brought it there selects some of its fields (`inline`);
//! others come from *hops*: entity fetches that look the object up in another subgraph, or root fetches at the top.

use std::rc::Rc;
use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::ast::{OperationType, Type};
use fondaco_supergraph::SubgraphId;
use smallvec::SmallVec;

use crate::contexts::ContextUse;
use crate::cost::Cost;
use crate::normalize::{Entry, FieldNode, SelectionSet};
use crate::query_plan::Condition;

/// Fields resolved although external: the `@provides` that hold at a position.
#[derive(Debug, Clone, Default)]
pub(crate) struct Provided(pub(crate) SmallVec<[Arc<SelectionSet>; 2]>);

impl Provided {
    pub(crate) fn has(&self, object: &Name, field: &str) -> bool {
        self.0
            .iter()
            .flat_map(|set| &set.entries)
            .any(|entry| entry.field.name == field && entry.applies_to(object))
    }

    /// What holds below `field`.
    pub(crate) fn below(&self, object: &Name, field: &str) -> Provided {
        let entries = self.0.iter().flat_map(|set| &set.entries);
        let matching = entries.filter(|entry| entry.field.name == field && entry.applies_to(object));
        Provided(
            matching
                .filter_map(|entry| entry.field.selections.clone())
                .collect(),
        )
    }

    pub(crate) fn ids(&self) -> SmallVec<[u32; 2]> {
        self.0.iter().map(|set| set.id).collect()
    }
}

/// Other subgraphs that could have returned the value of a position, with its type there.
///
/// A shared field means the same everywhere, so of a union only the members that all of them know can be relied upon.
pub(crate) type Rivals = SmallVec<[(SubgraphId, Name); 2]>;

/// Whether hops may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Reach {
    /// Any fetch.
    Anywhere,
    /// Only what the fetch at hand can select.
    Inline,
}

/// A position: the type of its object, and the subgraph whose fetch brought it.
#[derive(Debug, Clone)]
pub(crate) struct Position {
    /// Object type, or an interface where the subgraph has an interface object.
    pub(crate) ty: Name,
    /// `None` at the top of the operation.
    pub(crate) source: Option<SubgraphId>,
    pub(crate) provided: Provided,
    pub(crate) rivals: Rivals,
    pub(crate) reach: Reach,
    /// Set at the top of the operation.
    pub(crate) operation_type: Option<OperationType>,
}

/// Everything decided for a selection set at a position.
#[derive(Debug, Clone, Default)]
pub(crate) struct Solved {
    /// Fields of the fetch at hand, whatever the object's runtime type.
    pub(crate) inline: Vec<Selected>,
    /// Fetches that look the object up, in the order they depend on each other.
    pub(crate) hops: Vec<Hop>,
    /// What differs by runtime type.
    pub(crate) variants: Vec<(Name, Rc<Solved>)>,
    /// Whether the runtime type must be known.
    pub(crate) typename: bool,
    pub(crate) cost: Cost,
    /// Fields that cannot be had from here.
    pub(crate) rest: Vec<Entry>,
}

impl Solved {
    pub(crate) fn unsolved(selections: &SelectionSet) -> Solved {
        Solved {
            rest: selections.entries.clone(),
            ..Solved::default()
        }
    }

    pub(crate) fn add_inline(&mut self, selected: &Selected) {
        self.cost.field(0);
        if let Some(below) = &selected.below {
            self.cost.join(&below.cost, 0);
        }
        self.inline.push(selected.clone());
    }

    pub(crate) fn add_variant(&mut self, (object, variant): &(Name, Rc<Solved>)) {
        self.cost.join(&variant.cost, 0);
        if !variant.inline.is_empty() || !variant.hops.is_empty() {
            self.variants.push((object.clone(), variant.clone()));
        }
    }
}

/// A field selected in some fetch.
#[derive(Debug, Clone)]
pub(crate) struct Selected {
    pub(crate) field: Arc<FieldNode>,
    /// Type in the subgraph.
    pub(crate) ty: Type,
    pub(crate) below: Option<Rc<Solved>>,
}

impl Selected {
    /// Waves until everything below is there.
    pub(crate) fn depth(&self) -> usize {
        self.below.as_ref().map_or(0, |below| below.cost.depth())
    }
}

impl Hop {
    /// Whether its representations carry a key and nothing else, so that it serves any field of its subgraph.
    pub(crate) fn is_plain(&self) -> bool {
        self.contexts.is_empty() && self.inputs.iter().all(|input| input.is_key)
    }
}

/// A fetch that looks the object of the position up.
#[derive(Debug, Clone)]
pub(crate) struct Hop {
    pub(crate) subgraph: SubgraphId,
    /// Counted from the fetch that brought the object.
    pub(crate) wave: usize,
    /// Key and required fields; empty at the top of the operation.
    pub(crate) inputs: Vec<Input>,
    /// Fields that must be there before: all of `inputs`.
    pub(crate) needs: Vec<Slot>,
    /// `__typename` of the representation.
    pub(crate) typename: Name,
    /// The hop runs only under these, because its required fields do.
    pub(crate) conditions: Vec<Condition>,
    /// Contexts that arguments of its fields take values from.
    pub(crate) contexts: Vec<ContextUse>,
    pub(crate) selected: Vec<Selected>,
    /// For an interface object looked up where its runtime type is known: the rest, by runtime type.
    pub(crate) resolved: Option<Rc<Solved>>,
}

/// A field that a representation carries.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    pub(crate) field: Arc<FieldNode>,
    pub(crate) is_key: bool,
}

/// Where a field of the position was placed: in the fetch at hand or in a hop, and its index there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) hop: Option<usize>,
    pub(crate) index: usize,
}

/// Decisions for one object while they are being made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    pub(crate) inline: Vec<Selected>,
    pub(crate) hops: Vec<Hop>,
}

impl Draft {
    /// Adds a field to a fetch. A field already selected there for the same purpose is reused.
    pub(crate) fn select(&mut self, hop: Option<usize>, selected: Selected) -> Slot {
        let list = match hop {
            None => &mut self.inline,
            Some(index) => &mut self.hops[index].selected,
        };
        let twin = list.iter().position(|other| same(other, &selected));
        let index = twin.unwrap_or(list.len());
        if twin.is_none() {
            list.push(selected);
        }
        Slot { hop, index }
    }

    /// Wave after which the field at `slot` is there, with everything below it.
    pub(crate) fn ready(&self, slot: Slot) -> usize {
        match slot.hop {
            None => self.inline[slot.index].depth(),
            Some(hop) => self.hops[hop].wave + self.hops[hop].selected[slot.index].depth(),
        }
    }

    pub(crate) fn cost(&self) -> Cost {
        let mut cost = Cost::default();
        let add = |cost: &mut Cost, selected: &[Selected], wave| {
            for selected in selected {
                cost.field(wave);
                if let Some(below) = &selected.below {
                    cost.join(&below.cost, wave);
                }
            }
        };
        add(&mut cost, &self.inline, 0);
        for hop in &self.hops {
            cost.call(hop.subgraph, hop.wave);
            add(&mut cost, &hop.selected, hop.wave);
            if let Some(resolved) = &hop.resolved {
                cost.join(&resolved.cost, hop.wave);
            }
        }
        cost
    }
}

fn same(a: &Selected, b: &Selected) -> bool {
    let same_below = match (&a.below, &b.below) {
        (None, None) => true,
        (Some(a), Some(b)) => Rc::ptr_eq(a, b),
        _ => false,
    };
    same_below
        && a.field.internal == b.field.internal
        && a.field.name == b.field.name
        && a.field.response_key == b.field.response_key
        && a.field.arguments == b.field.arguments
        && a.field.directives == b.field.directives
        && a.field.conditions == b.field.conditions
}
