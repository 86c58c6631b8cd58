//! Hints about objects and interfaces that subgraphs declare differently.

use apollo_compiler::Name;

use super::{Merger, Source, gather};
use crate::code::HintCode;
use crate::model::{Kind, TypeDef};

impl<'a> Merger<'a> {
    pub(super) fn hint_on_inconsistent_type(&mut self, kind: Kind, sources: &[Source<'a, TypeDef>]) {
        let keyed: Vec<_> = sources
            .iter()
            .filter(|(_, ty)| ty.directives.has("federation__key"))
            .copied()
            .collect();
        let name = &sources[0].1.name;
        if kind == Kind::Object
            && !keyed.is_empty()
            && let Some((first, without)) = self.lacking(sources, &keyed)
        {
            let message = format!("\"{name}\" is an entity, but has no @key in subgraph {without}");
            self.hint(HintCode::InconsistentEntity, first, message);
        }
        if sources.len() > 1 && keyed.is_empty() && !sources[0].1.is_root() {
            self.hint_on_inconsistent_fields(name, kind, sources);
        }
    }

    /// Value types are expected to be the same everywhere.
    fn hint_on_inconsistent_fields(&mut self, name: &Name, kind: Kind, sources: &[Source<'a, TypeDef>]) {
        let code = match kind {
            Kind::Object => HintCode::InconsistentObjectValueTypeField,
            _ => HintCode::InconsistentInterfaceValueTypeField,
        };
        let resolving: Vec<_> = sources
            .iter()
            .filter(|(index, ty)| {
                let facts = self.facts(*index);
                !ty.fields.values().all(|field| facts.is_external(ty, field))
            })
            .copied()
            .collect();
        for (field, declared) in gather(sources, |ty| &ty.fields) {
            if let Some((_, missing)) = self.lacking(&resolving, &declared) {
                let message = format!("\"{name}.{field}\" is missing in subgraph {missing}");
                self.hint(code, declared[0], message);
            }
        }
    }
}
