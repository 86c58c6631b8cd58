//! A field resolved by several subgraphs must be `@shareable` in all of them.

use apollo_compiler::Name;

use super::Merger;
use super::field::FieldSources;
use super::override_field::Overrides;
use crate::code::Code;
use crate::model::{FieldDef, TypeDef};

/// A declaration by which a subgraph resolves a field: the field's own, or that of an interface object.
pub(super) struct Resolving<'a> {
    index: usize,
    ty: &'a TypeDef,
    field: &'a FieldDef,
}

impl<'a> Merger<'a> {
    pub(super) fn check_sharing(&mut self, sources: &FieldSources<'a>, overrides: &Overrides) {
        let declared = sources
            .fields
            .iter()
            .filter(|(index, _)| !overrides.is_overridden(*index));
        let declared = declared.map(|&(index, field)| Resolving {
            index,
            ty: sources.declaring_type(index),
            field,
        });
        let mut resolving: Vec<Resolving<'a>> = declared.collect();
        resolving.extend(self.abstracted(&sources.ty, &sources.name));
        self.check_resolving(&sources.coordinate(), resolving);
    }

    /// Two subgraphs cannot both be the source of one stream of events.
    pub(super) fn check_subscription(&mut self, sources: &FieldSources<'a>) {
        if sources.ty != "Subscription" {
            return;
        }
        for &(index, field) in &sources.fields {
            if self
                .facts(index)
                .is_shareable(sources.declaring_type(index), field)
            {
                let message = format!(
                    "\"{}\" cannot be @shareable: events come from one subgraph",
                    sources.coordinate()
                );
                self.error(Code::InvalidFieldSharing, (index, field), message);
            }
        }
    }

    /// Fields that only interface objects give to a type.
    pub(super) fn check_abstracted_sharing(&mut self, ty: &Name, field: &Name) {
        let resolving = self.abstracted(ty, field);
        self.check_resolving(&format!("{ty}.{field}"), resolving);
    }

    fn abstracted(&self, ty: &Name, field: &Name) -> Vec<Resolving<'a>> {
        let of = |index| {
            let fields = self.abstracted_fields(ty, field, index).into_iter();
            fields.map(move |(ty, field)| Resolving { index, ty, field })
        };
        (0..self.members.len()).flat_map(of).collect()
    }

    fn check_resolving(&mut self, coordinate: &str, mut resolving: Vec<Resolving<'a>>) {
        resolving.retain(|source| {
            !self
                .facts(source.index)
                .is_fully_external(source.ty, source.field)
        });
        let may_share = |source: &&Resolving<'a>| {
            let facts = self.facts(source.index);
            // Resolved only where it is provided: by definition a copy of what another subgraph resolves.
            facts.is_shareable(source.ty, source.field) || facts.is_external(source.ty, source.field)
        };
        let private: Vec<&Resolving<'a>> = resolving.iter().filter(|source| !may_share(source)).collect();
        let (Some(first), true) = (private.first(), resolving.len() > 1) else {
            return;
        };
        let message = format!(
            "field \"{coordinate}\" is resolved by subgraphs {}, but is not @shareable in {}",
            self.names(resolving.iter().map(|source| source.index)),
            self.names(private.iter().map(|source| source.index)),
        );
        let found = (first.index, first.field);
        self.error(Code::InvalidFieldSharing, found, message);
    }
}
