//! The differences between two graphs: one file a kind of element, in the schema clients see and between subgraphs.

mod accessibility;
mod arguments;
mod authorization;
mod cost;
mod deprecation;
mod descriptions;
mod directives;
mod enum_values;
mod field_sources;
mod fields;
mod input_fields;
mod interface_objects;
mod interfaces;
mod keys;
mod nullability;
mod positions;
mod roots;
mod subgraphs;
pub(crate) mod supergraph_directive;
pub(crate) mod tags;
mod types;
mod union_members;

use apollo_compiler::Schema;

use crate::change::Change;
use crate::graph::Graph;
use positions::Positions;

/// Both graphs, and what the rules ask of them again and again.
pub(crate) struct Sides<'a> {
    pub(crate) before: &'a Graph,
    pub(crate) after: &'a Graph,
    /// Where types stand in the old schema.
    pub(crate) positions: Positions,
}

impl Sides<'_> {
    fn old_api(&self) -> &Schema {
        self.before.supergraph.api_schema()
    }

    fn new_api(&self) -> &Schema {
        self.after.supergraph.api_schema()
    }
}

/// Everything that differs, in the order of coordinates.
pub fn differences(before: &Graph, after: &Graph) -> Vec<Change> {
    let sides = Sides {
        before,
        after,
        positions: Positions::of(before.supergraph.api_schema()),
    };
    let mut changes = Vec::new();
    for rule in [
        roots::compare,
        types::compare,
        directives::compare,
        authorization::compare,
        tags::compare,
        cost::compare,
        subgraphs::compare,
        field_sources::compare,
        keys::compare,
        interface_objects::compare,
    ] {
        rule(&sides, &mut changes);
    }
    changes.sort_by(|a, b| {
        (&a.coordinate, a.rule, &a.subgraph, &a.message).cmp(&(
            &b.coordinate,
            b.rule,
            &b.subgraph,
            &b.message,
        ))
    });
    changes
}
