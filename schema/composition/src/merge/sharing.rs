//! A field resolved by several subgraphs must be `@shareable` in all of them.

use super::Merger;
use super::field::FieldSources;
use super::override_field::Overrides;
use crate::diagnostic::Code;
use crate::model::{FieldDef, Kind};

impl Merger<'_> {
    pub(super) fn check_sharing(&mut self, sources: &FieldSources<'_>, overrides: &Overrides, kind: Kind) {
        if kind == Kind::Interface && !sources.types.iter().any(|(_, ty)| ty.is_interface_object()) {
            return;
        }
        if overrides.is_misused() {
            return;
        }
        // With a label, exactly one of both sides resolves the field at a time.
        let in_migration =
            |index| overrides.label_of(index).is_some() && overrides.source_of(index).is_none();
        let resolving: Vec<_> = sources
            .fields
            .iter()
            .copied()
            .filter(|(index, field)| {
                let ty = sources.declaring_type(*index);
                ty.kind == Kind::Object
                    && !self.facts(*index).is_fully_external(ty, field)
                    && !overrides.is_removed(*index)
                    && !in_migration(*index)
            })
            .collect();
        let private = resolving
            .iter()
            .find(|(index, field)| !self.may_share(sources, *index, field));
        let (Some((index, field)), true) = (private, resolving.len() > 1) else {
            return;
        };
        let message = format!(
            "field \"{}\" is resolved by subgraphs {}, but is not @shareable in {}",
            sources.coordinate(),
            self.names(resolving.iter().map(|(index, _)| *index)),
            self.names([*index]),
        );
        self.errors.push(
            self.subgraph(*index)
                .error(Code::InvalidFieldSharing, field.span, message),
        );
    }

    /// Shareable, or resolved only where it is provided: by definition a copy of what another subgraph resolves.
    fn may_share(&self, sources: &FieldSources<'_>, index: usize, field: &FieldDef) -> bool {
        let ty = sources.declaring_type(index);
        self.facts(index).is_shareable(ty, field) || self.facts(index).is_external(ty, field)
    }
}
