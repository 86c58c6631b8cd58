//! Interface objects: what a subgraph adds to an interface reaches every type implementing it.

use std::collections::BTreeMap;

use apollo_compiler::Name;
use apollo_compiler::ast::DirectiveList;

use super::Merger;
use crate::join;
use crate::model::{Kind, TypeDef};

impl Merger<'_> {
    pub(super) fn add_interface_object_fields(&mut self, types: &mut BTreeMap<Name, TypeDef>) {
        let mut additions = Vec::new();
        for interface in types.values().filter(|ty| ty.kind == Kind::Interface) {
            let added = self.fields_of_interface_objects(&interface.name);
            for object in types
                .values()
                .filter(|ty| ty.kind == Kind::Object && ty.implements.contains(&interface.name))
            {
                for name in added.iter().filter(|name| !object.fields.contains_key(*name)) {
                    if let Some(field) = interface.fields.get(name) {
                        additions.push((object.name.clone(), field.clone()));
                    }
                }
            }
        }
        for (object, mut field) in additions {
            // Without a graph: the interface's own metadata says who resolves it.
            let others = field
                .directives
                .iter()
                .filter(|directive| !directive.name.starts_with("join__"))
                .cloned();
            let others: Vec<_> = others.collect();
            field.directives = DirectiveList(vec![join::directive("join__field", Vec::new())]);
            field.directives.extend(others);
            let object = types.get_mut(&object).expect("additions name merged types");
            object.fields.entry(field.name.clone()).or_insert(field);
        }
    }

    fn fields_of_interface_objects(&self, interface: &str) -> Vec<Name> {
        let objects = self
            .sources(interface)
            .into_iter()
            .filter(|(_, ty)| ty.is_interface_object());
        objects.flat_map(|(_, ty)| ty.fields.keys().cloned()).collect()
    }
}
