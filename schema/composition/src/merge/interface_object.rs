//! Interface objects: what a subgraph adds to an interface reaches every type implementing it.

use std::collections::BTreeMap;

use apollo_compiler::Name;
use apollo_compiler::ast::DirectiveList;

use super::Merger;
use crate::join;
use crate::model::{FieldDef, Kind, TypeDef};

impl<'a> Merger<'a> {
    /// The fields `field` of the interface objects by which a subgraph without type `ty` stands in for it.
    pub(super) fn abstracted_fields(
        &self,
        ty: &str,
        field: &str,
        index: usize,
    ) -> Vec<(&'a TypeDef, &'a FieldDef)> {
        let subgraph = self.subgraph(index);
        if !self.has_interface_objects || subgraph.types.contains_key(ty) {
            return Vec::new();
        }
        let interfaces = self.implements.get(ty).into_iter().flatten();
        let objects = interfaces.filter_map(|interface| subgraph.types.get(interface));
        let objects = objects.filter(|interface| interface.is_interface_object());
        objects
            .filter_map(|interface| Some((interface, interface.fields.get(field)?)))
            .collect()
    }

    pub(super) fn add_interface_object_fields(&mut self, types: &mut BTreeMap<Name, TypeDef>) {
        let mut additions = Vec::new();
        for object in types.values().filter(|ty| ty.kind == Kind::Object) {
            for interface in object.implements.iter().filter_map(|name| types.get(name)) {
                for field in interface.fields.values() {
                    let missing = !object.fields.contains_key(&field.name);
                    if missing && self.is_resolved_by_interface_object(&interface.name, &field.name) {
                        additions.push((object.name.clone(), field.clone()));
                    }
                }
            }
        }
        for (object, mut field) in additions {
            let ty = types.get_mut(&object).expect("additions name merged types");
            if ty.fields.contains_key(&field.name) {
                continue;
            }
            // Without a graph: the interface's own metadata says who resolves it.
            let others = field
                .directives
                .iter()
                .filter(|directive| !directive.name.starts_with("join__"))
                .cloned();
            let others: Vec<_> = others.collect();
            field.directives = DirectiveList(vec![join::directive("join__field", Vec::new())]);
            field.directives.extend(others);
            self.check_abstracted_sharing(&object, &field.name);
            ty.fields.insert(field.name.clone(), field);
        }
    }

    fn is_resolved_by_interface_object(&self, interface: &str, field: &str) -> bool {
        self.members.iter().any(|member| {
            let ty = member.subgraph.types.get(interface);
            ty.filter(|ty| ty.is_interface_object()).is_some_and(|ty| {
                ty.fields
                    .get(field)
                    .is_some_and(|field| !member.facts.is_external(ty, field))
            })
        })
    }
}
