//! The query plan: a graph of subgraph fetches, in the order the executor may start them.
//!
//! A plan is data only. The planner writes it, the executor runs it, `display` prints it.
//! A fetch starts as soon as every fetch in `depends_on` has been merged, so independent fetches run side by side;
//! the longest chain of dependencies is the number of sequential waves.

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::executable::OperationType;

/// A complete plan for one operation.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryPlan {
    /// Kind of the client's operation.
    pub operation_type: OperationType,
    /// Every fetch, topologically sorted: a fetch depends only on fetches before it. `FetchId` is the index.
    pub fetches: Vec<Fetch>,
    /// True where the search had to give up candidates: the plan is correct and the best found, but a better one may exist.
    pub search_exhausted: bool,
    /// Labels of progressive overrides that the search met, sorted: under any labels that agree on these, the plan is the same.
    pub override_labels: Vec<Arc<str>>,
}

/// Index of a fetch in [`QueryPlan::fetches`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FetchId(pub usize);

/// One request to one subgraph.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetch {
    /// Name of the subgraph, as in the supergraph's `join__Graph(name:)`.
    pub subgraph: Arc<str>,
    /// Fetches whose data must be merged before this one starts.
    pub depends_on: Vec<FetchId>,
    /// Kind of `operation`: entity fetches are always queries.
    pub operation_type: OperationType,
    /// The document sent, one operation.
    pub operation: Arc<str>,
    /// Name of the operation inside `operation`, if it has one.
    pub operation_name: Option<Name>,
    /// Client variables that `operation` uses, to be copied from the coerced request variables.
    pub variables: Vec<Name>,
    /// Run only when all of these hold (`@skip`/`@include` lifted out of the selections).
    pub conditions: Vec<Condition>,
    /// What the fetch selects: root fields, or entities found at paths of the response so far.
    pub target: FetchTarget,
    /// Changes made to the answer, in order, before it is merged.
    pub output_rewrites: Vec<OutputRewrite>,
}

/// Where the answer of a fetch belongs.
#[derive(Debug, Clone, PartialEq)]
pub enum FetchTarget {
    /// Root fields, merged at the top of the response.
    Root,
    /// Root fields of a query, merged into every object at these paths of the response: values of the query type below
    /// the root, such as a mutation's payload offers. Nothing is fetched where there are none.
    RootAt(Vec<Vec<PathSegment>>),
    /// One or more `_entities` selections, each with its own response key and variable.
    Entities(Vec<EntityFetch>),
}

/// One `_entities(representations: $variable)` selection.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityFetch {
    /// Response key of the selection: `_entities`, or an alias where one request carries several.
    pub response_key: Name,
    /// Variable that carries the representations.
    pub variable: Name,
    /// Places in the response whose objects are looked up; usually one, several when equal selections were merged.
    pub paths: Vec<Vec<PathSegment>>,
    /// How a representation is built, by runtime type. Objects matching none are left alone.
    pub representations: Vec<Representation>,
    /// Run this selection only when all of these hold.
    pub conditions: Vec<Condition>,
    /// Variables that the selection's arguments use, filled from objects above the entities. Entities for which the
    /// values differ need a selection each, under another response key and with other variables.
    pub contexts: Vec<ContextVariable>,
}

/// A variable filled from the response (`@fromContext`).
#[derive(Debug, Clone, PartialEq)]
pub struct ContextVariable {
    /// The variable.
    pub variable: Name,
    /// Number of segments of the entity's path that lead to the object with the value. Of lists on the way, the item
    /// that leads to the entity is meant.
    pub depth: usize,
    /// Where the value lies in that object: the first field that applies, and so on below it. It is null where none does.
    pub fields: Vec<RepresentationField>,
}

/// A step from one object of the response to objects below it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PathSegment {
    /// The value under this response key. Lists met on the way are flattened, at any depth.
    Key(Name),
    /// Keep only objects whose `__typename` is one of these object types.
    TypeCondition(Vec<Name>),
}

/// How to build the representation of an entity from the response data.
///
/// If any field here is absent or null-where-a-key-needs-a-value in the data, no representation is sent
/// and the entity's fields stay null.
#[derive(Debug, Clone, PartialEq)]
pub struct Representation {
    /// Values of `__typename` in the data that this applies to: object types, or the name of an interface where
    /// the object came from an `@interfaceObject`, whose `__typename` is the interface's until an entity fetch
    /// that selects `__typename` has replaced it. Empty: the object is taken whatever it is.
    pub on_types: Vec<Name>,
    /// `__typename` to send: the object type, or the interface where the subgraph has an `@interfaceObject`.
    pub typename: Name,
    /// Fields of the key and of `@requires`.
    pub fields: Vec<RepresentationField>,
}

/// A field of a representation.
#[derive(Debug, Clone, PartialEq)]
pub struct RepresentationField {
    /// Key under which the value lies in the response data (an internal alias where the client's would clash).
    pub response_key: Name,
    /// Field name in the representation.
    pub name: Name,
    /// A null value here means "no such entity" (fields of the key), not "required value is null" (`@requires`).
    pub is_key: bool,
    /// For objects: the fields below. Empty for leaves.
    pub fields: Vec<RepresentationField>,
    /// For an object of abstract type: use this field only for these runtime types; empty means all.
    pub on_types: Vec<Name>,
}

/// A boolean that `@skip` or `@include` depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Condition {
    /// Variable of type `Boolean!`.
    pub variable: Name,
    /// Value the variable must have.
    pub expected: bool,
}

/// A change to a subgraph's answer before merging.
#[derive(Debug, Clone, PartialEq)]
pub enum OutputRewrite {
    /// The value under `from` in the objects at `path` is stored under `to`
    /// (a selection aliased because subgraph types of one response key differ).
    RenameKey {
        /// Path from the answer's `data`. In an entity fetch it starts with the response key of the entity selection.
        path: Vec<PathSegment>,
        /// Key in the answer.
        from: Name,
        /// Key in the response.
        to: Name,
    },
}
