//! Fields that cross subgraphs.

use crate::coordinate::Coordinate;
use crate::definition::{definition_name, fields_of};
use crate::lint::{Breach, LintRule, Linted};

/// Non-null fields that return an entity of which this subgraph only knows the key: all else comes from elsewhere.
pub(crate) fn look(linted: &Linted<'_>, breaches: &mut Vec<Breach>) {
    for definition in &linted.subgraph.document.definitions {
        let Some(ty) = definition_name(definition) else {
            continue;
        };
        for field in fields_of(definition)
            .iter()
            .filter(|field| field.ty.is_non_null() && !field.ty.is_list())
        {
            let target = field.ty.inner_named_type();
            if linted.is_entity(target) && linted.is_only_reference(target) {
                let coordinate = Coordinate::member(ty, &field.name);
                breaches.push(Breach {
                    rule: LintRule::EntityFieldNullability,
                    message: format!("{coordinate} is non-null, but other subgraphs resolve {target}"),
                    coordinate,
                    span: field.name.location(),
                });
            }
        }
    }
}

impl Linted<'_> {
    /// Whether this subgraph resolves nothing of the entity but fields of its keys, and others do more.
    fn is_only_reference(&self, ty: &str) -> bool {
        let supergraph = &self.graph.supergraph;
        let Some(model) = supergraph.type_model(ty) else {
            return false;
        };
        let here = |name: &str| *name == *self.subgraph.name;
        let Some((_, own)) = model
            .sources
            .iter()
            .find(|(id, _)| here(&supergraph.subgraph(**id).name))
        else {
            return false;
        };
        let is_key = |field: &str| {
            own.keys
                .iter()
                .any(|key| key.fields.fields().any(|selected| selected.name == field))
        };
        let mut elsewhere = false;
        for (name, field) in &model.fields {
            let resolves_here = field
                .sources
                .iter()
                .any(|(id, source)| here(&supergraph.subgraph(*id).name) && !source.external);
            if resolves_here && !is_key(name) {
                return false;
            }
            elsewhere |= !resolves_here;
        }
        elsewhere
    }
}
