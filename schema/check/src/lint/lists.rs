//! Lists that grow.

use crate::coordinate::Coordinate;
use crate::definition::{definition_name, fields_of};
use crate::lint::{Breach, LintRule, Linted};

/// Arguments by which a list may be limited; a list of wanted keys limits it too.
const LIMITING: [&str; 7] = ["first", "last", "limit", "take", "pageSize", "ids", "keys"];

/// Lists of entities without an argument that limits them.
pub(crate) fn look(linted: &Linted<'_>, breaches: &mut Vec<Breach>) {
    for definition in &linted.subgraph.document.definitions {
        let Some(ty) = definition_name(definition).filter(|ty| !ty.ends_with("Connection")) else {
            continue;
        };
        for field in fields_of(definition)
            .iter()
            .filter(|field| field.ty.is_list() && !field.name.starts_with('_'))
        {
            let is_limited = field
                .arguments
                .iter()
                .any(|argument| LIMITING.contains(&argument.name.as_str()) || argument.ty.is_list());
            if !is_limited && linted.is_entity(field.ty.inner_named_type()) {
                let coordinate = Coordinate::member(ty, &field.name);
                breaches.push(Breach {
                    rule: LintRule::PaginatedList,
                    message: format!(
                        "{coordinate} returns {} without an argument that limits it",
                        field.ty
                    ),
                    coordinate,
                    span: field.name.location(),
                });
            }
        }
    }
}

impl Linted<'_> {
    /// Whether the type has a key in some subgraph.
    pub(crate) fn is_entity(&self, ty: &str) -> bool {
        let model = self.graph.supergraph.type_model(ty);
        model.is_some_and(|model| model.sources.values().any(|source| !source.keys.is_empty()))
    }
}
