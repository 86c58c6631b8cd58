//! Places: where an entity met by a query can be.

use std::collections::BTreeSet;

use apollo_compiler::Name;

/// A type of a subgraph, with the field set (if any) that is provided there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    /// Index of the subgraph.
    pub(crate) subgraph: usize,
    /// The type as that subgraph has it: for an interface object, the interface's name.
    pub(crate) ty: Name,
    /// What is provided, as an index into the resolver's list; 0 is nothing.
    pub(crate) provided: usize,
}

/// A set of places.
pub(crate) type Places = BTreeSet<Place>;
