//! The indexed supergraph: types, fields and keys, by subgraph.

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::ast::Type;
use apollo_compiler::executable::SelectionSet;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

/// A map that keeps the document's order.
pub(crate) type Ordered<K, V> = IndexMap<K, V, FxBuildHasher>;

/// Index of a subgraph in [`crate::Supergraph::subgraphs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubgraphId(pub u16);

/// A subgraph, as `join__Graph` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subgraph {
    /// The subgraph's own name: `join__graph(name:)`.
    pub name: Arc<str>,
    /// Where it is served: `join__graph(url:)`; may be empty.
    pub url: String,
    /// Name of the value in the `join__Graph` enum.
    pub graph: Name,
}

/// A parsed field set. Its selections carry the supergraph's definitions.
pub type FieldSet = Arc<SelectionSet>;

/// A composite type (object, interface, union).
#[derive(Debug, Clone)]
pub struct TypeModel {
    /// Name of the type.
    pub name: Name,
    /// True for interfaces and unions.
    pub is_abstract: bool,
    /// Object types a value can have in any subgraph; the type itself for an object type.
    pub possible_types: Vec<Name>,
    /// Subgraphs that define the type.
    pub sources: Ordered<SubgraphId, TypeSource>,
    /// Subgraphs that know an object type only through `@interfaceObject`s: the interfaces' names there.
    pub interface_objects: Ordered<SubgraphId, Vec<Name>>,
    /// Fields, in the order of the document.
    pub fields: Ordered<Name, FieldModel>,
}

impl TypeModel {
    /// Whether `subgraph` treats this interface as an object (`@interfaceObject`).
    pub fn is_interface_object_in(&self, subgraph: SubgraphId) -> bool {
        self.sources
            .get(&subgraph)
            .is_some_and(|source| source.is_interface_object)
    }

    /// Field `name` as `subgraph` has it.
    pub fn field_in(&self, name: &str, subgraph: SubgraphId) -> Option<&FieldSource> {
        self.fields.get(name)?.sources.get(&subgraph)
    }
}

/// A type as one subgraph defines it.
#[derive(Debug, Clone, Default)]
pub struct TypeSource {
    /// Its keys there, resolvable or not.
    pub keys: Vec<Key>,
    /// An interface that this subgraph defines as an object (`@interfaceObject`).
    pub is_interface_object: bool,
    /// For abstract types: object types a value can have in this subgraph.
    pub possible_types: Vec<Name>,
}

/// One `@key` in one subgraph.
#[derive(Debug, Clone)]
pub struct Key {
    /// The fields.
    pub fields: FieldSet,
    /// Whether `_entities` of this subgraph accepts it.
    pub resolvable: bool,
}

/// A field of a composite type.
#[derive(Debug, Clone)]
pub struct FieldModel {
    /// Type in the supergraph.
    pub ty: Type,
    /// Subgraphs that define the field, external ones included.
    pub sources: Ordered<SubgraphId, FieldSource>,
}

/// A field as one subgraph defines it.
#[derive(Debug, Clone)]
pub struct FieldSource {
    /// Type in this subgraph.
    pub ty: Type,
    /// Not resolved here, except where `@provides` says so.
    pub external: bool,
    /// Fields that representations must carry for it.
    pub requires: Option<FieldSet>,
    /// Fields below it that are resolved here although external.
    pub provides: Option<FieldSet>,
    /// Set where a labelled `@override` decides whether the field is resolved here.
    pub override_rule: Option<OverrideRule>,
    /// The interface objects on which the subgraph has the field; empty where the type itself has it.
    pub via_interfaces: Vec<Name>,
    /// Arguments that the subgraph has and clients have not: their values come from a context (`@fromContext`).
    pub context_arguments: Arc<[ContextArgument]>,
}

/// An argument whose value comes from a context that a type above the field sets.
#[derive(Debug, Clone)]
pub struct ContextArgument {
    /// Name of the argument in the subgraph.
    pub name: Name,
    /// Its type there.
    pub ty: Type,
    /// Types that set the context, each with the selection that yields the value.
    pub selections: Arc<[(Name, FieldSet)]>,
}

/// A progressive `@override`: the field is resolved here when the label's state is `active_here`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverrideRule {
    /// The label: `percent(5)` or a name.
    pub label: Arc<str>,
    /// State of the label in which this subgraph resolves the field.
    pub active_here: bool,
}
