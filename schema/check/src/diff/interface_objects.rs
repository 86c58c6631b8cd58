//! `@interfaceObject`: an interface that a subgraph knows as an object.

use crate::change::Change;
use crate::coordinate::Coordinate;
use crate::diff::Sides;
use crate::rule::Rule;

/// Interfaces that a subgraph began or ceased to treat as objects.
pub(crate) fn compare(sides: &Sides<'_>, changes: &mut Vec<Change>) {
    let (before, after) = (&sides.before.supergraph, &sides.after.supergraph);
    for ty in after.schema().types.keys() {
        let (Some(old), Some(new)) = (before.type_model(ty), after.type_model(ty)) else {
            continue;
        };
        for (id, old) in &old.sources {
            let name = &before.subgraph(*id).name;
            let now = new
                .sources
                .iter()
                .find(|(id, _)| after.subgraph(**id).name == *name);
            let Some((_, new)) = now.filter(|(_, new)| new.is_interface_object != old.is_interface_object)
            else {
                continue;
            };
            let verb = if new.is_interface_object {
                "treats"
            } else {
                "no longer treats"
            };
            let message = format!("{name} {verb} {ty} as an @interfaceObject");
            let coordinate = Coordinate::Type(ty.clone());
            changes.push(Change::in_subgraph(
                Rule::InterfaceObjectChanged,
                name,
                coordinate,
                message,
            ));
        }
    }
}
